"""Who and what the facts are about, and each source's word on it. Identity is by configured namespaces only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, literal_column, or_, select, union, update

from gateway.claim.identifiers import stable_id
from gateway.claim.origins import Origins, Sheet, Told
from gateway.claim.party import Identifier
from gateway.claim.record import FEED_RECORDS, FeedRecord, MoveRecord, RecordKind
from gateway.errors import Unavailable
from gateway.ports.subjects import Assertion
from gateway.store.coding import decode, encode
from gateway.store.moves import Moves
from gateway.store.origins import SheetRows
from gateway.store.schema import (
    assertion,
    encounter_decision,
    subject,
    subject_identifier,
)
from gateway.store.sql import any_of, insert_all, insert_missing, insert_or_replace, rows_of, slices

_ABOUT, _PATIENT = subject.alias(), subject.alias()
_SAID_BY = (
    select(
        assertion.c.origin_key,
        assertion.c.kind,
        func.coalesce(_ABOUT.c.joined_into, _ABOUT.c.id),
        func.coalesce(_PATIENT.c.joined_into, _PATIENT.c.id),
        assertion.c.content.is_(None),
    )
    .join(_ABOUT, _ABOUT.c.id == assertion.c.subject_id)
    .join(_PATIENT, _PATIENT.c.id == assertion.c.patient_id)
    .where(
        assertion.c.source == bindparam("source"),
        any_of(assertion.c.origin_key, "origin_keys"),
    )
    .order_by(assertion.c.id)
)
_NAMED = select(subject_identifier.c.value, subject_identifier.c.subject_id).where(
    subject_identifier.c.organization_id == bindparam("organization"),
    subject_identifier.c.kind == bindparam("kind"),
    subject_identifier.c.namespace == bindparam("namespace"),
    any_of(subject_identifier.c.value),
)
"""One namespace at a time: asked for pairs, SQLite looks at all that the organization has, and PostgreSQL plans longer
than it looks."""
_NAMES = (
    select(subject_identifier.c.subject_id, subject_identifier.c.namespace, subject_identifier.c.value)
    .where(any_of(subject_identifier.c.subject_id))
    .order_by(subject_identifier.c.namespace)
)
_STANDING = select(subject.c.id, subject.c.joined_into).where(any_of(subject.c.id))
_JOINED = select(subject.c.id, subject.c.joined_into).where(any_of(subject.c.joined_into))
_HELD = select(subject.c.id).where(any_of(subject.c.id)).order_by(subject.c.id).with_for_update(key_share=True)
_LAST_WORDS = (
    select(assertion.c.patient_id, func.max(assertion.c.id))
    .where(any_of(assertion.c.patient_id))
    .group_by(assertion.c.patient_id)
)
_STANDS_FOR = func.coalesce(subject.c.joined_into, subject.c.id)
_WORDS = select(
    assertion.c.id,
    assertion.c.organization_id,
    assertion.c.kind,
    _STANDS_FOR,
    assertion.c.patient_id,
    assertion.c.source,
    assertion.c.origin_key,
    assertion.c.message_id,
    assertion.c.mapping_hash,
    assertion.c.asserted_at,
    assertion.c.content,
    assertion.c.sheet,
).join(subject, subject.c.id == assertion.c.subject_id)
"""In the order of _Word's fields."""
_OF_PATIENTS = any_of(assertion.c.patient_id)
_TOLD_OF_PATIENTS = _WORDS.where(_OF_PATIENTS)
_THEIRS = (
    select(_STANDS_FOR.label("id"))
    .join(assertion, assertion.c.subject_id == subject.c.id)
    .where(_OF_PATIENTS, assertion.c.kind != RecordKind.PATIENT)
    .cte("theirs")
)
_TOLD_OF_OTHERS = _WORDS.where(
    assertion.c.subject_id.in_(
        union(select(_THEIRS.c.id), select(_ABOUT.c.id).where(_ABOUT.c.joined_into.in_(select(_THEIRS.c.id))))
    ),
    ~_OF_PATIENTS,
)
"""Words that tie the same subjects to other patients: a visit filed wrongly first, then moved."""
_MOVES = assertion.c.kind == literal_column(f"'{RecordKind.MOVE}'")
"""Written out, or SQLite does not know that its index of moves alone serves."""
_NOTHING: tuple[Any, ...] = (None, "", ())
_RECORD_TYPES: dict[str, type[FeedRecord]] = {type.kind.value: type for type in FEED_RECORDS}


