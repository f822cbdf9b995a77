"""A Medicare line of an off-campus hospital department says so with PO or PN, and no other line does.

Why: Medicare pays an off-campus department another rate; a line that does not say where it was given is overpaid and
    taken back, one that says so wrongly is underpaid.
Fails: a line of a facility with `off_campus_modifier` that lacks it; PO or PN at a facility that has none, or the other
    of the two. Warns: place of service 19 at a facility whose file does not say which of them it is.
Passes: each line of such a department with its modifier; other payers; critical access hospitals and CMHCs.
Source: 42 CFR 419.22(v), 419.48; Medicare Claims Processing Manual ch. 4 s. 20.6.11 and 20.6.12; the facility's file.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_CAMPUS = frozenset({"PO", "PN"})
_HOSPITAL, _OFF_CAMPUS = "13", "19"


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, facility = inspection.claim, inspection.context.facility
    if not inspection.is_medicare or claim.form is not ClaimForm.INSTITUTIONAL or facility is None:
        return
    expected = facility.off_campus_modifier if claim.bill_class == _HOSPITAL else ""
    for index, line in enumerate(claim.lines):
        found = _CAMPUS.intersection(line.modifiers)
        if found == ({expected} if expected else set()):
            continue
        yield RULE.finding(
            f"lines[{index}].modifiers",
            f"The line of {line.service_on} has campus modifier {' '.join(sorted(found)) or 'none'}; "
            f"{facility.name} has {expected or 'none'}.",
            "State the department's modifier in the facility's file, or correct the bill type.",
            values={"found": " ".join(sorted(found)), "expected": expected, "facility": facility.entry},
            cents=line.charge_cents,
        )
    if claim.bill_class == _HOSPITAL and facility.place_of_service == _OFF_CAMPUS and not expected:
        yield RULE.finding(
            "bill_class",
            f"{facility.name} is off campus (place of service 19), and its file names neither PO nor PN.",
            "Ask the hospital whether the department is excepted (PO) or not (PN), and write it into the file.",
            values={"place_of_service": facility.place_of_service, "facility": facility.entry},
            owner=Owner.INTEGRATION,
            severity=Severity.WARN,
            cents=claim.charge_cents,
        )


RULE = Rule(
    name="campus-modifier-agrees",
    code="G34",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.PLACE,
    snip=6,
    page=__doc__,
    check=_check,
)
