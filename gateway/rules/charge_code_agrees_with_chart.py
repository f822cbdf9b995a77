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
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule

_KNOWN_PROGRAM_DAYS = frozenset(
    {"H0015", "H0035", "H0037", "H2001", "H2012", "H2018", "H2020", "H2035", "H2036", "S0201", "S9475", "S9480"}
)


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    for index, line, definition in inspection.lines:
        differing: dict[str, list[Session]] = {}
        for session in inspection.behind[index]:
            charged = session.charge_code
            if (
                charged
                and charged != line.hcpcs
                and (not inspection.per_diem[index] or _is_program_day(charged, inspection.context.catalogue))
            ):
                differing.setdefault(charged, []).append(session)
        for charged, sessions in differing.items():
            yield _differs(index, line, sessions, charged, definition)


def _is_program_day(code: str, catalogue: Catalogue) -> bool:
    return code in _KNOWN_PROGRAM_DAYS or any(
        code == each.hcpcs or (each.half_day is not None and code == each.half_day.hcpcs) for each in catalogue.services
    )


def _differs(
    index: int, line: ClaimLine, sessions: list[Session], charged: str, definition: ServiceDefinition | None
) -> Finding:
    billed = line.hcpcs or f"revenue code {line.revenue_code} alone"
    kinds = ", ".join(dict.fromkeys(each.session for each in sessions))
    return RULE.finding(
        f"lines[{index}].hcpcs",
        f"The EHR charged {charged} for {kinds} of {line.service_on}; the service is billed with {billed}.",
        "Correct the charge in the EHR, or the visit's level of care or program if those are wrong.",
        values={
            "ehr": charged,
            "billed": line.hcpcs,
            "encounters": ", ".join(each.encounter_id for each in sessions),
            "definition": definition.entry if definition else line.definition,
        },
        origin=sessions[0].origin("charge_code"),
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
    needs=(Need.ATTENDANCE,),
)