class SubjectRows:
    """Implements gateway.ports.subjects.Subjects."""

    def __init__(self, connection: Connection, sheets: SheetRows) -> None:
        self._connection = connection
        self._sheets = sheets

    def resolve(self, organization: str, kind: RecordKind, named: Sequence[Sequence[Identifier]]) -> list[str]:
        """For each set of identifiers the subject that has any of them; see gateway.ports.subjects.Subjects."""
        known = self._known(organization, kind, sorted({each for names in named for each in names}, key=str))
        resolution = _Resolution(organization, kind, known)
        resolved = [resolution.resolve(names) for names in named]
        self._create(organization, kind, resolution)
        for loser, winner in resolution.joined.items():
            self._join(loser, winner)
        return [resolution.standing(each) for each in resolved]

    def find(self, organization: str, kind: RecordKind, identifier: Identifier) -> str | None:
        """The subject that has the identifier."""
        return self._known(organization, kind, [identifier]).get(identifier)

    def who_are(
        self, organization: str, kind: RecordKind, identifiers: Sequence[Identifier]
    ) -> Mapping[Identifier, str]:
        """The subject that has each identifier; those that nobody has are left out."""
        return self._known(organization, kind, sorted(set(identifiers), key=str))

    def beginning_with(self, organization: str, kind: RecordKind, namespace: str, start: str) -> list[Identifier]:
        """Every identifier of a namespace that begins with some text."""
        columns = subject_identifier.c
        named = select(columns.value).where(
            columns.organization_id == organization,
            columns.kind == kind,
            columns.namespace == namespace,
            columns.value.startswith(start, autoescape=True),
        )
        return [Identifier(namespace, each) for each in self._connection.scalars(named) if each.startswith(start)]

    def identifiers(self, subject_ids: Sequence[str]) -> Mapping[str, tuple[Identifier, ...]]:
        """Every identifier of the subjects."""
        found: dict[str, list[Identifier]] = {each: [] for each in subject_ids}
        for subject_id, namespace, value in rows_of(self._connection, _NAMES, subject_ids):
            found[subject_id].append(Identifier(namespace, value))
        return {each: tuple(names) for each, names in found.items()}

    def assert_records(self, assertions: Sequence[Assertion]) -> None:
        """Append sources' words."""
        told = [next(iter(each.origins.told), None) for each in assertions]
        self._sheets.keep(each.sheet for each in told if each)
        rows = [
            {
                "organization_id": each.organization,
                "kind": each.kind,
                "subject_id": each.subject_id,
                "patient_id": each.patient_id,
                "source": each.source,
                "origin_key": each.origin_key,
                "message_id": each.message_id,
                "mapping_hash": each.mapping_hash,
                "asserted_at": each.asserted_at,
                "content": None if each.record is None else encode(each.record),
                "sheet": told_by.sheet.digest if told_by else None,
            }
            for each, told_by in zip(assertions, told, strict=True)
        ]
        insert_all(self._connection, assertion, rows)

    def asserted_by(
        self, source: str, origin_keys: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[RecordKind, str, str]]]:
        """(kind, subject, patient) of what these resources or messages said last, not taken back, by whom the ids now
        stand for: what was said of a joined subject was said of the one it was joined into."""
        last: dict[tuple[str, str, str], tuple[str, bool]] = {}
        for some in slices(list(origin_keys)):
            for key, kind, subject_id, patient_id, taken_back in self._connection.execute(
                _SAID_BY, {"source": source, "origin_keys": some}
            ):
                last[key, kind, subject_id] = patient_id, taken_back
        said: dict[str, list[tuple[RecordKind, str, str]]] = {each: [] for each in origin_keys}
        for (key, kind, subject_id), (patient_id, taken_back) in last.items():
            if not taken_back:
                said[key].append((RecordKind(kind), subject_id, patient_id))
        return said

    def told_about(self, patient_ids: Sequence[str], source: str) -> list[str]:
        """The resources and messages of a source that ever told of these patients, in the order they first did."""
        found: dict[str, int] = {}
        for some in slices(list(self._with_joined(patient_ids))):
            columns = assertion.c
            told = select(columns.origin_key, func.min(columns.id)).where(
                columns.patient_id.in_(some), columns.source == source
            )
            for origin_key, first in self._connection.execute(told.group_by(columns.origin_key)):
                found[origin_key] = min(first, found.get(origin_key, first))
        return sorted(found, key=found.__getitem__)

    def about_patients(self, patient_ids: Sequence[str]) -> Mapping[str, list[Assertion]]:
        """For each patient, every source's newest word on each subject."""
        patients = self._with_joined(patient_ids)
        rows = self._told_of(patients)
        if any(row.kind == RecordKind.MOVE for row in rows):
            patients = self._with_joined([*patient_ids, *self.moved_with(patient_ids)])
            rows = self._told_of(patients)
        sheets = self._sheets.find_all(row.sheet for row in rows if row.sheet)
        told: list[Assertion] = []
        moves: list[Assertion] = []
        for _, words in sorted(_standing(rows).items()):
            heard = [word for told_once in words.values() for word in told_once]
            row = heard[0] if len(heard) == 1 else max(heard, key=_when)
            if row.kind == RecordKind.MOVE:
                each_last = sorted((told_once[-1] for told_once in words.values()), key=_when)
                moves += (_assertion(last, {}, last.patient_id, sheets) for last in each_last)
                continue
            patient_id = patients.get(row.patient_id)
            if patient_id is not None:
                told.append(_assertion(row, words, patient_id, sheets))
        said: dict[str, list[Assertion]] = {each: [] for each in patient_ids}
        for each in self._moved(told, moves) if moves else told:
            if each.patient_id in said:
                said[each.patient_id].append(each)
        return said

    def moved_with(self, patient_ids: Iterable[str]) -> set[str]:
        """The other patients between whom and these any word moved anything, through others too."""
        known = {*patient_ids}
        new, asked = known, frozenset(known)
        while new:
            moved: set[str] = set()
            for some in slices(sorted(self._with_joined(sorted(new)))):
                moved.update(
                    self._connection.scalars(
                        select(assertion.c.subject_id).where(_MOVES, assertion.c.patient_id.in_(some))
                    )
                )
            tied: set[str] = set()
            for some in slices(sorted(self._with_joined(sorted(moved)))):
                tied.update(
                    self._connection.scalars(
                        select(assertion.c.patient_id).where(_MOVES, assertion.c.subject_id.in_(some))
                    )
                )
            new = {*self._standing_for(tied).values()} - known
            known = known | new
        return known - asked

    def last_words(self, patient_ids: Sequence[str]) -> Mapping[str, int]:
        """The number of the newest word any source said of each patient; a later word has a higher one."""
        last = dict(rows_of(self._connection, _LAST_WORDS, patient_ids))
        return {each: last.get(each, 0) for each in patient_ids}

    def patients_of(self, subject_ids: Sequence[str]) -> set[str]:
        """Every patient that any word tied one of these subjects to, taken-back and later moved ones too."""
        found: set[str] = set()
        for some in slices(sorted(set(subject_ids))):
            tied = select(assertion.c.patient_id).where(assertion.c.subject_id.in_(some)).distinct()
            found.update(self._connection.scalars(tied))
        return found | self.moved_with(found)

    def joined(self, patient_ids: Sequence[str]) -> Mapping[str, list[str]]:
        """The ids that were found to be these patients."""
        found: dict[str, list[str]] = {each: [] for each in patient_ids}
        for id, standing in self._with_joined(patient_ids).items():
            if id != standing:
                found[standing].append(id)
        return found

    def standing(self, patient_ids: Sequence[str]) -> list[str]:
        """The patients these ids now stand for, each once. A writer holds them until its commit, so that two
        derivations of one patient follow each other instead of writing over each other."""
        found = {*self._standing_for(set(patient_ids)).values()}
        if self._connection.get_execution_options().get("cleanclaim_writing"):
            list(rows_of(self._connection, _HELD, sorted(found)))
        return sorted(found)

    def patient_ids(self) -> Iterable[str]:
        """Every patient, joined ones once."""
        alive = select(subject.c.id).where(subject.c.kind == RecordKind.PATIENT, subject.c.joined_into.is_(None))
        return list(self._connection.scalars(alive.order_by(subject.c.id)))

    def encounter_decisions(self, organization: str) -> Mapping[frozenset[str], str]:
        """What a person decided of encounters told twice."""
        rows = select(encounter_decision).where(encounter_decision.c.organization_id == organization)
        return {frozenset((row.first_id, row.second_id)): row.decision for row in self._connection.execute(rows)}

    def decide_encounters(self, organization: str, pair: frozenset[str], decision: str) -> None:
        """Record such a decision."""
        first, second = sorted(pair)
        row = {"organization_id": organization, "first_id": first, "second_id": second, "decision": decision}
        insert_or_replace(self._connection, encounter_decision, [row])

    def _create(self, organization: str, kind: RecordKind, resolution: _Resolution) -> None:
        """Write new subjects and names, in one order, so that two writers never wait in a circle."""
        subjects = [{"id": id, "organization_id": organization, "kind": kind} for id in sorted(resolution.created)]
        insert_missing(self._connection, subject, subjects)
        names = sorted(resolution.new_names, key=str)
        insert_missing(
            self._connection,
            subject_identifier,
            [
                {
                    "organization_id": organization,
                    "kind": kind,
                    "namespace": each.namespace,
                    "value": each.value,
                    "subject_id": resolution.known[each],
                }
                for each in names
            ],
        )
        if names and self._connection.dialect.name == "postgresql":
            written = self._known(organization, kind, names)
            if any(written[each] != resolution.known[each] for each in names):
                raise Unavailable("another worker named one of these subjects first; the batch is done again")

    def _known(self, organization: str, kind: RecordKind, identifiers: Iterable[Identifier]) -> dict[Identifier, str]:
        values: dict[str, list[str]] = defaultdict(list)
        for each in identifiers:
            values[each.namespace].append(each.value)
        found: dict[Identifier, str] = {}
        for namespace, named in values.items():
            for some in slices(named):
                given = {"organization": organization, "kind": kind, "namespace": namespace, "values": some}
                for value, subject_id in self._connection.execute(_NAMED, given):
                    found[Identifier(namespace, value)] = subject_id
        return found

    def _join(self, loser: str, winner: str) -> None:
        """Two subjects turn out to be one: the loser's names move, its assertions are read under the winner."""
        self._connection.execute(
            update(subject).where(or_(subject.c.id == loser, subject.c.joined_into == loser)).values(joined_into=winner)
        )
        self._connection.execute(
            update(subject_identifier).where(subject_identifier.c.subject_id == loser).values(subject_id=winner)
        )

    def _told_of(self, patients: Mapping[str, str]) -> list[_Word]:
        """Every word on these patients, and on what is tied to them, in the order they were heard."""
        words: dict[int, _Word] = {}
        for some in slices(list(patients)):
            for statement in (_TOLD_OF_PATIENTS, _TOLD_OF_OTHERS):
                rows = self._connection.execute(statement, {"values": some}).all()
                words.update((row[0], _Word._make(row)) for row in rows)
        return [words[id] for id in sorted(words)]

    def _moved(self, told: Sequence[Assertion], moves: Sequence[Assertion]) -> list[Assertion]:
        """The words, each of the patient whose it is after the moves."""
        in_time = sorted(moves, key=lambda each: each.asserted_at)
        people = [
            name
            for each in in_time
            if isinstance(each.record, MoveRecord)
            for name in (each.record.patient, each.record.moved_from)
            if name
        ]
        numbers = self.identifiers(sorted({each.subject_id for each in moves}))
        return Moves(
            said=in_time,
            numbers={name: subject_id for subject_id, names in numbers.items() for name in names},
            people=self.who_are(moves[0].organization, RecordKind.PATIENT, people),
            stays=self.identifiers([each.subject_id for each in told if each.kind is RecordKind.EPISODE]),
        ).applied(told)

    def _standing_for(self, ids: Iterable[str]) -> dict[str, str]:
        """Whom each of these ids stands for."""
        return {id: joined_into or id for id, joined_into in rows_of(self._connection, _STANDING, sorted(ids))}

    def _with_joined(self, patient_ids: Sequence[str]) -> dict[str, str]:
        """Every id under which assertions of these patients were written, with the patient it now stands for."""
        standing = {each: each for each in patient_ids}
        standing.update((id, into) for id, into in rows_of(self._connection, _JOINED, patient_ids))
        return standing


