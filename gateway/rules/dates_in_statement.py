"""Statement dates hold every line, nothing lies in the future, and the claim stops where the payer splits claims.

Why: a line outside the statement dates, or a day that has not come, is returned (RARC MA31); a claim that runs over a
    month end, a year end or 1 October where the payer splits there is returned too.
Fails: a line before the statement's first or after its last day; first after last; a date after today; an admission
    after the first day; statement dates on both sides of a boundary in the payer's `split_on`.
Passes: first and last day equal to the first and last line; a week over a month end for a payer that does not split.
Source: 005010X223A2 loop 2300 DTP*434, 2400 DTP*472; the payer's `split_on`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.calendar import COUNTABLE, federal_fiscal_year
from gateway.claim.contract import SplitOn
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, today = inspection.claim, inspection.context.today
    first, last = claim.statement_from_on, claim.statement_through_on
    dates = {"statement_from_on": first.isoformat(), "statement_through_on": last.isoformat()}
    if first > last:
        yield _finding(
            inspection, "statement_from_on", f"The statement begins on {first}, after its end {last}.", dates
        )
    if last > today:
        yield _finding(
            inspection,
            "statement_through_on",
            f"The statement ends on {last}, which has not come yet.",
            {**dates, "today": today.isoformat()},
            Owner.FRONT_DESK,
        )
    for index, line in enumerate(claim.lines):
        on = line.service_on
        if not first <= on <= last or on > today:
            said = f"outside the statement's {first} to {last}" if on <= today else "in the future"
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{on} is {said}.",
                "Correct the visit's date in the EHR, or assemble the claim again.",
                values={**dates, "service_on": on.isoformat()},
                origin=line.origin("service_on"),
                cents=line.charge_cents,
                owner=Owner.FRONT_DESK if on > today else None,
            )
    if claim.admitted_on is not None and claim.admitted_on > first:
        yield _finding(
            inspection,
            "admitted_on",
            f"The admission of {claim.admitted_on} lies after the first day {first}.",
            {**dates, "admitted_on": claim.admitted_on.isoformat()},
        )
    payer = inspection.context.payer
    for split in payer.split_on if payer is not None else ():
        if split is not SplitOn.AUTHORIZATION and _part(split, first) != _part(split, last):
            yield _finding(
                inspection,
                "statement_through_on",
                f"The payer splits claims at {split.replace('-', ' ')}, and this one runs from {first} to {last}.",
                dates,
            )


def beyond_counting(inspection: Inspection) -> Iterator[Finding]:
    """A finding for each date of the claim that no week, limit or deadline can be counted from."""
    claim = inspection.claim
    places = {"statement_from_on": claim.statement_from_on, "statement_through_on": claim.statement_through_on}
    places |= {f"lines[{index}].service_on": line.service_on for index, line in enumerate(claim.lines)}
    for path, on in places.items():
        if not COUNTABLE.covers(on):
            said = (
                f"{on} does not lie between {COUNTABLE.start_on} and {COUNTABLE.end_on}, so the claim was not judged."
            )
            yield _finding(inspection, path, said, {path.rpartition(".")[2]: on.isoformat()})


def _part(split: SplitOn, on: date) -> tuple[int, int]:
    if split is SplitOn.MONTH_END:
        return on.year, on.month
    return (federal_fiscal_year(on) if split is SplitOn.FISCAL_YEAR_END else on.year), 0


def _finding(
    inspection: Inspection, path: str, message: str, values: dict[str, str], owner: Owner | None = None
) -> Finding:
    claim = inspection.claim
    return RULE.finding(
        path,
        message,
        "Correct the dates in the EHR, or assemble the claim again.",
        values=values,
        origin=inspection.origin(path),
        cents=claim.charge_cents,
        owner=owner,
    )


RULE = Rule(
    name="dates-in-statement",
    code="G18",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.STRUCTURE,
    snip=4,
    page=__doc__,
    check=_check,
)
