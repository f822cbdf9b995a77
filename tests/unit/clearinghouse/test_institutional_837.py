"""Claims of ours as an 837I: golden bytes, one fact at a time, and pyx12's word on every file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from clearinghouse.x12.check import check_transaction
from clearinghouse.x12.referee import ask_referee
from gateway.claim.claim import Claim
from gateway.claim.contract import ValueCode
from gateway.claim.identifiers import claim_number
from gateway.claim.party import Person, Relationship
from tests.unit.clearinghouse.claims import (
    COMMERCIAL,
    COUNSELOR,
    PARENT,
    PARENTS_POLICY,
    PATIENT,
    PSYCHIATRIST,
    RECOVERY,
    adolescent,
    institutional,
    numbered,
    program_day,
    segments,
    transaction,
    written,
)

GOLDEN = Path(__file__).parent / "golden"


def _interim_medicare() -> Claim:
    claim = institutional()
    lines = tuple(
        replace(line, revenue_code="0915", hcpcs="G0410", modifiers=("PO",), units=2, charge_cents=35600)
        for line in claim.lines
    )
    return replace(claim, frequency="2", condition_codes=("92",), lines=lines, authorization_number="")


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("837i-commercial-iop.edi", (institutional(),)),
        ("837i-interim-itemised.edi", (_interim_medicare(),)),
        ("837i-dependent.edi", (adolescent(),)),
    ],
)
def test_a_claim_is_written_byte_for_byte_as_the_golden_file_and_pyx12_agrees(
    name: str, claims: tuple[Claim, ...]
) -> None:
    content = written(*claims)

    assert (GOLDEN / name).read_bytes() == content
    assert () == ask_referee(content)
    assert () == check_transaction(content)


def test_the_patient_who_is_the_subscriber_goes_out_with_address_and_birth_date_in_the_subscriber_loop() -> None:
    sent = segments(written(institutional()))
    loop = sent[sent.index("HL*2*1*22*0") : sent.index("NM1*PR*2*PRAIRIE MUTUAL*****PI*PRMT1")]

    assert loop == [
        "HL*2*1*22*0",
        "SBR*P*18*G41899******CI",
        "NM1*IL*1*FERNHOLLOW*JASPER*A***MI*PMX000019803",
        "N3*119 HICKORY AVENUE*APT 4",
        "N4*MILL HOLLOW*IL*620953161",
        "DMG*D8*19760705*M",
    ]


def test_a_dependent_has_a_loop_of_its_own_and_the_subscriber_only_a_name_and_a_number() -> None:
    sent = segments(written(adolescent()))
    start = sent.index("HL*2*1*22*1")

    assert sent[start : start + 9] == [
        "HL*2*1*22*1",
        "SBR*P**G41899******CI",
        "NM1*IL*1*DALEHAVEN*ORRIN****MI*PMX000016692",
        "NM1*PR*2*PRAIRIE MUTUAL*****PI*PRMT1",
        "HL*3*2*23*0",
        "PAT*19",
        "NM1*QC*1*DALEHAVEN*WREN",
        "N3*119 HICKORY AVENUE*APT 4",
        "N4*MILL HOLLOW*IL*620953161",
    ]


@pytest.mark.parametrize(
    ("relationship", "code"),
    [(Relationship.SPOUSE, "01"), (Relationship.CHILD, "19"), (Relationship.OTHER, "G8")],
)
def test_the_relationship_of_a_dependent_is_told_in_pat01(relationship: Relationship, code: str) -> None:
    insured = replace(PARENTS_POLICY, relationship=relationship)

    assert f"PAT*{code}" in segments(written(replace(adolescent(), insured=insured)))


def test_claims_of_one_policy_share_one_subscriber_loop() -> None:
    second_week = replace(institutional(), lines=(program_day(1, institutional().lines[0].service_on),))
    sent = segments(written(institutional(), second_week))

    assert sum(segment.startswith("HL*") for segment in sent) == 2
    assert [f"CLM*{claim_number(1)}*1395", f"CLM*{claim_number(2)}*465"] == [
        segment.split("***")[0] for segment in sent if segment.startswith("CLM")
    ]


def test_dependents_of_one_policy_are_kept_together_whatever_order_their_claims_come_in() -> None:
    sibling = replace(adolescent(), patient=dataclasses.replace(adolescent().patient, name=PARENT.name))
    content = written(adolescent(), sibling, adolescent())
    levels = [segment for segment in segments(content) if segment.startswith("HL*")]

    assert ["HL*1**20*1", "HL*2*1*22*1", "HL*3*2*23*0", "HL*4*2*23*0"] == levels
    assert () == ask_referee(content)


def test_a_patient_with_the_same_member_number_but_another_group_is_another_subscriber() -> None:
    other = replace(institutional(), insured=replace(COMMERCIAL, group_number="G9"))

    assert len(transaction(institutional(), other).billing_providers[0].subscribers) == 2


def test_the_group_name_is_sent_only_where_there_is_no_group_number() -> None:
    nameless = replace(institutional(), insured=replace(COMMERCIAL, group_number=""))

    assert "SBR*P*18**RIVERBEND MILLS*****CI" in segments(written(nameless))


def test_a_replacement_names_the_claim_it_replaces() -> None:
    claim = replace(institutional(), frequency="7", payer_claim_number="ICN123456")
    content = written(claim)

    assert "REF*F8*ICN123456" in segments(content)
    assert any(segment.endswith("***13:A:7**A*Y*Y") for segment in segments(content))
    assert () == ask_referee(content)


def test_what_a_medicaid_asks_for_beyond_the_guide_is_sent() -> None:
    claim = replace(
        institutional(),
        insured=replace(COMMERCIAL, provider_number="775001"),
        value_codes=(ValueCode(code="24", amount="3210.00"),),
    )
    content = written(claim)

    assert "HI*BE>24>>>3210" in [each.replace(":", ">") for each in segments(content)]
    payer = next(at for at, each in enumerate(segments(content)) if each.startswith("NM1*PR"))
    assert "REF*G2*775001" == segments(content)[payer + 1]
    assert () == ask_referee(content)


def test_elements_the_claim_leaves_empty_are_not_sent() -> None:
    bare = replace(institutional(), authorization_number="", medical_record_number="", attending=None)
    sent = segments(written(bare))

    assert not [segment for segment in sent if segment.startswith(("REF*G1", "REF*EA", "REF*F8", "NM1*71", "HI*BG"))]


def test_admission_date_is_sent_where_the_claim_has_one() -> None:
    claim = replace(institutional(), admitted_on=institutional().statement_from_on)

    assert "DTP*435*D8*20260803" in segments(written(claim))


def test_the_place_of_service_is_sent_where_it_is_not_the_billing_address() -> None:
    content = written(replace(institutional(), service_facility=RECOVERY))
    sent = segments(content)
    start = sent.index("NM1*77*2*RIVERBEND RECOVERY CENTER*****XX*1991000302")

    assert ["N3*7 TAMARACK LANE", "N4*LARKTON*IL*620960007"] == sent[start + 1 : start + 3]
    assert () == ask_referee(content)


def test_a_rendering_provider_is_sent_only_where_it_is_not_the_attending_one() -> None:
    same = segments(written(replace(institutional(), rendering=PSYCHIATRIST)))
    other = segments(written(replace(institutional(), rendering=COUNSELOR)))

    assert not [segment for segment in same if segment.startswith("NM1*82")]
    assert "NM1*82*1*CLEARWATER*HESTER****XX*1882001112" in other


def test_a_revenue_code_without_a_procedure_is_a_line_of_its_own_kind() -> None:
    claim = institutional()
    lines = (replace(claim.lines[0], hcpcs=""),)
    content = written(replace(claim, lines=lines))

    assert "SV2*0905**465*UN*1" in segments(content)
    assert () == ask_referee(content)


def test_every_line_has_a_control_number_no_other_line_of_ours_has() -> None:
    content = written(institutional(), adolescent())
    numbers = [segment for segment in segments(content) if segment.startswith("REF*6R")]

    assert len(set(numbers)) == len(numbers) == 6
    assert all(len(number) - len("REF*6R*") <= 30 for number in numbers)


def test_a_claim_that_lacks_everything_a_person_can_lack_still_renders_for_the_guide_check() -> None:
    nobody = Person()
    as_subscriber = replace(
        institutional(), patient=nobody, attending=dataclasses.replace(PSYCHIATRIST, npi="", name=None)
    )
    as_dependent = replace(adolescent(), patient=nobody)

    assert ask_referee(written(as_subscriber))
    assert ask_referee(written(as_dependent))


def test_diagnoses_lose_their_dots_and_the_first_is_the_principal_one() -> None:
    sent = segments(written(replace(institutional(), diagnoses=("F33.1", "F41.1"))))

    assert ["HI*ABK:F331", "HI*ABF:F411"] == [segment for segment in sent if segment.startswith("HI*AB")]


def test_the_billing_contact_is_left_to_the_submitter_where_they_are_one() -> None:
    sent = segments(written(institutional()))

    assert 1 == sum(segment.startswith("PER*") for segment in sent)


def test_claims_of_both_forms_never_share_a_transaction() -> None:
    professional = replace(institutional(), form=type(institutional().form)("837P"))
    with pytest.raises(ValueError, match="exactly one form"):
        transaction(institutional(), professional)
    with pytest.raises(ValueError, match="exactly one form"):
        transaction()


def test_the_claim_number_is_the_patient_control_number() -> None:
    (only,) = transaction(institutional()).billing_providers[0].subscribers[0].claims

    assert numbered(institutional())[0].claim_number == only.patient_control_number
    assert PATIENT == institutional().patient
