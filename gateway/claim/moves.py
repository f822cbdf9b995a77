"""Whose something is after moves: a function of what was said and when, whatever order it was heard in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move, its numbers and people by our own ids: those that mean the same have one."""

    said_at: datetime
    under: str
    """What the number means under which moved things were told."""
    from_patient: str | None
    """None where only a number changed."""
    to_patient: str
    into: str | None
    """The account it is kept under now, where the move says so."""


def last_move(
    moves: Sequence[Move], *, said_at: datetime, patient: str, under: frozenset[str], account: str | None
) -> int | None:
    """Which of the moves, in order of time, last took along what was said then of ``patient``; None for none.

    ``under`` are the numbers it is known by, its stay's and its account's among them. A move takes what was told before
    it of the patient it names; each begins where the one before it ended.
    """
    last = None
    for place, move in enumerate(moves):
        if move.said_at < said_at or move.under not in under or move.from_patient not in (None, patient):
            continue
        if move.into is not None:
            under = under - {account} | {move.into}
            account = move.into
        if move.from_patient is not None and move.to_patient != patient:
            patient, last = move.to_patient, place
    return last
