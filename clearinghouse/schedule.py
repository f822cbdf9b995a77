"""A partner's hours: when it takes files, its business days, and by when something is due. Reads no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Within:
    """How long something may take: so much time by the clock, or so many business days."""

    elapsed: timedelta = timedelta(0)
    business_days: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Times are local to `time_zone`. Without `opens_at` and `closes_at` files are taken at any hour."""

    time_zone: tzinfo = UTC
    workdays: frozenset[int] = frozenset(range(5))
    """Monday is 0."""
    holidays: frozenset[date] = frozenset()
    opens_at: time | None = None
    closes_at: time | None = None
    cutoff: time | None = None
    """What arrives from this hour on counts as the next business day's."""

    def is_business_day(self, day: date) -> bool:
        """Whether the partner works on that day."""
        return day.weekday() in self.workdays and day not in self.holidays

    def takes_files_at(self, at: datetime) -> bool:
        """Whether files may be sent at an aware time; hours that end before they begin go past midnight."""
        if self.opens_at is None or self.closes_at is None:
            return True
        hour = at.astimezone(self.time_zone).time()
        if self.opens_at <= self.closes_at:
            return self.opens_at <= hour < self.closes_at
        return hour >= self.opens_at or hour < self.closes_at

    def counts_as(self, at: datetime) -> date:
        """The business day that a file sent at an aware time belongs to."""
        local = at.astimezone(self.time_zone)
        late = self.cutoff is not None and local.time() >= self.cutoff
        return self._business_day(local.date() + (_DAY if late else timedelta(0)))

    def due(self, sent_at: datetime, within: Within) -> datetime:
        """By when what follows a file sent at an aware time is due; business days end at local midnight."""
        if not within.business_days:
            return sent_at + within.elapsed
        day = self.counts_as(sent_at)
        for _ in range(within.business_days):
            day = self._business_day(day + _DAY)
        return datetime.combine(day + _DAY, time(), self.time_zone).astimezone(UTC)

    def _business_day(self, day: date) -> date:
        """That day, or the next one the partner works on."""
        while not self.is_business_day(day):
            day += _DAY
        return day
