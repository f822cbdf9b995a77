"""Revenue codes have four digits and are in the licensed list on their date, where one is loaded.

Why: a code without its leading zero, or one that is not assigned, is rejected (CARC 16; RARC M50).
Fails: a revenue code of another shape than four digits; one that the imported list does not have on the date; a revenue
    code on an 837P.
Passes: 0905, 0913 and the others of the list; any four digits while no list is imported.
Source: 005010X223A2 loop 2400 SV201; NUBC's list, imported under the customer's license (`codes import`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_DIGITS = 4


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, codes = inspection.claim, inspection.context.codes
    professional = claim.form is ClaimForm.PROFESSIONAL
    for index, line in enumerate(claim.lines):
        code = line.revenue_code
        if not code:
            continue  # place-fits-form says so where the form wants one
        shaped = len(code) == _DIGITS and code.isascii() and code.isdecimal()
        if professional or not shaped or codes.revenue_code_is_known(code, line.service_on) is False:
            where = "has no place on an 837P" if professional else f"is no revenue code on {line.service_on}"
            yield RULE.finding(
                f"lines[{index}].revenue_code",
                f"{code} {where}.",
                "Correct the revenue code in the service definition from this date on.",
                values={
                    "revenue_code": code,
                    "service_on": line.service_on.isoformat(),
                    "definition": line.definition,
                },
                cents=line.charge_cents,
            )


RULE = Rule(
    name="revenue-codes-current",
    code="G39",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=5,
    page=__doc__,
    check=_check,
)
