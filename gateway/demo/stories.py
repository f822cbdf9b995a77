"""What each story changes in a patient's month, and how the EHRs come to tell it. Knows no format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from gateway.demo import clinic
from gateway.demo.feed import Batch, Feed
from gateway.demo.stays import local, visit_days
from gateway.demo.truth import (
    Admission,
    Attendance,
    Came,
    Discharge,
    Event,
    Insurance,
    Merge,
    Patient,
    Stay,
    StepDown,
    Telling,
    Visit,
)

# The morning the month is billed; what is told then is told after the weeks before went out.
_AFTER_BILLING_ON = date(2026, 9, 1)
_REGISTERED_TWICE = "9"


@dataclass(slots=True)
class Telltale:
    """Collects one patient's tellings; what a story wants told otherwise is taken out of the usual ones."""

    patient: Patient
    untold_days: set[int] = field(default_factory=set)
    unsigned: frozenset[str] = frozenset()
    policies_known: bool = True
    number_at_first: str = ""

    def tell(
        self,
        at: datetime,
        event: Event,
        label: str,
        *,
        feed: Feed | None = None,
        batch: Batch = Batch.MONTH,
        mrn: str = "",
    ) -> None:
        """Add one telling, in the EHR of the patient's first program unless another is named."""
        patient = self.patient
        told = Telling(
            at=at, feed=feed or patient.feed, patient=patient, event=event, label=label, batch=batch, recovery_mrn=mrn
        )
        patient.told.append(told)


def change_truth(patient: Patient, telltale: Telltale) -> None:
    """What happens otherwise than planned, before anything is told."""
    change = _CHANGES.get(patient.scenario)
    if change:
        change(patient, telltale)


def tell_month(patient: Patient, telltale: Telltale) -> None:
    """Every telling of the patient's stays, then what the story adds, in order of time."""
    for stay in patient.stays:
        _tell_stay(telltale, stay)
    addition = _ADDITIONS.get(patient.scenario)
    if addition:
        addition(patient, telltale)
    patient.told.sort(key=lambda told: told.at)


def _tell_stay(telltale: Telltale, stay: Stay) -> None:
    patient, feed = telltale.patient, stay.track.site.feed
    arrival = local(stay.admitted_on, 7, 30) + timedelta(seconds=patient.number * 7 % 900)
    if stay.follows is None:
        policies = tuple(patient.policies) if telltale.policies_known else ()
        admission = Admission(stay=stay, policies=policies, grant=stay.grant)
        telltale.tell(arrival, admission, "admission", feed=feed, mrn=telltale.number_at_first)
    else:
        telltale.tell(arrival, StepDown(old=stay.follows, new=stay), patient.scenario, feed=feed)
    days = visit_days(patient, stay)
    for place, visits in enumerate(days):
        told_at = _end_of(visits, patient)
        if place in telltale.untold_days and stay is patient.stays[0]:
            continue
        early = telltale.number_at_first if place < 2 else ""
        for label, together in _as_told(visits, feed):
            attendance = Attendance(visits=together, unsigned=telltale.unsigned)
            telltale.tell(told_at, attendance, label, feed=feed, mrn=early)
    if stay.discharged_on is not None and not any(after.follows is stay for after in patient.stays):
        telltale.tell(_end_of(days[-1], patient) + timedelta(minutes=45), Discharge(stay=stay), "discharge", feed=feed)


def _as_told(visits: tuple[Visit, ...], feed: Feed) -> list[tuple[str, tuple[Visit, ...]]]:
    """The day as its EHR tells it: one bundle, or one message of charges and one for each missed appointment."""
    missed = tuple(visit for visit in visits if visit.came is Came.NO_SHOW)
    if feed is Feed.FHIR:
        return [("no-show" if len(missed) == len(visits) else "day", visits)]
    attended = tuple(visit for visit in visits if visit.came is not Came.NO_SHOW)
    return [*([("day", attended)] if attended else []), *(("no-show", (visit,)) for visit in missed)]


def _end_of(visits: tuple[Visit, ...], patient: Patient) -> datetime:
    return visits[-1].end_at + timedelta(minutes=15, seconds=patient.number * 11 % 1200)


# --- what happens otherwise than planned -----------------------------------------------------------------------------


def _two_days_missed(patient: Patient, _: Telltale) -> None:
    days = visit_days(patient, patient.stays[0])
    for visit in (*days[1], *days[4]):
        visit.came = Came.NO_SHOW


def _left_after_two(patient: Patient, _: Telltale) -> None:
    for visit in visit_days(patient, patient.stays[0])[2][2:]:
        visit.came = Came.NO_SHOW


def _half_days(patient: Patient, _: Telltale) -> None:
    days = visit_days(patient, patient.stays[0])
    dropped = {visit.number for day in (days[1], days[3], days[4]) for visit in day[4:]}
    patient.visits = [visit for visit in patient.visits if visit.number not in dropped]


def _notes_late(patient: Patient, telltale: Telltale) -> None:
    telltale.unsigned = frozenset(visit.number for visit in visit_days(patient, patient.stays[0])[2])


def _note_never_signed(patient: Patient, _: Telltale) -> None:
    visit_days(patient, patient.stays[0])[2][1].note_signed = False


def _eight_units(patient: Patient, _: Telltale) -> None:
    grant = patient.stays[0].grant
    assert grant is not None
    grant.units = 8


def _nobody_asked(patient: Patient, _: Telltale) -> None:
    patient.stays[0].grant = None


def _office(patient: Patient, _: Telltale) -> None:
    for visit in visit_days(patient, patient.stays[0])[2]:
        visit.place_of_service = "11"


def _substance_use_code(patient: Patient, _: Telltale) -> None:
    visit_days(patient, patient.stays[0])[2][0].charge_code = "H0015"


