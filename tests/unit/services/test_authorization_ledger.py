"""What an authorization covers, and where its units end."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.authorization.ledger import Use, authorization_position, find_covering, units_of_day
from gateway.claim.party import Identifier
from gateway.claim.record import AuthorizationStatus, AuthorizationUnit, LevelOfCare
from tests.unit.services.samples import CATALOGUE, MONDAY, authorization

ACME = CATALOGUE.payers["acme"]
NINE_DAYS = [Use(MONDAY + timedelta(days=number), 1) for number in range(9)]


def test_eight_units_stop_the_ninth_day() -> None:
    record = authorization(units=8)
    eighth = authorization_position(record, NINE_DAYS, NINE_DAYS[7].on)
    ninth = authorization_position(record, NINE_DAYS, NINE_DAYS[8].on)
    assert (True, 8, 0) == (eighth.covers, eighth.used, eighth.remaining)
    assert (False, 9, 0, NINE_DAYS[8].on) == (ninth.covers, ninth.used, ninth.remaining, ninth.first_day_beyond)


@pytest.mark.parametrize(
    ("on", "covers"),
    [
        (date(2026, 7, 31), False),
        (date(2026, 8, 1), True),
        (date(2026, 9, 30), True),
        (date(2026, 10, 1), False),
    ],
)
def test_both_ends_of_the_span_are_inside_it(on: date, covers: bool) -> None:
    assert covers == authorization_position(authorization(), [Use(on, 1)], on).covers


def test_units_nobody_stated_are_unknown_not_zero() -> None:
    position = authorization_position(authorization(units=None), NINE_DAYS, MONDAY)
    assert (True, None, None) == (position.covers, position.remaining, position.first_day_beyond)


@pytest.mark.parametrize(
    ("unit", "minutes", "units"),
    [
        (AuthorizationUnit.DAY, 185, 1),
        (AuthorizationUnit.VISIT, 185, 1),
        (AuthorizationUnit.HOUR, 180, 3),
        (AuthorizationUnit.HOUR, 181, 4),
        (AuthorizationUnit.QUARTER_HOUR, 45, 3),
        (AuthorizationUnit.QUARTER_HOUR, 0, 1),
    ],
)
def test_a_day_uses_units_of_the_authorizations_own_kind(unit: AuthorizationUnit, minutes: int, units: int) -> None:
    assert units == units_of_day(unit, minutes)


@pytest.mark.parametrize(
    "record",
    [
        authorization(status=AuthorizationStatus.DENIED),
        authorization(status=AuthorizationStatus.PENDED),
        authorization(status=None),
        authorization(number=""),
        authorization(level_of_care=LevelOfCare.PHP),
        authorization(payer=Identifier("payer", "medicare")),
        authorization(end_on=MONDAY - timedelta(days=1)),
    ],
)
def test_only_a_granted_authorization_for_the_payer_level_and_day_covers(record: object) -> None:
    assert find_covering([record], ACME, LevelOfCare.IOP, MONDAY) is None  # type: ignore[list-item]


def test_the_earliest_of_several_covers() -> None:
    later = authorization(number="LATER", start_on=MONDAY)
    assert authorization() == find_covering([later, authorization()], ACME, LevelOfCare.IOP, MONDAY)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4)), max_size=12), st.integers(0, 20), st.randoms())
def test_what_is_used_never_shrinks_and_the_order_of_uses_does_not_matter(
    uses: list[tuple[int, int]], units: int, shuffler: random.Random
) -> None:
    record = authorization(units=units, start_on=None, end_on=None)
    known = [Use(MONDAY + timedelta(days=offset), count) for offset, count in uses]
    shuffled = known[:]
    shuffler.shuffle(shuffled)
    positions = [authorization_position(record, known, MONDAY + timedelta(days=offset)) for offset in range(41)]
    again = [authorization_position(record, shuffled, MONDAY + timedelta(days=offset)) for offset in range(41)]
    assert positions == again
    assert [each.used for each in positions] == sorted(each.used for each in positions)
    assert sum(each.units for each in known) == positions[-1].used
