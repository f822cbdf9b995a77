"""What a feed says that no file knows, leaves out, or takes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.bench.defects.chart import Chart
from gateway.bench.defects.edits import Edit
from gateway.bench.defects.label import (
    Desk,
    MappingChange,
    Outcome,
    Pitfall,
    authorized,
    both,
    defect,
    of_plans,
    one_program_of,
    told_in,
)
from gateway.demo import clinic
from gateway.demo.feed import Feed
from gateway.demo.truth import Admission, Attendance, Came

_FHIR, _HL7 = told_in(Feed.FHIR), told_in(Feed.HL7)


def _day_says(chart: Chart, fhir: str, fhir_value: Any, hl7: str, hl7_value: str = "") -> None:
    chart.edits.append(Edit(fhir=fhir, fhir_value=fhir_value, hl7=hl7, hl7_value=hl7_value, on=chart.date_of(1)))


# --- words no file knows ---------------------------------------------------------------------------------------------


@defect(Pitfall.CODES, "feed", Desk.INTEGRATION, conceals=True)
def session_of_an_unknown_kind(chart: Chart) -> None:
    """A day's sessions have a code that the source's mapping file does not know."""
    kind = [{"coding": [{"system": "https://cedar.riverbend.example/session-type", "code": "EQUINE"}]}]
    _day_says(chart, "Encounter.type", kind, "FT1-7", "EQUINE^Equine^L")


@defect(Pitfall.CODES, "feed", Desk.INTEGRATION, conceals=True)
def unknown_program(chart: Chart) -> None:
    """A day names a program that the organization's file does not have."""
    _day_says(chart, "Encounter.extension[program].valueCode", "eating-php", "ZPH-1", "eating-php")


@defect(Pitfall.CODES, "feed", Desk.FRONT_DESK, conceals=True)
def level_of_care_missing(chart: Chart) -> None:
    """A day does not say its level of care, and neither does the stay."""
    chart.edits += [
        Edit(fhir="Encounter.extension[level-of-care]", fhir_value=None, hl7="ZPH-2", hl7_value=""),
        Edit(fhir="EpisodeOfCare.extension[level-of-care]", fhir_value=None, hl7="ZPH-2", hl7_value=""),
    ]


@defect(Pitfall.PLACE, "feed", Desk.INTEGRATION, conceals=True, fits=_HL7)
def unknown_location(chart: Chart) -> None:
    """A day took place at a location that no facility is called."""
    nowhere = [{"location": {"reference": "Location/annex", "identifier": {"value": "ANNEX"}}}]
    _day_says(chart, "Encounter.location", nowhere, "PV1-3", "ANNEX^^^ANNEX")


@defect(Pitfall.ATTENDANCE, "feed G09", Desk.FRONT_DESK, conceals=True, fits=_FHIR)
def attendance_status_unknown(chart: Chart) -> None:
    """The EHR does not know whether a day's sessions took place (status unknown)."""
    _day_says(chart, "Encounter.status", "unknown", "")


@defect(Pitfall.ATTENDANCE, "G09", Desk.FRONT_DESK, conceals=True, fits=_FHIR)
def never_finished(chart: Chart) -> None:
    """A day's sessions are still in progress weeks later."""
    _day_says(chart, "Encounter.status", "in-progress", "")


# --- taken back ------------------------------------------------------------------------------------------------------


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=both(authorized, _FHIR))
def authorization_cancelled(chart: Chart) -> None:
    """The payer's approval was cancelled."""
    chart.edits.append(Edit(fhir="ClaimResponse.status", fhir_value="cancelled", hl7="", hl7_value=""))


@defect(Pitfall.AUTHORIZATION, "G08", Desk.UTILIZATION_REVIEW, fits=both(authorized, _FHIR))
def authorization_entered_in_error(chart: Chart) -> None:
    """The approval was entered in error."""
    chart.edits.append(Edit(fhir="ClaimResponse.status", fhir_value="entered-in-error", hl7="", hl7_value=""))


@defect(Pitfall.PEOPLE, "G06", Desk.FRONT_DESK, conceals=True, fits=_FHIR)
def coverage_entered_in_error(chart: Chart) -> None:
    """The EHR says the policy was entered in error."""
    chart.edits.append(Edit(fhir="Coverage.status", fhir_value="entered-in-error", hl7="", hl7_value=""))


@defect(Pitfall.ATTENDANCE, "G18", Desk.FRONT_DESK, conceals=True, fits=_FHIR)
def stay_cancelled(chart: Chart) -> None:
    """The EHR says the stay was cancelled, and days of it were attended."""
    chart.edits.append(Edit(fhir="EpisodeOfCare.status", fhir_value="cancelled", hl7="", hl7_value=""))


@defect(Pitfall.ATTENDANCE, "G18", Desk.FRONT_DESK, conceals=True, fits=_HL7)
def admission_taken_back(chart: Chart) -> None:
    """The admission was cancelled (A11), and days of it were attended."""
    chart.tell(
        chart.days[-1][-1].end_at + timedelta(days=1), Admission(stay=chart.stay, policies=(), grant=None), "a11"
    )
    chart.edits += [
        Edit(fhir="", fhir_value=None, hl7="MSH-8", hl7_value="ADT^A11^ADT_A09", label="a11"),
        Edit(fhir="", fhir_value=None, hl7="EVN-1", hl7_value="A11", label="a11"),
    ]