def _new_psychiatrist(patient: Patient, _: Telltale) -> None:
    for stay in patient.stays:
        stay.attending = clinic.NEW_ATTENDING


def _from_home(patient: Patient, _: Telltale) -> None:
    for day in visit_days(patient, patient.stays[0])[1:6:2]:
        for visit in day:
            visit.remote, visit.place_of_service = True, "10"


def _insurance_later(_: Patient, telltale: Telltale) -> None:
    telltale.policies_known = False


def _number_cut(patient: Patient, _: Telltale) -> None:
    policy = patient.policies[0]
    policy.member_number = policy.member_number[:6]


def _category_only(patient: Patient, _: Telltale) -> None:
    patient.stays[0].diagnoses = ("F33",)


def _policy_ends(patient: Patient, _: Telltale) -> None:
    patient.policies[0].end_on = date(2026, 8, 14)


def _registered_twice(patient: Patient, telltale: Telltale) -> None:
    telltale.number_at_first = _REGISTERED_TWICE + patient.recovery_mrn[1:]


def _sheet_lost(_: Patient, telltale: Telltale) -> None:
    telltale.untold_days = {2}


_CHANGES: dict[str, Callable[[Patient, Telltale], None]] = {
    "no-shows": _two_days_missed,
    "left-early": _left_after_two,
    "half-days": _half_days,
    "late-note": _notes_late,
    "unsigned-note": _note_never_signed,
    "authorization-runs-out": _eight_units,
    "no-authorization": _nobody_asked,
    "wrong-place-of-service": _office,
    "wrong-code": _substance_use_code,
    "provider-not-credentialed": _new_psychiatrist,
    "telehealth-days": _from_home,
    "coverage-a-day-later": _insurance_later,
    "bad-member-number": _number_cut,
    "incomplete-diagnosis": _category_only,
    "coverage-ends": _policy_ends,
    "merged-record": _registered_twice,
    "found-after-billing": _sheet_lost,
}


# --- what is told in addition ----------------------------------------------------------------------------------------


def _book(patient: Patient, telltale: Telltale) -> None:
    """The days that will be missed are booked the noon before."""
    days = visit_days(patient, patient.stays[0])
    for visits in (days[1], days[4]):
        on = visits[0].start_at.astimezone(clinic.ZONE).date() - timedelta(days=1)
        for together in (visits,) if patient.feed is Feed.FHIR else [(visit,) for visit in visits]:
            telltale.tell(local(on, 12), Attendance(visits=together, booked=True), "booked")


def _sign_late(patient: Patient, telltale: Telltale) -> None:
    late = visit_days(patient, patient.stays[0])[2]
    telltale.tell(late[-1].end_at + timedelta(days=4), Attendance(visits=late), "late note")


def _enter_insurance(patient: Patient, telltale: Telltale) -> None:
    stay = patient.stays[0]
    at = local(stay.admitted_on + timedelta(days=1), 10)
    telltale.tell(at, Insurance(stay=stay, policies=tuple(patient.policies), grant=stay.grant), "coverage a day later")


def _tell_in_the_other_feed(patient: Patient, telltale: Telltale) -> None:
    for visits in visit_days(patient, patient.stays[0])[1:3]:
        at = visits[-1].end_at + timedelta(hours=2)
        telltale.tell(at, Attendance(visits=visits), "told by both", feed=Feed.HL7)


def _merge(patient: Patient, telltale: Telltale) -> None:
    days = visit_days(patient, patient.stays[0])
    at = days[1][-1].end_at + timedelta(hours=14)
    retired = telltale.number_at_first
    telltale.tell(at, Merge(retired=retired), "merge")
    stay = patient.stays[0]
    insurance = Insurance(stay=stay, policies=tuple(patient.policies), grant=stay.grant)
    telltale.tell(at + timedelta(minutes=3), insurance, "merge")


def _insure_the_transfer(patient: Patient, telltale: Telltale) -> None:
    stay = patient.stays[1]
    insurance = Insurance(stay=stay, policies=tuple(patient.policies), grant=stay.grant)
    telltale.tell(local(stay.admitted_on, 8), insurance, "insurance after the transfer")


def _undo_discharge(patient: Patient, telltale: Telltale) -> None:
    stay = patient.stays[0]
    at = visit_days(patient, stay)[3][-1].end_at + timedelta(hours=1)
    telltale.tell(at, Discharge(stay=stay), "discharge by mistake")
    telltale.tell(at + timedelta(hours=11), Discharge(stay=stay, undone=True), "discharge taken back")


def _cancel_after_billing(patient: Patient, telltale: Telltale) -> None:
    visits = visit_days(patient, patient.stays[0])[3]
    event = Attendance(visits=visits, cancelled=True)
    telltale.tell(local(_AFTER_BILLING_ON, 7, 45), event, "cancelled after billing", batch=Batch.AFTER_BILLING)


def _find_after_billing(patient: Patient, telltale: Telltale) -> None:
    event = Attendance(visits=visit_days(patient, patient.stays[0])[2])
    telltale.tell(local(_AFTER_BILLING_ON, 7, 50), event, "found after billing", batch=Batch.AFTER_BILLING)


_ADDITIONS: dict[str, Callable[[Patient, Telltale], None]] = {
    "no-shows": _book,
    "late-note": _sign_late,
    "coverage-a-day-later": _enter_insurance,
    "told-by-both": _tell_in_the_other_feed,
    "merged-record": _merge,
    "transfer-step-down": _insure_the_transfer,
    "discharge-undone": _undo_discharge,
    "cancelled-after-billing": _cancel_after_billing,
    "found-after-billing": _find_after_billing,
}
