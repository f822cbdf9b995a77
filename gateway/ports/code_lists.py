"""Code lists that a site imported: what is kept of each release, and the port that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReleaseRow:
    """One imported release of a code list, for dates of service from its first day on."""

    id: int = 0
    """Given by the store; a later import has a higher one."""
    kind: str
    file_name: str
    file_sha256: str
    table_sha256: str
    start_on: date
    end_on: date | None
    row_count: int
    imported_at: datetime
    actor: str
    role: str


class CodeLists(Protocol):
    """Code lists that the site imported from their owners' files."""

    def add(self, release: CodeReleaseRow, file: bytes, table: bytes) -> bool:
        """Store a release; False when this file is there already for this kind and first day."""

    def releases(self) -> list[CodeReleaseRow]:
        """Every release, oldest import first."""

    def table(self, sha256: str) -> bytes:
        """The table of a release. Raises NotFound."""
