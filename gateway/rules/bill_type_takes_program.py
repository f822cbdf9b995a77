"""Medicare's PHP and IOP stand on a bill type that may have them.

Why: PHP on a rural health clinic's or federally qualified health center's bill type, or either on an inpatient one, is
    returned (RARC MA30); those clinics have had IOP since 2024 and never PHP.
Fails: Medicare PHP on another bill type than 13, 76 or 85; Medicare IOP on another than 13, 71, 76, 77 or 85; condition
    code 41 or 92 on 11, 12 or 14, whoever the payer is.
Passes: 13 for hospitals, 76 for CMHCs, 85 for critical access hospitals; 71 and 77 for IOP.
Source: Medicare Claims Processing Manual ch. 4 s. 260 and 261, ch. 9; CMS MM13222, MM13264.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import LevelOfCare
from gateway.rules.condition_codes_fit import IOP, PHP
from gateway.rules.rule import Group, Inspection, Limits, Rule

_BILL_CLASSES = {
    LevelOfCare.PHP: frozenset({"13", "76", "85"}),
    LevelOfCare.IOP: frozenset({"13", "71", "76", "77", "85"}),
}
_NEVER = frozenset({"11", "12", "14"})


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    if claim.form is not ClaimForm.INSTITUTIONAL:
        return
    level, found = claim.key.level_of_care, claim.bill_class
    allowed = _BILL_CLASSES.get(level)
    wrong = inspection.is_medicare and allowed is not None and found not in allowed
    if wrong or (found in _NEVER and (PHP in claim.condition_codes or IOP in claim.condition_codes)):
        yield RULE.finding(
            "bill_class",
            f"{level} is not billed on bill type {found or 'none'}.",
            "Correct the facility's bill class, or the definition's.",
            values={
                "found": found,
                "allowed": ", ".join(sorted(allowed or ())),
                "condition_codes": ", ".join(claim.condition_codes),
                "facility": inspection.context.facility.entry if inspection.context.facility else "",
            },
            cents=claim.charge_cents,
        )


RULE = Rule(
    name="bill-type-takes-program",
    code="G35",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.PLACE,
    snip=6,
    page=__doc__,
    check=_check,
)
