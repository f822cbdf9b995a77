"""What counts of a day: presence, scheduled blocks, pauses, clock changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gateway.claim.attendance import ServiceDay
from gateway.claim.contract import AuthorizationNeed, HalfDay, ItemisedService, LineOfBusiness, PartialDay
from gateway.claim.finding import Severity
from gateway.claim.record import LevelOfCare
from gateway.services.assembly import assemble
from gateway.services.case import DayBook, Place, PlacedEncounter
from gateway.services.days import service_days
from gateway.services.presence import counted_for, difference, intersection, union, whole_minutes
from tests.unit.services.samples import (
    CATALOGUE,
    EDUCATION,
    GROUP,
    INDIVIDUAL,
    LUNCH,
    MH,
    MONDAY,
    SERVICES,
    SIGN_IN,
    TODAY,
    a_definition,
    at,
    authorization,
    case,
    catalogue_with,
    encounter,
    episode,
    program_day,
)

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
"""Clocks go from 2 to 3, and from 2 back to 1."""


def signed_in(on: date, start: int, end: int, **changes: Any) -> PlacedEncounter:
    """From signing in to signing out, in minutes after midnight on the wall; the feed says no program of it."""
    told = {"program": "", "level_of_care": None, "note_signed": None, "session": SIGN_IN, **changes}
    visit = encounter(f"sign-in-{start}", on, **told)
    begin = at(on, 0)
    times = {"start_at": begin + timedelta(minutes=start), "end_at": begin + timedelta(minutes=end)}
    return structs.replace(visit, record=replace(visit.record, **times))


def the_day(*encounters: PlacedEncounter) -> ServiceDay:
    (day,) = service_days(encounters, CATALOGUE).days
    return day


def rules(book: DayBook) -> dict[str, list[str]]:
    return {encounter_id: [each.rule for each in found] for encounter_id, found in book.findings.items()}


def test_sessions_count_as_far_as_the_patient_was_signed_in() -> None:
    day = the_day(*program_day(MONDAY), signed_in(MONDAY, 9 * 60, 11 * 60 + 30))
    assert (150, 2) == (day.minutes, day.services)
    assert 4 == len(day.sessions)


def test_where_nobody_signed_in_sessions_alone_say_how_long_the_patient_was_there() -> None:
    assert 180 == the_day(*program_day(MONDAY)).minutes


def test_signing_in_twice_leaves_out_the_time_between() -> None:
    day = the_day(*program_day(MONDAY), signed_in(MONDAY, 540, 600), signed_in(MONDAY, 660, 720))
    assert (120, 2) == (day.minutes, day.services)


def test_another_days_or_places_signing_in_changes_nothing() -> None:
    elsewhere = signed_in(MONDAY, 540, 550, facility="harbor-west")
    yesterday = signed_in(MONDAY - timedelta(days=1), 540, 550)
    days = service_days([*program_day(MONDAY), elsewhere, yesterday], CATALOGUE).days
    assert 180 == max(day.minutes for day in days)


def test_signing_in_counts_for_the_sessions_of_every_program_of_the_day() -> None:
    evening = encounter("evening", MONDAY, 18, level_of_care=LevelOfCare.PHP)
    days = service_days([*program_day(MONDAY), evening, signed_in(MONDAY, 540, 720)], CATALOGUE).days
    assert {LevelOfCare.IOP: 180, LevelOfCare.PHP: 0} == {day.level_of_care: day.minutes for day in days}


def test_signing_in_alone_is_no_day_anybody_pays() -> None:
    alone = signed_in(MONDAY, 540, 720, program=MH, level_of_care=LevelOfCare.IOP)
    placed = assemble(case([alone]), CATALOGUE, TODAY).placements
    assert [(Place.NOT_BILLABLE, "partial-day")] == [(each.place, each.reason) for each in placed]


def test_signing_in_without_signing_out_waits_for_the_front_desk() -> None:
    visit = signed_in(MONDAY, 540, 720)
    forgotten = structs.replace(visit, record=replace(visit.record, end_at=None))
    book = service_days([*program_day(MONDAY), forgotten], CATALOGUE)
    assert [("sign-in-540", "end-unknown")] == [(each.encounter_id, each.reason) for each in book.unplaced]


@pytest.mark.parametrize(
    ("end", "minutes", "rule"), [(570, 30, "session-shortened"), (540, 0, "session-outside-presence")]
)
def test_what_does_not_count_is_said(end: int, minutes: int, rule: str) -> None:
    book = service_days([encounter("a", MONDAY, 9), signed_in(MONDAY, 500, end)], CATALOGUE)
    assert minutes == book.days[0].minutes
    ((finding,),) = book.findings.values()
    wanted = Severity.NOTE if minutes else Severity.WARN
    assert (rule, wanted) == (finding.rule, finding.severity)


def test_a_meal_inside_a_session_does_not_count() -> None:
    lunch = encounter("lunch", MONDAY, 10, minutes=20, session=LUNCH, note_signed=None)
    day = the_day(*program_day(MONDAY), lunch)
    assert (160, 3) == (day.minutes, day.services)


def test_a_session_beyond_its_scheduled_block_counts_to_the_end_of_it() -> None:
    block = {"scheduled_start_at": at(MONDAY, 9), "scheduled_end_at": at(MONDAY, 9, 50)}
    assert 50 == the_day(encounter("a", MONDAY, 9, minutes=80, **block)).minutes


def test_a_session_shorter_than_its_block_counts_what_it_was() -> None:
    block = {"scheduled_start_at": at(MONDAY, 9), "scheduled_end_at": at(MONDAY, 10)}
    assert 45 == the_day(encounter("a", MONDAY, 9, minutes=45, **block)).minutes


@pytest.mark.parametrize(("on", "minutes"), [(SPRING, 120), (AUTUMN, 240)])
def test_a_night_on_which_clocks_change_counts_what_elapsed(on: date, minutes: int) -> None:
    start, end = at(on, 1), at(on, 4)
    visit = encounter("a", on)
    night = structs.replace(visit, record=replace(visit.record, start_at=start, end_at=end))
    day = the_day(night)
    assert (on, minutes) == (day.on, day.minutes)


@pytest.mark.parametrize("on", [SPRING, AUTUMN])
def test_presence_and_sessions_of_a_day_on_which_clocks_change_meet(on: date) -> None:
    day = the_day(encounter("a", on, 9), encounter("b", on, 10, session=INDIVIDUAL), signed_in(on, 0, 600))
    elapsed = whole_minutes(
        intersection(union([(at(on, 9), at(on, 11))]), union([(at(on, 0), at(on, 0) + timedelta(minutes=600))]))
    )
    assert elapsed == day.minutes


def test_a_session_before_midnight_is_of_the_day_it_began_on_by_the_facilitys_wall() -> None:
    start = datetime(2026, 8, 4, 4, 30, tzinfo=UTC)  # half past eleven on Monday in Chicago
    visit = encounter("a", MONDAY)
    late = structs.replace(visit, record=replace(visit.record, start_at=start, end_at=start + timedelta(hours=1)))
    assert (MONDAY, 60) == (the_day(late).on, the_day(late).minutes)


def test_a_payer_may_leave_kinds_of_session_out() -> None:
    day = the_day(*program_day(MONDAY))
    kinds = CATALOGUE.sessions
    without = counted_for(day, (EDUCATION,), kinds)
    assert (120, 2) == (without.minutes, without.services)
    assert day is counted_for(day, (LUNCH,), kinds)


_spans = st.lists(st.tuples(st.integers(0, 600), st.integers(1, 90)), max_size=6)


@given(_spans, _spans)
def test_intersection_and_difference_are_what_they_are_minute_by_minute(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    midnight = at(MONDAY, 0)

    def intervals(spans: list[tuple[int, int]]) -> Any:
        return union((midnight + timedelta(minutes=a), midnight + timedelta(minutes=a + b)) for a, b in spans)

    def minutes(spans: list[tuple[int, int]]) -> set[int]:
        return {minute for begin, length in spans for minute in range(begin, begin + length)}

    assert len(minutes(one) & minutes(other)) == whole_minutes(intersection(intervals(one), intervals(other)))
    assert len(minutes(one) - minutes(other)) == whole_minutes(difference(intervals(one), intervals(other)))


# --- a day too short ------------------------------------------------------------------------------------------------

SHORT = [encounter("a", MONDAY, 9), encounter("b", MONDAY, 10, session=INDIVIDUAL)]
ITEMS = (ItemisedService(session=GROUP, revenue_code="0915", hcpcs="G0410", entry="services/x.yaml:5"),)


def php(**changes: Any) -> Any:
    """The catalogue with another partial hospitalization day of commercial payers."""
    given = {"lines_of_business": (LineOfBusiness.COMMERCIAL,), "revenue_code": "0913", "hcpcs": "H0035"}
    mine = a_definition("commercial-php", LevelOfCare.PHP, **{**given, "minimum_minutes_day": 240, **changes})
    return catalogue_with(services=tuple(mine if each.id == mine.id else each for each in SERVICES))


def php_case(catalogue: Any, **changes: Any) -> Any:
    short = [structs.replace(each, record=replace(each.record, level_of_care=LevelOfCare.PHP)) for each in SHORT]
    stay = episode(level_of_care=LevelOfCare.PHP, authorization_number="")
    return case(short, episodes=(stay,), catalogue=catalogue, **changes)


def lines(assembly: Any) -> list[tuple[str, str, int]]:
    return [(line.revenue_code, line.hcpcs, line.units) for draft in assembly.drafts for line in draft.claim.lines]


def test_a_short_day_is_not_billed_where_the_payer_says_nothing() -> None:
    assembly = assemble(php_case(php()), php(), TODAY)
    assert ([], {"partial-day"}) == (lines(assembly), {each.reason for each in assembly.placements})


def test_a_short_day_is_billed_by_the_session_where_the_payer_buys_those() -> None:
    catalogue = php(partial_day=PartialDay.ITEMISE, items=ITEMS)
    assembly = assemble(php_case(catalogue), catalogue, TODAY)
    assert [("0915", "G0410", 1)] == lines(assembly)
    assert {"a": "on-claim", "b": "not-a-billed-service"} == {
        each.encounter_id: each.reason for each in assembly.placements
    }


def test_the_half_day_comes_before_any_other_policy() -> None:
    half = HalfDay(minimum_minutes=100, revenue_code="0912", hcpcs="H0035", entry="services/x.yaml:9")
    catalogue = php(partial_day=PartialDay.ITEMISE, items=ITEMS, half_day=half)
    assert [("0912", "H0035", 1)] == lines(assemble(php_case(catalogue), catalogue, TODAY))


LOWER = {"partial_day": PartialDay.LOWER_LEVEL, "lower_level": LevelOfCare.IOP}


def lower(**iop: Any) -> Any:
    """A short day of partial hospitalization may be billed as intensive outpatient, of two services or more."""
    catalogue = php(**LOWER)
    mine = [
        replace(each, **{"minimum_minutes_day": 100, "minimum_services_day": 2, **iop})
        if each.id == "commercial-mh-iop"
        else each
        for each in catalogue.services
    ]
    return replace(catalogue, services=tuple(mine))


def test_a_short_day_is_billed_at_the_lower_level_that_is_authorized() -> None:
    catalogue = lower()
    granted = (authorization(level_of_care=LevelOfCare.IOP, number="LOW1"),)
    (draft,) = assemble(php_case(catalogue, authorizations=granted), catalogue, TODAY).drafts
    assert ("LOW1", LevelOfCare.IOP) == (draft.claim.authorization_number, draft.claim.key.level_of_care)
    assert [("0905", "S9480")] == [(line.revenue_code, line.hcpcs) for line in draft.claim.lines]
    assert ["billed-at-lower-level"] == [each.rule for each in draft.findings]


@pytest.mark.parametrize(
    "granted",
    [
        (),
        (authorization(number="ANY"),),
        (authorization(level_of_care=LevelOfCare.PHP),),
        (authorization(level_of_care=LevelOfCare.IOP, end_on=MONDAY - timedelta(days=1)),),
    ],
    ids=["none", "level not said", "the higher level", "ended"],
)
def test_a_short_day_is_not_billed_lower_without_an_authorization_for_it(granted: Any) -> None:
    catalogue = lower()
    assert [] == lines(assemble(php_case(catalogue, authorizations=granted), catalogue, TODAY))


def test_a_short_day_is_not_billed_lower_when_it_is_too_short_for_that_too() -> None:
    catalogue = lower(minimum_minutes_day=121)
    granted = (authorization(level_of_care=LevelOfCare.IOP),)
    assert [] == lines(assemble(php_case(catalogue, authorizations=granted), catalogue, TODAY))


def test_no_authorization_is_asked_for_where_the_payer_wants_none() -> None:
    catalogue = lower(authorization=AuthorizationNeed.NOT_REQUIRED)
    assert [("0905", "S9480", 1)] == lines(assemble(php_case(catalogue, authorizations=()), catalogue, TODAY))
