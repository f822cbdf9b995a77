"""The claim goes to the payer that pays first on every one of its days.

Why: a payer that another should have paid before denies the claim (CARC 22); Medicaid and TRICARE pay last by law. Two
    coverages without an order hold their days before any claim is made of them.
Fails: the claim is no first claim (SBR01 other than P: what an earlier payer paid is not on it); the feed calls this
    coverage second or later and never told of an earlier one; Medicaid is billed while another coverage is in force, or
    TRICARE while one other than Medicaid is; the payer's own answer names another that pays before it.
Passes: the only coverage, or the first of several; Medicaid once no other coverage is in force on the days billed.
Source: 42 CFR 433.139 (Medicaid pays last), 32 CFR 199.8 (TRICARE), 42 CFR 411 (Medicare secondary payer);
    Coverage.order or IN1-22, and the payers' answers (271, EB with loop 2120C PRP).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import LineOfBusiness
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule
from gateway.services.case import KnownCoverage
from gateway.services.eligibility import answers_for, eligibility_on

_LAST = {
    LineOfBusiness.MEDICAID: frozenset({LineOfBusiness.MEDICAID}),
    LineOfBusiness.TRICARE: frozenset({LineOfBusiness.TRICARE, LineOfBusiness.MEDICAID}),
}
"""Payers that pay after all others, and whom they may come before."""


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    insured = claim.insured
    if insured.sequence != "P":
        yield _finding(
            inspection,
            "insured.sequence",
            f"{insured.payer_name} would not be the first to pay, and the claim has nothing of what the first paid.",
            "Bill the first payer; what it leaves is billed by hand until its remittance can be carried over.",
            {"sequence": insured.sequence},
        )
        return
    own = next((each for each in inspection.context.coverages if each.id == insured.coverage_id), None)
    order = own.record.order if own else None
    if order is not None and order > 1 and not any(_is_before(each, order) for each in inspection.context.coverages):
        yield _finding(
            inspection,
            "insured.sequence",
            f"The feed calls the coverage with {insured.payer_name} number {order} and tells of none before it.",
            "Send the coverage that pays first, or correct this one's order.",
            {"order": str(order)},
        )
    yield from _billed_too_soon(inspection)
    yield from _answered_otherwise(inspection)


def _is_before(coverage: KnownCoverage, order: int) -> bool:
    return coverage.record.order is not None and coverage.record.order < order


def _billed_too_soon(inspection: Inspection) -> Iterator[Finding]:
    """Medicaid or TRICARE is billed while a coverage it comes after is in force."""
    insured, payers = inspection.claim.insured, inspection.context.catalogue.payers
    allowed = _LAST.get(insured.line_of_business)
    if allowed is None:
        return
    for each in inspection.context.coverages:
        payer = payers.get(each.payer or "")
        if payer is None or not each.record.active or payer.line_of_business in allowed:
            continue
        start_on, end_on = each.record.start_on, each.record.end_on
        days = [
            line.service_on.isoformat()
            for line in inspection.claim.lines
            if (start_on is None or start_on <= line.service_on) and (end_on is None or line.service_on <= end_on)
        ]
        if days:
            yield _finding(
                inspection,
                "insured.payer",
                f"{insured.payer_name} pays last, and the coverage with {payer.name} is in force on {days[0]}.",
                f"Bill {payer.name} first; correct the order in the EHR, or end the coverage that is over.",
                {"payer": payer.id, "days": ", ".join(dict.fromkeys(days))},
            )


def _answered_otherwise(inspection: Inspection) -> Iterator[Finding]:
    insured, known = inspection.claim.insured, inspection.context.eligibility or ()
    if not any(each.primary_payer for each in known):
        return
    answers = answers_for(known, insured.payer, inspection.claim.program_kind)
    named: dict[str, str] = {}
    for line in inspection.claim.lines:
        answer = eligibility_on(answers, line.service_on)
        if answer is not None and answer.primary_payer not in ("", insured.payer):
            named.setdefault(answer.primary_payer, line.service_on.isoformat())
    for other, on in named.items():
        payer = inspection.context.catalogue.payers.get(other)
        name = payer.name if payer else other
        yield _finding(
            inspection,
            "insured.payer",
            f"{insured.payer_name} answered that {name} pays before it on {on}.",
            f"Bill {name} first, or have the patient and {insured.payer_name} correct their record.",
            {"primary_payer": other, "on": on},
        )


def _finding(inspection: Inspection, path: str, message: str, fix: str, values: dict[str, str]) -> Finding:
    return RULE.finding(
        path,
        message,
        fix,
        values=values,
        origin=inspection.origin("insured.order"),
        cents=inspection.claim.charge_cents,
    )


RULE = Rule(
    name="coverage-order-resolved",
    code="G07",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.COVERAGE,
    snip=4,
    page=__doc__,
    check=_check,
    needs=(Need.COVERAGES,),
)
