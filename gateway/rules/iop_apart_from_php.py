"""A Medicare IOP claim shares no day with a PHP claim of the same patient, and follows one at a distance worth a look.

Why: Medicare returns an IOP claim (condition code 92) that overlaps a PHP claim (41) of the same patient and provider.
Fails: a date of service that another live claim with the other condition code also bills. Warns: a PHP day in the seven
    days before an IOP claim's first day, which one trade source says is returned too, and which every step-down has.
Passes: IOP from the day after the last PHP day (with the warning); no PHP claim near it.
Source: NAHRI, CMS releases billing requirements for new condition code 92 (2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.condition_codes_fit import IOP, PHP
from gateway.rules.rule import Group, Inspection, Limits, Rule

_LOOK_BACK = timedelta(days=7)


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    own = IOP if IOP in claim.condition_codes else PHP if PHP in claim.condition_codes else ""
    if not own or not inspection.billed_elsewhere:
        return
    other_code = PHP if own == IOP else IOP
    shared = {
        each.on: each
        for each in inspection.billed_elsewhere
        if other_code in each.condition_codes and each.organization == claim.key.organization
    }
    for index, line in enumerate(claim.lines):
        other = shared.get(line.service_on)
        if other is not None:
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{line.service_on} is billed with condition code {own} here and {other_code} on "
                f"{other.claim_number or 'another claim'}.",
                "Bill the day at one level of care and correct the other visit in the EHR.",
                values={
                    "service_on": line.service_on.isoformat(),
                    "other_claim": other.claim_number or other.claim_key,
                },
                origin=line.origins.get("level_of_care"),
                cents=line.charge_cents,
            )
    first = claim.statement_from_on
    before = [on for on in shared if own == IOP and first - _LOOK_BACK <= on < first]
    if before:
        yield RULE.finding(
            "statement_from_on",
            f"The patient had PHP on {max(before)}, within seven days before this IOP claim's first day {first}.",
            "An ordinary step-down: watch for the claim being returned.",
            values={"php_on": max(before).isoformat(), "statement_from_on": first.isoformat()},
            cents=claim.charge_cents,
            severity=Severity.WARN,
        )


RULE = Rule(
    name="iop-apart-from-php",
    code="G17",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.DUPLICATES,
    snip=7,
    page=__doc__,
    check=_check,
)
