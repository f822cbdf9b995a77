"""Attendance becomes service days; what finds no day says why."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import AttendanceStatus, LevelOfCare
from gateway.services.days import service_days
from gateway.services.presence import union, whole_minutes
from tests.unit.services.samples import (
    CATALOGUE,
    CHICAGO,
    EDUCATION,
    GROUP,
    INDIVIDUAL,
    LUNCH,
    MH,
    MONDAY,
    at,
    encounter,
    episode,
    program_day,
)


def test_a_day_counts_minutes_and_services_of_what_was_attended() -> None:
    encounters = [
        *program_day(MONDAY),
        encounter("no-show", hour=13, status=AttendanceStatus.NO_SHOW),
        encounter("lunch", hour=12, session=LUNCH, note_signed=None),
    ]
    (day,) = service_days(encounters, CATALOGUE).days
    assert (180, 3, True, ()) == (day.minutes, day.services, day.has_primary, day.unsigned)
    assert ["0803-0", "0803-1", "0803-2", "lunch", "no-show"] == [each.encounter_id for each in day.sessions]


def test_minutes_are_a_union() -> None:
    book = service_days([encounter("a", hour=9), encounter("b", hour=9, minutes=90, session=EDUCATION)], CATALOGUE)
    assert 90 == book.days[0].minutes


def test_a_session_below_its_kinds_minimum_is_no_service_but_its_minutes_count() -> None:
    (day,) = service_days([encounter("a", minutes=44), encounter("b", hour=11, minutes=45)], CATALOGUE).days
    assert (89, 1) == (day.minutes, day.services)


@pytest.mark.parametrize(("signed", "unsigned"), [(True, ()), (False, ("a",)), (None, ("a",))])
def test_a_note_is_unsigned_unless_known_to_be_signed(signed: bool | None, unsigned: tuple[str, ...]) -> None:
    (day,) = service_days([encounter("a", note_signed=signed)], CATALOGUE).days
    assert unsigned == day.unsigned


@pytest.mark.parametrize(
    ("on", "minutes"),
    [(date(2026, 3, 8), 120), (date(2026, 11, 1), 240), (date(2026, 8, 3), 180)],
    ids=["clocks go forward", "clocks go back", "an ordinary night"],
)
def test_elapsed_minutes_are_counted_across_a_clock_change(on: date, minutes: int) -> None:
    start, end = (datetime(on.year, on.month, on.day, hour, 30, tzinfo=CHICAGO) for hour in (0, 3))
    (day,) = service_days([encounter("a", start_at=start, end_at=end)], CATALOGUE).days
    assert (on, minutes) == (day.on, day.minutes)


def test_the_day_is_the_facilitys_local_one() -> None:
    late = at(MONDAY, 20)  # already Tuesday in UTC
    (day,) = service_days([encounter("a", start_at=late, end_at=late + timedelta(hours=1))], CATALOGUE).days
    assert MONDAY == day.on


def test_days_part_by_facility_program_and_level_of_care() -> None:
    encounters = [
        encounter("a"),
        encounter("b", hour=11, facility="harbor-west"),
        encounter("c", hour=13, program="sud-program"),
        encounter("d", hour=15, level_of_care=LevelOfCare.PHP),
    ]
    assert 4 == len(service_days(encounters, CATALOGUE).days)


def test_a_facility_is_found_by_the_name_feeds_call_it() -> None:
    (day,) = service_days([encounter("a", facility="MAIN")], CATALOGUE).days
    assert "harbor-main" == day.facility


@pytest.mark.parametrize(
    ("changes", "rule", "owner"),
    [
        ({"facility": ""}, "facility-unknown", Owner.FRONT_DESK),
        ({"facility": "elsewhere"}, "facility-unknown", Owner.INTEGRATION),
        ({"program": "elsewhere"}, "program-unknown", Owner.INTEGRATION),
        ({"level_of_care": None}, "level-of-care-unknown", Owner.FRONT_DESK),
        ({"session": "GRP"}, "session-unknown", Owner.INTEGRATION),
        ({"status": None}, "status-unknown", Owner.FRONT_DESK),
        ({"start_at": None}, "start-unknown", Owner.FRONT_DESK),
        ({"end_at": None}, "end-unknown", Owner.FRONT_DESK),
        ({"end_at": at(MONDAY, 9)}, "session-times-impossible", Owner.FRONT_DESK),
        ({"end_at": at(MONDAY, 9) + timedelta(hours=16, minutes=1)}, "session-times-impossible", Owner.FRONT_DESK),
    ],
)
def test_what_has_no_place_says_what_is_missing_and_who_can_put_it_right(
    changes: dict[str, Any], rule: str, owner: Owner
) -> None:
    book = service_days([encounter("a", **changes)], CATALOGUE)
    (unplaced,) = book.unplaced
    (finding,) = unplaced.findings
    assert ((), rule, rule, owner, Severity.BLOCK) == (
        book.days,
        unplaced.reason,
        finding.rule,
        finding.owner,
        finding.severity,
    )
    assert finding.fix


def test_every_missing_fact_is_reported_not_only_the_first() -> None:
    (unplaced,) = service_days([encounter("a", facility="", session="", end_at=None)], CATALOGUE).unplaced
    assert ["facility-unknown", "session-unknown", "end-unknown"] == [each.rule for each in unplaced.findings]


@pytest.mark.parametrize(
    ("status", "reason"), [(AttendanceStatus.NO_SHOW, "no-show"), (AttendanceStatus.CANCELLED, "cancelled")]
)
def test_a_missed_visit_needs_no_facts_to_be_not_billable(status: AttendanceStatus, reason: str) -> None:
    (unplaced,) = service_days([encounter("a", status=status, session="", facility="")], CATALOGUE).unplaced
    assert (reason, ()) == (unplaced.reason, unplaced.findings)


def test_a_visit_entered_in_error_is_in_no_day() -> None:
    book = service_days([encounter("a", status=AttendanceStatus.ERROR)], CATALOGUE)
    assert ((), "entered-in-error") == (book.days, book.unplaced[0].reason)


def test_facility_program_and_level_of_care_come_from_the_episode_the_visit_lies_in() -> None:
    bare = encounter("a", facility="", program="", level_of_care=None)
    (day,) = service_days([bare], CATALOGUE, episodes=[episode(), episode("old", discharged_on=date(2026, 8, 2))]).days
    assert ("harbor-main", MH, LevelOfCare.IOP) == (day.facility, day.program, day.level_of_care)


def test_two_episodes_that_fit_settle_nothing() -> None:
    bare = encounter("a", level_of_care=None)
    two = [episode(), episode("other", level_of_care=LevelOfCare.PHP)]
    assert 1 == len(service_days([bare], CATALOGUE, episodes=two).unplaced)


# --- told twice ------------------------------------------------------------------------------------------------------

TWICE = [encounter("a"), encounter("b", sources=("other",))]
PAIR = frozenset({frozenset({"a", "b"})})


def _rules(findings: tuple[Finding, ...]) -> list[str]:
    return [each.rule for each in findings]


def test_a_visit_told_by_two_sources_with_nothing_in_common_waits_for_a_person() -> None:
    book = service_days(TWICE, CATALOGUE)
    assert {"a": ["visit-told-twice"], "b": ["visit-told-twice"]} == {
        encounter_id: _rules(found) for encounter_id, found in book.findings.items()
    }


def test_a_no_show_in_one_feed_and_attendance_in_the_other_waits_for_a_person_too() -> None:
    missed = encounter("b", status=AttendanceStatus.NO_SHOW, sources=("other",))
    assert {"a", "b"} == set(service_days([encounter("a"), missed], CATALOGUE).findings)


def test_visits_decided_to_be_the_same_count_once_with_the_facts_of_both() -> None:
    without_note = [encounter("a", note_signed=None), encounter("b", sources=("other",), minutes=62)]
    book = service_days(without_note, CATALOGUE, decided_same=PAIR)
    (day,) = book.days
    assert (60, (), {}) == (day.minutes, day.unsigned, book.findings)
    assert [("b", "told-twice")] == [(each.encounter_id, each.reason) for each in book.unplaced]


def test_visits_decided_to_be_different_both_count() -> None:
    book = service_days(TWICE, CATALOGUE, decided_different=PAIR)
    assert (2, {}) == (len(book.days[0].sessions), book.findings)


@pytest.mark.parametrize(
    "other",
    [
        encounter("b"),
        encounter("b", hour=10, sources=("other",)),
        encounter("b", session=INDIVIDUAL, sources=("other",)),
        encounter("b", status=AttendanceStatus.CANCELLED, sources=("other",)),
    ],
    ids=["one source", "after the other", "another kind", "cancelled"],
)
def test_what_cannot_be_one_visit_is_not_asked_about(other: Any) -> None:
    found = service_days([encounter("a"), other], CATALOGUE).findings
    assert "visit-told-twice" not in [rule for each in found.values() for rule in _rules(each)]


# --- laws ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(1, 200)), max_size=8))
def test_union_minutes_are_the_minutes_somebody_was_there(spans: list[tuple[int, int]]) -> None:
    start = at(MONDAY, 0)
    there = {minute for begin, length in spans for minute in range(begin, begin + length)}
    times = [(start + timedelta(minutes=begin), start + timedelta(minutes=begin + length)) for begin, length in spans]
    assert len(there) == whole_minutes(union(times))


@given(st.randoms(use_true_random=False))
def test_days_do_not_depend_on_the_order_of_the_visits(shuffler: random.Random) -> None:
    encounters = [
        *program_day(MONDAY),
        *program_day(MONDAY + timedelta(days=1), facility="harbor-west"),
        *TWICE,
        encounter("c", session=""),
        encounter("d", hour=9, minutes=90, session=GROUP),
    ]
    shuffled = encounters[:]
    shuffler.shuffle(shuffled)
    assert service_days(encounters, CATALOGUE, decided_same=PAIR) == service_days(
        shuffled, CATALOGUE, decided_same=PAIR
    )
