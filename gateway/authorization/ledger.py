"""The authorization ledger's arithmetic: which authorization covers a day, and how far its units reach.

Pure: records and uses come in, positions go out. Units on claims that were sent are gone; the others are counted by
date of service, because that is how a payer counts: what is short falls on the last days, whatever the claims' order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple, Protocol

from msgspec import Struct

from gateway.claim.calendar import week_of
from gateway.claim.contract import Payer
from gateway.claim.record import (
    AuthorizationRecord,
    AuthorizationStatus,
    AuthorizationUnit,
    LevelOfCare,
    Weekday,
)

GRANTED = frozenset({AuthorizationStatus.APPROVED, AuthorizationStatus.PARTIAL})
_MINUTES = {AuthorizationUnit.HOUR: 60, AuthorizationUnit.QUARTER_HOUR: 15}
_WEEKDAYS = tuple(Weekday)


class UnitsUsed(Protocol):
    """Units of one authorization used on one date of service."""

    @property
    def on(self) -> date:
        """The date."""

    @property
    def units(self) -> int:
        """How many."""

    @property
    def sent(self) -> bool:
        """True when the payer has the claim."""


class Use(NamedTuple):
    """Units of one authorization used on one date of service; ``sent`` when the payer has the claim."""

    on: date
    units: int
    sent: bool = False


class AuthorizationPosition(Struct, frozen=True, kw_only=True):
    """Where an authorization stands on one date of service."""

    number: str
    on: date
    in_span: bool
    units: int | None
    """Units granted; None when the payer's answer states none, or nobody recorded them."""
    used: int
    """Units used up to and including the day; those used before we billed and those on sent claims come first."""
    remaining: int | None
    """Never below zero; None when ``units`` is."""
    first_day_beyond: date | None
    """The first date of service the units no longer reach, of all uses known."""

    @property
    def covers(self) -> bool:
        """True when the day lies in the span and its units are still there, as far as units are known."""
        return self.in_span and (self.units is None or self.used <= self.units)


def authorization_position(record: AuthorizationRecord, uses: Iterable[UnitsUsed], day: date) -> AuthorizationPosition:
    """Cumulative units, what remains after ``day``, and the first day beyond.

    ``uses`` are all uses of this authorization, the day's own included, in any order. Uses before the opening day are
    in the opening balance already.
    """
    cumulative = used = record.opening_units or 0
    first_day_beyond = None
    for use in sorted(after_opening(record, uses), key=lambda each: (not each.sent, each.on)):
        cumulative += use.units
        if use.sent or use.on <= day:
            used = cumulative
        if first_day_beyond is None and record.units is not None and cumulative > record.units:
            first_day_beyond = use.on
    return AuthorizationPosition(
        number=record.number,
        on=day,
        in_span=is_in_span(record, day),
        units=record.units,
        used=used,
        remaining=None if record.units is None else max(0, record.units - used),
        first_day_beyond=first_day_beyond,
    )


def after_opening(record: AuthorizationRecord, uses: Iterable[UnitsUsed]) -> list[UnitsUsed]:
    """The uses that the opening balance does not hold already."""
    return [each for each in uses if record.opening_on is None or each.on >= record.opening_on]


def units_over_day(record: AuthorizationRecord, uses: Iterable[UnitsUsed], on: date) -> int:
    """Units of the date beyond what the authorization allows on one day; 0 when it says nothing of days."""
    return _over(record.units_per_day, (each.units for each in uses if each.on == on))


def units_over_week(record: AuthorizationRecord, uses: Iterable[UnitsUsed], on: date, week_start: int) -> int:
    """Units of the week beyond what the authorization allows in one, counted up to the day; sent ones come first."""
    week = week_of(on, week_start)
    return _over(
        record.units_per_week,
        (each.units for each in after_opening(record, uses) if week.covers(each.on) and (each.sent or each.on <= on)),
    )


def _over(most: int | None, units: Iterable[int]) -> int:
    return 0 if most is None else max(0, sum(units) - most)


def allows_weekday(record: AuthorizationRecord, on: date) -> bool:
    """True unless the authorization names days of the week and this is none of them."""
    return not record.weekdays or _WEEKDAYS[on.weekday()] in record.weekdays


def is_in_span(record: AuthorizationRecord, on: date) -> bool:
    """True when the day lies between the authorization's dates; a date the payer left open is open."""
    return (record.start_on is None or record.start_on <= on) and (record.end_on is None or on <= record.end_on)


def is_for(record: AuthorizationRecord, payer: Payer, level_of_care: LevelOfCare) -> bool:
    """True unless the authorization names another payer or another level of care."""
    return (record.payer is None or record.payer in payer.names) and (
        record.level_of_care is None or record.level_of_care is level_of_care
    )


def counts_days(unit: AuthorizationUnit) -> bool:
    """True when a day of attendance uses one unit, however long it was."""
    return unit not in _MINUTES


def units_of_day(unit: AuthorizationUnit, minutes: int) -> int:
    """Units one day of attendance uses: a day or visit is one, begun hours and quarters count whole."""
    size = _MINUTES.get(unit)
    return 1 if size is None else max(1, -(-minutes // size))


def find_covering(
    records: Iterable[AuthorizationRecord],
    payer: Payer,
    level_of_care: LevelOfCare,
    on: date,
    used: Mapping[str, int] | None = None,
) -> AuthorizationRecord | None:
    """The granted authorization for the payer and level of care whose span holds the day.

    Of several, the earliest with units left after ``used`` (units by number, beside those used before we billed); the
    earliest when none has any left.
    """
    taken = used or {}
    found = [
        each
        for each in records
        if each.number
        and each.status in GRANTED
        and is_for(each, payer, level_of_care)
        and is_in_span(each, on)
        and allows_weekday(each, on)
    ]
    return min(
        found,
        key=lambda each: (
            each.units is not None and taken.get(each.number, 0) + (each.opening_units or 0) >= each.units,
            each.start_on or date.min,
            each.number,
            each.units or 0,
        ),
        default=None,
    )
