"""A partner's calendar: what is late on Friday evening counts on Monday, and a holiday is nobody's business day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from clearinghouse.schedule import Schedule, Within

CHICAGO = ZoneInfo("America/Chicago")
OFFICE = Schedule(
    time_zone=CHICAGO,
    holidays=frozenset({date(2026, 9, 7)}),
    opens_at=time(6),
    closes_at=time(20),
    cutoff=time(17),
)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """An hour of September 2026; the 4th is a Friday, the 7th Labor Day."""
    return datetime(2026, 9, day, hour, minute, tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("sent_at", "counts_as"),
    [(local(3, 9), 3), (local(3, 17), 4), (local(4, 16, 59), 4), (local(4, 17), 8), (local(5, 9), 8), (local(7, 9), 8)],
)
def test_a_file_counts_on_the_business_day_it_reaches_before_the_cut_off(sent_at: datetime, counts_as: int) -> None:
    assert date(2026, 9, counts_as) == OFFICE.counts_as(sent_at)


def test_two_business_days_over_a_long_weekend_end_on_wednesday_at_midnight() -> None:
    due = OFFICE.due(local(4, 12), Within(business_days=2))
    assert (local(10, 0), UTC) == (due.astimezone(CHICAGO), due.tzinfo)


def test_time_by_the_clock_asks_no_calendar() -> None:
    assert local(4, 23) == OFFICE.due(local(4, 19), Within(elapsed=timedelta(hours=4)))


def test_business_days_across_the_end_of_summer_time_end_at_local_midnight() -> None:
    sent_at = datetime(2026, 10, 30, 12, tzinfo=CHICAGO)  # the clocks go back on 1 November
    assert datetime(2026, 11, 3, 6, tzinfo=UTC) == OFFICE.due(sent_at, Within(business_days=1))


@pytest.mark.parametrize(("hour", "taken"), [(5, False), (6, True), (19, True), (20, False)])
def test_files_are_taken_within_the_hours(hour: int, taken: bool) -> None:
    assert taken == OFFICE.takes_files_at(local(4, hour))


def test_hours_may_go_past_midnight_and_no_hours_mean_always() -> None:
    nightly = Schedule(time_zone=CHICAGO, opens_at=time(22), closes_at=time(4))
    assert [True, True, False] == [nightly.takes_files_at(local(4, hour)) for hour in (23, 3, 4)]
    assert Schedule().takes_files_at(local(4, 3))
