"""Claims are judged by the guides together, and each is told what it would have been told alone."""

from __future__ import annotations

from msgspec.structs import replace

from clearinghouse.claim_loops import submitter_loop
from clearinghouse.guide_check import RenderedGuideCheck
from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import Finding
from tests.unit.clearinghouse.claims import CLINIC, adolescent, institutional, professional

CHECK = RenderedGuideCheck(submitter_loop(CLINIC, "RIVERBEND"))


def without_diagnoses(claim: Claim) -> Claim:
    return replace(claim, diagnoses=())


def unwritable(claim: Claim) -> Claim:
    return replace(claim, medical_record_number="MRN*1~2")


def alone(claim: Claim) -> tuple[Finding, ...]:
    return CHECK.check([claim])[0]


def test_clean_claims_of_both_forms_are_clean_together() -> None:
    claims = [institutional(), professional(), adolescent(), institutional()]
    assert {ClaimForm.INSTITUTIONAL, ClaimForm.PROFESSIONAL} == {each.form for each in claims}
    assert CHECK.check(claims) == [(), (), (), ()]


def test_what_is_wrong_with_one_claim_is_told_of_that_claim_alone() -> None:
    claims = [institutional(), without_diagnoses(adolescent()), professional(), unwritable(institutional())]
    found = CHECK.check(claims)
    assert found == [alone(each) for each in claims]
    assert [bool(each) for each in found] == [False, True, False, True]
    assert [each.rule for each in found[3]] == ["guide-unwritable"]


def test_of_many_claims_every_one_is_judged() -> None:
    claims = [institutional()] * 120
    claims[70] = without_diagnoses(institutional())
    assert [place for place, found in enumerate(CHECK.check(claims)) if found] == [70]


def test_no_claims_have_no_findings() -> None:
    assert CHECK.check([]) == []
