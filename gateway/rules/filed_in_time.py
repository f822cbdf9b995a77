"""The claim reaches the payer before its filing limit.

Why: a late claim is denied (CARC 29), cannot be billed to the patient and is rarely appealed with success.
Fails: today is after the last day to file. Warns: fewer than 14 days are left (`warn_days`).
Passes: today on the last day, with the warning; two weeks or more before it.
Source: 42 CFR 424.44 (Medicare: one calendar year; an institutional claim counts from its through date, a professional
    one from its first date of service; a last day on a weekend moves to Monday). Other payers: `timely_filing_days` of
    the payer's file, no limit where it states none. Replacements and voids: `corrected_filing_days`, counted alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm, LineOfBusiness, Payer
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule

_SATURDAY = 5


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim, today = inspection.claim, inspection.context.today
    basis = _basis(claim)
    last = last_day_to_file(claim, inspection.context.payer)
    if last is None:
        return
    left = (last - today).days
    if left >= int(limits["warn_days"]):
        return
    values = {"basis": basis.isoformat(), "last_day": last.isoformat(), "today": today.isoformat()}
    if left < 0:
        yield RULE.finding(
            "statement_through_on",
            f"{claim.insured.payer_name} took this claim until {last}; that was {-left} days ago.",
            "Find proof of an earlier, accepted filing; a claim filed late is not the patient's to pay.",
            values=values,
            cents=claim.charge_cents,
        )
    else:
        yield RULE.finding(
            "statement_through_on",
            f"{left} days are left to file this claim with {claim.insured.payer_name} (until {last}).",
            "Clear what holds the claim first.",
            values=values,
            cents=claim.charge_cents,
            severity=Severity.WARN,
        )


def last_day_to_file(claim: Claim, payer: Payer | None) -> date | None:
    """The last day the payer takes the claim, a replacement or void by its own limit; None where nobody says."""
    corrected = claim.frequency in ("7", "8")
    days = (payer.corrected_filing_days if corrected else payer.timely_filing_days) if payer is not None else None
    if days is not None:
        return _basis(claim) + timedelta(days=days)
    return _medicare_last_day(_basis(claim)) if claim.insured.line_of_business is LineOfBusiness.MEDICARE else None


def _basis(claim: Claim) -> date:
    """The day filing limits are counted from."""
    return claim.statement_through_on if claim.form is ClaimForm.INSTITUTIONAL else claim.statement_from_on


def _medicare_last_day(basis: date) -> date:
    """One calendar year on; 29 February becomes the 28th, and a weekend moves to Monday."""
    leap_day = (basis.month, basis.day) == (2, 29)
    last = date(basis.year + 1, 2, 28) if leap_day else basis.replace(year=basis.year + 1)
    return last + timedelta(days=7 - last.weekday()) if last.weekday() >= _SATURDAY else last


RULE = Rule(
    name="filed-in-time",
    code="G25",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.FILING,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.PAYER,),
    limits={"warn_days": "14"},
)
