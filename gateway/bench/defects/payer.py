"""Pitfall five: payer rules: series and status, filing limits, two programs a day, what a contract adds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.bench.defects.authorization import step_down
from gateway.bench.defects.chart import Chart, program_days
from gateway.bench.defects.label import (
    Desk,
    MappingChange,
    Outcome,
    Pitfall,
    Today,
    both,
    defect,
    in_programs,
    of_plans,
    one_program_of,
)
from gateway.demo import clinic
from gateway.demo.stays import add_visits
from gateway.demo.truth import Stay, Track

_RULES = Pitfall.PAYER
_INTERIM = of_plans(clinic.MEDICARE, clinic.HARBOR, clinic.LAKELAND)

FILING_DAYS = {"prairie-mutual": 90, "lakeland-health": 180, "harbor-advantage": 180, "river-state-medicaid": 180}
"""What the demo's contracts allow; Medicare and TRICARE allow a year."""


def filed(days_beyond: int) -> Today:
    """The claim is judged so many days after its last day to file; negative: before it."""
    return lambda chart: chart.date_of(-1) + timedelta(days=FILING_DAYS.get(chart.context.plan.key, 365) + days_beyond)


# --- timely filing ---------------------------------------------------------------------------------------------------


@defect(_RULES, "G25", Desk.BILLING, fits=one_program_of(clinic.PRAIRIE, clinic.PHP), today=filed(1))
def filed_a_day_late_after_ninety(_: Chart) -> None:
    """The ninetieth day after the service was yesterday."""


@defect(_RULES, "G25", Desk.BILLING, fits=one_program_of(clinic.MEDICAID, clinic.SUD_IOP), today=filed(1))
def filed_a_day_late_on_a_professional_claim(_: Chart) -> None:
    """Medicaid's hundred and eightieth day was yesterday."""


@defect(_RULES, "G25", Desk.BILLING, fits=one_program_of(clinic.MEDICARE, clinic.PHP), today=filed(3))
def filed_after_a_year(_: Chart) -> None:
    """Medicare's calendar year is over, and the weekend after it too."""


@defect(
    _RULES,
    "G25",
    Desk.BILLING,
    outcome=Outcome.WARNED,
    fits=one_program_of(clinic.LAKELAND, clinic.PHP),
    today=filed(-13),
)
def thirteen_days_left_to_file(_: Chart) -> None:
    """Thirteen days are left to file."""


# --- series and status -----------------------------------------------------------------------------------------------


@defect(_RULES, "G15", Desk.FRONT_DESK, fits=_INTERIM)
def discharged_and_still_a_patient(chart: Chart) -> None:
    """The stay is over and the patient's status is 30, still a patient."""
    chart.stay.patient_status = "30"


@defect(_RULES, "G15", Desk.FRONT_DESK, fits=_INTERIM)
def discharged_without_a_status(chart: Chart) -> None:
    """The stay is over and nobody entered where the patient went."""
    chart.stay.patient_status = ""


def a_week_earlier(chart: Chart) -> None:
    """The whole stay took place a week before: its first week is in July."""
    week, stay = timedelta(days=7), chart.stay
    for visit in chart.patient.visits:
        visit.start_at, visit.end_at = visit.start_at - week, visit.end_at - week
        visit.sign_in_at, visit.sign_out_at = visit.sign_in_at - week, visit.sign_out_at - week
    stay.admitted_on, stay.discharged_on = chart.date_of(0), chart.date_of(-1)
    for kind, column in (("certifications", "start_on"), ("certifications", "signed_on"), ("consents", "signed_on")):
        for row in chart.rosters.get(kind, []):
            row[column] = stay.admitted_on.isoformat()


@defect(_RULES, "G16", Desk.BILLING, fits=of_plans(clinic.MEDICARE))
def second_month_before_the_first_is_answered(chart: Chart) -> None:
    """Medicare's claim of August is ready before it has answered the one of July."""
    a_week_earlier(chart)


# --- two programs ----------------------------------------------------------------------------------------------------


def second_program(chart: Chart, track: Track, admitted_on_day: int = 0) -> Stay:
    """A second stay beside the first one, admitted on one of its days, for a week."""
    starts_on = chart.date_of(admitted_on_day)
    days = program_days(track, starts_on, weeks=1)
    grant = chart.stay.grant
    second = replace(
        chart.stay, number=f"{chart.stay.number[:-1]}2", track=track, admitted_on=starts_on, discharged_on=days[-1],
        diagnoses=clinic.DIAGNOSES[track.program][0], attending=track.attending,
        grant=grant and replace(grant, number=f"{grant.number[:-1]}2", level_of_care=track.level_of_care),
    )  # fmt: skip
    chart.patient.stays.append(second)
    add_visits(chart.random, chart.patient, second, days)
    if track.level_of_care != chart.stay.track.level_of_care:  # one certification speaks for both
        chart.certify(second)
    chart.consent_to(second)
    chart.tell_stay(second)
    return second


@defect(
    _RULES, "G10", Desk.BILLING, fits=both(of_plans(clinic.PRAIRIE, clinic.LAKELAND), in_programs(clinic.PHP)),
)  # fmt: skip
def partial_day_and_evening_program(chart: Chart) -> None:
    """A partial hospitalization day and an evening of intensive outpatient on one date."""
    second_program(chart, clinic.SUD_IOP)


@defect(
    _RULES, "G10", Desk.BILLING, fits=both(of_plans(clinic.PRAIRIE, clinic.LAKELAND), in_programs(clinic.PHP)),
)  # fmt: skip
def two_partial_programs_at_two_sites(chart: Chart) -> None:
    """Two sites each bill a whole partial hospitalization day of one date."""
    second_program(chart, clinic.SUD_PHP)


@defect(_RULES, "G17", Desk.BILLING, fits=both(of_plans(clinic.MEDICARE), in_programs(clinic.PHP)))
def both_programs_on_one_medicare_day(chart: Chart) -> None:
    """Medicare partial hospitalization and intensive outpatient on one date."""
    second_program(chart, clinic.IOP)


@defect(
    _RULES, "G17", Desk.BILLING, outcome=Outcome.WARNED,
    fits=both(of_plans(clinic.MEDICARE), in_programs(clinic.PHP)),
)  # fmt: skip
def intensive_outpatient_within_a_week_of_partial(chart: Chart) -> None:
    """Medicare intensive outpatient begins three days after the last partial day."""
    step_down(chart, grant=None)


# --- what a contract adds --------------------------------------------------------------------------------------------


_CARE_IS_DAILY = MappingChange(
    "services/prairie-mutual.yaml", "    hcpcs: S9480\n", "    hcpcs: S9480\n    unit_basis: hour\n"
)


@defect(
    _RULES, "payer", Desk.BILLING, mapping=(_CARE_IS_DAILY,),
    fits=both(of_plans(clinic.PRAIRIE), in_programs(clinic.IOP, clinic.ADOLESCENT_IOP)),
)  # fmt: skip
def three_units_where_the_contract_pays_one(_: Chart) -> None:
    """The definition counts hours where the payer's own rule pays one unit a day."""
