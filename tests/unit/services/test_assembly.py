"""From a case to draft claims, with one place for every encounter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec import structs

from gateway.claim.calendar import Span
from gateway.claim.contract import ClaimForm, ProviderNumber, Route, SplitOn, ValueCode
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.party import Identifier, PersonName, Relationship
from gateway.claim.record import AttendanceStatus, LevelOfCare
from gateway.services.assembly import assemble
from gateway.services.case import Assembly, DraftClaim, Place, PlacedEncounter
from tests.unit.services.samples import (
    ADULT,
    BRANCH,
    CATALOGUE,
    CLINICIAN,
    MONDAY,
    PHYSICIAN,
    SUD,
    TODAY,
    authorization,
    case,
    catalogue_with,
    coverage,
    encounter,
    episode,
    program_day,
    week,
)

TUESDAY, FRIDAY, SATURDAY, SUNDAY = (MONDAY + timedelta(days=each) for each in (1, 4, 5, 6))


def drafts(encounters: list[PlacedEncounter], today: date = TODAY, **changes: Any) -> tuple[DraftClaim, ...]:
    return assemble(case(encounters, **changes), changes.get("catalogue", CATALOGUE), today).drafts


def with_payer(id: str, **changes: Any) -> Any:
    payers = {**CATALOGUE.payers, id: replace(CATALOGUE.payers[id], **changes)}
    return catalogue_with(payers=payers)


def places(assembly: Assembly) -> set[tuple[Place, str]]:
    return {(each.place, each.reason) for each in assembly.placements}


def blocking(draft: DraftClaim) -> list[str]:
    return [each.rule for each in draft.findings if each.severity is Severity.BLOCK]


# --- what a payer asks for of its own --------------------------------------------------------------------------------


def test_a_claim_carries_the_payers_number_of_the_provider_and_the_definitions_value_codes() -> None:
    npi = CATALOGUE.organizations["harbor"].npi
    numbers = (
        ProviderNumber(npi=npi, number="1", span=Span(date(2026, 1, 1), date(2026, 8, 2))),
        ProviderNumber(npi=npi, number="2", span=Span(MONDAY)),
        ProviderNumber(npi=npi, number="3", facility=BRANCH),
    )
    rate = (ValueCode(code="24", amount="3210.00"),)
    services = tuple(replace(each, value_codes=rate) for each in CATALOGUE.services)
    catalogue = replace(with_payer("acme", provider_numbers=numbers), services=services)
    (draft,) = drafts(week(), catalogue=catalogue)
    assert ("2", rate) == (draft.claim.insured.provider_number, draft.claim.value_codes)
    (elsewhere,) = drafts(week(facility=BRANCH), episodes=(), catalogue=catalogue)
    assert "3" == elsewhere.claim.insured.provider_number


# --- cadence and splits ----------------------------------------------------------------------------------------------


def test_a_week_of_attendance_is_one_weekly_claim() -> None:
    (draft,) = drafts(week())
    claim = draft.claim
    assert [date(2026, 8, 3), date(2026, 8, 5), date(2026, 8, 7)] == [line.service_on for line in claim.lines]
    assert (date(2026, 8, 3), date(2026, 8, 7), 105_000) == (
        claim.statement_from_on,
        claim.statement_through_on,
        claim.charge_cents,
    )
    assert (date(2026, 8, 2), "", "1", "13", "30", "AUTH1") == (
        claim.key.period_start_on,
        claim.key.part,
        claim.frequency,
        claim.bill_class,
        claim.patient_status,
        claim.authorization_number,
    )
    assert [1, 2, 3] == [line.number for line in claim.lines]
    assert ((), "clearing", "sample") == (draft.findings, claim.connection, claim.catalogue_hash)


@pytest.mark.parametrize(
    ("today", "place"),
    [(date(2026, 8, 8), Place.WAITING), (date(2026, 8, 9), Place.BILLED)],
    ids=["Saturday", "Sunday"],
)
def test_a_week_waits_for_its_last_day_to_pass(today: date, place: Place) -> None:
    assembly = assemble(case(week()), CATALOGUE, today)
    assert {place} == {each.place for each in assembly.placements}
    assert date(2026, 8, 9) == assembly.drafts[0].ready_on


def test_discharge_closes_the_period_early() -> None:
    stay = episode(discharged_on=FRIDAY, patient_status="01")
    (draft,) = drafts(week(), today=SATURDAY, episodes=(stay,))
    assert (True, SATURDAY, "01", "1") == (
        draft.complete,
        draft.ready_on,
        draft.claim.patient_status,
        draft.claim.frequency,
    )


def test_the_payer_says_on_which_day_its_week_begins() -> None:
    encounters = [*program_day(FRIDAY), *program_day(SATURDAY), *program_day(SUNDAY)]
    catalogue = with_payer("acme", week_start=5)
    found = drafts(encounters, catalogue=catalogue)
    assert [date(2026, 8, 1), date(2026, 8, 8)] == [each.claim.key.period_start_on for each in found]


def test_a_daily_payer_gets_a_claim_a_day() -> None:
    found = drafts(week(), coverages=(coverage("daily-health"),), today=FRIDAY)
    assert [(MONDAY, True), (MONDAY + timedelta(days=2), True), (FRIDAY, False)] == [
        (each.claim.key.period_start_on, each.complete) for each in found
    ]


def test_admission_to_discharge_is_one_claim_that_waits_for_the_discharge() -> None:
    encounters = [*week(), *week(MONDAY + timedelta(days=7))]
    insured = (coverage("stay-health"),)
    (still_here,) = drafts(encounters, coverages=insured)
    assert (False, None) == (still_here.complete, still_here.ready_on)
    (left,) = drafts(
        encounters, coverages=insured, episodes=(episode(discharged_on=date(2026, 8, 14), patient_status="01"),)
    )
    assert (True, date(2026, 8, 1), "1", "01") == (
        left.complete,
        left.claim.key.period_start_on,
        left.claim.frequency,
        left.claim.patient_status,
    )


def test_admission_to_discharge_without_a_stay_is_held_for_the_front_desk() -> None:
    assembly = assemble(case(week(), coverages=(coverage("stay-health"),), episodes=()), CATALOGUE, TODAY)
    assert {(Place.HELD, "episode-missing")} == places(assembly)
    assert () == assembly.drafts


SPLIT_WEEK = [*program_day(date(2026, 9, 30)), *program_day(date(2026, 10, 1))]
NEW_YEAR = [*program_day(date(2025, 12, 31)), *program_day(date(2026, 1, 1))]
OPEN_STAY = (episode(admitted_on=date(2025, 12, 1)),)
LONG_COVERAGE = (coverage(start_on=None),)


@pytest.mark.parametrize(
    ("encounters", "split", "starts"),
    [
        (SPLIT_WEEK, SplitOn.MONTH_END, [date(2026, 9, 27), date(2026, 10, 1)]),
        (SPLIT_WEEK, SplitOn.FISCAL_YEAR_END, [date(2026, 9, 27), date(2026, 10, 1)]),
        (SPLIT_WEEK, SplitOn.YEAR_END, [date(2026, 9, 27)]),
        (NEW_YEAR, SplitOn.YEAR_END, [date(2025, 12, 28), date(2026, 1, 1)]),
        (NEW_YEAR, SplitOn.FISCAL_YEAR_END, [date(2025, 12, 28)]),
    ],
)
def test_a_week_is_cut_where_the_payer_splits(
    encounters: list[PlacedEncounter], split: SplitOn, starts: list[date]
) -> None:
    catalogue = with_payer("acme", split_on=(split,))
    found = drafts(
        encounters, catalogue=catalogue, episodes=OPEN_STAY, coverages=LONG_COVERAGE, today=date(2026, 12, 1)
    )
    assert starts == [each.claim.key.period_start_on for each in found]


def test_level_of_care_facility_and_program_always_part_claims() -> None:
    encounters = [
        *program_day(MONDAY),
        *program_day(TUESDAY, level_of_care=LevelOfCare.PHP),
        *program_day(FRIDAY, facility=BRANCH),
        *program_day(SATURDAY, program=SUD),
    ]
    assert 4 == len(drafts(encounters))


def test_a_new_authorization_parts_the_week_where_the_payer_splits_on_it() -> None:
    encounters = [
        *program_day(MONDAY, authorization_number="AUTH1"),
        *program_day(TUESDAY, authorization_number="AUTH1"),
        *program_day(FRIDAY, authorization_number="AUTH2"),
    ]
    split = drafts(encounters, catalogue=with_payer("acme", split_on=(SplitOn.AUTHORIZATION,)))
    assert [("", "AUTH1", 2), ("2", "AUTH2", 1)] == [
        (each.claim.key.part, each.claim.authorization_number, len(each.claim.lines)) for each in split
    ]
    assert 1 == len(drafts(encounters))


def test_a_corrected_authorization_number_keeps_the_claims_identity() -> None:
    catalogue = with_payer("acme", split_on=(SplitOn.AUTHORIZATION,))
    (before,) = drafts(week(authorization_number="AUTH1"), catalogue=catalogue)
    (after,) = drafts(week(authorization_number="AUTH9"), catalogue=catalogue)
    assert before.claim.key == after.claim.key


def test_a_policy_that_changes_in_the_week_parts_the_claim() -> None:
    old = coverage(id="old", end_on=TUESDAY)
    new = coverage(id="new", start_on=TUESDAY + timedelta(days=1), member_number="ABC999999")
    found = drafts(week(), coverages=(new, old))
    assert [("", "ABC123456", 1), ("2", "ABC999999", 2)] == [
        (each.claim.key.part, each.claim.insured.member_number, len(each.claim.lines)) for each in found
    ]


def test_an_837p_holds_fifty_lines() -> None:
    encounters = [
        encounter(
            f"e{number}", MONDAY, 8, 60, session="group-psychotherapy", rendering=replace(CLINICIAN, npi=f"n{number}")
        )
        for number in range(51)
    ]
    definition = next(each for each in CATALOGUE.services if each.id == "medicare-iop")
    professional = replace(definition, form=ClaimForm.PROFESSIONAL, rendering_required=True, place_of_service="22")
    catalogue = catalogue_with(services=(professional,))
    found = drafts(encounters, catalogue=catalogue, coverages=(coverage("medicare"),))
    assert [51] == [len(each.claim.lines) for each in found]  # one day is never torn apart: the gate says so
    two_days = [
        *encounters[:30],
        *(encounter(f"t{number}", TUESDAY, 8, rendering=replace(CLINICIAN, npi=f"n{number}")) for number in range(30)),
    ]
    found = drafts(two_days, catalogue=catalogue, coverages=(coverage("medicare"),))
    assert [("", 30), ("2", 30)] == [(each.claim.key.part, len(each.claim.lines)) for each in found]


# --- series ----------------------------------------------------------------------------------------------------------

THREE_WEEKS = [each for number in range(3) for each in week(MONDAY + timedelta(days=7 * number))]
LATER = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("weeks", "discharged_on", "expected"),
    [
        (3, None, [("2", "30"), ("3", "30"), ("3", "30")]),
        (3, date(2026, 8, 21), [("2", "30"), ("3", "30"), ("4", "01")]),
        (3, date(2026, 8, 22), [("2", "30"), ("3", "30"), ("4", "01")]),
        (3, date(2026, 8, 24), [("2", "30"), ("3", "30"), ("3", "30")]),
        (1, date(2026, 8, 7), [("1", "01")]),
        (1, None, [("2", "30")]),
    ],
)
def test_interim_claims_run_first_continuing_last(
    weeks: int, discharged_on: date | None, expected: list[tuple[str, str]]
) -> None:
    stay = episode(discharged_on=discharged_on, patient_status="01" if discharged_on else "")
    found = drafts(THREE_WEEKS[: 9 * weeks], coverages=(coverage("medicare"),), episodes=(stay,), today=LATER)
    assert expected == [(each.claim.frequency, each.claim.patient_status) for each in found]


def test_a_payer_without_interim_billing_gets_originals_with_the_true_status() -> None:
    stay = episode(discharged_on=date(2026, 8, 21), patient_status="01")
    found = drafts(THREE_WEEKS, episodes=(stay,), today=LATER)
    assert [("1", "30"), ("1", "30"), ("1", "01")] == [
        (each.claim.frequency, each.claim.patient_status) for each in found
    ]


def test_without_a_stay_the_status_is_left_empty_not_guessed() -> None:
    (draft,) = drafts(week(), episodes=())
    assert "" == draft.claim.patient_status


# --- who pays --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coverages", "rule", "owner"),
    [
        ((), "coverage-missing", Owner.FRONT_DESK),
        ((coverage(end_on=date(2026, 8, 2)),), "coverage-missing", Owner.FRONT_DESK),
        ((coverage(start_on=date(2026, 8, 8)),), "coverage-missing", Owner.FRONT_DESK),
        ((coverage(active=False),), "coverage-missing", Owner.FRONT_DESK),
        ((coverage(None),), "payer-unknown", Owner.BILLING),
        ((coverage(None, named=False),), "payer-unknown", Owner.FRONT_DESK),
        ((coverage(order=None), coverage("medicare", "c2")), "coverage-order", Owner.FRONT_DESK),
        ((coverage(order=1), coverage("medicare", "c2", order=1)), "coverage-order", Owner.FRONT_DESK),
        ((coverage("tricare-east"),), "definition-missing", Owner.BILLING),
    ],
)
def test_a_day_nobody_is_known_to_pay_is_held_with_who_can_put_it_right(
    coverages: tuple[Any, ...], rule: str, owner: Owner
) -> None:
    assembly = assemble(case(week(), coverages=coverages), CATALOGUE, TODAY)
    assert ((), {(Place.HELD, rule)}) == (assembly.drafts, places(assembly))
    findings = assembly.placements[0].findings
    assert [owner] == [each.owner for each in findings]
    assert findings[0].fix


def test_the_first_payer_by_order_gets_the_claim() -> None:
    both = (coverage("daily-health", "second", order=2), coverage("acme", "first", order=1))
    assert {"acme"} == {each.claim.insured.payer for each in drafts(week(), coverages=both)}


def test_one_policy_told_by_two_sources_is_one_policy() -> None:
    both = (coverage(id="a", order=None), coverage(id="b", order=1))
    (draft,) = drafts(week(), coverages=both)
    assert ("b", "P") == (draft.claim.insured.coverage_id, draft.claim.insured.sequence)


def test_a_payer_the_patient_forbids_is_not_billed() -> None:
    assembly = assemble(case(week(), never_bill_payers=frozenset({"acme"})), CATALOGUE, TODAY)
    assert ((), {(Place.NOT_BILLABLE, "never-bill-payer")}) == (assembly.drafts, places(assembly))


def test_a_dependent_is_sent_with_the_subscriber() -> None:
    child = coverage(
        relationship=Relationship.CHILD,
        subscriber_name=PersonName(family="PARENT", given="SAM"),
        subscriber_birth_on=date(1970, 1, 1),
    )
    (draft,) = drafts(week(), coverages=(child,))
    insured = draft.claim.insured
    assert (Relationship.CHILD, "PARENT") == (
        insured.relationship,
        insured.subscriber.name and insured.subscriber.name.family,
    )
    assert draft.claim.patient.name == PersonName(family="SAMPLE", given="PAT")


def test_where_every_member_has_an_id_the_patient_is_the_subscriber() -> None:
    child = coverage("state-medicaid", relationship=Relationship.CHILD, subscriber_name=PersonName(family="PARENT"))
    found = drafts(week(program=SUD, diagnoses=("F10.20",)), coverages=(child,))
    assert {(Relationship.SELF, "SAMPLE")} == {
        (
            each.claim.insured.relationship,
            each.claim.insured.subscriber.name and each.claim.insured.subscriber.name.family,
        )
        for each in found
    }


def test_an_unknown_relationship_is_asked_for_not_guessed() -> None:
    (draft,) = drafts(week(), coverages=(coverage(relationship=None),))
    assert ["subscriber-relationship-unknown"] == blocking(draft)


def test_the_route_is_the_one_in_force_on_the_day_of_submission() -> None:
    routes = (
        Route(connection="old", payer_number="1", span=Span(date(2026, 1, 1), date(2026, 8, 16))),
        Route(connection="new", payer_number="2", span=Span(date(2026, 8, 17))),
    )
    catalogue = with_payer("acme", routes=routes)
    for today, expected in ((date(2026, 8, 16), ("old", "1")), (date(2026, 8, 17), ("new", "2"))):
        (draft,) = drafts(week(), catalogue=catalogue, today=today)
        assert expected == (draft.claim.connection, draft.claim.insured.payer_number)


# --- content ---------------------------------------------------------------------------------------------------------


def test_diagnoses_are_principal_first_without_dots_and_each_once() -> None:
    encounters = [
        *program_day(MONDAY, diagnoses=("F41.1", "F33.2")),
        *program_day(TUESDAY, diagnoses=("F33.2", "z63.0")),
    ]
    (with_stay,) = drafts(encounters)
    (without_stay,) = drafts(encounters, episodes=())
    assert ("F332", "F411", "Z630") == with_stay.claim.diagnoses
    assert ("F411", "F332", "Z630") == without_stay.claim.diagnoses


def test_diagnoses_beyond_what_the_form_holds_are_left_out_and_said() -> None:
    many = tuple(f"F{number}.0" for number in range(10, 40))
    (draft,) = drafts(week(diagnoses=many), episodes=())
    assert (25, ["diagnoses-beyond-limit"]) == (len(draft.claim.diagnoses), [each.rule for each in draft.findings])


def test_the_attending_is_the_one_most_visits_name() -> None:
    encounters = [*program_day(MONDAY, attending=CLINICIAN), *program_day(TUESDAY), *program_day(FRIDAY)]
    (draft,) = drafts(encounters)
    assert PHYSICIAN == draft.claim.attending


def test_a_professional_claim_names_its_rendering_clinician_once_and_no_attending() -> None:
    (draft,) = drafts(week(program=SUD), coverages=(coverage("state-medicaid"),), episodes=())
    claim = draft.claim
    assert (CLINICIAN, None, "57", "", "") == (
        claim.rendering,
        claim.attending,
        claim.place_of_service,
        claim.bill_class,
        claim.patient_status,
    )
    assert {None} == {line.rendering for line in claim.lines}


def test_another_rendering_clinician_is_named_line_by_line() -> None:
    encounters = [*program_day(MONDAY, program=SUD), *program_day(TUESDAY, program=SUD, rendering=PHYSICIAN)]
    (draft,) = drafts(encounters, coverages=(coverage("state-medicaid"),), episodes=())
    assert (None, [CLINICIAN, PHYSICIAN]) == (draft.claim.rendering, [line.rendering for line in draft.claim.lines])


def test_the_service_facility_is_named_where_it_is_not_the_billing_address() -> None:
    (main,), (branch,) = drafts(week()), drafts(week(facility=BRANCH))
    assert main.claim.service_facility is None
    assert branch.claim.service_facility is not None
    assert "Harbor West" == branch.claim.service_facility.name


@pytest.mark.parametrize(
    ("visits", "stay", "on_file", "number"),
    [
        ("AUTH7", "AUTH1", "AUTH9", "AUTH7"),
        ("", "AUTH1", "AUTH9", "AUTH9"),
        ("", "AUTH1", None, "AUTH1"),
        ("", "", None, ""),
    ],
)
def test_the_authorization_is_the_visits_else_the_one_on_file_else_the_stays(
    visits: str, stay: str, on_file: str | None, number: str
) -> None:
    records = (authorization(number=on_file),) if on_file else ()
    (draft,) = drafts(
        week(authorization_number=visits), episodes=(episode(authorization_number=stay),), authorizations=records
    )
    assert number == draft.claim.authorization_number


def test_when_an_authorizations_units_are_used_up_the_next_one_takes_over() -> None:
    both = (authorization(number="FIRST", units=2), authorization(number="SECOND", start_on=date(2026, 8, 2)))
    catalogue = with_payer("acme", split_on=(SplitOn.AUTHORIZATION,))
    found = drafts(week(), authorizations=both, episodes=(episode(authorization_number=""),), catalogue=catalogue)
    assert [("FIRST", 2), ("SECOND", 1)] == [(each.claim.authorization_number, len(each.claim.lines)) for each in found]
    (alone,) = drafts(week(), authorizations=both[:1], episodes=(episode(authorization_number=""),))
    assert "FIRST" == alone.claim.authorization_number


def test_claim_fields_remember_where_they_came_from() -> None:
    (draft,) = drafts(week(authorization_number="AUTH1"))
    origins = draft.claim.origins
    assert "Coverage.member_number" == origins["insured.member_number"].source
    assert "Encounter.attending" == origins["attending"].source
    assert "Encounter.authorization_number" == origins["authorization_number"].source


# --- held days -------------------------------------------------------------------------------------------------------

CONFLICT = Finding(
    rule="sources-disagree",
    code="",
    severity=Severity.BLOCK,
    path="encounter.end_at",
    message="",
    fix="",
    owner=Owner.INTEGRATION,
)


def test_a_contradiction_about_one_visit_holds_its_claim_at_its_line_with_the_days_dollars() -> None:
    encounters = week()
    encounters[3] = structs.replace(encounters[3], findings=(CONFLICT,))
    assembly = assemble(case(encounters), CATALOGUE, TODAY)
    (finding,) = assembly.drafts[0].findings
    assert ("lines[1].end_at", 35_000) == (finding.path, finding.cents)
    assert {(Place.HELD, "sources-disagree")} == places(assembly)


def test_a_visit_that_cannot_be_placed_holds_the_claim_it_belongs_to() -> None:
    encounters = [
        *week(),
        encounter("lost", TUESDAY, session="GRP"),
        encounter("far", date(2026, 8, 12), session="GRP"),
    ]
    assembly = assemble(case(encounters), CATALOGUE, TODAY)
    assert ["session-unknown"] == blocking(assembly.drafts[0])
    assert {(Place.HELD, "session-unknown")} == places(assembly)


def test_a_visit_of_another_payers_week_holds_nothing() -> None:
    other = (coverage(end_on=FRIDAY), coverage("daily-health", "c2", start_on=SATURDAY))
    encounters = [*week(), encounter("lost", SATURDAY, session="GRP")]
    (draft,) = drafts(encounters, coverages=other)
    assert [] == blocking(draft)


def test_a_short_day_is_held_while_a_visit_of_it_is_not_understood() -> None:
    short = [encounter("a", MONDAY, minutes=60)]
    assert {(Place.NOT_BILLABLE, "partial-day")} == places(assemble(case(short), CATALOGUE, TODAY))
    with_lost = [*short, encounter("lost", MONDAY, 11, session="GRP")]
    assert {(Place.HELD, "session-unknown")} == places(assemble(case(with_lost), CATALOGUE, TODAY))


@pytest.mark.parametrize(
    ("today", "expected"),
    [(MONDAY, (Place.WAITING, "planned")), (TUESDAY, (Place.HELD, "attendance-not-recorded"))],
)
def test_a_planned_visit_waits_until_its_day_has_passed(today: date, expected: tuple[Place, str]) -> None:
    planned = program_day(MONDAY, status=AttendanceStatus.PLANNED)
    assert {expected} == places(assemble(case(planned), CATALOGUE, today))


def test_missed_visits_of_a_billed_day_are_not_billable_each_with_its_reason() -> None:
    encounters = [
        *program_day(MONDAY),
        encounter("missed", MONDAY, 13, status=AttendanceStatus.NO_SHOW),
        encounter("cancelled", MONDAY, 14, status=AttendanceStatus.CANCELLED),
        encounter("error", MONDAY, 15, status=AttendanceStatus.ERROR),
        encounter("unseen", MONDAY, 16, status=AttendanceStatus.PLANNED),
    ]
    found = {
        each.encounter_id: (each.place, each.reason) for each in assemble(case(encounters), CATALOGUE, TODAY).placements
    }
    assert (Place.NOT_BILLABLE, "no-show") == found["missed"]
    assert (Place.NOT_BILLABLE, "cancelled") == found["cancelled"]
    assert (Place.NOT_BILLABLE, "entered-in-error") == found["error"]
    assert (Place.HELD, "attendance-not-recorded") == found["unseen"]
    assert (Place.BILLED, "on-claim") == found["0803-0"]


@pytest.mark.parametrize(
    ("stay", "held"),
    [
        ({"admitted_on": MONDAY}, []),
        ({"admitted_on": TUESDAY}, ["attendance-outside-stay"]),
        ({"discharged_on": FRIDAY, "patient_status": "01"}, []),
        ({"discharged_on": FRIDAY - timedelta(days=1), "patient_status": "01"}, ["attendance-outside-stay"]),
        ({"admitted_on": TUESDAY, "level_of_care": LevelOfCare.PHP}, []),
        ({"admitted_on": MONDAY, "cancelled": True}, ["attendance-outside-stay"]),
    ],
)
def test_a_day_before_admission_or_after_discharge_holds_its_claim(stay: dict[str, Any], held: list[str]) -> None:
    found = drafts(week(), episodes=(episode(**stay),))
    assert held == sorted({rule for each in found for rule in blocking(each)})


@pytest.mark.parametrize(
    ("deceased_on", "held"), [(FRIDAY, []), (FRIDAY - timedelta(days=1), ["attendance-after-death"])]
)
def test_a_day_after_death_holds_its_claim(deceased_on: date, held: list[str]) -> None:
    (draft,) = drafts(week(), patient=replace(ADULT, deceased_on=deceased_on))
    assert held == blocking(draft)


def test_what_is_wrong_with_the_patients_record_holds_every_claim() -> None:
    changes: dict[str, Any] = {"findings": (replace(CONFLICT, path="patient.birth_on"),)}
    assert [["sources-disagree"]] * 2 == [
        blocking(each) for each in drafts([*week(), *week(MONDAY + timedelta(days=7))], **changes)
    ]


def test_a_feeds_own_word_for_the_payer_is_recognised_when_authorizations_name_it() -> None:
    theirs = authorization(number="OTHER", payer=Identifier("payer", "medicare"))
    (draft,) = drafts(week(), authorizations=(theirs, authorization(number="OURS", payer=Identifier("payer", "acme"))))
    assert "OURS" == draft.claim.authorization_number
