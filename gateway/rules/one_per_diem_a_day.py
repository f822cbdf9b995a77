"""A patient has one per-diem program day on a date of service, whatever the facility or level of care.

Why: PHP and IOP per diems exclude each other on one date, and a second one is denied as bundled or duplicate
    (CARC 97, 234, 18). On the day of a step-down one level of care is billed: the one attended and authorized.
Fails: two per-diem lines of one date on the claim; another live claim of the patient with a per diem on the date.
Passes: one per diem on each date; itemised lines, which are not per diems.
Source: payers' facility behavioral health policies (one unit of PHP, RTC or IOP a date of service, mutually exclusive).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.context import BilledLine
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    others: dict[date, list[BilledLine]] = {}
    for each in inspection.same_days:
        if each.per_diem:
            others.setdefault(each.on, []).append(each)
    seen: dict[date, int] = {}
    for index, line in enumerate(claim.lines):
        if not inspection.per_diem[index]:
            continue
        on = line.service_on
        if on in seen:
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{on} has two per-diem lines on this claim.",
                "Keep the line of the level of care that was attended and authorized.",
                values={"service_on": on.isoformat(), "other_line": str(seen[on] + 1)},
                cents=line.charge_cents,
            )
        seen.setdefault(on, index)
        if on in others:
            yield _billed_already(inspection.claim, line, f"lines[{index}].service_on", others[on])


def _billed_already(claim: Claim, line: ClaimLine, path: str, others: Sequence[BilledLine]) -> Finding:
    """One finding for a line, however many other lines have its day: the first is named, the others are counted."""
    on, other, more = line.service_on, others[0], len(others) - 1
    where = f" on claim {other.claim_number}" if other.claim_number else ""
    also = f", and {more} times more" if more else ""
    return RULE.finding(
        path,
        f"{on} is already billed as a day of {other.level_of_care} at {other.facility}{where}{also}.",
        "Decide which level of care the day is billed at, and correct the other visit in the EHR.",
        values={
            "service_on": on.isoformat(),
            "level_of_care": claim.key.level_of_care,
            "other_level_of_care": other.level_of_care,
            "other_facility": other.facility,
            "other_claim": other.claim_number or other.claim_key,
        },
        origin=line.origins.get("level_of_care"),
        cents=line.charge_cents,
    )


RULE = Rule(
    name="one-per-diem-a-day",
    code="G10",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.DUPLICATES,
    snip=6,
    page=__doc__,
    check=_check,
)