class _Resolution:
    """Which subject each set of names means, worked out in memory before anything is written."""

    def __init__(self, organization: str, kind: RecordKind, known: dict[Identifier, str]) -> None:
        self.known = known
        self.created: set[str] = set()
        self.new_names: set[Identifier] = set()
        self.joined: dict[str, str] = {}
        """Loser to winner, each winner standing."""
        self._of = (organization, kind)

    def resolve(self, names: Sequence[Identifier]) -> str:
        """The subject of one set of names; new names become its own."""
        meant = {self.standing(self.known[each]) for each in names if each in self.known}
        winner = min(meant) if meant else stable_id(*self._of, str(names[0]))
        if not meant:
            self.created.add(winner)
        for loser in meant - {winner}:
            self.joined = {each: winner if to == loser else to for each, to in self.joined.items()} | {loser: winner}
        for each in names:
            if each not in self.known:
                self.new_names.add(each)
                self.known[each] = winner
        return winner

    def standing(self, subject_id: str) -> str:
        """Whom a subject now stands for."""
        return self.joined.get(subject_id, subject_id)


class _Word(NamedTuple):
    """What one source said once, as it is stored; the subject is who it now stands for."""

    id: int
    organization_id: str
    kind: str
    subject_id: str
    patient_id: str
    source: str
    origin_key: str
    message_id: str
    mapping_hash: str
    asserted_at: datetime
    content: bytes | None
    sheet: str | None


