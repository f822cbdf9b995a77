"""Type of admission, point of origin and patient status of an institutional claim are codes there are.

Why: a code that does not exist, or none where the form wants one, is rejected before anyone reads the claim (RARC MA41,
    MA42, MA43).
Fails: no type of admission; a type, an origin or a status outside the codes in use; status 20 (died) while frequency 2
    or 3 says that care goes on.
Passes: type 3 with origin 1 and status 30 or 01; a claim on the 837P, which has none of them.
Source: 005010X223A2 loop 2300 CL1; Medicare Claims Processing Manual ch. 25 s. 75.1 (the codes as CMS publishes them).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_TYPES = frozenset({"1", "2", "3", "4", "5", "9"})
_ORIGINS = frozenset({"", "1", "2", "4", "5", "6", "8", "9", "D", "E", "F", "G"})
_STATUSES = frozenset(
    {f"{number:02}" for number in (*range(1, 8), 9, 20, 21, 30, *range(40, 44), 50, 51, *range(61, 67), 69, 70)}
    | {str(number) for number in range(81, 96)}  # the same with a planned readmission
)
_DIED = "20"


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    if claim.form is not ClaimForm.INSTITUTIONAL:
        return
    if claim.admission_type not in _TYPES:
        yield _finding(inspection, "admission_type", "type of admission", claim.admission_type)
    if claim.point_of_origin not in _ORIGINS:
        yield _finding(inspection, "point_of_origin", "point of origin", claim.point_of_origin)
    status = claim.patient_status
    if status and status not in _STATUSES:  # none at all is frequency-fits-status's
        yield _finding(inspection, "patient_status", "patient status", status)
    if status == _DIED and claim.frequency in ("2", "3"):
        yield RULE.finding(
            "patient_status",
            f"Patient status 20 says that the patient died, and frequency {claim.frequency} that care goes on.",
            "Correct the discharge in the EHR; the last claim of a stay has frequency 4, the only one 1.",
            values={"patient_status": status, "frequency": claim.frequency},
            origin=inspection.origin("patient_status"),
            cents=claim.charge_cents,
        )


def _finding(inspection: Inspection, path: str, what: str, found: str) -> Finding:
    return RULE.finding(
        path,
        f"The claim's {what} is {found or 'missing'}, which is no code in use.",
        f"Correct the {what} of the stay in the EHR, or the value map of the mapping file.",
        values={"found": found},
        origin=inspection.origin(path),
        cents=inspection.claim.charge_cents,
    )


RULE = Rule(
    name="admission-codes-valid",
    code="G38",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.SERIES,
    snip=5,
    page=__doc__,
    check=_check,
)
