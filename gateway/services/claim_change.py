"""Why a bill is changed, in the one condition code that Medicare wants on a replacement or a void.

Source: Medicare Claims Processing Manual ch. 1 s. 130.1.2.1 (claim change reasons). One code a claim, the one that says
most; D1 only where nothing but charges changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.contract import ClaimForm, LineOfBusiness

DATES, CHARGES, CODES, STATUS, REPAID, OTHER = "D0", "D1", "D2", "E0", "D6", "D9"


def with_change_reason(before: Claim, correction: Claim) -> Claim:
    """The replacement or void of ``before`` with its reason, where the payer is Medicare; any other as it is."""
    if correction.insured.line_of_business is not LineOfBusiness.MEDICARE:
        return correction
    if correction.form is not ClaimForm.INSTITUTIONAL:
        return correction
    return replace(correction, condition_codes=(*correction.service_condition_codes, _reason(before, correction)))


def _reason(before: Claim, correction: Claim) -> str:
    if correction.frequency == "8":
        return REPAID
    if _each(before.lines, _date) != _each(correction.lines, _date):
        return DATES
    if _each(before.lines, _codes) != _each(correction.lines, _codes):
        return CODES
    if before.patient_status != correction.patient_status:
        return STATUS
    only_charges = _uncharged(before) == _uncharged(correction)
    return CHARGES if only_charges and before.charge_cents != correction.charge_cents else OTHER


def _each(lines: Iterable[ClaimLine], told: Callable[[ClaimLine], object]) -> frozenset[object]:
    return frozenset(told(line) for line in lines)


def _date(line: ClaimLine) -> object:
    return line.service_on


def _codes(line: ClaimLine) -> object:
    return line.service_on, line.revenue_code, line.hcpcs


def _uncharged(claim: Claim) -> object:
    """What a charge has no part in."""
    lines = tuple((line.service_on, line.revenue_code, line.hcpcs, line.modifiers, line.units) for line in claim.lines)
    return lines, claim.diagnoses, claim.value_codes, claim.service_condition_codes, claim.authorization_number
