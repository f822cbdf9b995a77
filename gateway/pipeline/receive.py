"""Receive: bytes are committed, with their answer and the wish to interpret them, before anybody hears a yes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.claim.identifiers import new_ulid
from gateway.errors import Conflict
from gateway.ports import Arrival, Clock, FhirAnswer, Receipt, Resource, ResourceTable
from gateway.ports.storage import InboundMessage, Store, Transaction

INTERPRET_MESSAGE = "interpret-message"
INTERPRET_RESOURCE = "interpret-resource"
_KEY_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOwner:
    """Whose feed a source is."""

    tenant: str
    organization: str


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

    def notifying(self, notify: Callable[[], None]) -> Receiver:
        """The same receiver, telling somebody after each commit that there is work."""
        return Receiver(self._store, self._clock, self._owners, notify)

    def receive(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Store a batch in one transaction, in order. Raises Unavailable when nothing was stored."""
        hashes = [hashlib.sha256(arrival.content).hexdigest() for arrival in arrivals]
        keys = [
            (arrival.source, _indexed(arrival.control_key) or sha256)
            for arrival, sha256 in zip(arrivals, hashes, strict=True)
        ]
        with self._store.write() as tx:
            tx.inbox.hold(keys)
            new, receipts = self._sort_out(arrivals, hashes, keys, tx.inbox.with_keys(keys))
            tx.inbox.add_answered(new)
            tx.work.add(INTERPRET_MESSAGE, [message.id for message, _ in new if not message.refusal])
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
            message = replace(
                self._message(arrival, key[1], sha256, now, id), answer=arrival.answer, refusal=arrival.refusal
            )
            told[key].append(message)
            new.append((message, arrival.content))
            outcome = "refused" if arrival.refusal else "stored"
            receipts.append(Receipt(message_id=id, outcome=outcome, answer=arrival.answer, reused_key=reused))
        return new, receipts

    def _message(self, arrival: Arrival, key: str, sha256: str, now: datetime, id: str) -> InboundMessage:
        owner = self._owners[arrival.source]
        return InboundMessage(
            id=id,
            tenant=owner.tenant,
            organization=owner.organization,
            source=arrival.source,
            received_at=now,
            sha256=sha256,
            content_type=arrival.content_type,
            control_key=key,
            event=arrival.event,
        )

    def submit(
        self, arrival: Arrival, request_key: str, apply: Callable[[ResourceTable, datetime], FhirAnswer]
    ) -> FhirAnswer:
        """Store the bytes, run ``apply``, store its answer, commit; see gateway.ports.FhirIntake.

        Raises Conflict when the control key (Bundle.identifier, Idempotency-Key) was used for other bytes.
        """
        sha256 = hashlib.sha256(arrival.content).hexdigest()
        key = _indexed(arrival.control_key or f"{request_key}#{sha256}")
        with self._store.write() as tx:
            tx.inbox.hold([(arrival.source, key)])
            earlier = tx.inbox.find(arrival.source, key, sha256)
            if earlier is not None and earlier.answer:
                return _unpack(earlier.answer)
            if arrival.control_key and earlier is None and tx.inbox.key_was_used(arrival.source, key):
                raise Conflict("this identifier was used before for other content; give new content a new identifier")
            answer = self._apply(tx, arrival, key, sha256, apply)
        self._notify()
        return answer

    def _apply(
        self,
        tx: Transaction,
        arrival: Arrival,
        key: str,
        sha256: str,
        apply: Callable[[ResourceTable, datetime], FhirAnswer],
    ) -> FhirAnswer:
        now = self._clock.now()
        message = self._message(arrival, key, sha256, now, new_ulid(now))
        tx.inbox.add(message, arrival.content)
        table = tx.resources.table(arrival.source, now, message.id)
        answer: FhirAnswer | None = None
        try:
            with tx.savepoint():
                answer = apply(table, now)
                if answer.refused:
                    raise _RolledBack
        except _RolledBack:
            pass
        else:
            tx.work.add(INTERPRET_RESOURCE, [f"{arrival.source} {reference}" for reference in table.changed])
        assert answer is not None
        tx.inbox.add_answer(message.id, _pack(answer), "the resources are not acceptable" if answer.refused else "")
        return answer

    def read(self, source: str, type: str, id: str) -> Resource | None:
        """The newest version of one resource of that source."""
        with self._store.read() as tx:
            return tx.resources.current(source, f"{type}/{id}")


class _RolledBack(Exception):
    """Undoes what a refused submission put."""


def _indexed(key: str) -> str:
    """A sender's name for a message as an index can hold it: one too long, or with a NUL, is known by its hash."""
    if len(key) <= _KEY_MAX and "\x00" not in key:
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _pack(answer: FhirAnswer) -> bytes:
    """Status line, headers, blank line, body: an HTTP answer as one stored value."""
    head = [str(answer.status), *(f"{name}: {value}" for name, value in answer.headers.items())]
    return "\n".join(head).encode() + b"\n\n" + answer.body


def _unpack(stored: bytes) -> FhirAnswer:
    head, _, body = stored.partition(b"\n\n")
    status, *lines = head.decode().split("\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return FhirAnswer(status=int(status), body=body, headers=headers)