_Words = Mapping[str, Sequence[_Word]]
"""By what said them; of one resource or message the last counts."""
_Sheets = Mapping[str, Sheet]


def _when(word: _Word) -> tuple[datetime, int]:
    """When the source said so, not when we heard it."""
    return word.asserted_at, word.id


def _standing(words: Iterable[_Word]) -> dict[tuple[str, str], _Words]:
    """Each source's words, given in the order they were heard, on each subject that were not taken back.

    Taking back undoes what the same resource or message said before it, and nothing that others said; the same
    resource may say it again, however old its own date is.
    """
    standing: dict[tuple[str, str], dict[str, list[_Word]]] = {}
    for word in words:
        by_origin = standing.setdefault((word.subject_id, word.source), {})
        if word.content is None:
            by_origin.pop(word.origin_key, None)
        else:
            by_origin.setdefault(word.origin_key, []).append(word)
    return {key: by_origin for key, by_origin in standing.items() if by_origin}


def _completed(record: FeedRecord, last: _Word, words: _Words, sheets: _Sheets) -> tuple[FeedRecord, Origins]:
    """The record with what it leaves unsaid as the same source said it last before."""
    told = [_told(last, sheets)]
    missing = {name for each in told[0].told for name in each.sheet.unsaid if getattr(record, name) in _NOTHING}
    values: dict[str, Any] = {}
    others = (told_once[-1] for key, told_once in words.items() if key != last.origin_key)
    for word in sorted((each for each in others if _when(each) < _when(last)), key=_when, reverse=True):
        if not missing:
            break
        earlier = _record(word)
        taken = sorted(each for each in missing if getattr(earlier, each) not in _NOTHING)
        missing.difference_update(taken)
        values |= {name: getattr(earlier, name) for name in taken}
        told.insert(0, _told(word, sheets).only(taken))
    return replace(record, **values), Origins.first_of(told)


def _told(word: _Word, sheets: _Sheets) -> Origins:
    return Origins((Told(sheets[word.sheet], word.message_id),) if word.sheet else ())


def _record(word: _Word) -> FeedRecord:
    assert word.content is not None, "words taken back stand no more"
    return decode(word.content, _RECORD_TYPES[word.kind])


def _assertion(word: _Word, words: _Words, patient_id: str, sheets: _Sheets) -> Assertion:
    record = _record(word)
    origins = _told(word, sheets)
    if word.sheet and sheets[word.sheet].unsaid:
        record, origins = _completed(record, word, words, sheets)
    return Assertion(
        subject_id=word.subject_id,
        patient_id=patient_id,
        organization=word.organization_id,
        kind=record.kind,
        source=word.source,
        origin_key=word.origin_key,
        message_id=word.message_id,
        mapping_hash=word.mapping_hash,
        asserted_at=word.asserted_at,
        record=record,
        origins=origins,
    )
