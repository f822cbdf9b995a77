"""What notices to EHRs need of the database: which claims changed, and what was told in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """That something became of one claim. Numbers of a source have no gaps."""

    number: int
    claim_id: str
    at: datetime


class Webhooks(Protocol):
    """Notices by source."""

    def changed(self, source: str, organization: str, limit: int) -> list[tuple[str, str]]:
        """(claim id, state) of claims whose state the source was not asked about yet, oldest claims first."""

    def note(self, source: str, states: Sequence[tuple[str, str]], tell: Sequence[str], at: datetime) -> None:
        """Remember states as looked at; make notices, in order, of the claims to tell of."""

    def next_notice(self, source: str) -> Notice | None:
        """The first that was not delivered."""

    def delivered(self, source: str, number: int, at: datetime) -> None:
        """The source has it."""
