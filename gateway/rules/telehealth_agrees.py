"""Telehealth on a line is telehealth in the chart: modality, place of service and modifiers tell one story.

Why: a telehealth modifier with an office place of service, or 02 or 10 without one, is denied (CARC 4, 5), and a day on
    a screen billed as a day in the program is a false claim.
Fails: sessions by telehealth where the definition does not allow it; 02 or 10, or a telehealth modifier, on a line with
    a session in person; a professional line of telehealth sessions alone with another place of service than 02 or 10
    or the definition's. Warns: remote sessions behind a Medicare PHP or IOP line, which may not count toward the day.
Passes: in-person sessions with the program's place; telehealth from home with 10 and the definition's modifiers.
Source: CMS place of service code set (02, 10); the service definition (`telehealth_allowed`, `telehealth_modifiers`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.attendance import Session
from gateway.claim.claim import ClaimLine
from gateway.claim.contract import ClaimForm, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import Modality
from gateway.rules.place_fits_form import TELEHEALTH_PLACES
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule

_REMOTE = frozenset({Modality.TELEHEALTH_HOME, Modality.TELEHEALTH_OTHER})
_MODIFIERS = frozenset({"GT", "GQ", "FQ", "93", "95"})


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    for index, line, definition in inspection.lines:
        behind = inspection.behind[index]
        remote = [each for each in behind if each.modality in _REMOTE]
        modifiers = _MODIFIERS.intersection(line.modifiers)
        place = line.place_of_service or inspection.claim.place_of_service
        if not remote and not modifiers and place not in TELEHEALTH_PLACES:
            continue
        if remote and definition is not None and not definition.telehealth_allowed:
            yield _not_allowed(index, line, remote, definition)
        elif remote and inspection.is_medicare:
            yield _may_not_count(index, line, remote)
        yield from _disagreement(inspection, index, line, definition, behind, remote)


def _disagreement(
    inspection: Inspection,
    index: int,
    line: ClaimLine,
    definition: ServiceDefinition | None,
    behind: tuple[Session, ...],
    remote: list[Session],
) -> Iterator[Finding]:
    professional = inspection.claim.form is ClaimForm.PROFESSIONAL
    place = (line.place_of_service or inspection.claim.place_of_service) if professional else ""
    modifiers = [each for each in line.modifiers if each in _MODIFIERS]
    present = [each for each in behind if each.modality not in _REMOTE]
    if present and (modifiers or place in TELEHEALTH_PLACES):
        # A mixed day is billed as a day in the program's rooms; a day in person never as telehealth.
        yield _differs(index, line, present[0], f"{place} {' '.join(modifiers)}".strip(), "in person")
    if remote and not present and professional:
        allowed = TELEHEALTH_PLACES | ({definition.telehealth_place_of_service} if definition else set())
        if place not in allowed:
            yield _differs(index, line, remote[0], f"place of service {place or 'none'}", "telehealth")
    asked = definition.telehealth_modifiers if definition and remote and not present else ()
    missing = [each for each in asked if each not in line.modifiers]
    if missing:
        yield _differs(index, line, remote[0], f"no modifier {' '.join(missing)}", "telehealth")


def _differs(index: int, line: ClaimLine, session: Session, billed: str, chart: str) -> Finding:
    return RULE.finding(
        f"lines[{index}].place_of_service",
        f"The line of {line.service_on} is billed with {billed}, and its sessions were {chart}.",
        "Correct how the session was held in the EHR, or the definition's telehealth codes.",
        values={"billed": billed, "sessions": chart, "definition": line.definition},
        origin=session.origin("modality"),
        cents=line.charge_cents,
    )


def _not_allowed(index: int, line: ClaimLine, remote: list[Session], definition: ServiceDefinition) -> Finding:
    return RULE.finding(
        f"lines[{index}].place_of_service",
        f"{len(remote)} of the sessions of {line.service_on} were by telehealth, which this payer does not pay here.",
        "Correct the sessions' modality if the patient was there; otherwise the day is not billed to this payer.",
        values={"remote_sessions": str(len(remote)), "definition": definition.entry},
        origin=remote[0].origin("modality"),
        cents=line.charge_cents,
    )


def _may_not_count(index: int, line: ClaimLine, remote: list[Session]) -> Finding:
    return RULE.finding(
        f"lines[{index}].place_of_service",
        f"{len(remote)} of the sessions of {line.service_on} were remote; Medicare may not count them toward the day.",
        "Ask the Medicare contractor before billing remote sessions of a program day.",
        values={"remote_sessions": str(len(remote))},
        origin=remote[0].origin("modality"),
        cents=line.charge_cents,
        severity=Severity.WARN,
    )


RULE = Rule(
    name="telehealth-agrees",
    code="G20",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.PLACE,
    snip=5,
    page=__doc__,
    check=_check,
    needs=(Need.ATTENDANCE,),
)
