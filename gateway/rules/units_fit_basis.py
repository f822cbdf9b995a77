"""Units are what the unit basis allows: one a day for a per diem, no more sessions, hours or quarters than attended.

Why: units beyond the basis are cut or denied (CARC 222, 273), and paid ones are given back.
Fails: a day-based line with other than one unit; more session units than sessions behind the line; more hour or
    15-minute units than the attended minutes hold; more units on a date than the payer's cap.
Passes: one unit for a program day; two units for two sessions; three hours for 185 minutes.
Source: the service definition's `unit_basis`; 005010X223A2 SV205, 005010X222A1 SV104. Limit `units_per_day`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import UnitBasis
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_MINUTES = {UnitBasis.HOUR: 60, UnitBasis.QUARTER_HOUR: 15}


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    cap = limits["units_per_day"]
    for index, line in enumerate(inspection.claim.lines):
        basis = line.unit_basis
        if basis is UnitBasis.DAY:
            most, why = 1, "a day is one unit"
        elif not line.encounter_ids:
            continue  # attendance-supports-lines asks what is behind the line
        elif basis is UnitBasis.SESSION:
            most, why = len(line.encounter_ids), f"{len(line.encounter_ids)} sessions were attended"
        else:
            most, why = line.minutes // _MINUTES[basis], f"{line.minutes} minutes were attended"
        if cap and int(cap) < most:
            most, why = int(cap), f"the payer takes {cap} a day"
        if line.units > most:
            yield RULE.finding(
                f"lines[{index}].units",
                f"The line of {line.service_on} bills {line.units} units, but {why}.",
                "Check the definition's unit basis against the contract, and the times in the EHR.",
                values={"units": str(line.units), "most": str(most), "basis": basis, "definition": line.definition},
                origin=line.origins.get("end_at"),
                cents=line.charge_cents,
            )


RULE = Rule(
    name="units-fit-basis",
    code="G11",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=7,
    page=__doc__,
    check=_check,
    limits={"units_per_day": ""},
)
