"""Attendance supports every line: the day was attended, long enough, and every note of it is signed.

Why: payers compare claims with sign-in sheets and notes; a day billed that was not attended, or whose notes are not
    signed, is money to give back, with a penalty where it is a pattern.
Fails: no attended session behind a line; fewer minutes or services than the service definition asks for; a line that
    no longer says what attendance says; a session of the line whose note is not signed.
Passes: attended minutes and services at or above the definition's minimum; no minimum where the definition has none;
    every note signed.
Source: the service definition (`minimum_minutes_day`, `minimum_services_day`, `half_day`); 42 CFR 424.24(e), 410.43.
    A note of which the feed says nothing counts as not signed; a payer may lower that with `unknown_note: warn`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.attendance import ServiceDay, Session
from gateway.claim.claim import ClaimLine
from gateway.claim.contract import ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import AttendanceStatus
from gateway.rules.rule import Group, Inspection, Limits, Rule

_ATTENDED = AttendanceStatus.ATTENDED


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    days = inspection.context.days
    for index, line, definition in inspection.lines:
        day = days.get(line.service_on)
        behind = [each for each in inspection.behind[index] if each.status is _ATTENDED]
        if day is None or len(behind) < len(line.encounter_ids) or not behind:
            yield _not_attended(index, line, len(behind))
            continue
        if definition is not None and inspection.per_diem[index]:
            least = _least(line, definition)
            if day.minutes < least[0] or day.services < least[1]:
                yield _too_short(index, line, day, least)
            elif line.minutes != day.minutes or line.services != day.services:
                yield _changed_since(index, line, day)
        unsigned = [each for each in behind if each.encounter_id in day.unsigned] if day.unsigned else []
        if unsigned:
            yield _unsigned(index, line, unsigned, limits)


def _not_attended(index: int, line: ClaimLine, attended: int) -> Finding:
    return RULE.finding(
        f"lines[{index}].service_on",
        f"{line.service_on} is billed for {len(line.encounter_ids)} sessions, but {attended} of them were attended.",
        "Correct the attendance in the EHR if the patient was there; otherwise take the day off the claim.",
        values={"sessions": str(len(line.encounter_ids)), "attended": str(attended)},
        origin=line.origins.get("status"),
        cents=line.charge_cents,
        owner=Owner.FRONT_DESK,
    )


def _least(line: ClaimLine, definition: ServiceDefinition) -> tuple[int, int]:
    """The minutes and services that the day billed, whole or half, needs."""
    half = definition.half_day
    if half is not None and line.revenue_code == half.revenue_code and line.hcpcs == half.hcpcs:
        return half.minimum_minutes, 0
    return definition.minimum_minutes_day or 0, definition.minimum_services_day or 0


def _too_short(index: int, line: ClaimLine, day: ServiceDay, least: tuple[int, int]) -> Finding:
    minutes, services = least
    return RULE.finding(
        f"lines[{index}].minutes",
        f"{line.service_on} has {day.minutes} attended minutes and {day.services} services; "
        f"the day billed needs {minutes} minutes and {services} services.",
        "Correct the sign-in and sign-out times if they are wrong; a short day is not billed as a full one.",
        values={
            "minutes": str(day.minutes),
            "minimum_minutes": str(minutes),
            "services": str(day.services),
            "minimum_services": str(services),
            "definition": line.definition,
        },
        origin=line.origins.get("end_at"),
        cents=line.charge_cents,
        owner=Owner.FRONT_DESK,
    )


def _changed_since(index: int, line: ClaimLine, day: ServiceDay) -> Finding:
    return RULE.finding(
        f"lines[{index}].minutes",
        f"The line of {line.service_on} says {line.minutes} minutes and {line.services} services, "
        f"attendance says {day.minutes} and {day.services}.",
        "Assemble the claim again: attendance changed after it was drafted.",
        values={"claimed_minutes": str(line.minutes), "minutes": str(day.minutes)},
        origin=line.origins.get("end_at"),
        cents=line.charge_cents,
        owner=Owner.BILLING,
    )


def _unsigned(index: int, line: ClaimLine, sessions: list[Session], limits: Limits) -> Finding:
    unknown = all(each.note_signed is None for each in sessions)
    lowered = unknown and limits["unknown_note"] == "warn"
    kinds = ", ".join(dict.fromkeys(each.session for each in sessions))
    many = len(sessions) > 1
    state = "not known to be signed" if unknown else "not signed"
    return RULE.finding(
        f"lines[{index}].encounter_ids",
        f"{len(sessions)} note{'s' if many else ''} of {line.service_on} {'are' if many else 'is'} {state}: {kinds}.",
        "Sign the note in the EHR; the claim is freed when the EHR sends the visit again.",
        values={
            "service_on": line.service_on.isoformat(),
            "encounters": ", ".join(each.encounter_id for each in sessions),
            "sessions": kinds,
        },
        origin=sessions[0].origin("note_signed") or sessions[0].origin("status"),
        cents=line.charge_cents,
        severity=Severity.WARN if lowered else None,
    )


RULE = Rule(
    name="attendance-supports-lines",
    code="G09",
    severity=Severity.BLOCK,
    owner=Owner.CLINICIAN,
    group=Group.ATTENDANCE,
    snip=7,
    page=__doc__,
    check=_check,
    limits={"unknown_note": "block"},
    limit_words={"unknown_note": ("block", "warn")},
)
