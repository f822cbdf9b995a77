"""The bill type of an 837I, or the place of service of an 837P, is the one the definition or the facility states.

Why: a claim on the wrong form, bill type or place of service is returned or denied (CARC 5, 58; RARC MA30, M77).
Fails: another form than the definition's; an 837I without bill type, with an inpatient one (11, 12, 14, 18, 21), or
    with another than expected; an 837I line without revenue code; an 837P without place of service, with one CMS does
    not publish, or with another than expected; an 837P line without HCPCS.
Passes: 13, 76 or 85 as the facility states; 52, 53, 57 or 22 as the definition states; 02 or 10 where every session of
    the line was telehealth.
Source: 005010X223A2 and 005010X222A1 loop 2300 CLM05; CMS place of service code set; 42 CFR 410.2 and 410.43.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.claim import ClaimLine
from gateway.claim.contract import ClaimForm, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_INPATIENT = frozenset({"11", "12", "14", "18", "21"})
TELEHEALTH_PLACES = frozenset({"02", "10"})


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, facility = inspection.claim, inspection.context.facility
    definition = next((each for each in inspection.definitions if each is not None), None)
    if definition is not None and definition.form is not claim.form:
        yield _differs(inspection, "form", "form", claim.form, definition.form, definition)
    if claim.form is ClaimForm.INSTITUTIONAL:
        expected = (definition and definition.bill_class) or (facility.bill_class if facility else "")
        found = claim.bill_class
        if not found or found in _INPATIENT or (expected and found != expected):
            allowed = expected if expected and expected not in _INPATIENT else "an outpatient bill type"
            yield _differs(inspection, "bill_class", "bill type", found, allowed, definition)
        for index, line in enumerate(claim.lines):
            if not line.revenue_code:
                yield _no_code(index, line, "revenue_code", "revenue code")
        return
    yield from _places(inspection, definition)


def _places(inspection: Inspection, definition: ServiceDefinition | None) -> Iterator[Finding]:
    claim, facility, codes = inspection.claim, inspection.context.facility, inspection.context.codes
    expected = (definition and definition.place_of_service) or (facility.place_of_service if facility else "")
    remote = {definition.telehealth_place_of_service} if definition else set()
    allowed = {expected, *remote, *TELEHEALTH_PLACES}
    places = [("place_of_service", claim.place_of_service)]
    for index, line in enumerate(claim.lines):
        if line.place_of_service and line.place_of_service != claim.place_of_service:
            places.append((f"lines[{index}].place_of_service", line.place_of_service))
        if not line.hcpcs:
            yield _no_code(index, line, "hcpcs", "HCPCS")
    for path, found in places:
        if not found or not codes.place_of_service_is_known(found) or (expected and found not in allowed):
            yield _differs(inspection, path, "place of service", found, expected or "a published code", definition)


def _differs(
    inspection: Inspection, path: str, word: str, found: str, expected: str, definition: ServiceDefinition | None
) -> Finding:
    claim, facility = inspection.claim, inspection.context.facility
    return RULE.finding(
        path,
        f"The {word} is {found or 'missing'}; it should be {expected}.",
        f"State the {word} in the service definition or the facility's file, and assemble the claim again.",
        values={
            "found": found,
            "expected": expected,
            "definition": definition.entry if definition else "",
            "facility": facility.entry if facility else "",
        },
        cents=claim.charge_cents,
    )


def _no_code(index: int, line: ClaimLine, name: str, word: str) -> Finding:
    return RULE.finding(
        f"lines[{index}].{name}",
        f"The line of {line.service_on} has no {word}.",
        f"Add the {word} to the service definition.",
        values={"definition": line.definition},
        cents=line.charge_cents,
    )


RULE = Rule(
    name="place-fits-form",
    code="G12",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.PLACE,
    snip=6,
    page=__doc__,
    check=_check,
)
