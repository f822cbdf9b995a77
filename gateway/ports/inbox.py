"""What came in, as stored, and what interpreting it came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.ports import MappingProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A message as stored; immutable."""

    id: str
    tenant: str
    organization: str
    source: str
    received_at: datetime
    sha256: str
    content_type: str
    control_key: str
    event: str
    answer: bytes = b""
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What interpreting one message, or one resource of it, came to."""

    message_id: str
    origin_key: str
    at: datetime
    mapping_hash: str
    problems: tuple[MappingProblem, ...]


class Inbox(Protocol):
    """Bytes that came in, and what became of them."""

    def hold(self, keys: Iterable[tuple[str, str]]) -> None:
        """Make whoever else receives one of these (source, control key) wait until this transaction ends."""

    def with_keys(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], list[InboundMessage]]:
        """Every message with one of these (source, control key), by that, in order of arrival; [] for none."""

    def add_answered(self, messages: Sequence[tuple[InboundMessage, bytes]]) -> None:
        """Store many messages, each with its bytes and the answer and refusal it carries."""

    def get(self, message_id: str) -> InboundMessage | None:
        """One message."""

    def some(self, message_ids: Sequence[str]) -> list[InboundMessage]:
        """Messages by id, in the order of the ids: work keeps the order of arrival, ids of one moment do not."""

    def content(self, sha256: str) -> bytes:
        """The bytes as received."""

    def contents(self, sha256s: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of several messages, by hash, all held at once."""

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Append what interpreting messages, or resources of them, came to; the latest of each counts."""

    def messages(
        self, source: str = "", *, failed_only: bool = False
    ) -> Iterable[tuple[InboundMessage, list[MappingProblem]]]:
        """Messages in order of arrival, each with its latest problems."""
