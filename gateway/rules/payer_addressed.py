"""The claim names a member the payer can have, and a payer the clearinghouse can reach.

Why: a member id of the wrong shape, a payer without a route or a claim filing code of another kind of payer is rejected
    at the clearinghouse or sent to the wrong payer.
Fails: a payer that no file knows; no member id; a member id that does not fit the payer's pattern; no route in force
    for the payer; a claim filing code other than the payer file's; MA, MB, MC or CH on a payer that is not Medicare,
    Medicaid or TRICARE, or another code on one that is.
Passes: a member id of the payer's shape, a payer number and a connection, and the payer's own filing code.
Source: 005010X223A2 loops 2000B SBR09, 2010BA NM109, 2010BB NM109; the payer's file
    (`member_number_pattern`, `routes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from gateway.claim.contract import LineOfBusiness
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule

_FILING_CODES = {
    LineOfBusiness.MEDICARE: frozenset({"MA", "MB"}),
    LineOfBusiness.MEDICAID: frozenset({"MC"}),
    LineOfBusiness.TRICARE: frozenset({"CH"}),
}
_GOVERNMENT = frozenset({"MA", "MB", "MC", "CH"})


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, payer = inspection.claim, inspection.context.payer
    insured = claim.insured
    if payer is None:
        yield RULE.finding(
            "insured.payer",
            f"No payer file has the id {insured.payer!r}, so what this payer wants of a claim is not known.",
            "Decide which payer this is: add its name to that payer's file, or a file of its own.",
            values={"payer": insured.payer},
            origin=inspection.origin("insured.payer"),
            owner=Owner.BILLING,
            cents=claim.charge_cents,
        )
    if not insured.member_number or (
        payer is not None
        and payer.member_number_pattern
        and not _pattern(payer.member_number_pattern).fullmatch(insured.member_number)
    ):
        yield _member_number(inspection)
    if not insured.payer_number or not claim.connection:
        yield RULE.finding(
            "insured.payer_number",
            f"No route to {insured.payer_name} is in force.",
            "Add a route with the payer's id at the clearinghouse to the payer's file.",
            values={"payer": insured.payer, "on": inspection.context.today.isoformat()},
            owner=Owner.INTEGRATION,
            cents=claim.charge_cents,
        )
    code, expected = insured.claim_filing_code, _FILING_CODES.get(insured.line_of_business)
    wrong_kind = code not in expected if expected else code in _GOVERNMENT
    if not code or wrong_kind or (payer is not None and code != payer.claim_filing_code):
        yield RULE.finding(
            "insured.claim_filing_code",
            f"Claim filing code '{code}' does not fit {insured.payer_name}, a {insured.line_of_business} payer.",
            "Correct the claim filing code in the payer's file.",
            values={
                "found": code,
                "payer_file": payer.claim_filing_code if payer else "",
                "expected": ", ".join(sorted(expected)) if expected else "not MA, MB, MC or CH",
            },
            owner=Owner.BILLING,
            cents=claim.charge_cents,
        )


def _member_number(inspection: Inspection) -> Finding:
    claim, payer = inspection.claim, inspection.context.payer
    found = claim.insured.member_number
    said = "does not have the shape this payer's ids have" if found else "is missing"
    return RULE.finding(
        "insured.member_number",
        f"The member id {said}.",
        "Read the id off the insurance card again, correct it in the EHR and send the coverage again.",
        values={
            "length": str(len(found)),
            "pattern": payer.member_number_pattern if payer else "",
            "entry": payer.entry if payer else "",
        },
        origin=inspection.origin("insured.member_number"),
        cents=claim.charge_cents,
    )


RULE = Rule(
    name="payer-addressed",
    code="G05",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.COVERAGE,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.PAYER,),
    judges_voids=True,
)
