"""A line is charged no less than the contract pays for it.

Why: a payer pays the lower of charge and contract rate, so a charge below the rate is money given away on every line,
    and nobody sees it in a denial.
Fails: a charge below the contract's rate for the line's codes on its date, times the units.
Passes: a charge at or above it; a payer whose file has no rates; a line none of the rates is for.
Source: the payer's file (`rates`), the facility's charges; payers' lesser-of terms. Lines of $0.00 are
    amounts-add-up's.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.contract import ContractRate, Payer
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.money import dollars
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, payer = inspection.claim, inspection.context.payer
    if payer is None or not payer.rates:
        return
    for index, line in enumerate(claim.lines):
        rate = _rate_of(line, claim, payer)
        if rate is not None and line.charge_cents < rate.cents * line.units:
            yield RULE.finding(
                f"lines[{index}].charge_cents",
                f"The line of {line.service_on} is charged {dollars(line.charge_cents)}, and the contract pays "
                f"{dollars(rate.cents * line.units)}.",
                "Raise the facility's charge for the service; payers pay the lower of the two.",
                values={
                    "charge": dollars(line.charge_cents),
                    "rate": dollars(rate.cents),
                    "units": str(line.units),
                    "rate_entry": rate.entry,
                    "charge_entry": line.charge_entry,
                },
                cents=rate.cents * line.units - line.charge_cents,
            )


def _rate_of(line: ClaimLine, claim: Claim, payer: Payer) -> ContractRate | None:
    """The most specific rate for the line on its date."""
    fitting = [each for each in payer.rates if each.span.covers(line.service_on) and _is_for(each, line, claim)]
    return max(fitting, key=_specific, default=None)


def _is_for(rate: ContractRate, line: ClaimLine, claim: Claim) -> bool:
    return (
        rate.revenue_code in ("", line.revenue_code)
        and rate.hcpcs in ("", line.hcpcs)
        and set(rate.modifiers) <= set(line.modifiers)
        and rate.facility in ("", claim.key.facility)
        and rate.level_of_care in (None, claim.key.level_of_care)
    )


def _specific(rate: ContractRate) -> int:
    parts = (rate.revenue_code, rate.hcpcs, rate.facility, rate.level_of_care, *rate.modifiers)
    return sum(bool(each) for each in parts)


RULE = Rule(
    name="charge-covers-rate",
    code="G30",
    severity=Severity.WARN,
    owner=Owner.BILLING,
    group=Group.PAYER,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.PAYER,),
)
