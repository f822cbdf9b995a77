"""What is known of a connection itself, and what a site remembers of it outside its database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ConnectionFactKind(StrEnum):
    """What can be said of a connection. The last word of each pair holds."""

    PAUSED = "paused"
    """The partner refused us (login, host key, address): nobody logs in again before a person looked."""
    RESUMED = "resumed"
    TEST_SENT = "test-sent"
    """A test batch left; ``detail`` names its numbers."""
    CERTIFIED = "certified"
    """The partner took a test batch whole: production files may leave."""
    CERTIFICATION_WAIVED = "certification-waived"
    """A person decided that production files may leave without it."""
    NUMBERS_MOVED = "numbers-moved"
    """After a restore: the control numbers went beyond whatever the partner may have seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFact:
    """One fact about one connection."""

    connection: str
    kind: ConnectionFactKind
    at: datetime
    actor: str
    role: str
    reason: str = ""
    detail: str = ""


class Connections(Protocol):
    """Facts about connections, append-only."""

    def add_fact(self, fact: ConnectionFact) -> None:
        """Append one."""

    def facts(self, connection: str) -> Iterable[ConnectionFact]:
        """A connection's facts, oldest first."""

    def vouch(self, connection: str) -> None:
        """Note, by a machine that remembers, that this database knows every number the machine does.

        It holds as long as the database server runs on and nothing puts an older database in this one's place.
        """

    def is_vouched_for(self, connection: str) -> bool:
        """Whether such a note holds. Never on SQLite, whose one machine has its own memory."""


class SentNumbers(Protocol):
    """The highest control number of a connection that this machine knows to be in use, kept beside the database.

    Other machines may have come further, so it is a lower bound: a database that knows less was restored.
    """

    def highest(self, connection: str) -> int | None:
        """The number, or None when nothing was ever remembered here. Raises ConfigurationError for a broken file."""

    def remember(self, connection: str, number: int) -> None:
        """Keep the number, durably, unless a higher one is kept. Raises ConfigurationError where it cannot be."""
