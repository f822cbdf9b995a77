"""What is still to be done, by kind and key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol


class WorkKind(StrEnum):
    """What a key waits for."""

    INTERPRET_MESSAGE = "interpret-message"
    """A message id."""
    INTERPRET_RESOURCE = "interpret-resource"
    """``source Type/id``, as are the next."""
    MAP_AGAIN = "map-again"
    """One that this one follows changed. Mapping it asks nobody else: no cycle can run away."""
    DERIVE = "derive"
    """A patient id, as is the next."""
    PARKED = "parked"
    """Deriving broke: a defect of ours. `doctor` shows them; deriving again after a repair frees them."""


class Work(Protocol):
    """What is still to be done. A row is deleted in the transaction that did it."""

    def add(self, kind: WorkKind, keys: Iterable[str]) -> None:
        """Ask for the keys to be worked on; asking twice is asking once."""

    def add_patients_answered(self, answer_id: str) -> None:
        """Ask for the patients of the claims that an answer's facts speak of to be derived."""

    def add_patients_of_a_new_day(self, *, or_visits_not_billed: bool = False) -> int:
        """Ask for the patients of whom a new day may say something else to be derived; how many.

        They have a claim that is not frozen as it stands, an item of work or an authorization; with the option, a visit
        that is on no claim.
        """

    def take(self, kind: WorkKind, limit: int) -> list[str]:
        """Up to ``limit`` keys, oldest first, removed when this transaction commits; other workers get others."""

    def waiting(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that wait for anything."""

    def count(self) -> Mapping[str, int]:
        """How many keys wait, by kind."""

    def more_than(self, number: int, kind: WorkKind) -> bool:
        """True when more keys than that wait for this, without counting them all."""

    def last_sweep(self, name: str) -> str:
        """What the last sweep of that name was for; empty before the first."""

    def record_sweep(self, name: str, value: str) -> None:
        """Remember what a sweep was for."""
