"""Spans, weeks, months and the fiscal year. A span's ends are inside it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claim.calendar import Span, days, federal_fiscal_year, month_of, week_of

dates = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start_on = draw(dates)
    return Span(start_on, draw(st.none() | st.integers(0, 500).map(lambda count: start_on + timedelta(days=count))))


@given(spans(), dates)
def test_a_span_covers_the_days_it_lists(span: Span, on: date) -> None:
    assert span.covers(on) == (on in set(days(span, date(2033, 1, 1))))


@given(spans(), spans())
def test_spans_overlap_when_they_share_a_day_and_it_is_mutual(one: Span, other: Span) -> None:
    until = date(2033, 1, 1)
    shared = set(days(one, until)) & set(days(other, until))
    assert one.overlaps(other) == other.overlaps(one) == bool(shared)


def test_an_open_span_lists_its_days_up_to_the_last_one_asked_for() -> None:
    span = Span(date(2026, 8, 1))
    assert list(days(span, date(2026, 8, 3))) == [date(2026, 8, day) for day in (1, 2, 3)]
    assert list(days(span, date(2026, 7, 31))) == []


@given(dates, st.integers(0, 6))
def test_a_week_is_the_seven_days_around_the_day_from_its_own_first_weekday(on: date, week_start: int) -> None:
    week = week_of(on, week_start)
    assert week.covers(on)
    assert week.start_on.weekday() == week_start
    assert len(list(days(week, on))) == 7
    assert all(week_of(each, week_start) == week for each in days(week, on))


@given(dates)
def test_a_month_is_every_day_of_that_month_and_no_other(on: date) -> None:
    found = list(days(month_of(on), on))
    assert {(each.year, each.month) for each in found} == {(on.year, on.month)}
    assert found[0].day == 1
    assert (found[-1] + timedelta(days=1)).month != on.month


@pytest.mark.parametrize(
    ("on", "year"),
    [
        (date(2025, 9, 30), 2025),
        (date(2025, 10, 1), 2026),
        (date(2026, 8, 3), 2026),
        (date(2026, 9, 30), 2026),
        (date(2026, 12, 31), 2027),
    ],
)
def test_the_federal_fiscal_year_begins_in_october(on: date, year: int) -> None:
    assert federal_fiscal_year(on) == year
