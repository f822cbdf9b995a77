"""Interpret: stored messages and resources become records by the mapping file in force. A failure parks only itself.

A batch is one transaction: everything is read, mapped and written together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from gateway.claim.finding import Origin
from gateway.claim.origins import Origins
from gateway.claim.party import Identifier
from gateway.claim.record import MoveRecord, PatientRecord, RecordKind
from gateway.errors import GatewayError
from gateway.fault_points import FaultPoint, reach
from gateway.pipeline.following import Finder, by_source, look_around, map_dependents_again
from gateway.pipeline.renumbering import join_renumbered, under_every_number
from gateway.ports import Clock, Interpretation, MappedRecord, MappingProblem
from gateway.ports.inbox import InboundMessage, Outcome
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import Store, Transaction
from gateway.ports.subjects import Assertion
from gateway.ports.work import WorkKind

_KINDS = (WorkKind.INTERPRET_MESSAGE, WorkKind.INTERPRET_RESOURCE, WorkKind.MAP_AGAIN)
MESSAGES_AT_ONCE = 200
"""How many of each kind a pass takes."""
_BYTES_AT_ONCE = 20
"""How many messages' bytes are held at a time."""
_IDENTIFIER_BYTES_MAX = 1000
"""PostgreSQL's index takes 2,704 bytes of what has to be found again."""
_LOG = structlog.get_logger("pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What one message, or one resource of it, says. ``origin_key`` is what a later word replaces."""

    message: InboundMessage
    origin_key: str
    found: Interpretation


class InterpretPass:
    """Drains what waits to be interpreted; each batch is safe to repeat."""

    def __init__(self, store: Store, clock: Clock, policy: PolicyInForce) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    def run(self) -> int:
        """Interpret one batch of messages and one of resources; how many. A batch that breaks is taken apart."""
        try:
            with self._store.write() as tx:
                waiting = {kind: tx.work.take(kind, MESSAGES_AT_ONCE) for kind in _KINDS}
                reach(FaultPoint.INTERPRETING)
                self._interpret(tx, waiting)
                return sum(map(len, waiting.values()))
        except GatewayError:
            raise
        except Exception as error:
            _LOG.error("interpreting-broke", error=type(error).__name__)
            return sum(self._one_by_one(kind) for kind in _KINDS)

    def is_behind(self) -> bool:
        """True while more waits than is interpreted at once."""
        with self._store.read() as tx:
            return any(tx.work.more_than(MESSAGES_AT_ONCE, kind) for kind in _KINDS)

    def _one_by_one(self, kind: WorkKind) -> int:
        """One thing a transaction: what one says that cannot be kept never stops the others."""
        for done in range(MESSAGES_AT_ONCE):
            with self._store.write() as tx:
                taken = tx.work.take(kind, 1)
                if not taken:
                    return done
                try:
                    with tx.savepoint():
                        self._interpret(tx, {kind: taken})
                except GatewayError:
                    raise
                except Exception as error:
                    _LOG.error("interpretation-set-aside", kind=kind, error=type(error).__name__)
                    self._set_aside(tx, kind, taken[0], error)
        return MESSAGES_AT_ONCE

    def _interpret(self, tx: Transaction, waiting: Mapping[WorkKind, Sequence[str]]) -> None:
        changed = waiting.get(WorkKind.INTERPRET_RESOURCE, ())
        told = [*self._read_messages(tx, waiting.get(WorkKind.INTERPRET_MESSAGE, ()))]
        mapped: list[tuple[Finder, list[_Told]]] = []
        for source, references in sorted(by_source([*changed, *waiting.get(WorkKind.MAP_AGAIN, ())]).items()):
            find = Finder(tx, source, references)
            mapped.append((find, self._read_resources(tx, find, references)))
            told += mapped[-1][1]
        if told:
            self._keep(tx, told)
        for find, resources in mapped:
            overtaken = look_around(tx, find, {each.origin_key: each.found.references for each in resources})
            for kind, taken in waiting.items():  # put back as it was taken: nobody else holds that row
                tx.work.add(kind, overtaken.intersection(taken))
        map_dependents_again(tx, changed)

    def _set_aside(self, tx: Transaction, kind: WorkKind, key: str, error: Exception) -> None:
        """Keep why one thing could not be kept, in place of what it said."""
        nothing = Interpretation(problems=(_uninterpreted(error),))
        if kind == WorkKind.INTERPRET_MESSAGE:
            told = [_Told(message=each, origin_key=each.id, found=nothing) for each in tx.inbox.some([key])]
        else:
            source, _, reference = key.partition(" ")
            teller = tx.resources.told_by(source, [reference])[reference]
            told = [_Told(message=each, origin_key=reference, found=nothing) for each in tx.inbox.some([teller])]
        self._keep(tx, told)
        if kind == WorkKind.INTERPRET_RESOURCE:
            map_dependents_again(tx, [key])

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read_messages(self, tx: Transaction, message_ids: Sequence[str]) -> Iterable[_Told]:
        messages = tx.inbox.some(message_ids)
        for start in range(0, len(messages), _BYTES_AT_ONCE):
            some = messages[start : start + _BYTES_AT_ONCE]
            contents = tx.inbox.contents([each.sha256 for each in some])
            for message in some:
                content = contents[message.sha256]
                try:
                    found = self._policy.interpreter(message.source).interpret_message(content, message.received_at)
                except Exception as error:  # whatever one message does to us, the others are interpreted
                    found = Interpretation(problems=(_uninterpreted(error),))
                yield _Told(message=message, origin_key=message.id, found=_keepable(found))

    def _read_resources(self, tx: Transaction, find: Finder, references: Sequence[str]) -> list[_Told]:
        tellers = tx.resources.told_by(find.source, references)
        messages = {each.id: each for each in tx.inbox.some(sorted(set(tellers.values())))}
        told = []
        for reference in references:
            resource = find(reference)
            assert resource is not None, "work names a resource that is not there"
            try:
                found = self._policy.interpreter(find.source).interpret_resource(resource, find)
            except Exception as error:
                if find.failed:
                    raise  # not the resource: the database
                found = Interpretation(problems=(_uninterpreted(error),))
            told.append(_Told(message=messages[tellers[reference]], origin_key=reference, found=_keepable(found)))
        return told

    # --- keeping -----------------------------------------------------------------------------------------------------

    def _keep(self, tx: Transaction, told: Sequence[_Told]) -> None:
        now, catalogue_hash = self._clock.now(), self._policy.catalogue.content_hash
        words = [each for one in _by_organization(told) for each in self._assertions(tx, *one, catalogue_hash)]
        assertions = [each for each in words if not _only_joins(each)]
        said = {(each.source, each.origin_key, each.kind, each.subject_id) for each in assertions}
        before = _said_before(tx, told)
        for each in told:
            for kind, subject_id, patient_id in before[each.message.source][each.origin_key]:
                if (each.message.source, each.origin_key, kind, subject_id) not in said:
                    assertions.append(
                        Assertion(
                            subject_id=subject_id,
                            patient_id=patient_id,
                            organization=each.message.organization,
                            kind=kind,
                            source=each.message.source,
                            origin_key=each.origin_key,
                            message_id=each.message.id,
                            mapping_hash=catalogue_hash,
                            asserted_at=now,
                            record=None,
                        )
                    )
        tx.subjects.assert_records(assertions)
        tx.inbox.record_outcomes(
            [
                Outcome(
                    message_id=each.message.id,
                    origin_key=each.origin_key,
                    at=now,
                    mapping_hash=catalogue_hash,
                    problems=each.found.problems,
                )
                for each in told
            ]
        )
        touched = {each.patient_id for each in (*words, *assertions)}
        touched |= tx.subjects.moved_with(each.patient_id for each in words if _only_joins(each))
        tx.work.add(WorkKind.DERIVE, touched | tx.subjects.patients_of([each.subject_id for each in assertions]))

    def _assertions(
        self, tx: Transaction, organization: str, told: Sequence[_Told], catalogue_hash: str
    ) -> list[Assertion]:
        """The records of one organization's messages, each with the subject and patient it is about."""
        mapped = [(each, record) for each in told for record in each.found.records]
        patients = tx.subjects.resolve(
            organization, RecordKind.PATIENT, [_patient_names(record) for _, record in mapped]
        )
        subjects: list[str] = list(patients)
        for kind in (each for each in RecordKind if each is not RecordKind.PATIENT):  # stays before their sessions
            places = [place for place, (_, record) in enumerate(mapped) if record.record.kind is kind]
            names = [mapped[place][1].record.identifiers for place in places]
            for place, subject_id in zip(places, self._resolve(tx, organization, kind, names), strict=True):
                subjects[place] = subject_id
        moved = [place for place, (_, record) in enumerate(mapped) if _whose_it_was(record)]
        before = tx.subjects.resolve(
            organization, RecordKind.PATIENT, [_whose_it_was(mapped[each][1]) for each in moved]
        )
        return [
            Assertion(
                subject_id=subject_id,
                patient_id=patient_id,
                organization=organization,
                kind=record.record.kind,
                source=each.message.source,
                origin_key=each.origin_key,
                message_id=each.message.id,
                mapping_hash=catalogue_hash,
                asserted_at=record.asserted_at,
                record=record.record,
                origins=Origins.of(record.origins, each.message.id),
            )
            for (each, record), subject_id, patient_id in (
                *zip(mapped, subjects, patients, strict=True),
                *(
                    (mapped[place], subjects[place], patient_id)
                    for place, patient_id in zip(moved, before, strict=True)
                ),
            )
        ]

    def _resolve(
        self, tx: Transaction, organization: str, kind: RecordKind, names: Sequence[tuple[Identifier, ...]]
    ) -> Sequence[str]:
        """The subjects of one kind; a session is known under every number of its stay."""
        built = self._policy.built_names
        if not built or not names or kind not in (RecordKind.EPISODE, RecordKind.ENCOUNTER):
            return tx.subjects.resolve(organization, kind, names)
        if kind is RecordKind.ENCOUNTER:
            return tx.subjects.resolve(organization, kind, under_every_number(tx, organization, built, names))
        stays = tx.subjects.resolve(organization, kind, names)
        renumbered = [stay for stay, numbers in zip(stays, names, strict=True) if len(numbers) > 1]
        sessions = join_renumbered(tx, organization, built, renumbered)
        tx.work.add(WorkKind.DERIVE, tx.subjects.patients_of(sessions))
        return stays


def interpret_again(tx: Transaction, keys: Iterable[str]) -> None:
    """Ask for stored messages to be interpreted once more, by the mapping set now in force."""
    tx.work.add(WorkKind.INTERPRET_MESSAGE, keys)


def _keepable(found: Interpretation) -> Interpretation:
    """Without the records that name something by what no database keeps and finds again as it was."""
    bad = [
        each
        for each in found.records
        if not all(map(_can_be_kept, (*each.record.identifiers, *_patient_names(each), *_whose_it_was(each))))
    ]
    if not bad:
        return found
    places = (each.origins.get("identifiers", Origin(source="", mapping="")) for each in bad)
    problems = [
        MappingProblem(
            place=origin.source,
            mapping=origin.mapping,
            message=f"an identifier is longer than {_IDENTIFIER_BYTES_MAX} bytes, or holds a NUL",
            fix="mend the sender; a value that long names nothing",
        )
        for origin in places
    ]
    records = tuple(each for each in found.records if each not in bad)
    return replace(found, records=records, problems=(*found.problems, *problems))


def _can_be_kept(identifier: Identifier) -> bool:
    return len(identifier.value.encode()) <= _IDENTIFIER_BYTES_MAX and "\x00" not in identifier.value


def _patient_names(mapped: MappedRecord) -> tuple[Identifier, ...]:
    """The identifiers of the patient a record is about; of a merge, those of both."""
    record = mapped.record
    if not isinstance(record, PatientRecord):
        return (record.patient,)
    return record.identifiers if record.merged_into is None else (*record.identifiers, record.merged_into)


def _whose_it_was(mapped: MappedRecord) -> tuple[Identifier, ...]:
    """Of a move, the patient that things were moved from."""
    record = mapped.record
    return (record.moved_from,) if isinstance(record, MoveRecord) and record.moved_from else ()


def _only_joins(word: Assertion) -> bool:
    """True for the record of a patient who was merged away: it joins two, and says nothing of who the one left is."""
    return isinstance(word.record, PatientRecord) and word.record.merged_into is not None


def _said_before(
    tx: Transaction, told: Iterable[_Told]
) -> dict[str, Mapping[str, Sequence[tuple[RecordKind, str, str]]]]:
    """What the same messages and resources said before, by source and origin key."""
    keys: dict[str, list[str]] = defaultdict(list)
    for each in told:
        keys[each.message.source].append(each.origin_key)
    return {source: tx.subjects.asserted_by(source, some) for source, some in keys.items()}


def _by_organization(told: Iterable[_Told]) -> Iterable[tuple[str, list[_Told]]]:
    found: dict[str, list[_Told]] = defaultdict(list)
    for each in told:
        found[each.message.organization].append(each)
    return sorted(found.items())  # so that two workers never wait in a circle


def _uninterpreted(error: Exception) -> MappingProblem:
    """Our own errors say what is wrong in words that may be shown; of any other, only its kind is."""
    ours = isinstance(error, GatewayError)
    return MappingProblem(
        place="",
        mapping="",
        message=str(error) if ours else f"interpreting it failed with {type(error).__name__}",
        fix="the bytes are kept; mend the sender or the source file, then run the message again",
    )
