"""Dates as the trade uses them: effective spans, weeks, months. A span's ends are both inside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from msgspec import Struct


class Span(Struct, frozen=True):
    """Days from ``start_on`` to ``end_on``, both included; ``end_on`` None means no end is known."""

    start_on: date
    end_on: date | None = None

    def covers(self, on: date) -> bool:
        """True when the day lies inside the span."""
        return self.start_on <= on and (self.end_on is None or on <= self.end_on)

    def overlaps(self, other: Span) -> bool:
        """True when the two spans share a day."""
        return (other.end_on is None or self.start_on <= other.end_on) and (
            self.end_on is None or other.start_on <= self.end_on
        )


COUNTABLE = Span(date(1900, 1, 1), date(2199, 12, 31))
"""Days that others may be counted from; beyond them lies what was mistyped, and an end that stands for none."""


def week_of(on: date, week_start: int) -> Span:
    """The seven days that hold the day; ``week_start`` is 0 for Monday ... 6 for Sunday, as ``date.weekday()``."""
    start = on - timedelta(days=(on.weekday() - week_start) % 7)
    return Span(start, start + timedelta(days=6))


def month_of(on: date) -> Span:
    """The calendar month that holds the day."""
    start = on.replace(day=1)
    return Span(start, (start + timedelta(days=32)).replace(day=1) - timedelta(days=1))


def federal_fiscal_year(on: date) -> int:
    """The fiscal year of the day; it begins on 1 October, as ICD-10-CM's yearly releases do."""
    return on.year + (on.month >= 10)


def days(span: Span, until: date) -> Iterator[date]:
    """Every day of the span, open spans ending at ``until``."""
    on, last = span.start_on, span.end_on or until
    while on <= last:
        yield on
        on += timedelta(days=1)
