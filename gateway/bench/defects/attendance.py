"""Pitfall three: attendance that does not match what would be billed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from gateway.bench.defects.chart import Chart, Context, make_chart
from gateway.bench.defects.edits import Edit
from gateway.bench.defects.label import (
    Desk,
    Fits,
    MappingChange,
    Outcome,
    Pitfall,
    by_the_session,
    defect,
    of_plans,
    one_program_of,
    told_in,
)
from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.stays import local
from gateway.demo.truth import Admission, Attendance, Came, Discharge, Visit

_LEFT_OUT = Outcome.LEFT_OUT


def minutes_of_a_day(context: Context) -> int:
    """The attended minutes that the payer's contract asks of a day; 0 where it asks for none."""
    if context.plan is clinic.TRICARE:
        return 180
    if context.plan is clinic.PRAIRIE:
        return {"mh-php": 240, "mh-iop": 180, "adolescent-iop": 180}.get(context.track.program, 0)
    return 0


def services_of_a_day(context: Context) -> int:
    """The services that the payer's contract asks of a day; 0 where it asks for none."""
    if context.plan is clinic.LAKELAND:
        return 4 if context.track.level_of_care == "PHP" else 3
    return 4 if (context.plan, context.track.program) == (clinic.PRAIRIE, "mh-php") else 0


def needs_minutes(context: Context) -> bool:
    """The contract asks for minutes."""
    return minutes_of_a_day(context) > 0


def needs_services(context: Context) -> bool:
    """The contract asks for services."""
    return services_of_a_day(context) > 0


def attend_minutes(visits: tuple[Visit, ...], minutes: int) -> None:
    """The patient was there for exactly so many minutes of the day, from its first session on."""
    left = minutes
    for visit in visits:
        planned = int((visit.end_at - visit.start_at).total_seconds()) // 60
        attended = min(planned, left)
        left -= attended
        visit.sign_in_at = visit.start_at
        visit.sign_out_at = visit.start_at + timedelta(minutes=attended)
        if attended == 0:
            visit.came = Came.NO_SHOW
    assert left == 0, "the day is shorter than that"


def keep_sessions(chart: Chart, day: int, count: int) -> None:
    """Only the first sessions of the day took place."""
    for visit in chart.days[day][count:]:
        visit.came = Came.NO_SHOW


# --- notes -----------------------------------------------------------------------------------------------------------


@defect(Pitfall.ATTENDANCE, "G09", Desk.CLINICIAN)
def one_note_not_signed(chart: Chart) -> None:
    """The note of one session was never signed."""
    chart.days[1][1].note_signed = False


@defect(Pitfall.ATTENDANCE, "G09", Desk.CLINICIAN)
def no_note_of_the_last_day_signed(chart: Chart) -> None:
    """No note of the discharge day was signed."""
    for visit in chart.days[-1]:
        visit.note_signed = False


@defect(Pitfall.ATTENDANCE, "G09", Desk.CLINICIAN)
def nothing_said_of_notes(chart: Chart) -> None:
    """The EHR does not say whether the notes of a day are signed."""
    chart.edits.append(
        Edit(fhir="Encounter.extension[note-signed]", fhir_value=None, hl7="ZPH-5", hl7_value="", on=chart.date_of(1))
    )


# --- times -----------------------------------------------------------------------------------------------------------


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, outcome=_LEFT_OUT, fits=needs_minutes)
def one_minute_short(chart: Chart) -> None:
    """The day is one minute shorter than the contract asks."""
    attend_minutes(chart.days[1], minutes_of_a_day(chart.context) - 1)


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, outcome=_LEFT_OUT, fits=needs_services)
def one_service_short(chart: Chart) -> None:
    """The day has one service fewer than the contract asks."""
    keep_sessions(chart, 1, services_of_a_day(chart.context) - 1)


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, outcome=_LEFT_OUT, fits=needs_minutes)
def long_enough_only_when_counted_twice(chart: Chart) -> None:
    """Two sessions lie side by side: their sum is long enough for the day, the time the patient was there is not."""
    first, second, *others = chart.days[1]
    for moved in (second, *others):
        moved.start_at = moved.sign_in_at = first.start_at
        moved.end_at = moved.sign_out_at = first.end_at


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, conceals=True)
def session_ends_before_it_begins(chart: Chart) -> None:
    """A session's sign-out is earlier than its sign-in."""
    visit = chart.days[1][0]
    visit.sign_out_at = visit.sign_in_at - timedelta(minutes=5)


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, conceals=True)
def session_of_no_length(chart: Chart) -> None:
    """A session's sign-out is its sign-in."""
    visit = chart.days[1][0]
    visit.sign_out_at = visit.sign_in_at


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, conceals=True)
def session_over_night(chart: Chart) -> None:
    """The sign-out was forgotten until the next morning: one session lasts seventeen hours."""
    visit = chart.days[1][0]
    visit.sign_out_at = visit.sign_in_at + timedelta(hours=17)


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, conceals=True)
def session_without_an_end(chart: Chart) -> None:
    """Nobody signed the patient out of a day's sessions, and the schedule has no end either."""
    on = chart.date_of(1)
    if chart.context.feed is Feed.FHIR:
        chart.edits += [
            Edit(fhir="Encounter.extension[sign-out]", fhir_value=None, hl7="", hl7_value="", on=on),
            Edit(fhir="Encounter.period.end", fhir_value=None, hl7="", hl7_value="", on=on),
        ]
    else:
        start = chart.days[1][0].start_at.astimezone(clinic.ZONE).strftime("%Y%m%d%H%M%S%z")
        chart.edits += [
            Edit(fhir="", fhir_value=None, hl7="ZPH-4", hl7_value="", on=on),
            Edit(fhir="", fhir_value=None, hl7="FT1-4", hl7_value=start, on=on),
        ]


