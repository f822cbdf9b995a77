"""Attendance as billing sees it: sessions of one patient on one day in one program, and what they add up to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from gateway.claim.finding import Origin
from gateway.claim.origins import NO_ORIGINS, Origins
from gateway.claim.party import Practitioner
from gateway.claim.record import AttendanceStatus, LevelOfCare, Modality


class DayClass(StrEnum):
    """What a day of attendance is worth under one service definition."""

    FULL = "full"
    PARTIAL = "partial"
    NO_SHOW = "no-show"
    CANCELLED = "cancelled"
    HOLD = "hold"
    """Attended, but a note or a fact is missing that somebody can still supply."""
    PLANNED = "planned"


Interval = tuple[datetime, datetime]
"""From a moment until another, the second not included."""


class Session(Struct, frozen=True, kw_only=True):
    """One encounter after its sources were merged: the store's id, the facts, and where each fact came from."""

    encounter_id: str
    session: str
    status: AttendanceStatus
    start_at: datetime
    end_at: datetime
    modality: Modality | None = None
    note_signed: bool | None = None
    attending: Practitioner | None = None
    rendering: Practitioner | None = None
    diagnoses: tuple[str, ...] = ()
    authorization_number: str = ""
    place_of_service: str = ""
    charge_code: str = ""
    scheduled: Interval | None = None
    """The block it was scheduled for, where the feed says."""
    counted: tuple[Interval, ...] | None = None
    """What counts of it, in UTC; None for the whole of it."""
    origins: Origins = NO_ORIGINS

    @property
    def span(self) -> Interval:
        """From its start to its end, as told."""
        return self.start_at, self.end_at

    @property
    def counted_spans(self) -> tuple[Interval, ...]:
        """What counts of it."""
        return (self.span,) if self.counted is None else self.counted

    @property
    def minutes(self) -> int:
        """Elapsed whole minutes of what counts of it."""
        elapsed = (end.astimezone(UTC) - start.astimezone(UTC) for start, end in self.counted_spans)
        return int(sum(elapsed, timedelta()).total_seconds()) // 60

    def origin(self, name: str) -> Origin | None:
        """Where the named field came from, when that is known."""
        return self.origins.get(name)


class ServiceDay(Struct, frozen=True, kw_only=True):
    """One patient, one facility, one program, one level of care, one local date."""

    patient_id: str
    organization: str
    facility: str
    program: str
    level_of_care: LevelOfCare
    on: date
    sessions: tuple[Session, ...]
    """Every session of the day, missed and cancelled ones too, in order of start."""
    minutes: int
    """Union, never sum, of the attended clinical sessions' minutes."""
    services: int
    """Attended clinical sessions that reached their kind's minimum."""
    has_primary: bool
    unsigned: tuple[str, ...] = ()
    """Encounters whose note is not signed, or not known to be."""

    @property
    def attended(self) -> tuple[Session, ...]:
        """The sessions the patient was at."""
        return tuple(each for each in self.sessions if each.status is AttendanceStatus.ATTENDED)
