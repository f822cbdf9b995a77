"""How things stand with partners: answers that are awaited, when each was last heard of, what was not used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.ports.exchanges import AnswerStatus, InterchangeRow

AWAITED = ("TA1", "999", "277CA", "277CA-payer", "835")
"""In the order they come. What answers a later one, or refuses the claim, answers the earlier ones too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One answer that an interchange should have had by now."""

    interchange: InterchangeRow
    answer: str
    """One of AWAITED."""
    due_at: datetime
    silent_since: datetime
    """When it was noticed, and somebody told."""
    claims: int
    """How many of the interchange's claims still wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """When a partner last answered us, and what is wrong since."""

    contacted_at: datetime | None = None
    problem: str = ""
    """Why the last try failed; empty after one that did not."""
    troubled_since: datetime | None = None
    next_at: datetime | None = None
    """When it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerNote:
    """Why one answer was set aside, or what of an applied one is not ours."""

    id: str
    connection: str
    type: str
    status: AnswerStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """A returned file of which nothing was read: a report in the partner's own format, or a file that was refused."""

    id: str
    connection: str
    remote_name: bytes
    sha256: str
    received_at: datetime
    reason: str


class Partners(Protocol):
    """How things stand with partners: clocks of awaited answers, contacts, what came back and was not used."""

    def unwatched(self) -> list[InterchangeRow]:
        """Interchanges that are with their partner, or may be, and whose clocks were not set."""

    def sent_at(self, interchange_id: str) -> datetime | None:
        """When a sender last did something about it; None when none ever did."""

    def expect(self, interchange_id: str, due: Mapping[str, datetime]) -> None:
        """Set the clocks of an interchange, by words of AWAITED. Those that are set already stay."""

    def hear(self, now: datetime) -> int:
        """Stop the clocks that ran out of what was answered since; how many."""

    def fall_silent(self, now: datetime) -> list[Silence]:
        """Mark what is due and was not answered; each is given once, to whoever marks it."""

    def silences(self, connection: str = "") -> list[Silence]:
        """What is silent, the longest due in front."""

    def note_contact(self, connection: str, at: datetime, problem: str, next_at: datetime) -> None:
        """Remember how a try to talk to a partner went; no problem means that it answered."""

    def contacts(self) -> Mapping[str, Contact]:
        """Contacts by connection; one that was never tried is left out."""

    def answer_notes(self) -> Iterable[AnswerNote]:
        """What there is to say of answers that were not applied, or not whole, in order of arrival."""

    def answer_counts(self) -> Mapping[tuple[str, str], int]:
        """How many answers came, by connection and type."""

    def interchange_counts(self) -> Mapping[tuple[str, str], int]:
        """How many interchanges there are, by connection and delivery state."""

    def reports(self) -> Iterable[ReportRow]:
        """Returned files of which nothing was read, in order of arrival."""