@defect(Pitfall.ATTENDANCE, "G09", Desk.NOBODY, outcome=Outcome.LEFT_OUT)
def charged_and_then_a_no_show(chart: Chart) -> None:
    """A day was charged, and the EHR later says the patient did not come."""
    day = chart.days[2]
    at = day[-1].end_at + timedelta(hours=3)
    missed = tuple(replace(visit, came=Came.NO_SHOW) for visit in day)
    for together in (missed,) if chart.context.feed is Feed.FHIR else [(visit,) for visit in missed]:
        chart.tell(at, Attendance(visits=together))


@defect(Pitfall.CODES, "G19", Desk.CLINICIAN, fits=_FHIR)
def only_diagnosis_entered_in_error(chart: Chart) -> None:
    """The only diagnosis of the stay was entered in error."""
    chart.stay.diagnoses = chart.stay.diagnoses[:1]
    status = {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}
    chart.edits += [
        Edit(fhir="Condition.verificationStatus", fhir_value={"coding": [status]}, hl7="", hl7_value=""),
        Edit(fhir="Condition.clinicalStatus", fhir_value=None, hl7="", hl7_value=""),
    ]


# --- the stay --------------------------------------------------------------------------------------------------------


@defect(Pitfall.ATTENDANCE, "G18", Desk.FRONT_DESK, conceals=True)
def discharged_before_admission(chart: Chart) -> None:
    """The stay's discharge lies before its admission."""
    chart.edits.append(
        Edit(
            fhir="EpisodeOfCare.period.end", fhir_value=(chart.stay.admitted_on - timedelta(days=3)).isoformat(),
            hl7="PV1-45", hl7_value=(chart.stay.admitted_on - timedelta(days=3)).strftime("%Y%m%d"), label="discharge",
        )
    )  # fmt: skip


def _institutional_in(feed: Feed) -> Any:
    return lambda context: context.plan is not clinic.MEDICAID and context.feed is feed


@defect(Pitfall.PAYER, "G15", Desk.FRONT_DESK, fits=lambda context: context.plan is not clinic.MEDICAID)
def patient_status_that_does_not_exist(chart: Chart) -> None:
    """The discharge status is 55, which the uniform bill does not have."""
    chart.stay.patient_status = "55"


@defect(Pitfall.PAYER, "G15", Desk.FRONT_DESK, fits=_institutional_in(Feed.HL7))
def point_of_origin_that_does_not_exist(chart: Chart) -> None:
    """The point of origin is Z, which the uniform bill does not have."""
    chart.edits.append(Edit(fhir="", fhir_value=None, hl7="PV1-14", hl7_value="Z"))


# --- clinicians ------------------------------------------------------------------------------------------------------


@defect(Pitfall.PEOPLE, "G21", Desk.CREDENTIALING, fits=of_plans(clinic.MEDICARE, clinic.PRAIRIE))
def a_counselor_as_attending(chart: Chart) -> None:
    """A counselor, whom the payer has as a rendering clinician alone, is named as attending."""
    chart.stay.attending = chart.stay.track.leader


@defect(Pitfall.PEOPLE, "G21", Desk.FRONT_DESK, fits=both(_FHIR, lambda context: context.plan is not clinic.MEDICAID))
def attending_taxonomy_misspelt(chart: Chart) -> None:
    """The attending clinician's taxonomy code has nine characters."""
    chart.stay.attending = replace(chart.stay.attending, key=f"t{chart.patient.number}", taxonomy="2084P0800")
    chart.clinicians.append(chart.stay.attending)


@defect(Pitfall.PLACE, "G12", Desk.FRONT_DESK)
def screen_elsewhere_but_in_the_room(chart: Chart) -> None:
    """The EHR says place 02, telehealth elsewhere, of sessions in person."""
    for visit in chart.days[1]:
        visit.place_of_service = "02"


@defect(Pitfall.ATTENDANCE, "G09", Desk.NOBODY, outcome=Outcome.LEFT_OUT, fits=_FHIR)
def visits_cancelled(chart: Chart) -> None:
    """A day's visits were cancelled in the EHR."""
    _day_says(chart, "Encounter.status", "cancelled", "")


@defect(
    Pitfall.PAYER, "payer", Desk.NOBODY, outcome=Outcome.LEFT_OUT, conceals=True,
    fits=both(one_program_of(clinic.PRAIRIE, clinic.PHP)),
    mapping=(
        MappingChange(
            "sources/riverbend-fhir.yaml",
            "      deceased_on: deceasedDateTime\n",
            "      deceased_on: deceasedDateTime\n      never_bill_payers: {value: prairie-mutual, reason: they pay "
            "themselves}\n",
        ),
    ),
)  # fmt: skip
def patient_forbade_the_payer(_: Chart) -> None:
    """The patient pays for the care and forbade the clinic to tell the plan of it."""
