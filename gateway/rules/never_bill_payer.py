"""A payer the patient asked us never to bill is not billed.

Why: a patient who pays in full may forbid telling their plan; billing it all the same is a disclosure nobody can undo.
Fails: the claim goes to a payer on the patient's list. Nothing lets it pass.
Passes: any other payer.
Source: 45 CFR 164.522(a)(1)(vi), right to restrict disclosures to a health plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    if claim.insured.payer in inspection.context.never_bill_payers:
        yield RULE.finding(
            "insured.payer",
            f"The patient asked that {claim.insured.payer_name} never be billed.",
            "Bill the patient; only the patient can end the restriction.",
            values={"payer": claim.insured.payer},
            origin=inspection.origin("patient.never_bill_payers"),
            cents=claim.charge_cents,
        )


RULE = Rule(
    name="never-bill-payer",
    code="G31",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.COVERAGE,
    snip=7,
    page=__doc__,
    check=_check,
    overridable=False,
)
