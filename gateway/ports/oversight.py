"""Who did what, and by which mapping set: asked of the database beside the work itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol


class Audit(Protocol):
    """Who did what: append-only."""

    def record(
        self, at: datetime, actor: str, role: str, action: str, subject: str, reason: str = "", detail: str = ""
    ) -> None:
        """Append one act."""

    def acts(self, subject: str = "") -> Iterable[Mapping[str, Any]]:
        """Acts in order."""


class MappingSets(Protocol):
    """The mapping set in force, kept by hash; the folder is only the editor's surface."""

    def put_in_force(self, content_hash: str, files: Mapping[str, bytes], at: datetime, actor: str, role: str) -> None:
        """Store a checked set and make it the one in force."""

    def in_force(self) -> str | None:
        """The hash of the set in force."""

    def files(self, content_hash: str) -> dict[str, bytes]:
        """The files of a stored set."""
