"""Interpret: stored messages and resources become records by the mapping file in force. A failure parks only itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.claim.party import Identifier
from gateway.claim.record import FeedRecord, PatientRecord, RecordKind
from gateway.errors import GatewayError
from gateway.pipeline.receive import INTERPRET_MESSAGE, INTERPRET_RESOURCE
from gateway.ports import Clock, Interpretation, MappedRecord, MappingProblem
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import Assertion, InboundMessage, Store, Transaction

DERIVE = "derive"
MAP_AGAIN = "map-again"
"""Resources to map once more because one they follow changed. Mapping these asks nobody else: no cycle can run away."""
_BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Who said it: the message, and the resource or message that a later word replaces."""

    organization: str
    source: str
    message_id: str
    origin_key: str


class InterpretPass:
    """Drains what waits to be interpreted; each batch is one transaction and safe to repeat."""

    def __init__(self, store: Store, clock: Clock, policy: PolicyInForce) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    def run(self) -> int:
        """Interpret one batch of messages and one of resources; how many."""
        with self._store.write() as tx:
            messages = tx.work.take(INTERPRET_MESSAGE, _BATCH)
            changed = tx.work.take(INTERPRET_RESOURCE, _BATCH)
            again = [each for each in tx.work.take(MAP_AGAIN, _BATCH) if each not in changed]
            for message_id in messages:
                self._message(tx, message_id)
            for key in (*changed, *again):
                source, _, reference = key.partition(" ")
                self._resource(tx, source, reference)
                if key in changed:
                    dependents = tx.resources.dependents(source, reference)
                    tx.work.add(MAP_AGAIN, (f"{source} {each}" for each in dependents if each != reference))
            return len(messages) + len(changed) + len(again)

    def _message(self, tx: Transaction, message_id: str) -> None:
        message = tx.inbox.get(message_id)
        assert message is not None, "work names a message that is not there"
        interpreter = self._policy.interpreter(message.source)
        content = tx.inbox.content(message.sha256)
        try:
            found = interpreter.interpret_message(content, message.received_at)
        except GatewayError as error:
            found = Interpretation(problems=(_unreadable(error),))
        self._keep(tx, message, message_id, found)

    def _resource(self, tx: Transaction, source: str, reference: str) -> None:
        resource = tx.resources.current(source, reference)
        assert resource is not None, "work names a resource that is not there"
        message = tx.inbox.get(tx.resources.told_by(source, reference))
        assert message is not None, "a resource names a message that is not there"
        interpreter = self._policy.interpreter(source)
        found = interpreter.interpret_resource(resource, lambda each: tx.resources.current(source, each))
        self._keep(tx, message, reference, found)
        tx.resources.link(source, reference, found.references)

    def _keep(self, tx: Transaction, message: InboundMessage, origin_key: str, found: Interpretation) -> None:
        told = _Told(
            organization=message.organization,
            source=message.source,
            message_id=message.id,
            origin_key=origin_key,
        )
        catalogue_hash = self._policy.catalogue.content_hash
        earlier = tx.subjects.asserted_by(told.source, origin_key)
        touched: set[str] = set()
        said: set[tuple[RecordKind, str]] = set()
        for mapped in found.records:
            kind, subject_id, patient_id = self._assert(tx, told, mapped, catalogue_hash)
            said.add((kind, subject_id))
            touched.add(patient_id)
        for kind, subject_id, patient_id in earlier:
            if (kind, subject_id) not in said:
                self._take_back(tx, told, kind, subject_id, patient_id, catalogue_hash)
                touched.add(patient_id)
        tx.inbox.record_outcome(message.id, origin_key, self._clock.now(), catalogue_hash, found.problems)
        tx.work.add(DERIVE, touched)

    def _assert(
        self, tx: Transaction, told: _Told, mapped: MappedRecord, catalogue_hash: str
    ) -> tuple[RecordKind, str, str]:
        record = mapped.record
        subject_id = tx.subjects.resolve(told.organization, record.kind, record.identifiers)
        patient_id = self._patient_of(tx, told.organization, record, subject_id)
        if record.kind is RecordKind.PATIENT:
            subject_id = patient_id
        tx.subjects.assert_record(
            Assertion(
                subject_id=subject_id,
                patient_id=patient_id,
                organization=told.organization,
                kind=record.kind,
                source=told.source,
                origin_key=told.origin_key,
                message_id=told.message_id,
                mapping_hash=catalogue_hash,
                asserted_at=mapped.asserted_at,
                record=record,
                origins=mapped.origins,
            )
        )
        return record.kind, subject_id, patient_id

    def _patient_of(self, tx: Transaction, organization: str, record: FeedRecord, subject_id: str) -> str:
        if not isinstance(record, PatientRecord):
            return tx.subjects.resolve(organization, RecordKind.PATIENT, [record.patient])
        if record.merged_into is None:
            return subject_id
        both: list[Identifier] = [*record.identifiers, record.merged_into]
        return tx.subjects.resolve(organization, RecordKind.PATIENT, both)

    def _take_back(
        self, tx: Transaction, told: _Told, kind: RecordKind, subject_id: str, patient_id: str, catalogue_hash: str
    ) -> None:
        tx.subjects.assert_record(
            Assertion(
                subject_id=subject_id,
                patient_id=patient_id,
                organization=told.organization,
                kind=kind,
                source=told.source,
                origin_key=told.origin_key,
                message_id=told.message_id,
                mapping_hash=catalogue_hash,
                asserted_at=self._clock.now(),
                record=None,
            )
        )


def interpret_again(tx: Transaction, keys: Iterable[str]) -> None:
    """Ask for stored messages to be interpreted once more, by the mapping set now in force."""
    tx.work.add(INTERPRET_MESSAGE, keys)


def _unreadable(error: GatewayError) -> MappingProblem:
    return MappingProblem(
        place="",
        mapping="",
        message=str(error),
        fix="the bytes are kept; mend the sender or the source file, then run the message again",
    )
