"""A clinician is in one room at a time, whoever the patients are.

Why: sessions of one clinician that overlap in different rooms cannot all have happened as written; payers find them by
    comparing claims of different patients.
Fails: the clinician who led a session of this claim led another one with another patient at the same time, unless both
    are the same group. Warns; a payer's file may make it a block.
Passes: patients of one group, which is one kind of group session with one clinician at overlapping times; sessions that
    touch; an overlap of up to `minutes` (5).
Source: payers' documentation policies (start and stop time, rendering clinician); OIG compliance guidance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from gateway.claim.attendance import Session
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.context import Room
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    known = inspection.context.rooms_elsewhere
    if not known:
        return
    allowed, patient_id = timedelta(minutes=int(limits["minutes"])), inspection.claim.key.patient_id
    for index, sessions in enumerate(inspection.behind):
        for session in sessions:
            rooms = known.get(session.encounter_id)
            if rooms and (elsewhere := _others(session, rooms, allowed, patient_id)):
                yield _two_rooms(inspection, index, session, elsewhere)


def _others(session: Session, rooms: Sequence[Room], allowed: timedelta, patient_id: str) -> list[str]:
    """Encounters of other patients in the rooms that share more than the allowed time with the session."""
    return [
        encounter_id for room in rooms if _shared(session, room) > allowed for encounter_id in room.others(patient_id)
    ]


def _shared(session: Session, room: Room) -> timedelta:
    return min(session.end_at, room.end_at) - max(session.start_at, room.start_at)


def _two_rooms(inspection: Inspection, index: int, session: Session, elsewhere: list[str]) -> Finding:
    line = inspection.claim.lines[index]
    count = "another patient" if len(elsewhere) == 1 else f"{len(elsewhere)} other patients"
    return RULE.finding(
        f"lines[{index}].service_on",
        f"The clinician of the {session.session} session of {line.service_on} was with {count} elsewhere at the same "
        "time.",
        "Correct the clinician or the times of the session that is wrong.",
        values={"encounter": session.encounter_id, "other_encounters": ", ".join(sorted(elsewhere))},
        origin=session.origin("rendering") or session.origin("start_at"),
        cents=line.charge_cents,
    )


RULE = Rule(
    name="clinician-in-one-room",
    code="G09",
    severity=Severity.WARN,
    owner=Owner.CLINICIAN,
    group=Group.ATTENDANCE,
    snip=7,
    page=__doc__,
    check=_check,
    limits={"minutes": "5"},
)
