"""A continuing Medicare claim waits until the claims before it in its series are decided.

Why: Medicare takes a series of claims for one stay in the order of their dates, each after the one before it was
    finalized; one that comes early is returned to the provider, and its filing time runs on.
Fails: frequency 3 or 4, and an earlier claim of the same patient, organization, facility and level of care to Medicare
    that was not sent yet, or that no remittance has decided.
Passes: the first claim of a series; a claim after one that was paid or denied; payers other than Medicare.
Source: Medicare Claims Processing Manual ch. 1 s. 50.2.3 (submission in sequence).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_CONTINUING = frozenset({"3", "4"})


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    if claim.frequency not in _CONTINUING or not inspection.is_medicare:
        return
    key, first = claim.key, claim.statement_from_on
    for other in inspection.billed_elsewhere:
        same = (other.payer, other.organization, other.facility, other.level_of_care)
        if other.finalized or other.on >= first or same != (
            claim.insured.payer, key.organization, key.facility, key.level_of_care
        ):  # fmt: skip
            continue
        said = f"claim {other.claim_number} is not decided yet" if other.sent else "an earlier claim was not sent yet"
        yield RULE.finding(
            "statement_from_on",
            f"This claim goes on from {first}, and {said} ({other.on}).",
            "Send the claims of a stay in order; this one is freed when the remittance of the one before it comes.",
            values={
                "frequency": claim.frequency,
                "earlier_claim": other.claim_number or other.claim_key,
                "earlier_on": other.on.isoformat(),
                "sent": "yes" if other.sent else "no",
            },
            cents=claim.charge_cents,
        )
        return


RULE = Rule(
    name="series-in-order",
    code="G16",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.SERIES,
    snip=7,
    page=__doc__,
    check=_check,
)
