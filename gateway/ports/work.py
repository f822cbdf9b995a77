"""What is still to be done, by kind and key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class Work(Protocol):
    """What is still to be done. A row is deleted in the transaction that did it."""

    def add(self, kind: str, keys: Iterable[str]) -> None:
        """Ask for the keys to be worked on; asking twice is asking once."""

    def take(self, kind: str, limit: int) -> list[str]:
        """Up to ``limit`` keys, oldest first, removed when this transaction commits; other workers get others."""

    def waiting(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that wait for anything."""

    def count(self) -> Mapping[str, int]:
        """How many keys wait, by kind."""

    def last_sweep(self, name: str) -> str:
        """What the last sweep of that name was for; empty before the first."""

    def record_sweep(self, name: str, value: str) -> None:
        """Remember what a sweep was for."""
