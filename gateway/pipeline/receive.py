"""Receive: bytes are committed, with their answer and the wish to interpret them, before anybody hears a yes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from gateway.claim.identifiers import new_ulid
from gateway.errors import Unavailable
from gateway.fault_points import FaultPoint, reach
from gateway.pipeline.owners import SourceOwner, inbound_message, indexed
from gateway.pipeline.submit import FhirCommit
from gateway.ports import Arrival, Clock, FhirAnswer, Receipt, Resource
from gateway.ports.inbox import InboundMessage
from gateway.ports.storage import Store
from gateway.ports.submissions import FhirSubmission, NoteAnswers, note_nothing
from gateway.ports.work import WorkKind


def _nobody() -> None:
    """Nobody waits to be told of work."""


class Receiver:
    """Implements gateway.ports.Intake and FhirIntake over the store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        owners: Mapping[str, SourceOwner],
        notify: Callable[[], None] = _nobody,
    ) -> None:
        self._store = store
        self._clock = clock
        self._owners = owners
        self._notify = notify
        self._fhir = FhirCommit(store, clock, owners)

    def notifying(self, notify: Callable[[], None]) -> Receiver:
        """The same receiver, telling somebody after each commit that there is work."""
        return Receiver(self._store, self._clock, self._owners, notify)

    def receive(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Store a batch in one transaction, in order. Raises Unavailable when nothing was stored."""
        hashes = [hashlib.sha256(arrival.content).hexdigest() for arrival in arrivals]
        keys = [
            (arrival.source, indexed(arrival.control_key) or sha256)
            for arrival, sha256 in zip(arrivals, hashes, strict=True)
        ]
        with self._store.write() as tx:
            tx.inbox.hold(keys)
            new, receipts = self._sort_out(arrivals, hashes, keys, tx.inbox.with_keys(keys))
            tx.inbox.add_answered(new)
            reach(FaultPoint.MESSAGES_STORED)
            tx.work.add(WorkKind.INTERPRET_MESSAGE, [message.id for message, _ in new if not message.refusal])
        reach(FaultPoint.MESSAGES_ANSWERED)
        self._notify()
        return receipts

    def _sort_out(
        self,
        arrivals: Sequence[Arrival],
        hashes: Sequence[str],
        keys: Sequence[tuple[str, str]],
        told: Mapping[tuple[str, str], list[InboundMessage]],
    ) -> tuple[list[tuple[InboundMessage, bytes]], list[Receipt]]:
        """What of a batch is new, with its bytes, and a receipt for each; ``told`` grows by it."""
        now = self._clock.now()
        # Ids of one moment are random; in order they keep the order of arrival, which the work to do goes by.
        ids = sorted(new_ulid(now) for _ in arrivals)
        new: list[tuple[InboundMessage, bytes]] = []
        receipts: list[Receipt] = []
        for arrival, sha256, key, id in zip(arrivals, hashes, keys, ids, strict=True):
            earlier = next((each for each in told[key] if each.sha256 == sha256), None)
            if earlier is not None:
                receipts.append(Receipt(message_id=earlier.id, outcome="duplicate", answer=earlier.answer))
                continue
            reused = any(not each.refusal for each in told[key])
            message = inbound_message(self._owners[arrival.source], arrival, key[1], sha256, now, id)
            told[key].append(message)
            new.append((message, arrival.content))
            outcome = "refused" if arrival.refusal else "stored"
            receipts.append(Receipt(message_id=id, outcome=outcome, answer=arrival.answer, reused_key=reused))
        return new, receipts

    def submit(self, submission: FhirSubmission) -> FhirAnswer:
        """Commit it; see gateway.ports.submissions.FhirIntake."""
        (answer,) = self.submit_all([submission])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def submit_all(
        self, submissions: Sequence[FhirSubmission], note: NoteAnswers = note_nothing
    ) -> list[FhirAnswer | Exception]:
        """Commit all in one transaction; see gateway.ports.submissions.FhirIntake."""
        answers = self._fhir.commit(submissions, note)
        self._notify()
        return answers

    def submit_each(self, submissions: Sequence[FhirSubmission]) -> list[FhirAnswer | Exception]:
        """Commit all at once or one by one; see gateway.ports.submissions.FhirIntake."""
        try:
            return self.submit_all(submissions)
        except Exception as error:
            if isinstance(error, Unavailable) or len(submissions) == 1:
                raise
        return [self._alone(each) for each in submissions]

    def _alone(self, submission: FhirSubmission) -> FhirAnswer | Exception:
        try:
            return self.submit(submission)
        except Exception as error:
            return error

    def read(self, source: str, type: str, id: str) -> Resource | None:
        """The newest version of one resource of that source."""
        with self._store.read() as tx:
            return tx.resources.current(source, f"{type}/{id}")
