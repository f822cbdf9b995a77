"""The place of service the EHR states for a session is the one the service is billed at.

Why: where the chart says one place and the claim another, one of them is wrong, and a payer that asks for records sees
    it (CARC 5, 58; RARC M77). The gate never picks one of them.
Fails: a session whose place of service differs from the claim's, or on an 837I from the definition's or facility's.
Passes: the same place; no place stated by the EHR; 02 or 10 stated for a session that was telehealth.
Source: CMS place of service code set; the service definition's or facility's `place_of_service`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from gateway.claim.attendance import Session
from gateway.claim.claim import ClaimLine
from gateway.claim.contract import ClaimForm, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import Modality
from gateway.rules.place_fits_form import TELEHEALTH_PLACES
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    for index, line, definition in inspection.lines:
        billed = _place(inspection, line, definition)
        elsewhere = [
            each
            for each in inspection.behind[index]
            if each.place_of_service and (each.place_of_service != billed or _is_remote(each))
        ]
        differing: dict[tuple[str, str], list[Session]] = {}
        for session in elsewhere:
            allowed = _remote_places(definition) if _is_remote(session) else {billed} - {""}
            if allowed and session.place_of_service not in allowed:
                differing.setdefault((session.place_of_service, min(allowed)), []).append(session)
        for (stated, expected), sessions in differing.items():
            yield _differs(index, line, sessions, stated, expected)


def _is_remote(session: Session) -> bool:
    return session.modality is not None and session.modality is not Modality.IN_PERSON


def _remote_places(definition: ServiceDefinition | None) -> Set[str]:
    return TELEHEALTH_PLACES | ({definition.telehealth_place_of_service} if definition else set()) - {""}


def _place(inspection: Inspection, line: ClaimLine, definition: ServiceDefinition | None) -> str:
    """The place of service a session in the program's rooms is billed at; empty when nobody stated one."""
    claim, facility = inspection.claim, inspection.context.facility
    if claim.form is ClaimForm.PROFESSIONAL:
        return line.place_of_service or claim.place_of_service
    return (definition.place_of_service if definition else "") or (facility.place_of_service if facility else "")


def _differs(index: int, line: ClaimLine, sessions: list[Session], stated: str, billed: str) -> Finding:
    kinds = ", ".join(dict.fromkeys(each.session for each in sessions))
    return RULE.finding(
        f"lines[{index}].place_of_service",
        f"The EHR puts {kinds} of {line.service_on} at place of service {stated}; the service is billed at {billed}.",
        "Correct the place of service of the visit in the EHR, or its telehealth flag.",
        values={
            "ehr": stated,
            "billed": billed,
            "encounters": ", ".join(each.encounter_id for each in sessions),
            "definition": line.definition,
        },
        origin=sessions[0].origin("place_of_service"),
        cents=line.charge_cents,
    )


RULE = Rule(
    name="place-agrees-with-chart",
    code="G32",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.PLACE,
    snip=6,
    page=__doc__,
    check=_check,
    needs=(Need.ATTENDANCE,),
)
