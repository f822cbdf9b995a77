"""One authorization's account: what was granted, what each day did to it, and what is left. A function of facts.

Pure, and says nothing of claims' states: whoever makes the entries knows those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum

from msgspec import Struct

from gateway.authorization.ledger import (
    Use,
    allows_weekday,
    authorization_position,
    is_in_span,
    units_over_day,
    units_over_week,
)
from gateway.claim.record import AuthorizationRecord


class Stage(StrEnum):
    """What a day did to an authorization, in the order a day usually goes."""

    RESERVED = "reserved"
    """Scheduled, or attended and not known to be billable yet."""
    ACCRUED = "accrued"
    """Attended and on a claim that has not left."""
    CONSUMED = "consumed"
    """On a claim the payer has."""
    RELEASED = "released"
    """Given back: missed, not billable, voided or denied."""


class AuthorizationEntry(Struct, frozen=True, kw_only=True):
    """One day of one authorization. ``number`` is empty where a day needs an authorization and none covers it."""

    payer: str
    member: str
    """The patient's number with the payer: an authorization is a member's, however often we know the person."""
    number: str
    on: date
    units: int
    stage: Stage
    reason: str
    claim_key: str = ""
    cents: int = 0


COUNTED = frozenset({Stage.RESERVED, Stage.ACCRUED, Stage.CONSUMED})


class AuthorizationAccount(Struct, frozen=True, kw_only=True):
    """Where one authorization stands."""

    record: AuthorizationRecord
    payer: str
    """The payer file's id; empty when the authorization names no payer any file knows."""
    week_start: int
    """Of the payer's weeks: 0 Monday ... 6 Sunday."""
    entries: tuple[AuthorizationEntry, ...]
    opening: int
    reserved: int
    accrued: int
    consumed: int
    released: int
    remaining: int | None
    """Granted less what was used before we billed, accrued and consumed; None when nobody stated the units granted."""
    first_day_beyond: date | None
    """The first day, attended or scheduled, that the authorization does not cover."""
    at_risk_cents: int
    """Charges of the attended and scheduled days that it does not cover."""
    in_care: bool
    """Days are scheduled, or a stay it is for is open: what runs out will be missed."""

    @property
    def used(self) -> int:
        """Units that are gone: before we billed, accrued, consumed."""
        return self.opening + self.accrued + self.consumed


def account_of(
    record: AuthorizationRecord,
    payer: str,
    entries: Iterable[AuthorizationEntry],
    week_start: int,
    *,
    in_care: bool = False,
) -> AuthorizationAccount:
    """The account of one authorization from every entry that names it, whichever patient's or organization's."""
    own = tuple(sorted(entries, key=lambda each: (each.on, each.claim_key, each.stage, each.reason)))
    since = [each for each in own if record.opening_on is None or each.on >= record.opening_on]
    units = {stage: sum(each.units for each in since if each.stage is stage) for stage in Stage}
    opening = record.opening_units or 0
    used = opening + units[Stage.ACCRUED] + units[Stage.CONSUMED]
    beyond = list(_beyond(record, since, week_start))
    return AuthorizationAccount(
        record=record,
        payer=payer,
        week_start=week_start,
        entries=own,
        opening=opening,
        reserved=units[Stage.RESERVED],
        accrued=units[Stage.ACCRUED],
        consumed=units[Stage.CONSUMED],
        released=units[Stage.RELEASED],
        remaining=None if record.units is None else max(0, record.units - used),
        first_day_beyond=min((each.on for each in beyond), default=None),
        at_risk_cents=sum(each.cents for each in beyond if each.stage is not Stage.CONSUMED),
        in_care=in_care or bool(units[Stage.RESERVED]),
    )


def uses_of(entries: Iterable[AuthorizationEntry]) -> list[Use]:
    """The entries that take units, as uses."""
    return [Use(each.on, each.units, each.stage is Stage.CONSUMED) for each in entries if each.stage in COUNTED]


def _beyond(
    record: AuthorizationRecord, entries: Sequence[AuthorizationEntry], week_start: int
) -> Iterator[AuthorizationEntry]:
    uses = uses_of(entries)
    for each in entries:
        if each.stage in COUNTED and not _is_covered(record, uses, each.on, week_start):
            yield each


def _is_covered(record: AuthorizationRecord, uses: Sequence[Use], on: date, week_start: int) -> bool:
    return (
        is_in_span(record, on)
        and allows_weekday(record, on)
        and not units_over_day(record, uses, on)
        and not units_over_week(record, uses, on, week_start)
        and authorization_position(record, uses, on).covers
    )
