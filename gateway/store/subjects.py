"""Who and what the facts are about, and each source's word on it. Identity is by configured namespaces only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, tuple_, update

from gateway.claim.finding import Origin
from gateway.claim.identifiers import stable_id
from gateway.claim.party import Identifier
from gateway.claim.record import FEED_RECORDS, CredentialRecord, FeedRecord, RecordKind
from gateway.ports.storage import Assertion
from gateway.store.coding import decode, encode
from gateway.store.schema import (
    assertion,
    credential,
    credential_roster,
    encounter_decision,
    subject,
    subject_identifier,
)
from gateway.store.sql import insert_missing, insert_or_replace, slices

_RECORD_TYPES: dict[RecordKind, type[FeedRecord]] = {type.kind: type for type in FEED_RECORDS}


class SubjectRows:
    """Implements gateway.ports.storage.Subjects."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def resolve(self, organization: str, kind: RecordKind, identifiers: Sequence[Identifier]) -> str:
        """The subject that has any of the identifiers, created when none has."""
        known = self._known(organization, kind, identifiers)
        if not known:
            new_id = stable_id(organization, kind, str(identifiers[0]))
            row = {"id": new_id, "organization_id": organization, "kind": kind}
            insert_missing(self._connection, subject, [row])
            self._name(organization, kind, identifiers, new_id)
            known = self._known(organization, kind, identifiers)  # somebody else may have been first
        winner = min(known.values())
        missing = [each for each in identifiers if each not in known]
        if missing:
            self._name(organization, kind, missing, winner)
        for loser in set(known.values()) - {winner}:
            self._join(loser, winner)
        return winner

    def find(self, organization: str, kind: RecordKind, identifier: Identifier) -> str | None:
        """The subject that has the identifier."""
        return self._known(organization, kind, [identifier]).get(identifier)

    def identifiers(self, subject_ids: Sequence[str]) -> Mapping[str, tuple[Identifier, ...]]:
        """Every identifier of the subjects."""
        found: dict[str, list[Identifier]] = {each: [] for each in subject_ids}
        columns = subject_identifier.c
        for some in slices(list(subject_ids)):
            statement = select(columns.subject_id, columns.namespace, columns.value).where(columns.subject_id.in_(some))
            for subject_id, namespace, value in self._connection.execute(statement.order_by(columns.namespace)):
                found[subject_id].append(Identifier(namespace, value))
        return {each: tuple(names) for each, names in found.items()}

    def assert_record(self, assertion_: Assertion) -> None:
        """Append one source's word."""
        record = assertion_.record
        self._connection.execute(
            insert(assertion).values(
                organization_id=assertion_.organization,
                kind=assertion_.kind,
                subject_id=assertion_.subject_id,
                patient_id=assertion_.patient_id,
                source=assertion_.source,
                origin_key=assertion_.origin_key,
                message_id=assertion_.message_id,
                mapping_hash=assertion_.mapping_hash,
                asserted_at=assertion_.asserted_at,
                content=None if record is None else encode(record),
                origins=encode(assertion_.origins),
            )
        )

    def asserted_by(self, source: str, origin_key: str) -> list[tuple[RecordKind, str, str]]:
        """(kind, subject, patient) of what this resource or message said last, not taken back."""
        columns = assertion.c
        said = (
            select(columns.kind, columns.subject_id, columns.patient_id, columns.content.is_(None).label("taken_back"))
            .where(columns.source == source, columns.origin_key == origin_key)
            .order_by(columns.id)
        )
        last = {(row.kind, row.subject_id): row for row in self._connection.execute(said)}
        return [(RecordKind(row.kind), row.subject_id, row.patient_id) for row in last.values() if not row.taken_back]

    def about_patients(self, patient_ids: Sequence[str]) -> Mapping[str, list[Assertion]]:
        """For each patient, every source's newest word on each subject."""
        patients = self._with_joined(patient_ids)
        columns = assertion.c
        newest: dict[tuple[str, str, str], Row[Any]] = {}
        rows: list[Row[Any]] = []
        for some in slices(list(patients)):
            statement = (
                select(assertion, subject.c.joined_into)
                .join(subject, subject.c.id == columns.subject_id)
                .where(columns.patient_id.in_(some))
            )
            rows.extend(self._connection.execute(statement))
        for row in sorted(rows, key=lambda each: (each.asserted_at, each.id)):
            newest[patients[row.patient_id], row.joined_into or row.subject_id, row.source] = row
        said: dict[str, list[Assertion]] = {each: [] for each in patient_ids}
        for (patient_id, subject_id, _), row in sorted(newest.items()):
            if row.content is not None:
                said[patient_id].append(_assertion(row, patient_id, subject_id))
        return said

    def joined(self, patient_ids: Sequence[str]) -> Mapping[str, list[str]]:
        """The ids that were found to be these patients."""
        found: dict[str, list[str]] = {each: [] for each in patient_ids}
        for id, standing in self._with_joined(patient_ids).items():
            if id != standing:
                found[standing].append(id)
        return found

    def standing(self, patient_ids: Sequence[str]) -> list[str]:
        """The patients these ids now stand for, each once."""
        found: list[str] = []
        for some in slices(list(patient_ids)):
            rows = self._connection.execute(select(subject.c.id, subject.c.joined_into).where(subject.c.id.in_(some)))
            found.extend(row.joined_into or row.id for row in rows)
        return sorted(set(found))

    def patient_ids(self) -> Iterable[str]:
        """Every patient, joined ones once."""
        alive = select(subject.c.id).where(subject.c.kind == RecordKind.PATIENT, subject.c.joined_into.is_(None))
        return list(self._connection.scalars(alive.order_by(subject.c.id)))

    def set_credentials(self, organization: str, rows: Sequence[CredentialRecord]) -> None:
        """Replace the organization's roster."""
        self._connection.execute(delete(credential).where(credential.c.organization_id == organization))
        if rows:
            self._connection.execute(
                insert(credential), [{"organization_id": organization, "content": encode(row)} for row in rows]
            )
        insert_or_replace(
            self._connection, credential_roster, [{"organization_id": organization, "row_count": len(rows)}]
        )

    def credentials(self, organization: str) -> tuple[CredentialRecord, ...] | None:
        """The organization's roster; None when none was ever loaded."""
        loaded = select(credential_roster.c.row_count).where(credential_roster.c.organization_id == organization)
        if self._connection.scalar(loaded) is None:
            return None
        rows = select(credential.c.content).where(credential.c.organization_id == organization)
        return tuple(decode(content, CredentialRecord) for content in self._connection.scalars(rows))

    def encounter_decisions(self, organization: str) -> Mapping[frozenset[str], str]:
        """What a person decided of encounters told twice."""
        rows = select(encounter_decision).where(encounter_decision.c.organization_id == organization)
        return {frozenset((row.first_id, row.second_id)): row.decision for row in self._connection.execute(rows)}

    def decide_encounters(self, organization: str, pair: frozenset[str], decision: str) -> None:
        """Record such a decision."""
        first, second = sorted(pair)
        row = {"organization_id": organization, "first_id": first, "second_id": second, "decision": decision}
        insert_or_replace(self._connection, encounter_decision, [row])

    def _known(self, organization: str, kind: RecordKind, identifiers: Sequence[Identifier]) -> dict[Identifier, str]:
        columns = subject_identifier.c
        statement = select(columns.namespace, columns.value, columns.subject_id).where(
            columns.organization_id == organization,
            columns.kind == kind,
            tuple_(columns.namespace, columns.value).in_([(each.namespace, each.value) for each in identifiers]),
        )
        return {Identifier(row.namespace, row.value): row.subject_id for row in self._connection.execute(statement)}

    def _name(self, organization: str, kind: RecordKind, identifiers: Sequence[Identifier], subject_id: str) -> None:
        rows = [
            {
                "organization_id": organization,
                "kind": kind,
                "namespace": each.namespace,
                "value": each.value,
                "subject_id": subject_id,
            }
            for each in dict.fromkeys(identifiers)
        ]
        insert_missing(self._connection, subject_identifier, rows)

    def _join(self, loser: str, winner: str) -> None:
        """Two subjects turn out to be one: the loser's names move, its assertions are read under the winner."""
        self._connection.execute(
            update(subject).where(or_(subject.c.id == loser, subject.c.joined_into == loser)).values(joined_into=winner)
        )
        self._connection.execute(
            update(subject_identifier).where(subject_identifier.c.subject_id == loser).values(subject_id=winner)
        )

    def _with_joined(self, patient_ids: Sequence[str]) -> dict[str, str]:
        """Every id under which assertions of these patients were written, with the patient it now stands for."""
        standing = {each: each for each in patient_ids}
        for some in slices(list(patient_ids)):
            joined = select(subject.c.id, subject.c.joined_into).where(subject.c.joined_into.in_(some))
            standing.update({row.id: row.joined_into for row in self._connection.execute(joined)})
        return standing


def _assertion(row: Row[Any], patient_id: str, subject_id: str) -> Assertion:
    kind = RecordKind(row.kind)
    return Assertion(
        subject_id=subject_id,
        patient_id=patient_id,
        organization=row.organization_id,
        kind=kind,
        source=row.source,
        origin_key=row.origin_key,
        message_id=row.message_id,
        mapping_hash=row.mapping_hash,
        asserted_at=row.asserted_at,
        record=decode(row.content, _RECORD_TYPES[kind]),
        origins=decode(row.origins, dict[str, Origin]),
    )
