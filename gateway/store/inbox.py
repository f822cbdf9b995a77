"""Messages as received: bytes first, then what interpreting them came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from gateway.ports import MappingProblem
from gateway.ports.inbox import InboundMessage, Outcome
from gateway.store.blobs import BlobRows
from gateway.store.coding import decode, encode
from gateway.store.schema import inbound_message, message_answer, message_outcome
from gateway.store.sql import any_of, hold_names, insert_all, slices

_ANSWERED = select(inbound_message, message_answer.c.answer, message_answer.c.refusal).outerjoin(
    message_answer, message_answer.c.message_id == inbound_message.c.id
)


_WITH_KEYS = _ANSWERED.where(
    inbound_message.c.source == bindparam("source"), any_of(inbound_message.c.control_key, "keys")
).order_by(inbound_message.c.id)


class InboxRows:
    """Implements gateway.ports.inbox.Inbox."""

    def __init__(self, connection: Connection, blobs: BlobRows) -> None:
        self._connection = connection
        self._blobs = blobs

    def hold(self, keys: Iterable[tuple[str, str]]) -> None:
        """Make whoever else receives one of these (source, control key) wait until this transaction ends."""
        hold_names(self._connection, [f"inbox|{source}|{key}" for source, key in keys])

    def with_keys(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], list[InboundMessage]]:
        """Every message with one of these (source, control key), by that, in order of arrival; [] for none."""
        by_source: dict[str, dict[str, None]] = {}
        for source, key in keys:
            by_source.setdefault(source, {})[key] = None
        found: dict[tuple[str, str], list[InboundMessage]] = {}
        for source, names in by_source.items():
            for some in slices(list(names)):
                for row in self._connection.execute(_WITH_KEYS, {"source": source, "keys": some}):
                    found.setdefault((source, _comparable(row.control_key)), []).append(_message(row))
        return {(source, key): found.get((source, _comparable(key)), []) for source, key in keys}

    def add_answered(self, messages: Sequence[tuple[InboundMessage, bytes]]) -> None:
        """Store many messages, each with its bytes and the answer and refusal it carries."""
        if not messages:
            return
        self._blobs.put_all([content for _, content in messages])
        insert_all(self._connection, inbound_message, [_columns(message) for message, _ in messages])
        answers = [{"message_id": each.id, "answer": each.answer, "refusal": each.refusal} for each, _ in messages]
        insert_all(self._connection, message_answer, answers)

    def get(self, message_id: str) -> InboundMessage | None:
        """One message."""
        return self._one(inbound_message.c.id == message_id)

    def content(self, sha256: str) -> bytes:
        """The bytes as received."""
        return self._blobs.get(sha256)

    def contents(self, sha256s: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of several messages, by hash, all held at once."""
        return self._blobs.get_all(sha256s)

    def some(self, message_ids: Sequence[str]) -> list[InboundMessage]:
        """Messages by id, in the order of the ids."""
        found: dict[str, InboundMessage] = {}
        for some in slices(list(message_ids)):
            rows = self._connection.execute(_ANSWERED.where(inbound_message.c.id.in_(some)))
            found.update((row.id, _message(row)) for row in rows.all())
        return [found[each] for each in message_ids if each in found]

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Append what interpreting messages, or resources of them, came to."""
        rows = [
            {
                "message_id": each.message_id,
                "origin_key": each.origin_key,
                "at": each.at,
                "mapping_hash": each.mapping_hash,
                "problems": encode(each.problems).decode(),
            }
            for each in outcomes
        ]
        insert_all(self._connection, message_outcome, rows)

    def messages(
        self, source: str = "", *, failed_only: bool = False
    ) -> Iterable[tuple[InboundMessage, list[MappingProblem]]]:
        """Messages in order of arrival, each with its latest problems."""
        problems = self._latest_problems()
        statement = _ANSWERED.order_by(inbound_message.c.id)
        if source:
            statement = statement.where(inbound_message.c.source == source)
        for row in self._connection.execute(statement):
            found = problems.get(row.id, [])
            if not failed_only or found or row.refusal:
                yield _message(row), found

    def _latest_problems(self) -> dict[str, list[MappingProblem]]:
        columns = message_outcome.c
        latest = select(func.max(columns.id)).group_by(columns.message_id, columns.origin_key)
        found: dict[str, list[MappingProblem]] = {}
        rows = select(columns.message_id, columns.problems).where(columns.id.in_(latest), columns.problems != "[]")
        for message_id, text in self._connection.execute(rows.order_by(columns.id)):
            found.setdefault(message_id, []).extend(decode(text.encode(), list[MappingProblem]))
        return found

    def _one(self, condition: Any) -> InboundMessage | None:
        row = self._connection.execute(_ANSWERED.where(condition)).first()
        return _message(row) if row else None


def _comparable(key: str) -> str:
    """PostgreSQL's text holds no NUL; the database's driver puts this in its place."""
    return key.replace("\x00", "\ufffd")


def _columns(message: InboundMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "tenant_id": message.tenant,
        "organization_id": message.organization,
        "source": message.source,
        "received_at": message.received_at,
        "sha256": message.sha256,
        "content_type": message.content_type,
        "control_key": message.control_key,
        "event": message.event,
    }


def _message(row: Row[Any]) -> InboundMessage:
    return InboundMessage(
        id=row.id,
        tenant=row.tenant_id,
        organization=row.organization_id,
        source=row.source,
        received_at=row.received_at,
        sha256=row.sha256,
        content_type=row.content_type,
        control_key=row.control_key,
        event=row.event,
        answer=row.answer or b"",
        refusal=row.refusal or "",
    )
