"""No code stands beside another on one day that it is not paid beside.

Why: of a pair that CMS's procedure-to-procedure edits name, the second code is denied as part of the first (CARC 97,
    236; RARC M15, M80).
Fails: two codes of one day, on this claim or with another live claim to the same payer, whose edit allows no modifier;
    the same where it allows one and neither line has one.
Passes: a pair with no edit on the day; a pair whose edit allows a modifier, and the line has it (59, XE, XP, XS, XU,
    25, 27 or another of CMS's list); payers outside the government programs, unless `payers` is `everyone`; anything
    while no list is imported.
Source: CMS, NCCI procedure-to-procedure edits, practitioner and outpatient hospital, quarterly (`codes import`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.claim import ClaimLine
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.edits import PAYERS, applies
from gateway.rules.rule import Group, Inspection, Limits, Rule

_SAYS_WHY = frozenset({"24", "25", "27", "57", "58", "59", "78", "79", "91", "XE", "XP", "XS", "XU"})
_OtherCode = tuple[str, frozenset[str], str]


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    if not applies(inspection, limits):
        return
    claim, codes = inspection.claim, inspection.context.codes
    hospital = claim.form is ClaimForm.INSTITUTIONAL
    if len(claim.lines) == len(inspection.dates) and not inspection.same_days:
        return  # one line a day, and nothing elsewhere: nothing stands beside anything
    by_day = _by_day(inspection)
    for index, line in enumerate(claim.lines):
        on, second = line.service_on, line.hcpcs
        for first, modifiers, where in by_day[on] if second else ():
            if first == second:
                continue
            edit = codes.pair_edit(first, second, on, hospital=hospital)
            if edit == "0" or (edit == "1" and not (_SAYS_WHY & modifiers or _SAYS_WHY.intersection(line.modifiers))):
                yield _together(index, line, first, where, edit)


def _by_day(inspection: Inspection) -> dict[date, list[_OtherCode]]:
    """The codes of each day the claim bills, each with its modifiers and where it stands."""
    claim = inspection.claim
    days: dict[date, list[_OtherCode]] = {line.service_on: [] for line in claim.lines}
    for line in claim.lines:
        if line.hcpcs:
            days[line.service_on].append((line.hcpcs, frozenset(line.modifiers), "this claim"))
    for other in inspection.same_days:
        if other.payer == claim.insured.payer and other.hcpcs:
            where = f"claim {other.claim_number}" if other.claim_number else "another claim"
            days[other.on].append((other.hcpcs, frozenset(other.modifiers), where))
    return days


def _together(index: int, line: ClaimLine, first: str, where: str, edit: str) -> Finding:
    may = "unless a modifier says why" if edit == "1" else "and no modifier changes that"
    return RULE.finding(
        f"lines[{index}].hcpcs",
        f"{line.hcpcs} of {line.service_on} is not paid beside {first} (on {where}), {may}.",
        "Take the code off that is part of the other; a modifier is added only where the notes show a service apart.",
        values={
            "code": line.hcpcs,
            "beside": first,
            "service_on": line.service_on.isoformat(),
            "modifier_allowed": "yes" if edit == "1" else "no",
        },
        origin=line.origins.get("session"),
        cents=line.charge_cents,
    )


RULE = Rule(
    name="codes-paid-together",
    code="G27",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=6,
    page=__doc__,
    check=_check,
    limits={"payers": "government"},
    limit_words={"payers": PAYERS},
)
