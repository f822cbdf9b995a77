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


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a connection has come: its last control number, and how many sends were begun."""

    number: int
    sends: int
    """A file that was frozen and had not left is sent under a number the backup knows; only this tells that it left."""

    def is_within(self, other: Reached) -> bool:
        """True when the other has come as far as this in both."""
        return self.number <= other.number and self.sends <= other.sends


class SentNumbers(Protocol):
    """How far a connection has come as this machine knows, kept beside the database.

    Other machines may have come further, so it is a lower bound: a database that knows less was restored.
    """

    def reached(self, connection: str) -> Reached | None:
        """None when nothing was ever remembered here. Raises ConfigurationError for a broken file."""

    def remember(self, connection: str, reached: Reached) -> None:
        """Keep the higher of each, durably. Raises ConfigurationError where it cannot be."""
