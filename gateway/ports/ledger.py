"""Where money is kept: asked of the database beside the claims and answers that it follows from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gateway.receivable.ledger import LedgerEntry


class Ledger(Protocol):
    """The receivable ledger's rows: recomputed from facts, double entry, integer cents."""

    def add(self, owner: str, entries: Sequence[LedgerEntry]) -> None:
        """Append entries of one answer (``answer:<id>``), which is posted once."""

    def replace_all(self, entries_of: Mapping[str, Sequence[LedgerEntry]]) -> None:
        """Replace the entries of many claims (``claim:<id>``) at once."""

    def balances(self) -> Mapping[str, int]:
        """Cents by account."""

    def entries(self, owner: str = "") -> Iterable[LedgerEntry]:
        """Entries, of one owner or of all."""
