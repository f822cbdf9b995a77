"""Claims: identity, draft, immutable versions, append-only facts, and where each encounter's bill is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, Table, bindparam, func, insert, select, update

from gateway.claim.answer import PaidClaim
from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding
from gateway.lifecycle import ClaimFact, ClaimState, FactKind
from gateway.ports.claims import Bill, ClaimRow, DayRow, Draft, Override, PlacementRow, Version
from gateway.store.coding import decode, encode
from gateway.store.origins import SheetRows
from gateway.store.schema import (
    claim,
    claim_draft,
    claim_fact,
    claim_override,
    claim_sequence,
    claim_version,
    placement,
    service_day,
    subject,
)
from gateway.store.sql import (
    any_of,
    delete_of,
    insert_all,
    insert_missing,
    insert_or_replace,
    next_value,
    rows_of,
)

_FINDINGS = tuple[Finding, ...]
_BILLS: Select[Any] = select(
    claim_version.c.id,
    claim_version.c.claim_id,
    claim_version.c.number,
    claim_version.c.claim_number,
    claim_version.c.content_hash,
    claim_version.c.charge_cents,
    claim_version.c.content,
    claim.c.organization_id,
).join(claim, claim.c.id == claim_version.c.claim_id)
"""What money and answers ask of versions."""
_BILLS_OF_CLAIMS = _BILLS.where(any_of(claim_version.c.claim_id))
_BILLS_OF_NUMBERS = _BILLS.where(any_of(claim_version.c.claim_number))
_IDS_BY_KEY = select(claim.c.key, claim.c.id).where(any_of(claim.c.key))
_HELD = select(claim.c.id, claim.c.state).where(any_of(claim.c.id)).order_by(claim.c.id).with_for_update(key_share=True)
_FACTS: Select[Any] = (
    select(
        claim_fact.c.id,
        claim_fact.c.claim_id,
        claim_fact.c.version_id,
        claim_fact.c.kind,
        claim_fact.c.at,
        claim_fact.c.actor,
        claim_fact.c.role,
        claim_fact.c.code,
        claim_fact.c.reason,
        claim_fact.c.interchange_id,
        claim_fact.c.answer_id,
        claim_fact.c.payer_claim_number,
        claim_fact.c.paid,
        claim_fact.c.paid_on,
    )
    .where(any_of(claim_fact.c.claim_id))
    .order_by(claim_fact.c.sequence)
)
"""Of some claims, in the order they were recorded."""
_TOLD_OF_VERSIONS = (
    select(claim.c.patient_id, func.count())
    .join(claim_fact, claim_fact.c.claim_id == claim.c.id)
    .where(any_of(claim.c.patient_id), claim_fact.c.version_id != "")
    .group_by(claim.c.patient_id)
)
_KINDS = {kind.value: kind for kind in FactKind}

_CLAIMS_IN_PART = 500


class _Sent(msgspec.Struct):
    """The part of a stored claim that a bill needs; the rest is skipped, not read."""

    frequency: str
    connection: str


class ClaimRows:
    """Implements gateway.ports.claims.Claims."""

    def __init__(self, connection: Connection, sheets: SheetRows) -> None:
        self._connection = connection
        self._sheets = sheets
        self._claims = msgspec.json.Decoder(Claim, dec_hook=sheets.origins)

    def ensure(self, rows: Sequence[ClaimRow]) -> Mapping[str, str]:
        """Claim ids by key, creating the rows that do not exist."""
        insert_missing(
            self._connection,
            claim,
            [
                {
                    "id": row.id,
                    "tenant_id": row.tenant,
                    "organization_id": row.organization,
                    "patient_id": row.patient_id,
                    "payer": row.payer,
                    "key": row.key,
                    "state": row.state,
                    "created_at": row.created_at,
                }
                for row in rows
            ],
        )
        return dict(rows_of(self._connection, _IDS_BY_KEY, [row.key for row in rows]))

    def rows(self, claim_ids: Sequence[str]) -> list[ClaimRow]:
        """Claims by id, in the order asked for; ids that are no claim's are left out."""
        found = {row.id: _claim_row(row) for row in self._in(claim, claim.c.id, claim_ids)}
        return [found[each] for each in claim_ids if each in found]

    def find(self, text: str) -> ClaimRow | None:
        """One claim by id, claim number or key."""
        version = self.bills_by_number([text]).get(text)
        condition = claim.c.id == version.claim_id if version else (claim.c.id == text) | (claim.c.key == text)
        row = self._connection.execute(select(claim).where(condition)).first()
        return _claim_row(row) if row else None

    def of_patients(self, patient_ids: Sequence[str]) -> list[ClaimRow]:
        """The patients' claims in order of key."""
        found = self._in(claim, claim.c.patient_id, patient_ids)
        return sorted((_claim_row(row) for row in found), key=lambda row: row.key)

    def search(self, *, organization: str = "", payer: str = "", state: str = "", limit: int = 0) -> list[ClaimRow]:
        """Claims by organization, payer and state, in order of key."""
        statement = select(claim).order_by(claim.c.key)
        wanted = ((claim.c.organization_id, organization), (claim.c.payer, payer), (claim.c.state, state))
        for column, value in wanted:
            if value:
                statement = statement.where(column == value)
        if limit:
            statement = statement.limit(limit)
        return [_claim_row(row) for row in self._connection.execute(statement)]

    def hold(self, claim_ids: Sequence[str]) -> Mapping[str, str]:
        """Make whoever else projects these claims wait until this transaction ends; the states they are in."""
        held = rows_of(self._connection, _HELD, sorted(set(claim_ids)))
        return {row.id: row.state for row in held}

    def save_drafts(self, drafts: Sequence[Draft]) -> None:
        """Replace the drafts of these claims."""
        self._sheets.keep_those_of(draft.claim for draft in drafts)
        rows = [
            {
                "claim_id": draft.claim_id,
                "connection": draft.claim.connection,
                "form": draft.claim.form,
                "content_hash": draft.content_hash,
                "content": encode(draft.claim),
                "findings": encode(draft.findings),
                "complete": draft.complete,
                "ready_on": draft.ready_on,
                "encounter_ids": encode(draft.encounter_ids),
                "judged_on": draft.judged_on,
                "charge_cents": draft.claim.charge_cents,
            }
            for draft in drafts
        ]
        insert_or_replace(self._connection, claim_draft, rows)

    def drop_drafts(self, claim_ids: Sequence[str]) -> None:
        """Remove drafts that nothing supports any more."""
        delete_of(self._connection, claim_draft.c.claim_id, claim_ids)

    def drafts(self, claim_ids: Sequence[str]) -> Mapping[str, Draft]:
        """Drafts by claim id."""
        return {
            row.claim_id: Draft(
                claim_id=row.claim_id,
                claim=self._claims.decode(row.content),
                content_hash=row.content_hash,
                findings=decode(row.findings, _FINDINGS),
                complete=row.complete,
                ready_on=row.ready_on,
                encounter_ids=decode(row.encounter_ids, tuple[str, ...]),
                judged_on=row.judged_on,
            )
            for row in self._in(claim_draft, claim_draft.c.claim_id, claim_ids)
        }

    def versions(self, claim_ids: Sequence[str]) -> Mapping[str, list[Version]]:
        """Versions by claim id, oldest first."""
        found: dict[str, list[Version]] = {each: [] for each in claim_ids}
        rows = self._in(claim_version, claim_version.c.claim_id, claim_ids)
        for row in sorted(rows, key=lambda each: each.number):
            found[row.claim_id].append(_version(row, self._claims.decode(row.content)))
        return found

    def bills(self, claim_ids: Sequence[str]) -> Mapping[str, list[Bill]]:
        """The versions by claim id, oldest first, without what they say of the patient."""
        found: dict[str, list[Bill]] = {each: [] for each in claim_ids}
        rows = rows_of(self._connection, _BILLS_OF_CLAIMS, claim_ids)
        for row in sorted(rows, key=lambda each: each.number):
            found[row.claim_id].append(_bill(row))
        return found

    def bills_by_number(self, claim_numbers: Sequence[str]) -> Mapping[str, Bill]:
        """Those of the CLM01s that are ours."""
        rows = rows_of(self._connection, _BILLS_OF_NUMBERS, claim_numbers)
        return {row.claim_number: _bill(row) for row in rows}

    def bill_by_payer_number(self, payer_claim_number: str) -> Bill | None:
        """The version that was given this payer claim control number; None when none or several were."""
        given = select(claim_fact.c.version_id).where(claim_fact.c.payer_claim_number == payer_claim_number)
        rows = self._connection.execute(_BILLS.where(claim_version.c.id.in_(given)).limit(2)).all()
        return _bill(rows[0]) if len(rows) == 1 else None

    def next_claim_numbers(self, count: int) -> range:
        """The sequences of the next claim numbers; a rolled back transaction gives them back unused."""
        last = next_value(self._connection, claim_sequence, {"name": "claim"}, count)
        return range(last - count + 1, last + 1)

    def add_versions(self, versions: Sequence[Version]) -> None:
        """Freeze versions."""
        self._sheets.keep_those_of(version.claim for version in versions)
        rows = [
            {
                "id": version.id,
                "claim_id": version.claim_id,
                "number": version.number,
                "claim_number": version.claim_number,
                "content_hash": version.content_hash,
                "content": encode(version.claim),
                "findings": encode(version.findings),
                "charge_cents": version.claim.charge_cents,
                "frozen_at": version.frozen_at,
                "interchange_id": version.interchange_id,
            }
            for version in versions
        ]
        insert_all(self._connection, claim_version, rows)

    def answered(self, answer_id: str) -> Iterator[list[str]]:
        """Ids of the claims that an answer's facts speak of, in order, part by part: others are written in between."""
        claim_id, last = claim_fact.c.claim_id, ""
        spoken_of = select(claim_id).where(claim_fact.c.answer_id == answer_id).distinct().order_by(claim_id)
        while part := list(self._connection.scalars(spoken_of.where(claim_id > last).limit(_CLAIMS_IN_PART))):
            yield part
            last = part[-1]

    def add_facts(self, facts: Sequence[ClaimFact]) -> None:
        """Append facts; one whose id is there already is the same fact."""
        rows = [
            {
                "id": fact.id,
                "claim_id": fact.claim_id,
                "version_id": fact.version_id,
                "kind": fact.kind,
                "at": fact.at,
                "actor": fact.actor,
                "role": fact.role,
                "code": fact.code,
                "reason": fact.reason,
                "interchange_id": fact.interchange_id,
                "answer_id": fact.answer_id,
                "payer_claim_number": fact.payer_claim_number,
                "paid": None if fact.paid is None else encode(fact.paid),
                "paid_on": fact.paid_on,
            }
            for fact in facts
        ]
        insert_missing(self._connection, claim_fact, rows)

    def facts(self, claim_ids: Sequence[str]) -> Mapping[str, list[ClaimFact]]:
        """Facts by claim id, in the order they were recorded."""
        found: dict[str, list[ClaimFact]] = {each: [] for each in claim_ids}
        for fact in map(_fact, rows_of(self._connection, _FACTS, claim_ids)):
            found[fact.claim_id].append(fact)
        return found

    def facts_of_versions(self, patient_ids: Sequence[str]) -> Mapping[str, int]:
        """How many facts there are of any version of each patient's claims."""
        counted = dict(rows_of(self._connection, _TOLD_OF_VERSIONS, patient_ids))
        return {each: counted.get(each, 0) for each in patient_ids}

    def set_states(self, states: Sequence[tuple[str, str]]) -> None:
        """Write projected states."""
        if states:
            self._connection.execute(
                update(claim).where(claim.c.id == bindparam("claim_id")).values(state=bindparam("new_state")),
                [{"claim_id": id, "new_state": state} for id, state in sorted(states)],
            )

    def releasable(self, connection: str, form: ClaimForm, limit: int) -> list[str]:
        """Ids of released claims whose draft goes over this connection in this form. Their patients are held until
        the commit; patients that another worker holds are left to it."""
        statement = (
            select(claim.c.id)
            .join(claim_draft, claim_draft.c.claim_id == claim.c.id)
            .join(subject, subject.c.id == claim.c.patient_id)
            .where(
                claim.c.state == ClaimState.RELEASED, claim_draft.c.connection == connection, claim_draft.c.form == form
            )
            .order_by(claim.c.key)
            .limit(limit)
        )
        others_derive = statement.with_for_update(of=subject, skip_locked=True, key_share=True)
        return list(self._connection.scalars(others_derive))

    def replace_placements(
        self, patient_ids: Sequence[str], placements: Sequence[PlacementRow], days: Sequence[DayRow]
    ) -> None:
        """Replace what was derived of the patients' encounters."""
        delete_of(self._connection, placement.c.patient_id, patient_ids)
        delete_of(self._connection, service_day.c.patient_id, patient_ids)
        placed = [
            {
                "encounter_id": each.encounter_id,
                "payer": each.payer,
                "patient_id": each.patient_id,
                "place": each.place,
                "reason": each.reason,
                "on": each.on,
                "claim_key": each.claim_key,
                "cents": each.cents,
                "findings": encode(each.findings),
            }
            for each in placements
        ]
        insert_or_replace(self._connection, placement, placed)
        counted = [
            {
                "patient_id": day.patient_id,
                "organization_id": day.organization,
                "facility": day.facility,
                "program": day.program,
                "level_of_care": day.level_of_care,
                "on": day.on,
                "minutes": day.minutes,
                "services": day.services,
                "cents": day.cents,
                "attended_ids": encode(day.attended_ids),
            }
            for day in days
        ]
        insert_or_replace(self._connection, service_day, counted)

    def placements(self, patient_ids: Sequence[str] | None = None) -> Iterable[PlacementRow]:
        """Placements, of all patients when none are named."""
        if patient_ids is not None:
            return map(_placement, self._in(placement, placement.c.patient_id, patient_ids))
        ordered = select(placement).order_by(placement.c.patient_id, placement.c.on, placement.c.encounter_id)
        return map(_placement, self._connection.execute(ordered))

    def placements_of(self, encounter_ids: Sequence[str]) -> Iterable[PlacementRow]:
        """Placements of some encounters."""
        return map(_placement, self._in(placement, placement.c.encounter_id, encounter_ids))

    def days(self, patient_ids: Sequence[str] | None = None) -> Iterable[DayRow]:
        """Service days, of all patients when none are named."""
        if patient_ids is not None:
            return map(_day, self._in(service_day, service_day.c.patient_id, patient_ids))
        ordered = select(service_day).order_by(service_day.c.patient_id, service_day.c.on)
        return map(_day, self._connection.execute(ordered))

    def add_override(self, override: Override) -> None:
        """Record an override."""
        self._connection.execute(
            insert(claim_override).values(
                claim_id=override.claim_id,
                rule=override.rule,
                actor=override.actor,
                role=override.role,
                reason=override.reason,
                expires_on=override.expires_on,
            )
        )

    def overrides(self, claim_ids: Sequence[str]) -> Mapping[str, list[Override]]:
        """Overrides by claim id."""
        found: dict[str, list[Override]] = {each: [] for each in claim_ids}
        for row in self._in(claim_override, claim_override.c.claim_id, claim_ids):
            found[row.claim_id].append(
                Override(
                    claim_id=row.claim_id,
                    rule=row.rule,
                    actor=row.actor,
                    role=row.role,
                    reason=row.reason,
                    expires_on=row.expires_on,
                )
            )
        return found

    def states(self) -> Mapping[str, int]:
        """How many claims are in each state."""
        counted = select(claim.c.state, func.count()).group_by(claim.c.state)
        return dict(self._connection.execute(counted).all())

    def _in(self, table: Table, column: Any, values: Sequence[str]) -> list[Row[Any]]:
        return list(rows_of(self._connection, _rows_where(table, column), values))


