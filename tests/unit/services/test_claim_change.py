"""One code says why Medicare's claim is changed: the one that says most; charges only where they alone changed."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm, LineOfBusiness
from gateway.claim.fingerprint import billing_fingerprint
from gateway.services.claim_change import with_change_reason
from tests.factories import a_claim, a_line

SENT = a_claim(
    insured=replace(a_claim().insured, line_of_business=LineOfBusiness.MEDICARE),
    lines=(a_line(1), a_line(2)),
    condition_codes=("92",),
    patient_status="30",
)


def lines(**changes: object) -> Claim:
    first, second = SENT.lines
    return replace(SENT, lines=(first, replace(second, **changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(SENT, lines=SENT.lines[:1]), "D0"),
        (lines(service_on=date(2026, 8, 20)), "D0"),
        (lines(revenue_code="0915"), "D2"),
        (lines(hcpcs="G0410", charge_cents=1), "D2"),
        (replace(SENT, patient_status="01"), "E0"),
        (lines(charge_cents=1), "D1"),
        (lines(units=2, charge_cents=1), "D9"),
        (lines(modifiers=("PO",)), "D9"),
        (replace(SENT, diagnoses=("F331",)), "D9"),
    ],
)
def test_a_replacement_says_what_changed(now: Claim, reason: str) -> None:
    corrected = with_change_reason(SENT, replace(now, frequency="7"))
    assert ("92", reason) == corrected.condition_codes


def test_a_second_replacement_has_one_reason_too() -> None:
    once = with_change_reason(SENT, replace(lines(charge_cents=1), frequency="7"))
    twice = with_change_reason(once, replace(lines(revenue_code="0915"), frequency="7"))
    assert ("92", "D2") == twice.condition_codes


def test_a_void_repays() -> None:
    assert ("92", "D6") == with_change_reason(SENT, replace(SENT, frequency="8")).condition_codes


def test_a_reason_makes_no_other_bill() -> None:
    corrected = with_change_reason(SENT, replace(lines(charge_cents=1), frequency="7"))
    assert billing_fingerprint(lines(charge_cents=1)) == billing_fingerprint(corrected)


@pytest.mark.parametrize("line_of_business", [each for each in LineOfBusiness if each is not LineOfBusiness.MEDICARE])
def test_other_payers_are_told_by_the_frequency_alone(line_of_business: LineOfBusiness) -> None:
    claim = replace(SENT, insured=replace(SENT.insured, line_of_business=line_of_business), frequency="7")
    assert claim == with_change_reason(SENT, claim)


def test_a_professional_claim_has_no_condition_codes() -> None:
    claim = replace(SENT, form=ClaimForm.PROFESSIONAL, condition_codes=(), frequency="7")
    assert claim == with_change_reason(SENT, claim)
