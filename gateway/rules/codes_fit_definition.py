"""Revenue code, HCPCS and modifiers of every line are those of the service definition in force on its date.

Why: the payer buys one pair of codes for a program day or session; any other pair is denied (CARC 199, 4, 16).
Fails: a line whose definition is not in force on its date; a revenue code and HCPCS that the definition does not pair;
    a modifier of the definition that is missing; a modifier that neither it, telehealth nor the campus asks for.
Passes: the definition's codes; its half-day or itemised codes; telehealth and off-campus modifiers added to them.
Source: the service definition named on the line; billing by date of service.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.claim import ClaimLine
from gateway.claim.contract import Bundling, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule

Codes = tuple[str, str, tuple[str, ...]]


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    facility = inspection.context.facility
    campus = facility.off_campus_modifier if facility else ""
    for index, line, definition in inspection.lines:
        if definition is None:
            yield RULE.finding(
                f"lines[{index}].definition_id",
                f"The service definition '{line.definition_id}' is not in force on {line.service_on}.",
                "Assemble the claim again with the definitions in force.",
                values={"definition": line.definition, "service_on": line.service_on.isoformat()},
                cents=line.charge_cents,
            )
        elif _is_whole_day(line, definition):
            continue
        elif not any(_fits(line, codes, definition, campus) for codes in _bought(definition)):
            yield _other_codes(index, line, definition)


def _is_whole_day(line: ClaimLine, definition: ServiceDefinition) -> bool:
    """True for the codes of nearly every line: the definition's own, with nothing added."""
    return (
        definition.bundling is Bundling.PER_DIEM
        and line.hcpcs == definition.hcpcs
        and line.revenue_code == definition.revenue_code
        and line.modifiers == definition.modifiers
    )


def _bought(definition: ServiceDefinition) -> Iterator[Codes]:
    for item in definition.items:
        yield item.revenue_code, item.hcpcs, item.modifiers
    if definition.bundling is Bundling.ITEMISED:
        return
    yield definition.revenue_code, definition.hcpcs, definition.modifiers
    half = definition.half_day
    if half is not None:
        yield half.revenue_code, half.hcpcs, half.modifiers


def _fits(line: ClaimLine, codes: Codes, definition: ServiceDefinition, campus: str) -> bool:
    revenue_code, hcpcs, modifiers = codes
    if line.hcpcs != hcpcs or line.revenue_code != revenue_code:
        return False
    if line.modifiers == modifiers:
        return True
    added = {*definition.telehealth_modifiers, campus}
    return set(modifiers) <= set(line.modifiers) and set(line.modifiers) - set(modifiers) <= added


def _other_codes(index: int, line: ClaimLine, definition: ServiceDefinition) -> Finding:
    found = _words((line.revenue_code, line.hcpcs, line.modifiers))
    bought = " or ".join(dict.fromkeys(_words(codes) for codes in _bought(definition)))
    return RULE.finding(
        f"lines[{index}].hcpcs",
        f"The line of {line.service_on} bills {found}; the definition says {bought}.",
        "Bill the definition's codes, or correct the definition if the contract says otherwise.",
        values={"found": found, "expected": bought, "definition": definition.entry},
        cents=line.charge_cents,
    )


def _words(codes: Codes) -> str:
    revenue_code, hcpcs, modifiers = codes
    return " ".join(part for part in (revenue_code, hcpcs, *modifiers) if part) or "no code"


RULE = Rule(
    name="codes-fit-definition",
    code="G12",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=6,
    page=__doc__,
    check=_check,
    needs=(Need.DEFINITIONS,),
)
