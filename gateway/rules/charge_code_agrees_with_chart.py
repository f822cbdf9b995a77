"""The code the EHR charged for a session does not contradict the code the service is billed with.

Why: a clinician or a charge template that picked another program's code says that the level of care, the program or the
    template is wrong; billing the definition's code over it would hide that (CARC 199, 4).
Fails: itemised lines: any other code than the item's. Per-diem lines: a program-day code (one that any service
    definition bills a day with, or a known one) other than the line's.
Passes: the same code; no code charged; a component code, such as group therapy, inside a per-diem day.
Source: the service definitions of the mapping set; CMS HCPCS level II file for the known program-day codes.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.attendance import Session
from gateway.claim.claim import ClaimLine
from gateway.claim.contract import Catalogue, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_KNOWN_PROGRAM_DAYS = frozenset(
    {"H0015", "H0035", "H0037", "H2001", "H2012", "H2018", "H2020", "H2035", "H2036", "S0201", "S9475", "S9480"}
)


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    days = inspection.context.days
    for index, line, definition in inspection.lines():
        day = days.get(line.service_on)
        for session in day.sessions if day is not None else ():
            charged = session.charge_code
            if (
                charged
                and charged != line.hcpcs
                and session.encounter_id in line.encounter_ids
                and (not inspection.is_per_diem(index) or _is_program_day(charged, inspection.context.catalogue))
            ):
                yield _differs(index, line, session, definition)


def _is_program_day(code: str, catalogue: Catalogue) -> bool:
    return code in _KNOWN_PROGRAM_DAYS or any(
        code == each.hcpcs or (each.half_day is not None and code == each.half_day.hcpcs) for each in catalogue.services
    )


def _differs(index: int, line: ClaimLine, session: Session, definition: ServiceDefinition | None) -> Finding:
    billed = line.hcpcs or f"revenue code {line.revenue_code} alone"
    return RULE.finding(
        f"lines[{index}].hcpcs",
        f"The EHR charged {session.charge_code} for the {session.session} session of {line.service_on}; "
        f"the service is billed with {billed}.",
        "Correct the charge in the EHR, or the visit's level of care or program if those are wrong.",
        values={
            "ehr": session.charge_code,
            "billed": line.hcpcs,
            "encounter": session.encounter_id,
            "definition": definition.entry if definition else line.definition,
        },
        origin=session.origin("charge_code"),
        cents=line.charge_cents,
    )


RULE = Rule(
    name="charge-code-agrees-with-chart",
    code="G33",
    severity=Severity.BLOCK,
    owner=Owner.CLINICIAN,
    group=Group.CODES,
    snip=6,
    page=__doc__,
    check=_check,
)