@defect(Pitfall.ATTENDANCE, "G09 G10", Desk.FRONT_DESK, fits=by_the_session)
def in_two_groups_at_one_time(chart: Chart) -> None:
    """The patient is signed into two sessions at one time, and each would be billed."""
    first, second = chart.days[1][:2]
    second.start_at, second.end_at = first.start_at, first.end_at
    second.sign_in_at, second.sign_out_at = first.sign_in_at, first.sign_out_at


@defect(Pitfall.ATTENDANCE, "G26 G09", Desk.FRONT_DESK, fits=by_the_session)
def one_session_entered_twice(chart: Chart) -> None:
    """One session was entered twice under two visit numbers, and would be billed twice."""
    first = chart.days[1][0]
    place = chart.patient.visits.index(first) + 1
    chart.patient.visits.insert(place, replace(first, number=f"{first.number}X"))


# --- days ------------------------------------------------------------------------------------------------------------


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, conceals=True)
def planned_and_never_recorded(chart: Chart) -> None:
    """A booked day has passed, and nobody recorded whether the patient came."""
    day = chart.days[2]
    for visit in day:
        chart.patient.visits.remove(visit)
    for together in (day,) if chart.context.feed is Feed.FHIR else [(visit,) for visit in day]:
        chart.tell(day[0].start_at - timedelta(days=1), Attendance(visits=together, booked=True))


@defect(Pitfall.ATTENDANCE, "G09", Desk.NOBODY, outcome=_LEFT_OUT)
def day_taken_back(chart: Chart) -> None:
    """A day was charged and then taken back as entered in error."""
    day = chart.days[2]
    chart.tell(day[-1].end_at + timedelta(hours=9), Attendance(visits=day, cancelled=True))


@defect(Pitfall.ATTENDANCE, "G09", Desk.NOBODY, outcome=_LEFT_OUT)
def nobody_came(chart: Chart) -> None:
    """The patient came to no session of a day that was planned."""
    keep_sessions(chart, 2, 0)


@defect(Pitfall.ATTENDANCE, "G18", Desk.FRONT_DESK)
def attended_before_admission(chart: Chart) -> None:
    """The first day lies before the stay's admission."""
    chart.stay.admitted_on += timedelta(days=1)


@defect(Pitfall.ATTENDANCE, "G18", Desk.FRONT_DESK)
def attended_after_discharge(chart: Chart) -> None:
    """The last day lies after the stay's discharge."""
    chart.stay.discharged_on = chart.date_of(-2)


@defect(Pitfall.ATTENDANCE, "G18", Desk.FRONT_DESK, fits=told_in(Feed.FHIR))
def attended_after_death(chart: Chart) -> None:
    """The EHR says the patient died before the last day."""
    died_at = chart.days[-2][-1].end_at.isoformat()
    chart.edits.append(Edit(fhir="Patient.deceasedDateTime", fhir_value=died_at, hl7="", hl7_value=""))


@defect(Pitfall.ATTENDANCE, "G18", Desk.FRONT_DESK, conceals=True)
def attended_in_the_future(chart: Chart) -> None:
    """A day is recorded as attended that has not come yet."""
    chart.stay.discharged_on = None
    later = local(chart.stay.admitted_on, 0) + timedelta(days=56) - local(chart.date_of(-1), 0)
    for visit in chart.days[-1]:
        visit.start_at, visit.end_at = visit.start_at + later, visit.end_at + later
        visit.sign_in_at, visit.sign_out_at = visit.sign_in_at + later, visit.sign_out_at + later


# --- what a Medicare day is made of ----------------------------------------------------------------------------------

_ITEMISED_MEDICARE: Fits = of_plans(clinic.MEDICARE)


