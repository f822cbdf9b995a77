"""Clean cases exactly on a boundary. A gate that is afraid of them costs as much as one that sleeps."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from gateway.bench.defects.attendance import (
    attend_minutes,
    in_hospital,
    keep_sessions,
    minutes_of_a_day,
    needs_minutes,
    needs_services,
    services_of_a_day,
)
from gateway.bench.defects.authorization import letter, renew, step_down
from gateway.bench.defects.chart import Chart
from gateway.bench.defects.edits import Edit
from gateway.bench.defects.label import (
    authorized,
    both,
    by_the_day,
    in_programs,
    mental_health,
    near_miss,
    of_plans,
    one_program_of,
    substance_use,
    told_in,
)
from gateway.bench.defects.payer import a_week_earlier, filed
from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.people import make_policy
from gateway.demo.truth import Attendance, Discharge, Visit

# --- attendance ------------------------------------------------------------------------------------------------------


@near_miss(fits=needs_minutes)
def exactly_the_minutes(chart: Chart) -> None:
    """A day of exactly the minutes the contract asks."""
    attend_minutes(chart.days[1], minutes_of_a_day(chart.context))


@near_miss(fits=needs_services)
def exactly_the_services(chart: Chart) -> None:
    """A day of exactly the services the contract asks; for the rest the patient had gone home."""
    if not needs_minutes(chart.context):
        keep_sessions(chart, 1, services_of_a_day(chart.context))
        return
    *kept, last = chart.days[1][: services_of_a_day(chart.context)]
    keep_sessions(chart, 1, services_of_a_day(chart.context))
    longer = timedelta(minutes=minutes_of_a_day(chart.context) - sum(_minutes(visit) for visit in (*kept, last)))
    last.end_at, last.sign_out_at = last.end_at + longer, last.sign_out_at + longer


def _minutes(visit: Visit) -> int:
    return int((visit.sign_out_at - visit.sign_in_at).total_seconds()) // 60


@near_miss(fits=of_plans(clinic.MEDICARE))
def exactly_three_services(chart: Chart) -> None:
    """A Medicare day of three services."""
    keep_sessions(chart, 1, 3)


@near_miss(fits=of_plans(clinic.TRICARE))
def exactly_a_half_day(chart: Chart) -> None:
    """A day one minute short of TRICARE's full day is billed as a half day."""
    attend_minutes(chart.days[1], 359)


@near_miss(fits=by_the_day)
def signed_in_late_and_out_early_within_the_contract(chart: Chart) -> None:
    """Every session of a day was signed in on the minute and out on the minute."""
    for visit in chart.days[1]:
        visit.sign_in_at, visit.sign_out_at = visit.start_at, visit.end_at


@near_miss(unbilled_days=1)
def a_day_missed_and_not_charged(chart: Chart) -> None:
    """The patient missed a day, the EHR says so, and nothing is billed for it."""
    keep_sessions(chart, 2, 0)


@near_miss()
def note_signed_days_later(chart: Chart) -> None:
    """A day's notes were signed three days later; the EHR told the day again."""
    day = chart.days[1]
    numbers = frozenset(visit.number for visit in day)
    chart.tell(day[-1].end_at + timedelta(minutes=1), Attendance(visits=day, unsigned=numbers))
    chart.tell(day[-1].end_at + timedelta(days=3), Attendance(visits=day))


@near_miss()
def the_same_day_told_twice(chart: Chart) -> None:
    """The EHR told a day again, under the same visit numbers."""
    day = chart.days[1]
    chart.tell(day[-1].end_at + timedelta(hours=2), Attendance(visits=day))


@near_miss()
def booked_first_then_attended(chart: Chart) -> None:
    """A day was booked, and then attended as booked."""
    day = chart.days[2]
    for together in (day,) if chart.context.feed is Feed.FHIR else [(visit,) for visit in day]:
        chart.tell(day[0].start_at - timedelta(days=1), Attendance(visits=together, booked=True))


@near_miss()
def sessions_back_to_back(chart: Chart) -> None:
    """Each session of a day begins the minute the one before it ends."""
    ends_at = chart.days[1][0].end_at
    for visit in chart.days[1][1:]:
        length = visit.end_at - visit.start_at
        visit.start_at = visit.sign_in_at = ends_at
        ends_at = visit.end_at = visit.sign_out_at = ends_at + length


# --- authorization ---------------------------------------------------------------------------------------------------


@near_miss(fits=authorized)
def last_unit_on_the_last_day(chart: Chart) -> None:
    """The authorization's last unit is the last day."""
    chart.grant.units = len(chart.days)


