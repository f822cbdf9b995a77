"""The synthetic month: the same for the same seed, rich in stories, nobody real, nothing twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gateway.claim.identifiers import npi_is_valid
from gateway.demo import clinic
from gateway.demo.feed import Batch, Feed, FeedMessage
from gateway.demo.month import ClinicMonth, clinic_month
from gateway.demo.scenarios import CASES, SCENARIOS
from gateway.demo.stays import visit_days
from gateway.demo.truth import Came, Patient

MONTH = clinic_month()


def _messages(month: ClinicMonth) -> list[FeedMessage]:
    return [message for batch in Batch for message in month.messages(batch)]


def _told(scenario: str) -> Patient:
    return next(patient for patient in MONTH.patients if patient.scenario == scenario)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert _messages(clinic_month(seed=7, patients=45)) == _messages(clinic_month(seed=7, patients=45))


def test_another_seed_gives_another_month() -> None:
    assert _messages(clinic_month(seed=7)) != _messages(clinic_month(seed=8))


def test_a_patients_month_does_not_depend_on_how_many_patients_there_are() -> None:
    few, many = clinic_month(patients=40), clinic_month(patients=60)

    assert [patient.visits for patient in few.patients] == [patient.visits for patient in many.patients[:40]]


def test_the_month_is_as_large_as_a_small_clinics() -> None:
    assert len(MONTH.patients) >= 40
    assert 1500 < MONTH.visits < 2500
    assert {plan.key for plan in clinic.PLANS} == {patient.policies[0].plan.key for patient in MONTH.patients}
    assert {(site.key) for site in clinic.SITES} == {
        stay.track.site.key for patient in MONTH.patients for stay in patient.stays
    }


def test_every_story_is_told() -> None:
    assert set(SCENARIOS) == {patient.scenario for patient in MONTH.patients}
    assert {case.scenario for case in CASES} == set(SCENARIOS)


def test_the_messages_of_a_batch_come_in_order_of_time_and_inside_their_months() -> None:
    for batch, first, last in (
        (Batch.MONTH, datetime(2026, 7, 31, tzinfo=UTC), datetime(2026, 9, 1, 12, tzinfo=UTC)),
        (Batch.AFTER_BILLING, datetime(2026, 9, 1, 12, tzinfo=UTC), datetime(2026, 9, 1, 13, tzinfo=UTC)),
    ):
        times = [message.at for message in MONTH.messages(batch)]

        assert times
        assert all(before <= after for before, after in pairwise(times))
        assert first <= times[0]
        assert times[-1] <= last


def test_every_day_in_a_program_has_three_sessions_or_more_unless_the_patient_left() -> None:
    for patient in MONTH.patients:
        for stay in patient.stays:
            assert all(len(visits) >= 3 for visits in visit_days(patient, stay))


def test_sessions_of_a_patient_never_overlap() -> None:
    for patient in MONTH.patients:
        for one, other in pairwise(sorted(patient.visits, key=lambda visit: visit.start_at)):
            assert one.sign_out_at <= other.sign_in_at


def test_everything_happens_in_august() -> None:
    first = datetime(2026, 8, 1, tzinfo=clinic.ZONE)
    last = datetime(2026, 9, 1, tzinfo=clinic.ZONE)

    assert all(first <= visit.start_at < visit.end_at < last for patient in MONTH.patients for visit in patient.visits)


@pytest.mark.parametrize("patients", [48, 2600])
def test_names_numbers_and_ids_are_all_different(patients: int) -> None:
    month = clinic_month(patients=patients)
    everybody = month.patients
    names = {(each.human.given, each.human.middle, each.human.family) for each in everybody}
    visits = [visit.number for each in everybody for visit in each.visits]
    members = {each.policies[0].member_number for each in everybody}

    assert len(names) == patients
    assert len({each.mrn for each in everybody}) == patients
    assert len({each.recovery_mrn for each in everybody}) == patients
    assert len(members) == patients
    assert len(set(visits)) == len(visits)


def test_adolescents_are_dependents_and_nobody_else_is() -> None:
    for patient in MONTH.patients:
        policy = patient.policies[0]
        is_minor = patient.human.birth_on.year > 2008
        assert (patient.scenario == "dependent") == is_minor
        assert (policy.subscriber is not None) == (policy.relationship == "child") == is_minor


def test_npis_pass_the_check_digit() -> None:
    npis = [clinician.npi for clinician in clinic.CLINICIANS] + list(clinic.SITE_NPIS.values())

    assert all(npi_is_valid(npi) for npi in npis)
    assert len(set(npis)) == len(npis)


# --- the stories -----------------------------------------------------------------------------------------------------


def test_the_authorization_runs_out_before_the_ninth_day() -> None:
    patient = _told("authorization-runs-out")
    (stay,) = patient.stays

    assert stay.grant is not None
    assert 8 == stay.grant.units
    assert len(visit_days(patient, stay)) > 8


def test_late_notes_are_unsigned_first_and_signed_four_days_later() -> None:
    patient = _told("late-note")
    late = visit_days(patient, patient.stays[0])[2]
    told = [each for each in patient.told if getattr(each.event, "visits", ()) == late]

    assert [{visit.number for visit in late}, set()] == [
        {number for number in each.event.unsigned if number in {visit.number for visit in late}}  # type: ignore[union-attr]
        for each in told
    ]
    assert told[1].at - told[0].at > timedelta(days=3)


def test_the_no_shows_missed_two_whole_days() -> None:
    patient = _told("no-shows")
    missed = [day for day in visit_days(patient, patient.stays[0]) if all(visit.came is Came.NO_SHOW for visit in day)]

    assert 2 == len(missed)


def test_the_days_that_were_missed_had_been_booked_before() -> None:
    patient = _told("no-shows")
    booked = [each for each in patient.told if each.label == "booked"]
    missed = [each for each in patient.told if each.label == "no-show"]

    assert [each.event.visits for each in booked] == [each.event.visits for each in missed]  # type: ignore[union-attr]
    assert all(before.at < after.at for before, after in zip(booked, missed, strict=True))


def test_a_step_down_goes_from_partial_hospitalization_to_intensive_outpatient_on_a_later_day() -> None:
    for scenario in ("step-down", "transfer-step-down", "class-change-step-down"):
        before, after = _told(scenario).stays

        assert ("PHP", "IOP") == (before.track.level_of_care, after.track.level_of_care)
        assert before is after.follows
        assert before.discharged_on is not None
        assert before.discharged_on < after.admitted_on


def test_two_programs_meet_on_one_date() -> None:
    patient = _told("two-programs-a-day")
    dates = [
        {day[0].start_at.astimezone(clinic.ZONE).date() for day in visit_days(patient, stay)} for stay in patient.stays
    ]

    assert dates[0] & dates[1]


def test_a_visit_told_by_both_feeds_has_one_number() -> None:
    patient = _told("told-by-both")
    told = Counter((visit.number, each.feed) for each in patient.told for visit in getattr(each.event, "visits", ()))
    twice = {number for number, feed in told if feed is Feed.HL7}

    assert twice
    assert all((number, Feed.FHIR) in told for number in twice)


def test_coverage_comes_a_day_after_the_first_sessions() -> None:
    patient = _told("coverage-a-day-later")
    labels = [each.label for each in patient.told[:3]]

    assert ["admission", "day", "coverage a day later"] == labels


def test_what_comes_after_billing_is_a_separate_batch() -> None:
    labels = Counter(message.label for message in MONTH.messages(Batch.AFTER_BILLING))

    assert {"cancelled after billing": 2, "found after billing": 1} == dict(labels)


def test_labels_say_nothing_about_anybody() -> None:
    names = {name for patient in MONTH.patients for name in (patient.human.family, patient.human.given)}
    words = {word for message in _messages(MONTH) for word in message.label.replace("-", " ").split()}

    assert not names & words
