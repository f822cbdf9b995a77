"""What is found wrong with answers: 835, 999, 277CA, TA1."""

from __future__ import annotations

from datetime import date, time

from msgspec.structs import replace

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


def test_a_claim_payment_without_its_header_number_is_read_all_the_same() -> None:
    content = REMITTANCE.replace(b"LX*1~\n", b"").replace(b"SE*37*", b"SE*36*")
    assert [(finding.code, finding.segment) for finding in check(content)] == [("segment-missing", "LX")]


def test_a_malformed_ta1_is_named_by_element() -> None:
    answer = InterchangeAcknowledgement("000000101", date(2026, 11, 23), time(7, 30), "Z", "099")
    assert {finding.element for finding in check(write_ta1(answer, ENVELOPE))} == {"TA104", "TA105"}


def test_a_hopeless_file_keeps_a_bounded_number_of_findings_and_says_so() -> None:
    claim = replace(remittance().claims[1], paid_cents=1)
    values = replace(remittance(), claims=(claim,) * (MAX_FINDINGS + 50))
    found = check(write_835(values, ENVELOPE))
    assert len(found) == MAX_FINDINGS + 1
    assert "not listed" in found[-1].message
