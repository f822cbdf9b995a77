"""A patient's stays, authorizations and sessions in August 2026, from a seed. Knows no story and no message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from gateway.demo import clinic
from gateway.demo.truth import Clinician, Grant, Patient, Slot, Stay, Track, Visit

FIRST_DAY, LAST_DAY = date(2026, 8, 3), date(2026, 8, 31)
_LATEST_ADMISSION = date(2026, 8, 12)
_STILL_THERE, _HOME = "30", "01"
_DAYS_OF = {"PHP": (10, 13), "IOP": (8, 11)}


def local(on: date, hour: int, minute: int = 0) -> datetime:
    """A time on the clinic's wall, as an aware UTC datetime."""
    return datetime.combine(on, time(hour, minute), clinic.ZONE).astimezone(UTC)


def plan_stays(random: Random, patient: Patient, tracks: Sequence[Track]) -> None:
    """One stay after the other, each with its sessions, from an admission in the first days of August."""
    starts_on = random.choice([on for on in _program_days(tracks[0], FIRST_DAY) if on <= _LATEST_ADMISSION])
    if len(tracks) > 1:
        starts_on = FIRST_DAY
    before: Stay | None = None
    for position, track in enumerate(tracks):
        fewest, most = _DAYS_OF[track.level_of_care]
        wanted = 7 if position + 1 < len(tracks) else random.randint(fewest, most)
        days = list(_program_days(track, starts_on))[:wanted]
        stay = _stay(random, patient, track, days)
        stay.follows = before
        patient.stays.append(stay)
        add_visits(random, patient, stay, days)
        before, starts_on = stay, days[-1] + timedelta(days=1)


def plan_evening_stay(random: Random, patient: Patient, track: Track) -> None:
    """A second program on some of the days of the first one."""
    first = patient.stays[0]
    days = list(_program_days(track, first.admitted_on + timedelta(days=3)))[:6]
    stay = _stay(random, patient, track, days)
    patient.stays.append(stay)
    add_visits(random, patient, stay, days)


def add_visits(random: Random, patient: Patient, stay: Stay, days: Sequence[date]) -> None:
    """The sessions of those days, attended from within two minutes of the start to the end."""
    for on in days:
        for position, slot in enumerate(stay.track.slots):
            patient.visits.append(_visit(random, patient, stay, on, slot, first=position == 0))


def visit_days(patient: Patient, stay: Stay) -> list[tuple[Visit, ...]]:
    """The stay's sessions, day by day."""
    days: dict[date, list[Visit]] = {}
    for visit in patient.visits:
        if visit.stay is stay:
            days.setdefault(visit.start_at.astimezone(clinic.ZONE).date(), []).append(visit)
    return [tuple(visits) for visits in days.values()]


def _program_days(track: Track, starts_on: date) -> Iterator[date]:
    on = starts_on
    while on <= LAST_DAY:
        if on.weekday() in track.weekdays:
            yield on
        on += timedelta(days=1)


def _stay(random: Random, patient: Patient, track: Track, days: Sequence[date]) -> Stay:
    number = f"S{patient.number:06d}{len(patient.stays) + 1}"
    ended = days[-1] <= date(2026, 8, 26)
    stay = Stay(
        number=number,
        track=track,
        admitted_on=days[0],
        discharged_on=days[-1] if ended else None,
        patient_status=_HOME if ended else _STILL_THERE,
        diagnoses=patient.stays[0].diagnoses if _same_illness(patient, track) else _diagnoses(random, track),
        attending=track.attending,
    )
    policy = patient.policies[0]
    if policy.plan not in (clinic.MEDICARE, clinic.UNHEARD_OF):
        stay.grant = Grant(
            number=f"AU{patient.number:06d}{len(patient.stays) + 1}",
            policy=policy,
            level_of_care=track.level_of_care,
            units=len(days) + 6,
            start_on=days[0],
            end_on=days[0] + timedelta(days=59),
        )
    return stay


def _same_illness(patient: Patient, track: Track) -> bool:
    return bool(patient.stays) and patient.stays[0].track.site is track.site


def _diagnoses(random: Random, track: Track) -> tuple[str, ...]:
    return random.choice(clinic.DIAGNOSES[track.program])


def _visit(random: Random, patient: Patient, stay: Stay, on: date, slot: Slot, *, first: bool) -> Visit:
    hour, minute = slot.starts.split(":")
    start_at = local(on, int(hour), int(minute))
    end_at = start_at + timedelta(minutes=slot.minutes)
    kind = _kind(patient, stay.track, slot, on)
    charges = clinic.CHARGE_CODES.get((patient.policies[0].plan.key, stay.track.program), "")
    return Visit(
        number=f"V{patient.number:06d}{len(patient.visits) + 1:03d}",
        stay=stay,
        kind=kind,
        start_at=start_at,
        end_at=end_at,
        sign_in_at=start_at + timedelta(seconds=random.randint(0, 110)),
        sign_out_at=end_at,
        therapist=_therapist(patient, stay.track, kind),
        place_of_service=stay.track.site.place_of_service,
        charge_code=charges if first else "",
    )


def _kind(patient: Patient, track: Track, slot: Slot, on: date) -> str:
    """What the slot is that day. Patients of one therapist are seen on different days of the week."""
    turn = patient.number // len(clinic.THERAPISTS)
    return slot.kinds[(track.weekdays.index(on.weekday()) + turn) % len(slot.kinds)]


def _therapist(patient: Patient, track: Track, kind: str) -> Clinician:
    if kind in clinic.ALONE:
        return clinic.THERAPISTS[patient.number % len(clinic.THERAPISTS)]
    return clinic.OCCUPATIONAL_LEADER if kind == clinic.OCCUPATIONAL else track.leader
