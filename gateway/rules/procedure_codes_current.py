"""HCPCS and modifiers of every line exist on its date, at most four modifiers, none twice.

Why: a code that ended, or a modifier sent twice, is rejected (CARC 4, 182; RARC M20, N519).
Fails: a level II code the loaded list does not have on the date; a code that is not five characters; more than four
    modifiers; a modifier twice or not two characters.
Passes: codes in force on the date; CPT codes, of which no list is shipped, pass unless they are malformed.
Source: 45 CFR 162.1002; CMS HCPCS level II quarterly file; 005010X223A2 SV202, 005010X222A1 SV101.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_SHAPE = re.compile(r"[A-Z0-9]\d{3}[A-Z0-9]", re.ASCII)
_MODIFIER = re.compile(r"[A-Z0-9]{2}", re.ASCII)
_MODIFIERS_MAX = 4


@lru_cache(maxsize=4096)
def _is_shaped(code: str) -> bool:
    return _SHAPE.fullmatch(code) is not None


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    codes = inspection.context.codes
    for index, line in enumerate(inspection.claim.lines):
        code, modifiers = line.hcpcs, line.modifiers
        if code and (not _is_shaped(code) or codes.hcpcs_is_known(code, line.service_on) is False):
            yield RULE.finding(
                f"lines[{index}].hcpcs",
                f"{code} is no procedure code in force on {line.service_on}.",
                "Correct the code in the service definition from this date on.",
                values={"code": code, "service_on": line.service_on.isoformat(), "definition": line.definition},
                cents=line.charge_cents,
            )
        if modifiers and (
            len(modifiers) > _MODIFIERS_MAX
            or len(set(modifiers)) < len(modifiers)
            or not all(_MODIFIER.fullmatch(each) for each in modifiers)
        ):
            yield RULE.finding(
                f"lines[{index}].modifiers",
                f"The modifiers {', '.join(modifiers)} of {line.service_on} are more than four, repeated or malformed.",
                "Correct the modifiers in the service definition.",
                values={"modifiers": ", ".join(modifiers), "definition": line.definition},
                cents=line.charge_cents,
            )


RULE = Rule(
    name="procedure-codes-current",
    code="G20",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=5,
    page=__doc__,
    check=_check,
)
