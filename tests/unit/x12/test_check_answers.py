"""What is found wrong with answers: 835, 999, 277CA, TA1."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from clearinghouse.x12.acknowledgement_999 import write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.findings import MAX_FINDINGS, Finding
from clearinghouse.x12.interchange_ta1 import InterchangeAcknowledgement, write_ta1
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from tests.unit.x12.examples import ENVELOPE, acknowledgement, remittance, status_transaction

REMITTANCE = write_835(remittance(), ENVELOPE)
ACKNOWLEDGEMENT = write_999(acknowledgement(), ENVELOPE)
STATUS = write_277ca(status_transaction(), ENVELOPE)


def check(content: bytes) -> list[Finding]:
    return [*check_bytes(content).all_findings()]


@pytest.mark.parametrize(
    ("old", "new", "snip", "code", "loop", "element"),
    [
        (b"BPR*I*350*", b"BPR*I*351*", 3, "payment-out-of-balance", "", "BPR02"),
        (b"*WO:ICN0000*50", b"*WO:ICN0000*51", 3, "payment-out-of-balance", "", "BPR02"),
        (b"CLP*PCN0000000001*1*700*400*", b"CLP*PCN0000000001*1*701*400*", 3, "claim-out-of-balance", "2100", "CLP04"),
        (b"CLP*PCN0000000001*1*700*400*100*", b"CLP*PCN0000000001*1*700*400*99*", 3, "patient-share", "2100", "CLP05"),
        (b"CAS*PR*2*50~", b"CAS*PI*2*50~", 3, "patient-share", "2100", "CLP05"),
        (b"CAS*CO*197*", b"CAS*CO*19A7*", 5, "reason-shape", "2100", "CAS02"),
        (b"CLINIC*XX*1999999984", b"CLINIC*XX*1999999985", 5, "npi-invalid", "1000B", "N104"),
        (b"CLP*PCN0000000001*1*", b"CLP*PCN0000000001*9*", 2, "code-not-in-guide", "2100", "CLP02"),
        (b"CAS*CO*197", b"CAS*CR*197", 2, "code-not-in-guide", "2100", "CAS01"),
        (b"LQ*HE*N822~", b"LQ*HE*822N~", 5, "remark-shape", "2110", "LQ02"),
    ],
)
def test_an_835_is_told_what_does_not_hold(
    old: bytes, new: bytes, snip: int, code: str, loop: str, element: str
) -> None:
    assert old in REMITTANCE
    found = [
        (finding.snip, finding.loop, finding.element)
        for finding in check(REMITTANCE.replace(old, new, 1))
        if finding.code.startswith(code)
    ]
    assert found == [(snip, loop, element)]


def test_a_claim_payment_without_its_header_number_is_read_all_the_same() -> None:
    content = REMITTANCE.replace(b"LX*1~\n", b"").replace(b"SE*37*", b"SE*36*")
    assert [(finding.code, finding.segment) for finding in check(content)] == [("segment-missing", "LX")]


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [(b"AK9*P*3*3*2~", b"AK9*P*3*3*1~", "AK904"), (b"AK9*P*3*3*2~", b"AK9*A*3*3*2~", "AK901")],
)
def test_a_999_that_contradicts_itself_is_warned_of(old: bytes, new: bytes, element: str) -> None:
    assert [finding.element for finding in check(ACKNOWLEDGEMENT.replace(old, new))] == [element]


def test_a_277ca_whose_action_contradicts_its_category_is_warned_of() -> None:
    (found,) = check(STATUS.replace(b"STC*A7:562:85*20261124*U*", b"STC*A7:562:85*20261124*WQ*"))
    assert (found.code, found.element, found.severity) == ("status-contradicts", "STC03", "warning")


def test_a_malformed_ta1_is_named_by_element() -> None:
    answer = InterchangeAcknowledgement("000000101", date(2026, 11, 23), time(7, 30), "Z", "099")
    assert {finding.element for finding in check(write_ta1(answer, ENVELOPE))} == {"TA104", "TA105"}


def test_a_hopeless_file_keeps_a_bounded_number_of_findings_and_says_so() -> None:
    claim = replace(remittance().claims[1], paid_cents=1)
    values = replace(remittance(), claims=(claim,) * (MAX_FINDINGS + 50))
    found = check(write_835(values, ENVELOPE))
    assert len(found) == MAX_FINDINGS + 1
    assert "not listed" in found[-1].message
