"""What one service day is worth under one definition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from gateway.claim.attendance import DayClass, ServiceDay
from gateway.claim.contract import ServiceDefinition, UnitBasis
from gateway.claim.finding import Owner, Severity
from gateway.claim.record import AttendanceStatus, LevelOfCare, Modality
from gateway.services.bill_day import DayBill, bill_day, classify_day
from gateway.services.days import service_days
from tests.unit.services.samples import (
    BRANCH,
    CATALOGUE,
    CLINICIAN,
    FAMILY,
    GROUP,
    INDIVIDUAL,
    LUNCH,
    MONDAY,
    PHYSICIAN,
    SERVICES,
    encounter,
    program_day,
)

BY_ID = {each.id: each for each in SERVICES}
IOP, TRICARE, MEDICARE, MEDICAID = (
    BY_ID[each] for each in ("commercial-mh-iop", "tricare-php", "medicare-iop", "medicaid-sud-iop")
)


def a_day(*encounters: Any) -> ServiceDay:
    (day,) = service_days(encounters, CATALOGUE).days
    return day


def bill(day: ServiceDay, definition: ServiceDefinition, payer: str = "acme") -> DayBill:
    return bill_day(day, definition, CATALOGUE.facilities[day.facility], CATALOGUE.payers[payer], CATALOGUE)


@pytest.mark.parametrize(
    ("minutes", "services", "expected"),
    [(150, 3, DayClass.FULL), (149, 3, DayClass.PARTIAL), (150, 2, DayClass.PARTIAL), (400, 9, DayClass.FULL)],
)
def test_a_day_is_full_at_the_minimum_and_partial_below_it(minutes: int, services: int, expected: DayClass) -> None:
    day = structs.replace(a_day(*program_day(MONDAY)), minutes=minutes, services=services)
    assert expected == classify_day(day, IOP)


def test_a_definition_without_minimum_asks_for_one_service_and_no_minutes() -> None:
    open_definition = replace(IOP, minimum_minutes_day=None, minimum_services_day=None)
    assert DayClass.FULL == classify_day(a_day(encounter("a", minutes=45)), open_definition)
    assert DayClass.PARTIAL == classify_day(a_day(encounter("a", minutes=44)), open_definition)
    assert DayClass.PARTIAL == classify_day(a_day(encounter("a", session=LUNCH)), open_definition)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (AttendanceStatus.NO_SHOW, DayClass.NO_SHOW),
        (AttendanceStatus.CANCELLED, DayClass.CANCELLED),
        (AttendanceStatus.PLANNED, DayClass.PLANNED),
    ],
)
def test_a_day_nobody_attended_is_never_billed(status: AttendanceStatus, expected: DayClass) -> None:
    billed = bill(a_day(*program_day(MONDAY, status=status)), IOP)
    assert (expected, (), str(expected), 3) == (billed.day_class, billed.lines, billed.reason, len(billed.unbilled))


def test_a_full_day_is_one_line_with_every_attended_visit_behind_it() -> None:
    missed = encounter("missed", hour=14, status=AttendanceStatus.NO_SHOW)
    billed = bill(a_day(*program_day(MONDAY), encounter("lunch", hour=12, session=LUNCH), missed), IOP)
    (line,) = billed.lines
    assert ("0905", "S9480", 1, 35_000, 180, 3) == (
        line.revenue_code,
        line.hcpcs,
        line.units,
        line.charge_cents,
        line.minutes,
        line.services,
    )
    assert ("0803-0", "0803-1", "0803-2", "lunch") == line.encounter_ids
    assert {"missed": "no-show"} == billed.unbilled
    assert ("commercial-mh-iop", IOP.entry, "charges.yaml:1") == (
        line.definition_id,
        line.definition,
        line.charge_entry,
    )


def test_an_unsigned_note_holds_the_day_but_keeps_its_line() -> None:
    billed = bill(a_day(*program_day(MONDAY, note_signed=False)), IOP)
    assert (DayClass.HOLD, 1) == (billed.day_class, len(billed.lines))


def test_a_short_day_without_half_day_code_is_not_billed_and_says_what_it_lacks() -> None:
    billed = bill(a_day(encounter("a", minutes=120)), IOP)
    (finding,) = billed.findings
    assert (DayClass.PARTIAL, (), "partial-day", {"a": "partial-day"}) == (
        billed.day_class,
        billed.lines,
        billed.reason,
        billed.unbilled,
    )
    assert (Severity.WARN, Owner.FRONT_DESK) == (finding.severity, finding.owner)
    assert "150 minutes and 3 services" in finding.message
    assert finding.origin is not None
    assert "Encounter.end_at" == finding.origin.source


@pytest.mark.parametrize(
    ("minutes", "codes"),
    [(360, ("0913", "H0037", 62_000)), (359, ("0912", "H0035", 32_000)), (180, ("0912", "H0035", 32_000)), (179, None)],
)
def test_a_half_day_gets_the_half_day_code_and_never_the_full_one(minutes: int, codes: tuple[str, str, int]) -> None:
    day = a_day(encounter("a", minutes=minutes, level_of_care=LevelOfCare.PHP))
    lines = bill(day, TRICARE, "tricare-east").lines
    assert codes == (next(((each.revenue_code, each.hcpcs, each.charge_cents) for each in lines), None))


def test_an_itemised_day_has_a_line_for_each_service_with_sessions_as_units() -> None:
    day = a_day(*program_day(MONDAY), encounter("again", hour=13), encounter("family", hour=15, session=FAMILY))
    billed = bill(day, MEDICARE, "medicare")
    assert [("0914", "90834", 1), ("0915", "G0410", 2), ("0942", "G0177", 1)] == [
        (each.revenue_code, each.hcpcs, each.units) for each in billed.lines
    ]
    assert {"family": "not-a-billed-service"} == billed.unbilled
    assert ["session-not-in-definition"] == [each.rule for each in billed.findings]


def test_an_itemised_session_below_its_minimum_is_not_billed() -> None:
    billed = bill(a_day(encounter("a"), encounter("b", hour=11, minutes=37, session=INDIVIDUAL)), MEDICARE, "medicare")
    assert ({"b": "below-minimum"}, ["session-too-short"]) == (
        billed.unbilled,
        [each.rule for each in billed.findings],
    )


@pytest.mark.parametrize(
    ("basis", "minutes", "units"),
    [
        (UnitBasis.HOUR, 185, 3),
        (UnitBasis.HOUR, 179, 2),
        (UnitBasis.QUARTER_HOUR, 59, 3),
        (UnitBasis.QUARTER_HOUR, 60, 4),
        (UnitBasis.DAY, 185, 1),
    ],
)
def test_only_whole_units_are_billed(basis: UnitBasis, minutes: int, units: int) -> None:
    definition = replace(IOP, unit_basis=basis, minimum_minutes_day=None, minimum_services_day=None)
    (line,) = bill(a_day(encounter("a", minutes=minutes)), definition).lines
    assert (units, 35_000 * units) == (line.units, line.charge_cents)


def test_less_than_one_unit_is_no_line() -> None:
    definition = replace(IOP, unit_basis=UnitBasis.HOUR, minimum_minutes_day=None, minimum_services_day=None)
    billed = bill(a_day(encounter("a", minutes=59)), definition)
    assert ((), {"a": "below-one-unit"}) == (billed.lines, billed.unbilled)


@pytest.mark.parametrize(
    ("modality", "place", "modifiers"),
    [
        (Modality.IN_PERSON, "57", ("HF",)),
        (None, "57", ("HF",)),
        (Modality.TELEHEALTH_HOME, "10", ("HF", "GT")),
        (Modality.TELEHEALTH_OTHER, "02", ("HF", "GT")),
    ],
)
def test_a_telehealth_day_has_telehealths_place_and_modifiers(
    modality: Modality | None, place: str, modifiers: tuple[str, ...]
) -> None:
    definition = replace(MEDICAID, telehealth_place_of_service="", telehealth_modifiers=("GT",))
    (line,) = bill(a_day(*program_day(MONDAY, modality=modality)), definition, "state-medicaid").lines
    assert (place, modifiers) == (line.place_of_service, line.modifiers)


def test_a_mixed_day_is_a_day_in_the_programs_rooms() -> None:
    day = a_day(encounter("a", modality=Modality.TELEHEALTH_HOME), *program_day(MONDAY)[1:])
    (line,) = bill(day, MEDICAID, "state-medicaid").lines
    assert "57" == line.place_of_service


def test_medicare_lines_of_an_off_campus_department_say_so() -> None:
    lines = bill(a_day(*program_day(MONDAY, facility=BRANCH)), MEDICARE, "medicare").lines
    assert {("PN",)} == {each.modifiers for each in lines}
    (commercial,) = bill(a_day(*program_day(MONDAY, facility=BRANCH)), IOP).lines
    assert () == commercial.modifiers


def test_the_rendering_clinician_is_the_one_most_visits_name_and_only_where_asked_for() -> None:
    day = a_day(*program_day(MONDAY)[:2], encounter("c", hour=13, rendering=PHYSICIAN))
    assert [CLINICIAN] == [each.rendering for each in bill(day, MEDICAID, "state-medicaid").lines]
    assert [None] == [each.rendering for each in bill(day, IOP).lines]


def test_itemised_lines_part_by_clinician_where_the_payer_wants_the_rendering_one() -> None:
    definition = replace(MEDICARE, rendering_required=True)
    day = a_day(encounter("a"), encounter("b", hour=11, rendering=PHYSICIAN))
    assert {CLINICIAN, PHYSICIAN} == {each.rendering for each in bill(day, definition, "medicare").lines}


def test_a_service_without_charge_is_a_finding_and_a_line_of_nothing() -> None:
    billed = bill(a_day(*program_day(MONDAY)), replace(IOP, hcpcs="H2036"))
    assert (["charge-missing"], [0]) == (
        [each.rule for each in billed.findings],
        [each.charge_cents for each in billed.lines],
    )


def test_lines_remember_where_their_values_came_from() -> None:
    (line,) = bill(a_day(*program_day(MONDAY)), IOP).lines
    assert "Encounter.start_at" == line.origin("service_on").source
    assert "ehr.yaml:end_at" == line.origins["end_at"].mapping


def test_group_alone_is_enough_for_an_itemised_line() -> None:
    assert ["G0410"] == [each.hcpcs for each in bill(a_day(encounter("a", session=GROUP)), MEDICARE, "medicare").lines]
