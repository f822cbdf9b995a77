"""Submit: many FHIR requests in one transaction, each whole or not at all, with the answer it will always get."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.claim.identifiers import new_ulid
from gateway.pipeline.owners import SourceOwner, inbound_message, indexed
from gateway.ports import Clock, FhirAnswer
from gateway.ports.inbox import InboundMessage
from gateway.ports.resources import OpenResourceTable
from gateway.ports.storage import Store, Transaction
from gateway.ports.submissions import FhirSubmission, NoteAnswers, note_nothing
from gateway.ports.work import WorkKind

_REFUSAL = "the resources are not acceptable"


@dataclass(frozen=True, slots=True)
class _Request:
    """A submission with the names it is known by."""

    submission: FhirSubmission
    sha256: str
    key: tuple[str, str]
    """(source, control key)."""


class FhirCommit:
    """Commits groups of submissions. Nothing is written before every one is decided: a refusal undoes nothing."""

    def __init__(self, store: Store, clock: Clock, owners: Mapping[str, SourceOwner]) -> None:
        self._store = store
        self._clock = clock
        self._owners = owners

    def commit(
        self, submissions: Sequence[FhirSubmission], note: NoteAnswers = note_nothing
    ) -> list[FhirAnswer | Exception]:
        """Each one's answer, or why it has none, in order; see FhirIntake. Raises Unavailable."""
        requests = [_request(each) for each in submissions]
        with self._store.write() as tx:
            keys = [each.key for each in requests]
            tx.inbox.hold(keys)
            group = _Group(tx, self._clock.now(), self._owners, tx.inbox.with_keys(keys))
            answers = group.take(requests)
            group.write()
            note(tx, answers)
        return answers


class _Group:
    """One transaction's requests, decided one after the other, each seeing what was kept of those before it."""

    def __init__(
        self,
        tx: Transaction,
        now: datetime,
        owners: Mapping[str, SourceOwner],
        told: Mapping[tuple[str, str], list[InboundMessage]],
    ) -> None:
        self._tx = tx
        self._now = now
        self._owners = owners
        self._told = defaultdict(list, told)
        self._tables: dict[str, OpenResourceTable] = {}
        self._new: list[tuple[InboundMessage, bytes]] = []
        self._changed: list[str] = []

    def take(self, requests: Sequence[_Request]) -> list[FhirAnswer | Exception]:
        """Decide each request."""
        self._look_ahead([each for each in requests if self._earlier(each) is None])
        return [self._answer(each) for each in requests]

    def _look_ahead(self, requests: Sequence[_Request]) -> None:
        by_source: dict[str, list[FhirSubmission]] = {}
        for each in requests:
            by_source.setdefault(each.key[0], []).append(each.submission)
        for source, submissions in sorted(by_source.items()):
            table = self._tables[source] = self._tx.resources.table(source, self._now)
            table.look_ahead(each.look_ahead for each in submissions)

    def _earlier(self, request: _Request) -> InboundMessage | None:
        return next((each for each in self._told[request.key] if each.sha256 == request.sha256), None)

    def _answer(self, request: _Request) -> FhirAnswer | Exception:
        earlier = self._earlier(request)
        if earlier is not None:
            return replace(_unpack(earlier.answer), replayed=True)
        if_reused = request.submission.if_reused
        if if_reused is not None and any(not each.refusal for each in self._told[request.key]):
            return self._answer(_request(if_reused()))
        arrival, (source, key) = request.submission.arrival, request.key
        table = self._tables[source]
        try:
            answer = request.submission.apply(table, self._now)
        except Exception as error:  # its sender's alone: those it shares the transaction with are no part of it
            table.discard()
            return error
        message = inbound_message(self._owners[source], arrival, key, request.sha256, self._now, new_ulid(self._now))
        if answer.refused:
            table.discard()
        else:
            self._changed += [f"{source} {reference}" for reference in table.keep(message.id)]
        message = replace(message, answer=_pack(answer), refusal=arrival.refusal or _REFUSAL if answer.refused else "")
        self._told[request.key].append(message)
        self._new.append((message, arrival.content))
        return answer

    def write(self) -> None:
        """Messages and answers first, since resources hang on them; then the wish to have the resources mapped."""
        self._tx.inbox.add_answered(self._new)
        for table in self._tables.values():
            table.write()
        self._tx.work.add(WorkKind.INTERPRET_RESOURCE, self._changed)


def _request(submission: FhirSubmission) -> _Request:
    arrival = submission.arrival
    sha256 = hashlib.sha256(arrival.content).hexdigest()
    key = indexed(arrival.control_key or f"{submission.request_key}#{sha256}")
    return _Request(submission, sha256, (arrival.source, key))


def _pack(answer: FhirAnswer) -> bytes:
    """Status line, headers, blank line, body: an HTTP answer as one stored value."""
    head = [str(answer.status), *(f"{name}: {value}" for name, value in answer.headers.items())]
    return "\n".join(head).encode() + b"\n\n" + answer.body


def _unpack(stored: bytes) -> FhirAnswer:
    head, _, body = stored.partition(b"\n\n")
    status, *lines = head.decode().split("\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return FhirAnswer(status=int(status), body=body, headers=headers)
