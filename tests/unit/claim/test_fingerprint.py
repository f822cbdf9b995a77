"""Two questions of sameness: the content that was released, and the bill a payer paid."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.claim.claim import Claim, ServiceFacility
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Origin
from gateway.claim.fingerprint import billing_fingerprint, content_fingerprint
from gateway.claim.origins import Origins
from gateway.claim.party import Person, PersonName, Practitioner
from tests.factories import ADDRESS, PSYCHIATRIST, a_claim, a_key, a_line

CLAIM = a_claim()
OTHER = Practitioner(npi="1882001112", name=PersonName(family="CLEARWATER", given="HESTER"))


def with_first_line(**changes: Any) -> Claim:
    return replace(CLAIM, lines=(replace(CLAIM.lines[0], **changes), *CLAIM.lines[1:]))


EXPLANATIONS: dict[str, Claim] = {
    "origins": replace(
        CLAIM, origins=Origins.of({"diagnoses": Origin(source="Encounter.reasonCode", mapping="ehr.yaml:9")})
    ),
    "mapping set": replace(CLAIM, catalogue_hash="another"),
    "route": replace(CLAIM, connection="another"),
    "line origins": with_first_line(origins=Origins.of({"hcpcs": Origin(source="FT1-25", mapping="ehr.yaml:9")})),
    "encounters": with_first_line(encounter_ids=("e1", "e2")),
    "definition entry": with_first_line(definition="services/commercial.yaml:3"),
    "charge entry": with_first_line(charge_entry="charges.yaml:3"),
    "minutes": with_first_line(minutes=180),
    "services": with_first_line(services=3),
}
CORRECTIONS: dict[str, Claim] = {
    "patient name": replace(
        CLAIM, patient=dataclasses.replace(CLAIM.patient, name=PersonName(family="SAMPLE", given="PATRICIA"))
    ),
    "patient address": replace(CLAIM, patient=Person(name=CLAIM.patient.name)),
    "billing provider": replace(CLAIM, billing_provider=replace(CLAIM.billing_provider, contact_phone="3125550199")),
    "service facility": replace(CLAIM, service_facility=ServiceFacility(name="WEST", npi="", address=ADDRESS)),
    "medical record number": replace(CLAIM, medical_record_number="MRN2"),
    "attending's name": replace(
        CLAIM, attending=dataclasses.replace(PSYCHIATRIST, name=PersonName(family="THORNBERRY"))
    ),
    "frequency": replace(CLAIM, frequency="7"),
    "payer claim number": replace(CLAIM, payer_claim_number="ICN1"),
    "patient status": replace(CLAIM, patient_status="01"),
}
NEW_BILLS: dict[str, Claim] = {
    "form": replace(CLAIM, form=ClaimForm.PROFESSIONAL),
    "bill class": replace(CLAIM, bill_class="76"),
    "place of service": replace(CLAIM, place_of_service="52"),
    "payer": replace(CLAIM, insured=replace(CLAIM.insured, payer="medicare")),
    "member number": replace(CLAIM, insured=replace(CLAIM.insured, member_number="ABC123457")),
    "diagnoses": replace(CLAIM, diagnoses=("F331",)),
    "condition codes": replace(CLAIM, condition_codes=("92",)),
    "authorization": replace(CLAIM, authorization_number="AUTH2"),
    "attending": replace(CLAIM, attending=OTHER),
    "a line less": replace(CLAIM, lines=CLAIM.lines[:2]),
    "a line more": replace(CLAIM, lines=(*CLAIM.lines, a_line(4))),
    "date of service": with_first_line(service_on=date(2026, 8, 4)),
    "revenue code": with_first_line(revenue_code="0906"),
    "procedure": with_first_line(hcpcs="H0015"),
    "modifiers": with_first_line(modifiers=("GT",)),
    "units": with_first_line(units=2),
    "charge": with_first_line(charge_cents=1),
    "line's place": with_first_line(place_of_service="10"),
    "rendering clinician": with_first_line(rendering=OTHER),
}


def test_equal_claims_have_equal_fingerprints() -> None:
    assert content_fingerprint(a_claim()) == content_fingerprint(a_claim())
    assert billing_fingerprint(a_claim()) == billing_fingerprint(a_claim())


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_what_only_explains_changes_neither(name: str) -> None:
    assert content_fingerprint(EXPLANATIONS[name]) == content_fingerprint(CLAIM)
    assert billing_fingerprint(EXPLANATIONS[name]) == billing_fingerprint(CLAIM)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_what_is_sent_but_not_paid_for_changes_the_content_and_is_no_new_bill(name: str) -> None:
    assert content_fingerprint(CORRECTIONS[name]) != content_fingerprint(CLAIM)
    assert billing_fingerprint(CORRECTIONS[name]) == billing_fingerprint(CLAIM)


@pytest.mark.parametrize("name", NEW_BILLS)
def test_what_a_payer_pays_for_changes_both(name: str) -> None:
    assert content_fingerprint(NEW_BILLS[name]) != content_fingerprint(CLAIM)
    assert billing_fingerprint(NEW_BILLS[name]) != billing_fingerprint(CLAIM)


def test_whose_period_it_is_belongs_to_the_content() -> None:
    moved = replace(CLAIM, key=a_key(period_start_on=date(2026, 8, 9)))
    assert content_fingerprint(moved) != content_fingerprint(CLAIM)
