"""The billing NPI is enrolled with the payer for this claim form, and for remittances, on the day it is sent.

Why: an electronic claim of an NPI that is not enrolled is rejected at the clearinghouse or the payer (RARC N570), and
    without an 835 enrollment the answer comes on paper.
Fails: the payer's enrollment roster is loaded and holds no 837I or 837P enrollment of the billing NPI for today. Warns:
    none for the 835; none for EFT, where the payer's file has any. A payer's file without any enrollment roster is told
    once, by readiness.
Passes: an enrollment of the billing NPI for the claim's form, in force today.
Source: payers' electronic data interchange enrollment terms; the payer's file (`enrollments`). Judged by the day of
    submission, because an enrollment lets a transaction be sent, whatever days are on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.roster import ENROLLMENTS
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, payer, today = inspection.claim, inspection.context.payer, inspection.context.today
    if payer is None:
        return
    npi = claim.billing_provider.npi
    if payer.enrollments is None:
        yield from RULE.never_loaded(inspection, ENROLLMENTS, f" with {payer.name}")
        return
    in_force = {each.transaction for each in payer.enrollments if each.npi == npi and each.span.covers(today)}
    wanted = [(claim.form.value, Severity.BLOCK), ("835", Severity.WARN)]
    if any(each.transaction == "EFT" for each in payer.enrollments):
        wanted.append(("EFT", Severity.WARN))
    for transaction, severity in wanted:
        if transaction not in in_force:
            starts = [
                each.span.start_on.isoformat()
                for each in payer.enrollments
                if each.npi == npi and each.transaction == transaction
            ]
            yield RULE.finding(
                "billing_provider.npi",
                f"The billing NPI is not enrolled with {payer.name} for the {transaction} on {today}.",
                "Complete the enrollment with the payer, then add it to the payer's file.",
                values={"npi": npi, "transaction": transaction, "on": today.isoformat(), "starts": ", ".join(starts)},
                cents=claim.charge_cents if severity is Severity.BLOCK else 0,
                severity=severity,
            )


RULE = Rule(
    name="transactions-enrolled",
    code="G22",
    severity=Severity.BLOCK,
    owner=Owner.CREDENTIALING,
    group=Group.CREDENTIALING,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.ENROLLMENTS,),
    judges_voids=True,
)