@near_miss(fits=authorized)
def authorized_from_the_first_to_the_last_day(chart: Chart) -> None:
    """The authorization's dates are the stay's."""
    chart.grant.start_on, chart.grant.end_on = chart.date_of(0), chart.date_of(-1)


@near_miss(fits=authorized, unbilled_days=1)
def a_missed_day_uses_no_unit(chart: Chart) -> None:
    """One unit fewer than planned days, and one day missed."""
    chart.grant.units = len(chart.days) - 1
    keep_sessions(chart, 2, 0)


@near_miss(fits=authorized)
def renewed_without_a_gap(chart: Chart) -> None:
    """One authorization ends and the next begins the day after."""
    second_from = chart.date_of(len(chart.days) // 2)
    first = chart.grant
    first.end_on = second_from - timedelta(days=1)
    renew(chart, replace(first, number=f"{first.number[:-1]}2", start_on=second_from, end_on=chart.date_of(-1)))


@near_miss(
    fits=both(of_plans(clinic.PRAIRIE, clinic.LAKELAND, clinic.HARBOR), in_programs(clinic.PHP, clinic.SUD_PHP)),
)
def step_down_on_its_own_authorization(chart: Chart) -> None:
    """The patient steps down to intensive outpatient, which has its own authorization."""
    grant = chart.grant
    later = chart.stay.admitted_on + timedelta(days=14)
    step_down(chart, grant=replace(grant, number=f"{grant.number[:-1]}2", level_of_care="IOP", start_on=later))


@near_miss(fits=authorized)
def as_many_days_a_week_as_granted(chart: Chart) -> None:
    """The payer grants as many days a week as the program meets, on just those days."""
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    meets = chart.stay.track.weekdays
    letter(chart, units_per_week=str(len(meets)), weekdays=" ".join(names[each] for each in meets))


@near_miss(fits=authorized)
def the_last_units_after_those_another_system_billed(chart: Chart) -> None:
    """What another system billed before and the stay's days use the units up, and no more."""
    used = chart.grant.units - len(chart.days)
    letter(chart, opening_units=str(used), opening_on=chart.date_of(0).isoformat())


@near_miss(fits=authorized)
def authorized_by_letter_alone(chart: Chart) -> None:
    """No feed tells of the authorization; the clinic lists the payer's letter."""
    grant, stay = chart.grant, chart.stay
    letter(
        chart, units=str(len(chart.days)), level_of_care=grant.level_of_care,
        start_on=stay.admitted_on.isoformat(), end_on=chart.date_of(-1).isoformat(),
    )  # fmt: skip
    stay.grant = None


# --- coverage, clinicians --------------------------------------------------------------------------------------------


@near_miss()
def policy_ends_on_the_last_day(chart: Chart) -> None:
    """The policy's first day is the stay's first day, its last day the stay's last day."""
    chart.policy.start_on, chart.policy.end_on = chart.date_of(0), chart.date_of(-1)


@near_miss(fits=of_plans(clinic.MEDICARE, clinic.HARBOR, clinic.PRAIRIE, clinic.LAKELAND))
def a_second_policy_in_order(chart: Chart) -> None:
    """Two policies are in force, and the EHR says which pays first."""
    other = clinic.LAKELAND if chart.policy.plan is not clinic.LAKELAND else clinic.PRAIRIE
    second = make_policy(chart.random, chart.patient.number, other, chart.patient.human, "adult")
    chart.patient.policies.append(replace(second, number=f"{second.number}B"))


@near_miss()
def a_former_policy(chart: Chart) -> None:
    """Another payer's policy ended the day before admission."""
    other = clinic.LAKELAND if chart.policy.plan is not clinic.LAKELAND else clinic.PRAIRIE
    former = make_policy(chart.random, chart.patient.number, other, chart.patient.human, "adult")
    ended_on = chart.date_of(0) - timedelta(days=1)
    chart.patient.policies.append(replace(former, number=f"{former.number}B", end_on=ended_on))


@near_miss(fits=of_plans(clinic.MEDICARE, clinic.PRAIRIE))
def credentialed_from_the_first_to_the_last_day(chart: Chart) -> None:
    """The attending clinician's contract is as long as the stay, to the day."""
    chart.stay.attending = replace(chart.stay.attending, key=f"y{chart.patient.number}", npi=chart.new_npi())
    chart.clinicians.append(chart.stay.attending)
    chart.credential(chart.stay.attending, chart.policy.plan, "attending", chart.date_of(0), chart.date_of(-1))


@near_miss()
def born_on_a_leap_day(chart: Chart) -> None:
    """The patient was born on 29 February."""
    year = chart.patient.human.birth_on.year // 4 * 4
    chart.patient.human = replace(chart.patient.human, birth_on=date(year, 2, 29))


@near_miss()
def a_name_with_accents(chart: Chart) -> None:
    """The patient's name has an apostrophe, a hyphen and an accent."""
    chart.patient.human = replace(chart.patient.human, family="O'Bríen-Núñez")


# --- codes -----------------------------------------------------------------------------------------------------------


@near_miss(fits=mental_health)
def a_circumstance_after_the_principal_diagnosis(chart: Chart) -> None:
    """Z63.0 and E11.9 come after a principal diagnosis of depression."""
    chart.stay.diagnoses = ("F33.1", "Z63.0", "E11.9")


@near_miss()
def one_diagnosis_told_twice(chart: Chart) -> None:
    """The EHR tells the second diagnosis twice; the claim has it once."""
    chart.stay.diagnoses = (chart.stay.diagnoses[0], "F41.9", "F41.9")


@near_miss(fits=by_the_day)
def a_components_code_inside_the_day(chart: Chart) -> None:
    """The EHR charged a group's own code inside a program day."""
    chart.days[1][0].charge_code = "G0410"


@near_miss(fits=by_the_day)
def no_code_charged(chart: Chart) -> None:
    """The EHR charged no code at all."""
    for day in chart.days:
        day[0].charge_code = ""


# --- place -----------------------------------------------------------------------------------------------------------


@near_miss(fits=both(of_plans(clinic.PRAIRIE), in_programs(clinic.IOP, clinic.ADOLESCENT_IOP)))
def telehealth_day_the_payer_buys(chart: Chart) -> None:
    """A day from home by screen, which this payer pays for."""
    for visit in chart.days[1]:
        visit.remote, visit.place_of_service = True, "10"


@near_miss()
def no_place_stated(chart: Chart) -> None:
    """The EHR states no place of service."""
    chart.edits.append(Edit(fhir="Encounter.extension[place-of-service]", fhir_value=None, hl7="ZPH-7", hl7_value=""))


# --- series and filing -----------------------------------------------------------------------------------------------


@near_miss()
def still_a_patient(chart: Chart) -> None:
    """The stay goes on after the claim's last day."""
    chart.stay.discharged_on, chart.stay.patient_status = None, "30"


@near_miss()
def one_day_alone(chart: Chart) -> None:
    """Admitted, attended and discharged on one day."""
    first = chart.days[0]
    chart.patient.visits[:] = first
    chart.stay.discharged_on = chart.stay.admitted_on


@near_miss()
def discharged_elsewhere(chart: Chart) -> None:
    """Discharged to a hospital, status 02."""
    chart.stay.patient_status = "02"


@near_miss()
def discharge_taken_back_and_told_again(chart: Chart) -> None:
    """A discharge by mistake was taken back, and the real one came later."""
    at = chart.days[2][-1].end_at
    chart.tell(at + timedelta(minutes=30), Discharge(stay=chart.stay))
    chart.tell(at + timedelta(hours=12), Discharge(stay=chart.stay, undone=True))


@near_miss(fits=one_program_of(clinic.PRAIRIE, clinic.PHP), today=filed(0))
def filed_on_the_ninetieth_day(chart: Chart) -> None:
    """The claim is judged on its last day to file."""
    _last_week_alone(chart)


@near_miss(fits=one_program_of(clinic.MEDICAID, clinic.SUD_IOP), today=filed(0))
def filed_on_the_hundred_and_eightieth_day(chart: Chart) -> None:
    """A professional claim is judged on its last day to file, counted from its first day of service."""
    chart.patient.visits[:] = chart.days[-1]
    chart.stay.admitted_on = chart.date_of(0)


def _last_week_alone(chart: Chart) -> None:
    chart.stay.admitted_on += timedelta(days=7)
    chart.patient.visits[:] = [visit for day in chart.days[len(chart.days) // 2 :] for visit in day]


@near_miss(fits=one_program_of(clinic.MEDICARE, clinic.PHP), today=filed(0))
def filed_after_exactly_a_year(_: Chart) -> None:
    """A Medicare claim is judged a year after its last day."""


@near_miss(fits=one_program_of(clinic.LAKELAND, clinic.PHP), today=filed(-14))
def fourteen_days_left_to_file(_: Chart) -> None:
    """Fourteen days are left to file."""


# --- papers ----------------------------------------------------------------------------------------------------------


@near_miss()
def eligible_from_the_first_to_the_last_day(chart: Chart) -> None:
    """The payer's answer speaks of the stay's days, to the day."""
    chart.eligibility["start_on"] = chart.date_of(0).isoformat()
    chart.eligibility["end_on"] = chart.date_of(-1).isoformat()


@near_miss()
def ineligible_from_the_day_after(chart: Chart) -> None:
    """The payer says the coverage ended, the day after the stay's last day."""
    after = chart.date_of(-1) + timedelta(days=1)
    later = {"active": "no", "start_on": after.isoformat(), "checked_on": after.isoformat()}
    chart.rosters["eligibility"].append({**chart.eligibility, **later})


@near_miss(fits=of_plans(clinic.MEDICARE, clinic.HARBOR))
def certified_to_the_last_day(chart: Chart) -> None:
    """The physician certified the stay's days, to the day."""
    chart.certification["end_on"] = chart.date_of(-1).isoformat()


@near_miss(fits=both(of_plans(clinic.MEDICARE, clinic.HARBOR), in_programs(clinic.PHP)))
def recertified_on_the_eighteenth_day(chart: Chart) -> None:
    """A stay of nineteen days was recertified on its eighteenth."""
    last = chart.days[-1]
    later = timedelta(days=4)
    eighteenth = chart.stay.admitted_on + timedelta(days=17)
    for visit in last:
        visit.start_at, visit.end_at = visit.start_at + later, visit.end_at + later
        visit.sign_in_at, visit.sign_out_at = visit.sign_in_at + later, visit.sign_out_at + later
    chart.stay.discharged_on = chart.date_of(-1)
    chart.certify(chart.stay, recertification="yes", start_on=eighteenth.isoformat(), signed_on=eighteenth.isoformat())


@near_miss(fits=substance_use)
def consent_ends_the_day_the_claim_goes(chart: Chart) -> None:
    """The patient's consent ends the day the claim goes."""
    chart.consent["end_on"] = "2026-09-01"


@near_miss(fits=substance_use)
def consent_names_this_payer(chart: Chart) -> None:
    """The patient's consent names the payer that is billed, and no other."""
    chart.consent["payer"] = chart.policy.plan.key


@near_miss(fits=of_plans(clinic.MEDICARE, clinic.PRAIRIE))
def license_ends_on_the_last_day(chart: Chart) -> None:
    """The attending clinician's license ends on the stay's last day."""
    chart.stay.attending = replace(chart.stay.attending, key=f"y{chart.patient.number}", npi=chart.new_npi())
    chart.clinicians.append(chart.stay.attending)
    chart.credential(
        chart.stay.attending, chart.policy.plan, "attending", date(2025, 1, 1),
        license_number="036001", license_state="IL", license_end_on=chart.date_of(-1).isoformat(),
    )  # fmt: skip


@near_miss()
def left_the_hospital_on_the_day_of_admission(chart: Chart) -> None:
    """The patient left a hospital on the morning of the program's first day."""
    in_hospital(chart, chart.date_of(0) - timedelta(days=5), chart.date_of(0))


# --- the same, written otherwise -------------------------------------------------------------------------------------

_OFFSET_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


@near_miss(fits=told_in(Feed.HL7))
def times_without_a_zone(chart: Chart) -> None:
    """The EHR writes its times without an offset; the source's time zone holds."""
    chart.rewritten = lambda content: content.replace(b"-0500", b"")


@near_miss(fits=told_in(Feed.FHIR))
def times_in_utc(chart: Chart) -> None:
    """The EHR writes its times in UTC: an evening session is on the next date there."""
    chart.rewritten = lambda content: _OFFSET_TIME.sub(_in_utc, content)


def _in_utc(found: re.Match[bytes]) -> bytes:
    at = datetime.fromisoformat(found[0].decode()).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()


@near_miss()
def diagnoses_without_a_dot(chart: Chart) -> None:
    """The EHR writes diagnoses without the dot."""
    chart.stay.diagnoses = tuple(each.replace(".", "") for each in chart.stay.diagnoses)


@near_miss(fits=lambda context: context.plan is not clinic.MEDICARE)
def over_a_month_end(chart: Chart) -> None:
    """The stay runs from July into August; claims are split at the month's end."""
    a_week_earlier(chart)
    chart.grant.start_on = chart.stay.admitted_on
