"""The claim carries what its payer asks for beyond the guide: a number of its own for the provider, value codes.

Why: a Medicaid that pays by rate code, or knows providers by a number of its own, denies a claim without them (CARC 16;
    RARC M49, N257). U modifiers belong to the service definition, and codes-fit-definition looks after them.
Fails: the payer's file lists numbers of providers and none of the billing NPI is in force at the facility on a day
    billed; another number than that on the claim; a value code of the definition that is missing or has another amount;
    a value code no definition of the claim asks for.
Passes: the number in force on every day billed; the definition's value codes and no others; payers that list none.
Source: 005010X223A2 and 005010X222A1 loop 2010BB REF*G2, 005010X223A2 HI*BE; the payer's file (`provider_numbers`) and
    the service definition (`value_codes`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.claim import ClaimLine
from gateway.claim.contract import Payer, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    payer = inspection.context.payer
    if payer is not None and payer.provider_numbers:
        yield from _provider_number(inspection, payer)
    yield from _value_codes(inspection)


def _provider_number(inspection: Inspection, payer: Payer) -> Iterator[Finding]:
    claim = inspection.claim
    npi, facility, found = claim.billing_provider.npi, claim.key.facility, claim.insured.provider_number
    wanted = {line.service_on: payer.provider_number(npi, facility, line.service_on) for line in claim.lines}
    missing = [on.isoformat() for on, number in wanted.items() if not number]
    other = [on.isoformat() for on, number in wanted.items() if number and number != found]
    if missing or other:
        said = "has no number in force with" if missing else "has another number than the claim's with"
        yield RULE.finding(
            "insured.provider_number",
            f"The billing NPI {said} {payer.name} on {', '.join(missing or other)}.",
            "Add the number and its dates to the payer's file; a day under another number needs a claim of its own.",
            values={"npi": npi, "facility": facility, "found": found, "entry": payer.entry},
            cents=claim.charge_cents,
        )


def _value_codes(inspection: Inspection) -> Iterator[Finding]:
    claim = inspection.claim
    carried = set(claim.value_codes)
    asked = set()
    lacking: list[tuple[int, ClaimLine, ServiceDefinition]] = []
    for index, line, definition in inspection.lines:
        if definition is not None:
            asked |= {*definition.value_codes}
            if not carried.issuperset(definition.value_codes):
                lacking.append((index, line, definition))
    if lacking:
        index, _, definition = lacking[0]
        yield RULE.finding(
            f"lines[{index}]",
            f"The claim lacks a value code that {claim.insured.payer_name} asks for with this service.",
            "Assemble the claim again; days whose definitions ask for different amounts need claims of their own.",
            values={
                "expected": ", ".join(f"{each.code} {each.amount}" for each in definition.value_codes),
                "found": ", ".join(f"{each.code} {each.amount}" for each in claim.value_codes),
                "entry": definition.entry,
            },
            cents=sum(line.charge_cents for _, line, _ in lacking),
        )
    extra = sorted(f"{each.code} {each.amount}" for each in carried - asked)
    if extra and not lacking:
        yield RULE.finding(
            "value_codes",
            "The claim carries a value code that no service definition of its lines asks for.",
            "Add it to the service definition, or leave it off.",
            values={"found": ", ".join(extra)},
            cents=claim.charge_cents,
        )


RULE = Rule(
    name="payer-specifics-carried",
    code="G28",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.PAYER,
    snip=7,
    page=__doc__,
    check=_check,
)