@cache
def _rows_where(table: Table, column: Any) -> Select[Any]:
    return select(table).where(any_of(column))


def _claim_row(row: Row[Any]) -> ClaimRow:
    return ClaimRow(
        id=row.id,
        tenant=row.tenant_id,
        organization=row.organization_id,
        patient_id=row.patient_id,
        payer=row.payer,
        key=row.key,
        state=row.state,
        created_at=row.created_at,
    )


def _day(row: Row[Any]) -> DayRow:
    return DayRow(
        patient_id=row.patient_id,
        organization=row.organization_id,
        facility=row.facility,
        program=row.program,
        level_of_care=row.level_of_care,
        on=row.on,
        minutes=row.minutes,
        services=row.services,
        cents=row.cents,
        attended_ids=decode(row.attended_ids, tuple[str, ...]),
    )


def _placement(row: Row[Any]) -> PlacementRow:
    return PlacementRow(
        encounter_id=row.encounter_id,
        patient_id=row.patient_id,
        payer=row.payer,
        place=row.place,
        reason=row.reason,
        on=row.on,
        claim_key=row.claim_key,
        cents=row.cents,
        findings=decode(row.findings, _FINDINGS),
    )


def _version(row: Row[Any], claim: Claim) -> Version:
    return Version(
        id=row.id,
        claim_id=row.claim_id,
        number=row.number,
        claim_number=row.claim_number,
        claim=claim,
        content_hash=row.content_hash,
        findings=decode(row.findings, _FINDINGS),
        frozen_at=row.frozen_at,
        interchange_id=row.interchange_id,
    )


def _bill(row: Row[Any]) -> Bill:
    sent = decode(row.content, _Sent)
    return Bill(
        id=row.id,
        claim_id=row.claim_id,
        claim_number=row.claim_number,
        content_hash=row.content_hash,
        organization=row.organization_id,
        connection=sent.connection,
        frequency=sent.frequency,
        charge_cents=row.charge_cents,
    )


def _fact(row: Sequence[Any]) -> ClaimFact:
    """A row of `_FACTS`: taken apart by place, since an answer reads every fact of its claims."""
    id, claim_id, version_id, kind, at, actor, role, code, reason, interchange_id, answer_id, number, paid, on = row
    return ClaimFact(
        id=id,
        claim_id=claim_id,
        version_id=version_id,
        kind=_KINDS[kind],
        at=at,
        actor=actor,
        role=role,
        code=code,
        reason=reason,
        interchange_id=interchange_id,
        answer_id=answer_id,
        payer_claim_number=number,
        paid=None if paid is None else decode(paid, PaidClaim),
        paid_on=on,
    )
