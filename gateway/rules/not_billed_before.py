"""No service is billed twice: not twice on the claim, not on another live claim to the same payer.

Why: the second one is denied as a duplicate (CARC 18, B13), and a changed claim sent as new is one too: it has to go
    as a replacement of the first.
Fails: two lines of one date with the same codes, modifiers and clinician; a line whose date, codes and modifiers
    another live claim of the patient bills to the same payer for the same organization.
Passes: the same code on another date; the same date with other codes; a replacement of the claim that billed the line.
Source: Medicare Claims Processing Manual ch. 1 s. 120 (detection of duplicate claims).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    yield from _within(inspection)
    others = {
        (each.on, each.revenue_code, each.hcpcs, frozenset(each.modifiers)): each
        for each in inspection.same_days
        if each.payer == claim.insured.payer and each.organization == claim.key.organization
    }
    if not others:
        return
    for index, line in enumerate(claim.lines):
        other = others.get((line.service_on, line.revenue_code, line.hcpcs, frozenset(line.modifiers)))
        if other is not None:
            where = f"claim {other.claim_number}" if other.claim_number else "another claim not sent yet"
            code = line.hcpcs or line.revenue_code
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{code} of {line.service_on} is already on {where} to {claim.insured.payer_name}.",
                "Take the line off one of them; a change to a sent claim goes as its replacement (frequency 7).",
                values={
                    "service_on": line.service_on.isoformat(),
                    "code": code,
                    "other_claim": other.claim_number or other.claim_key,
                    "sent": "yes" if other.sent else "no",
                },
                origin=line.origin("service_on"),
                cents=line.charge_cents,
            )


def _within(inspection: Inspection) -> Iterator[Finding]:
    lines = inspection.claim.lines
    seen: dict[tuple[object, ...], int] = {}
    for index, line in enumerate(lines):
        rendering = line.rendering.npi if line.rendering else ""
        identity = (line.service_on, line.revenue_code, line.hcpcs, line.modifiers, rendering)
        if seen.setdefault(identity, index) != index:
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{line.hcpcs or line.revenue_code} of {line.service_on} is on this claim twice.",
                "Bill the service once, with the number of sessions as units.",
                values={"service_on": line.service_on.isoformat(), "other_line": str(seen[identity] + 1)},
                cents=line.charge_cents,
            )


RULE = Rule(
    name="not-billed-before",
    code="G26",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.DUPLICATES,
    snip=7,
    page=__doc__,
    check=_check,
)
