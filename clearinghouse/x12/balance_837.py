"""SNIP 3 of an 837: the claim total against its lines, and earlier payers' decisions against the charges."""

from __future__ import annotations

from collections.abc import Iterator

from clearinghouse.x12.claim_facts import ClaimFact, CoverageFact
from clearinghouse.x12.encoding import money
from clearinghouse.x12.findings import ERROR, WARNING, Finding


def balance_findings(claim: ClaimFact) -> Iterator[Finding]:
    """Equations of one claim that do not hold. A claim without readable amounts is left to SNIP 1."""
    charges = [line.charge_cents for line in claim.lines]
    if claim.charge_cents is None or None in charges or not charges:
        return
    total = sum(charge or 0 for charge in charges)
    negative = claim.charge_cents < 0 or min(charge or 0 for charge in charges) < 0
    if total != claim.charge_cents and not negative:
        message = f"The claim total is {money(claim.charge_cents)}, its lines add up to {money(total)}."
        yield _finding(ERROR, "claim-total", message, "CLM", claim.position, "2300", "CLM02")
    known = {coverage.payer_id for coverage in claim.coverages}
    for line in claim.lines:
        for decided in line.adjudications:
            if decided.paid_cents is None:
                continue
            if decided.payer_id not in known and "" not in known:
                message = "SVD01 names no other payer of this claim: it must repeat NM109 of a loop 2330B."
                yield _finding(ERROR, "payer-unknown", message, "SVD", decided.position, "2430", "SVD01")
            expected = (line.charge_cents or 0) - decided.adjusted_cents
            if expected != decided.paid_cents:
                message = (
                    f"The line charge {money(line.charge_cents or 0)} is not what the other payer paid "
                    f"({money(decided.paid_cents)}) plus its adjustments ({money(decided.adjusted_cents)})."
                )
                yield _finding(ERROR, "line-adjudication", message, "SVD", decided.position, "2430", "SVD02")
    for coverage in claim.coverages:
        yield from _coverage_findings(claim, coverage)


def _coverage_findings(claim: ClaimFact, coverage: CoverageFact) -> Iterator[Finding]:
    """CLM02 = AMT*D + claim CAS + line CAS of that payer; and AMT*D = what it paid on the lines, where lines tell."""
    if coverage.paid_cents is None or coverage.paid_cents < 0 or claim.charge_cents is None or not coverage.payer_id:
        return
    own = [decided for line in claim.lines for decided in line.adjudications if decided.payer_id == coverage.payer_id]
    if not own and not coverage.adjusted:
        if coverage.paid_cents != claim.charge_cents:
            message = "Another payer's payment is sent without the adjustments that explain the rest of the charge."
            yield _finding(WARNING, "coverage-unexplained", message, "SBR", coverage.position, "2320", "")
        return
    adjusted = coverage.adjusted_cents + sum(decided.adjusted_cents for decided in own)
    gap = claim.charge_cents - coverage.paid_cents - adjusted
    told = _told_by_lines(claim, coverage.payer_id)
    if gap and told is not None and gap != told:
        message = (
            f"The claim total {money(claim.charge_cents)} is not the other payer's payment "
            f"({money(coverage.paid_cents)}) plus its adjustments ({money(adjusted)})."
        )
        yield _finding(ERROR, "coverage-total", message, "AMT", coverage.position, "2320", "AMT02")


def _told_by_lines(claim: ClaimFact, payer_id: str) -> int | None:
    """What the payer's decisions on the lines leave unexplained, told with each line; None: some cannot be read."""
    known = {coverage.payer_id for coverage in claim.coverages}
    gap = 0
    for line in claim.lines:
        for decided in line.adjudications:
            if decided.paid_cents is None or line.charge_cents is None or decided.payer_id not in known:
                return None
            if decided.payer_id == payer_id:
                gap += line.charge_cents - decided.paid_cents - decided.adjusted_cents
    return gap


def _finding(severity: str, code: str, message: str, segment: str, position: int, loop: str, element: str) -> Finding:
    return Finding(3, severity, code, message, segment, position, loop, element, "", "8", "7")
