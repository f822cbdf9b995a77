"""Whether a submission may pass: the envelope for the TA1, each transaction for the 999, each claim for the 277CA.

The guide check comes from clearinghouse.x12; routing and plausibility are the clearinghouse's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from clearinghouse.sandbox.answers import Verdict
from clearinghouse.sandbox.payer_table import PayerTable
from clearinghouse.sandbox.submission import SubmittedClaim, SubmittedInterchange, SubmittedTransaction, at
from clearinghouse.x12.acknowledge import LAST_SYNTAX_TYPE
from clearinghouse.x12.findings import ERROR, Finding

# Claim status category, code and entity for the guide check's findings on a claim (277CA STC01).
_STATUS_OF_FINDING = {
    "claim-total": ("A8", "400", ""),
    "coverage-total": ("A8", "400", ""),
    "member-id": ("A6", "164", "IL"),
    "npi-invalid": ("A7", "562", "85"),
    "payer-claim-number": ("A6", "464", ""),
    "service-in-future": ("A7", "187", ""),
    "span-reversed": ("A7", "187", ""),
    "line-date-missing": ("A6", "187", ""),
    "line-outside-statement": ("A8", "187", ""),
    "birth-in-future": ("A7", "158", "QC"),
    "attending-missing": ("A6", "21", "71"),
    "diagnosis-shape": ("A7", "255", ""),
    "diagnosis-unknown": ("A7", "255", ""),
    "diagnosis-outdated": ("A7", "255", ""),
    "procedure-shape": ("A7", "454", ""),
    "procedure-unknown": ("A7", "454", ""),
    "revenue-shape": ("A7", "455", ""),
    "revenue-unknown": ("A7", "455", ""),
}
_STATUS_BY_SNIP = {3: ("A8", "400", ""), 4: ("A6", "21", ""), 5: ("A7", "21", "")}


def judge_envelope(interchange: SubmittedInterchange) -> str | None:
    """The TA1 note that refuses the interchange, or None."""
    isa = interchange.header.elements
    if not interchange.complete:
        return "023"
    trailer = interchange.trailer or []
    if at(trailer, 2) != isa[13]:
        return "001"
    if at(trailer, 1).lstrip("0") != str(len(interchange.groups)):
        return "021"
    if isa[15] not in ("T", "P"):
        return "020"
    if interchange.stray or not interchange.groups or any(group.trailer is None for group in interchange.groups):
        return "024"
    if any(at(group.header, 1) != "HC" for group in interchange.groups):
        return "024"  # claims are all this clearinghouse takes; a 999 in answer to a 999 would never end
    return None


def claim_number_at(transaction: SubmittedTransaction | None, position: int) -> str:
    """CLM01 of the claim a segment belongs to; blank above the claims."""
    for segment in reversed(transaction.segments[:position] if transaction is not None else []):
        if segment[0] == "CLM":
            return at(segment, 1)
        if segment[0] == "HL":
            return ""
    return ""


def judge_claim(claim: SubmittedClaim, table: PayerTable, findings: Iterable[Finding], today: date) -> Verdict:
    """The clearinghouse's word on one claim: A1 when it is passed on to the payer, else why not."""
    errors = (each for each in findings if each.severity == ERROR and each.snip > LAST_SYNTAX_TYPE)
    found = next((each for each in errors if claim.covers(each.position or 0)), None)
    if found is not None:
        status = _STATUS_OF_FINDING.get(found.code) or _STATUS_BY_SNIP.get(found.snip, ("A3", "21", ""))
        return Verdict(claim, *status)
    if table.find(claim.payer.identifier) is None:
        return Verdict(claim, "A7", "153", "PR")
    if claim.charge_cents != sum(line.charge_cents for line in claim.lines):
        return Verdict(claim, "A8", "400")
    if not claim.service_dates or claim.service_dates[-1] > today:
        return Verdict(claim, "A7", "187")
    return Verdict(claim, "A1", "19", "PR")


def judge_at_payer(claim: SubmittedClaim, original_is_known: bool) -> tuple[str, str, str] | None:
    """The payer's reason to refuse a claim before adjudication (category, status, entity), or None."""
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9-]{3,24}", claim.subscriber.identifier):
        return "A7", "164", "IL"
    if not _is_npi(claim.billing.identifier):
        return "A7", "562", "85"
    if claim.frequency in ("7", "8") and not claim.original_number:
        return "A6", "464", ""
    if claim.frequency in ("7", "8") and not original_is_known:
        return "A7", "464", ""
    if claim.frequency not in ("1", "2", "3", "4", "5", "7", "8", "9"):
        return "A7", "228", ""
    return None


def _is_npi(text: str) -> bool:
    """Ten digits whose Luhn sum over 80840 and the number is right (45 CFR 162.406)."""
    if not re.fullmatch(r"[12][0-9]{9}", text):
        return False
    total = 0
    for place, digit in enumerate(reversed("80840" + text)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
