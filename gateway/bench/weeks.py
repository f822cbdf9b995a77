"""Patients of one week each: five dates, three sessions a date, told by either EHR of the demo's clinic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import orjson

from gateway.demo import clinic, fhir_feed, hl7_feed
from gateway.demo.feed import Feed, FeedMessage
from gateway.demo.people import make_human, make_npi, make_policy
from gateway.demo.rosters import CONTRACTS_SINCE
from gateway.demo.stays import add_visits, local, visit_days
from gateway.demo.truth import Admission, Attendance, Clinician, Grant, Patient, Stay, Telling, Track

MONDAY = date(2026, 8, 10)
DATES = tuple(MONDAY + timedelta(days=place) for place in range(5))
WEEK_IS_OVER = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
ENCOUNTERS = 15
"""Sessions of one patient, all on one claim."""
_WEEKDAYS = (0, 1, 2, 3, 4)


def _in_groups(track: Track, key: str) -> Track:
    """The track on every weekday, its sessions in groups alone: the clinic's few therapists cannot see a thousand
    patients one by one in a week, and the gate would rightly warn of every claim that says they did."""
    groups = tuple(
        replace(slot, kinds=tuple(each for each in slot.kinds if each not in clinic.ALONE)) for slot in track.slots
    )
    return replace(track, key=key, weekdays=_WEEKDAYS, slots=groups)


_TRACKS = (_in_groups(clinic.IOP, "bench-iop"), _in_groups(clinic.SUD_IOP, "bench-recovery-iop"))
"""Three sessions each; the first is told by the hospital's EHR (FHIR), the second by the recovery center's (HL7)."""
_A_GROUP = 12
"""Patients of one group, as many as one clinician takes."""


def _leader(place: int) -> Clinician:
    usual = _TRACKS[place % len(_TRACKS)].leader
    return replace(usual, key=f"leader{place}", npi=make_npi(70_000_000 + place), family=f"{usual.family} {place}")


LEADERS = tuple(_leader(place) for place in range(1_000))
"""Who leads the groups, one after the other of either track; enough for 12,000 patients, after whom groups grow."""
ROSTERS = {
    "credentials": [
        {"npi": each.npi, "payer": clinic.PRAIRIE.key, "role": "rendering", "start_on": CONTRACTS_SINCE.isoformat()}
        for each in LEADERS
    ]
}
"""Every leader is credentialed with the one payer."""


def week_messages(first: int, count: int, dates: Sequence[date] = DATES) -> list[FeedMessage]:
    """Everything the EHRs tell of the patients numbered from ``first``, in order of time, after who leads their groups;
    the rest of the clinic with 0.

    One weekly claim a patient, all for one payer that takes them without a person's release.
    """
    patients = [_patient(number, dates) for number in range(first, first + count)]
    told = [
        (telling, f"W{patient.number:06d}{place}") for patient in patients for place, telling in enumerate(patient.told)
    ]
    told.sort(key=lambda each: (each[0].at, each[1]))
    leaders = dict.fromkeys(each.stays[0].track.leader for each in patients)
    there = fhir_feed.clinic_message((*(clinic.CLINICIANS if first == 0 else ()), *leaders), f"C{first:06d}")
    return [there, *(_render(*each) for each in told)]


def _render(telling: Telling, control: str) -> FeedMessage:
    render = fhir_feed.render if telling.feed is Feed.FHIR else hl7_feed.render
    return FeedMessage(
        at=telling.at, feed=telling.feed, content=render(telling, control), label=telling.label, batch=telling.batch
    )


def plain_documents(count: int) -> list[bytes]:
    """A Bundle of some 12 KB a patient, admission and a day together: what the plain reference reads."""
    patients = (_patient(number) for number in range(0, count * len(_TRACKS), len(_TRACKS)))
    return [_together(*(fhir_feed.render(telling, "W") for telling in patient.told[:2])) for patient in patients]


def _together(admission: bytes, day: bytes) -> bytes:
    bundle = orjson.loads(admission)
    bundle["entry"] += orjson.loads(day)["entry"]
    return orjson.dumps(bundle)


def _patient(number: int, dates: Sequence[date] = DATES) -> Patient:
    random = Random(f"bench/{number}")  # noqa: S311 - reproducible fiction, no secret
    group, place = divmod(number, len(_TRACKS))
    leader = LEADERS[(group // _A_GROUP * len(_TRACKS) + place) % len(LEADERS)]
    track = replace(_TRACKS[place], leader=leader)
    human = make_human(random, number, "adult")
    patient = Patient(
        number=number,
        mrn=f"{700000 + number}",
        recovery_mrn=f"R{100000 + number}",
        human=human,
        scenario="steady",
        feed=track.site.feed,
    )
    patient.policies.append(make_policy(random, number, clinic.PRAIRIE, human, "adult"))
    stay = _stay(random, patient, track)
    patient.stays.append(stay)
    add_visits(random, patient, stay, dates)
    _tell(patient, stay, track.site.feed)
    return patient


def _stay(random: Random, patient: Patient, track: Track) -> Stay:
    number = patient.number
    grant = Grant(
        number=f"AU{number:06d}1",
        policy=patient.policies[0],
        level_of_care=track.level_of_care,
        units=20,
        start_on=MONDAY,
        end_on=MONDAY + timedelta(days=59),
    )
    return Stay(
        number=f"S{number:06d}1",
        track=track,
        admitted_on=MONDAY,
        discharged_on=None,
        patient_status="30",
        diagnoses=random.choice(clinic.DIAGNOSES[track.program]),
        attending=track.attending,
        grant=grant,
    )


def _tell(patient: Patient, stay: Stay, feed: Feed) -> None:
    admission = Admission(stay=stay, policies=tuple(patient.policies), grant=stay.grant)
    arrival = local(MONDAY, 7, 30) + timedelta(seconds=patient.number % 900)
    patient.told.append(Telling(at=arrival, feed=feed, patient=patient, event=admission, label="admission"))
    for visits in visit_days(patient, stay):
        at = visits[-1].end_at + timedelta(minutes=15, seconds=patient.number % 900)
        told = Telling(at=at, feed=feed, patient=patient, event=Attendance(visits=visits), label="day")
        patient.told.append(told)
