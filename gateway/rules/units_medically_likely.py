"""No line, and no day, has more units of a code than is medically likely.

Why: units beyond CMS's medically unlikely edits are denied, all of them where the edit counts by day (CARC 222, 151;
    RARC N362), and no modifier helps.
Fails: a line with more units than its code's edit, where the edit counts by line; the lines of a code on one day with
    more units together, where it counts by day.
Passes: units up to the edit; codes without one; payers outside the government programs, unless `payers` is `everyone`;
    anything while no list is imported.
Source: CMS, NCCI medically unlikely edits, practitioner and outpatient hospital, quarterly (`codes import`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.edits import PAYERS, applies
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    if not applies(inspection, limits):
        return
    claim, codes = inspection.claim, inspection.context.codes
    hospital = claim.form is ClaimForm.INSTITUTIONAL
    told: set[tuple[object, str]] = set()
    for index, line in enumerate(claim.lines):
        edit = codes.unit_limit(line.hcpcs, line.service_on, hospital=hospital) if line.hcpcs else None
        if edit is None or (line.service_on, line.hcpcs) in told:
            continue
        same = [each for each in claim.lines if (each.service_on, each.hcpcs) == (line.service_on, line.hcpcs)]
        units = sum(each.units for each in same) if edit.by_day else line.units
        if units > edit.units:
            if edit.by_day:
                told.add((line.service_on, line.hcpcs))
            yield RULE.finding(
                f"lines[{index}].units",
                f"{line.hcpcs} has {units} units on {line.service_on}; {edit.units} a {_per(edit.by_day)} are likely.",
                "Check the units against the sessions; what was really given and denied is appealed with the notes.",
                values={"code": line.hcpcs, "units": str(units), "most": str(edit.units), "by": _per(edit.by_day)},
                origin=line.origins.get("session"),
                cents=sum(each.charge_cents for each in same) if edit.by_day else line.charge_cents,
            )


def _per(by_day: bool) -> str:
    return "day" if by_day else "line"


RULE = Rule(
    name="units-medically-likely",
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
