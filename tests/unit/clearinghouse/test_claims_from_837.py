"""A claim of ours written as an 837 and read as a stranger's is the same claim, as far as an 837 says it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from clearinghouse.claims_from_837 import claim_from_837
from clearinghouse.x12.read_837 import stream_837
from gateway.claim.claim import Claim
from gateway.claim.contract import LineOfBusiness, ProgramKind
from gateway.claim.record import LevelOfCare
from tests.unit.clearinghouse.claims import COMMERCIAL, RECOVERY, adolescent, institutional, professional, written

_CARRIED = (
    "form", "program_kind", "frequency", "bill_class", "place_of_service", "medical_record_number",
    "statement_from_on", "statement_through_on", "admitted_on", "admission_type", "point_of_origin", "patient_status",
    "diagnoses", "condition_codes", "authorization_number", "payer_claim_number", "release_of_information",
)  # fmt: skip
_OF_A_LINE = ("number", "service_on", "revenue_code", "hcpcs", "modifiers", "charge_cents", "units", "unit_basis")


def read(*claims: Claim) -> list[Claim]:
    filed = enumerate(stream_837(io.BytesIO(written(*claims))), 1)
    return [claim_from_837(place, each).claim for place, (_, each) in filed]


def carried(claim: Claim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in _CARRIED} | {
        "lines": [[getattr(line, name) for name in _OF_A_LINE] for line in claim.lines],
        "npi": claim.billing_provider.npi,
        "tax_id": claim.billing_provider.tax_id,
        "zip": claim.billing_provider.address.postal_code,
        "member": claim.insured.member_number,
        "payer": claim.insured.payer_number,
        "business": claim.insured.line_of_business,
        "sequence": claim.insured.sequence,
        "relationship": claim.insured.relationship,
        "born": claim.patient.birth_on,
        "sex": claim.patient.sex,
        "attending": claim.attending.npi if claim.attending else "",
        "level": claim.key.level_of_care,
    }


@pytest.mark.parametrize("made", [institutional, professional, adolescent])
def test_what_an_837_carries_comes_back(made: Callable[[], Claim]) -> None:
    claim = made()
    assert [carried(claim)] == [carried(each) for each in read(claim)]


def test_places_and_clinicians_come_back() -> None:
    (claim,) = read(professional())
    assert RECOVERY.npi == (claim.service_facility.npi if claim.service_facility else "")
    expected = [(line.rendering or claim.rendering) for line in professional().lines]
    assert [each.npi if each else "" for each in expected] == [
        (line.rendering or claim.rendering).npi if (line.rendering or claim.rendering) else ""
        for line in claim.lines  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize(
    ("changes", "level", "kind"),
    [
        ({"condition_codes": ("41",)}, LevelOfCare.PHP, ProgramKind.MENTAL_HEALTH),
        ({"condition_codes": ("92",)}, LevelOfCare.IOP, ProgramKind.MENTAL_HEALTH),
        ({}, LevelOfCare.IOP, ProgramKind.MENTAL_HEALTH),
    ],
)
def test_the_level_of_care_is_what_the_codes_say(changes: Any, level: LevelOfCare, kind: ProgramKind) -> None:
    (claim,) = read(replace(institutional(), **changes))
    assert (level, kind) == (claim.key.level_of_care, claim.program_kind)


def test_codes_of_no_program_are_outpatient_care_of_what_the_diagnosis_names() -> None:
    plain = replace(institutional(), diagnoses=("F1020",))
    plain = replace(plain, lines=tuple(replace(line, revenue_code="0914", hcpcs="90834") for line in plain.lines))
    (claim,) = read(plain)
    assert (LevelOfCare.OP, ProgramKind.SUBSTANCE_USE) == (claim.key.level_of_care, claim.program_kind)


def test_the_kind_of_payer_is_what_its_filing_code_says() -> None:
    for code, business in (("MA", LineOfBusiness.MEDICARE), ("16", LineOfBusiness.MEDICARE_ADVANTAGE)):
        (claim,) = read(replace(institutional(), insured=replace(COMMERCIAL, claim_filing_code=code)))
        assert business is claim.insured.line_of_business