@defect(Pitfall.ATTENDANCE, "G14", Desk.CLINICIAN, fits=_ITEMISED_MEDICARE)
def day_without_psychotherapy(chart: Chart) -> None:
    """A Medicare day of education and activities, with no psychotherapy."""
    for place, visit in enumerate(chart.days[1]):
        visit.kind = clinic.EDUCATION if place % 2 else clinic.ACTIVITY


@defect(Pitfall.ATTENDANCE, "G14", Desk.BILLING, outcome=Outcome.WARNED, fits=_ITEMISED_MEDICARE)
def day_of_two_services(chart: Chart) -> None:
    """A Medicare day of two services."""
    keep_sessions(chart, 1, 2)


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, outcome=Outcome.WARNED, fits=by_the_session)
def session_too_short_to_bill(chart: Chart) -> None:
    """A group of twenty minutes, where the code asks for forty-five; the rest of the day was attended."""
    visit = chart.days[1][0]
    visit.sign_out_at = visit.sign_in_at + timedelta(minutes=20)


@defect(Pitfall.ATTENDANCE, "G24", Desk.CLINICIAN, outcome=Outcome.WARNED, fits=_ITEMISED_MEDICARE)
def plan_below_its_hours(chart: Chart) -> None:
    """The certified plan has one hour a week fewer than the level of care: 19 of 20, or 8 of 9."""
    chart.certification["weekly_hours"] = {"PHP": "19", "IOP": "8"}[chart.stay.track.level_of_care]


# --- who else was where ----------------------------------------------------------------------------------------------


@defect(Pitfall.ATTENDANCE, "G09 G10", Desk.FRONT_DESK, outcome=Outcome.WARNED, fits=of_plans(clinic.LAKELAND))
def two_groups_at_one_time_inside_a_day(chart: Chart) -> None:
    """Two sessions of a program day overlap by half; the day is long enough without it."""
    first, second = chart.days[1][:2]
    early = second.start_at - (first.start_at + (first.end_at - first.start_at) / 2)
    second.start_at, second.end_at = second.start_at - early, second.end_at - early
    second.sign_in_at, second.sign_out_at = second.start_at, second.end_at


def _beside(chart: Chart, place: int) -> Chart:
    """Another patient of the same program and days."""
    number = chart.patient.number + 100_000 * place
    other = make_chart(chart.context, number, seed=number, admitted_on=chart.stay.admitted_on)
    chart.companions.append(other)
    return other


@defect(Pitfall.ATTENDANCE, "G09", Desk.CLINICIAN, outcome=Outcome.WARNED)
def clinician_in_two_rooms(chart: Chart) -> None:
    """The clinician of a group led another patient's individual session at the same time."""
    other = _beside(chart, 1)
    other.days[1][0].therapist = chart.days[1][0].therapist
    other.days[1][0].kind = clinic.INDIVIDUAL


_AT_MOST_TWO = MappingChange(
    "payers/prairie-mutual.yaml",
    "    release: ",
    "    rules:\n      group-within-size:\n        {limits: {most: 2}, since: 2026-01-01, source: exhibit C (made up), "
    "decided_on: 2025-12-01}\n    release: ",
)


@defect(
    Pitfall.ATTENDANCE, "G09 G10", Desk.CLINICIAN, outcome=Outcome.WARNED, mapping=(_AT_MOST_TWO,),
    fits=one_program_of(clinic.PRAIRIE, clinic.IOP),
)  # fmt: skip
def one_patient_too_many_in_the_group(chart: Chart) -> None:
    """Three patients are in a group that the payer's contract caps at two."""
    for other in (_beside(chart, 1), _beside(chart, 2)):
        other.days[1][0].therapist = chart.days[1][0].therapist


def in_hospital(chart: Chart, admitted_on: date, discharged_on: date) -> None:
    """The EHR tells of a hospital stay of the patient."""
    stay = replace(chart.stay, number=f"{chart.stay.number[:-1]}8", admitted_on=admitted_on, grant=None)
    chart.tell(local(admitted_on, 7), Admission(stay=stay, policies=(), grant=None), "hospital")
    chart.tell(local(discharged_on, 6), Discharge(stay=stay), "hospital")
    hospital = [{"coding": [{"system": "https://cedar.riverbend.example/stay-type", "code": "hospital"}]}]
    chart.edits += [
        Edit(fhir="EpisodeOfCare.type", fhir_value=hospital, hl7="PV1-2", hl7_value="I", label="hospital"),
        Edit(fhir="EpisodeOfCare.extension", fhir_value=None, hl7="ZPH", hl7_value="", label="hospital"),
    ]


@defect(Pitfall.ATTENDANCE, "G10", Desk.FRONT_DESK)
def in_hospital_on_a_program_day(chart: Chart) -> None:
    """A program day lies inside a hospital stay."""
    in_hospital(chart, chart.date_of(1) - timedelta(days=1), chart.date_of(1) + timedelta(days=1))
