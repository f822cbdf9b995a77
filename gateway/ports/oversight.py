"""Who did what, and by which mapping set: asked of the database beside the work itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.claim.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenAct:
    """An act of the audit trail that is not as it was sealed, and how."""

    number: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What verifying the audit trail came to; ``broken`` is in the trail's order."""

    acts: int
    unsealed: int
    """Acts at the trail's beginning from before there was a seal."""
    anchored: int
    """The last act anchored outside the database; 0 when none is, and then a cut tail could not be told."""
    broken: tuple[BrokenAct, ...]


class Audit(Protocol):
    """Who did what: append-only, each act sealed onto the one before it."""

    def record(self, at: datetime, actor: Actor, action: str, subject: str, reason: str = "", detail: str = "") -> None:
        """Append one act when the transaction commits."""

    def acts(self, subject: str = "") -> Iterable[Mapping[str, Any]]:
        """Committed acts in order, of one subject or of all."""

    def verify(self) -> AuditVerdict:
        """Check the whole trail against its seals and the anchors outside the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingVersion:
    """One time a mapping set was put in force: which, when, by whom."""

    hash: str
    at: datetime
    actor: str
    role: str


class MappingSets(Protocol):
    """The mapping set in force, kept by hash; the folder is only the editor's surface."""

    def put_in_force(self, content_hash: str, files: Mapping[str, bytes], at: datetime, actor: Actor) -> None:
        """Store a checked set and make it the one in force."""

    def in_force(self) -> str | None:
        """The hash of the set in force."""

    def history(self) -> list[MappingVersion]:
        """Every time a set was put in force, the newest first."""

    def files(self, content_hash: str) -> dict[str, bytes]:
        """The files of a stored set."""
