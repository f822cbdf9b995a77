"""Every claim has lines, and every line has a charge and units.

Why: a claim without lines, or with a line of no dollars or no units, is refused before anyone reads it; a charge of
    zero usually means that the charge file has no price for the service. The claim's total is the sum of its lines.
Fails: no lines; a line with zero or negative units; a line charged $0.00 or less; a line number twice; more lines than
    the form holds, or than Medicare's institutional system does (449).
Passes: every line has at least one unit and a charge, and lines are numbered 1, 2, 3 ...
Source: 005010X223A2 and 005010X222A1 loops 2300 CLM02 and 2400 LX, SV1, SV2; SNIP type 3. A payer may
    set `allow_zero_charge: yes`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.money import dollars
from gateway.rules.rule import Group, Inspection, Limits, Rule

_MEDICARE_LINES_MAX = 449  # what the shared system of Medicare's institutional contractors holds
_LINES_MAX = {ClaimForm.INSTITUTIONAL: 999, ClaimForm.PROFESSIONAL: 50}


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    count, limit = len(claim.lines), _lines_max(inspection)
    if not 0 < count <= limit:
        said = f"has {count} lines; an {claim.form} holds {limit}" if count else "has no lines"
        yield RULE.finding(
            "lines", f"The claim {said}.", "Assemble the claim again from its visits.", cents=claim.charge_cents
        )
    lowest = 0 if limits["allow_zero_charge"] == "yes" else 1
    for index, line in enumerate(claim.lines):
        if line.number != index + 1:
            yield RULE.finding(
                f"lines[{index}].number",
                "Lines are not numbered 1, 2, 3 ...",
                "Assemble the claim again.",
                cents=line.charge_cents,
            )
        if line.units <= 0:
            yield RULE.finding(
                f"lines[{index}].units",
                f"The line of {line.service_on} bills {line.units} units.",
                "Check the unit basis of the service definition and the session's times.",
                values={"units": str(line.units), "definition": line.definition},
                origin=line.origins.get("end_at"),
                cents=line.charge_cents,
            )
        if line.charge_cents < lowest:
            yield RULE.finding(
                f"lines[{index}].charge_cents",
                f"The line of {line.service_on} is charged {dollars(line.charge_cents)}.",
                "Add the service's charge to the facility's charges for this date.",
                values={
                    "charge": dollars(line.charge_cents),
                    "charge_entry": line.charge_entry,
                    "definition": line.definition,
                },
            )


def _lines_max(inspection: Inspection) -> int:
    form = inspection.claim.form
    if inspection.is_medicare and form is ClaimForm.INSTITUTIONAL:
        return _MEDICARE_LINES_MAX
    return _LINES_MAX[form]


RULE = Rule(
    name="amounts-add-up",
    code="G01",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.STRUCTURE,
    snip=3,
    page=__doc__,
    check=_check,
    judges_voids=True,
    overridable=False,
    limits={"allow_zero_charge": "no"},
    limit_words={"allow_zero_charge": ("yes", "no")},
)
