"""The 835 reader: balance at line, claim and transaction, JSON of the documented shape, several sets in a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.decoding import X12FormatError
from clearinghouse.x12.parties import UnreadSegment
from clearinghouse.x12.read_835 import OutOfBalance, RemittanceEnd, balance_of, read_835, stream_835
from clearinghouse.x12.read_json import read_json
from clearinghouse.x12.remittance_835 import ClaimPayment, Remittance, RemittanceHeader
from clearinghouse.x12.write_835 import write_835
from tests.unit.x12.examples import ENVELOPE, remittance


def changed(index: int, **changes: object) -> Remittance:
    values = remittance()
    claims = [*values.claims]
    claims[index] = replace(claims[index], **changes)  # type: ignore[arg-type]
    return replace(values, claims=tuple(claims))


def test_events_come_in_order_header_claims_end() -> None:
    events = [*stream_835(write_835(remittance(), ENVELOPE))]
    assert [type(event) for event in events] == [RemittanceHeader, ClaimPayment, ClaimPayment, RemittanceEnd]
    end = events[-1]
    assert isinstance(end, RemittanceEnd)
    assert end.balanced
    assert end.claim_count == 2


@pytest.mark.parametrize(
    ("values", "off"),
    [
        (changed(1, paid_cents=100), [("claim 2", 0, 100), ("transaction", 35100, 35000)]),
        (
            changed(0, charge_cents=70001),
            [("claim 1", 40001, 40000)],
        ),
        (
            replace(remittance(), provider_adjustments=()),
            [("transaction", 40000, 35000)],
        ),
        (
            changed(0, lines=(replace(remittance().claims[0].lines[0], paid_cents=1), remittance().claims[0].lines[1])),
            [("claim 1 line 1", 20000, 1), ("claim 1 lines", 20001, 40000)],
        ),
    ],
)
def test_what_does_not_balance_says_where_and_by_how_much(values: Remittance, off: list[tuple[str, int, int]]) -> None:
    content = write_835(values, ENVELOPE)
    expected = tuple(OutOfBalance(*entry) for entry in off)
    assert balance_of(read_835(content)[0]) == expected
    assert balance_of(values) == expected
    findings = [finding for finding in check_bytes(content).all_findings() if finding.snip == 3]
    assert {finding.severity for finding in findings} >= {"error"}


def test_an_unbalanced_835_is_read_whole_and_said_to_be_unbalanced_in_json() -> None:
    found = read_json(write_835(changed(1, paid_cents=100), ENVELOPE))
    (transaction,) = found["interchanges"][0]["groups"][0]["transactions"]
    assert transaction["balanced"] is False
    assert transaction["out_of_balance"][0] == {"where": "claim 2", "expected_cents": 0, "found_cents": 100}
    assert len(transaction["claims"]) == 2


def test_json_of_an_835_has_the_documented_keys() -> None:
    found = read_json(write_835(remittance(), ENVELOPE))
    (transaction,) = found["interchanges"][0]["groups"][0]["transactions"]
    assert transaction["trace"]["number"] == "EFT123"
    assert transaction["payment_cents"] == 35000
    assert transaction["balanced"] is True
    assert transaction["error"] is None
    assert transaction["provider_adjustments"] == [
        {
            "provider_id": "1999999984",
            "fiscal_period_on": "2026-12-31",
            "reason": "WO",
            "reference": "ICN0000",
            "cents": 5000,
        }
    ]
    claim = transaction["claims"][0]
    assert (claim["claim_id"], claim["payer_claim_id"], claim["status_code"]) == ("PCN0000000001", "ICN0001", "1")
    assert (claim["charge_cents"], claim["paid_cents"], claim["patient_cents"]) == (70000, 40000, 10000)
    assert claim["lines"][0]["adjustments"] == [
        {"group": "CO", "reason": "45", "cents": 10000},
        {"group": "PR", "reason": "2", "cents": 5000},
    ]


def test_two_files_in_one_are_two_remittances() -> None:
    content = write_835(remittance(), ENVELOPE)
    assert len(read_835(content + content)) == 2


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        (b"CLP*PCN0000000001*1*700*", b"CLP*PCN0000000001*1*7O0*", "CLP03"),
        (b"*400*100*12*", b"*400.001*100*12*", "CLP04"),
        (b"CAS*CO*45*100~", b"CAS*CO*45*1_0~", "CAS03"),
        (b"DTM*472*20261102", b"DTM*472*20261302", "DTM02"),
        (b"SE*37*", b"SE*38*", "SE01"),
    ],
)
def test_an_835_that_cannot_be_read_exactly_is_not_read_at_all(old: bytes, new: bytes, element: str) -> None:
    content = write_835(remittance(), ENVELOPE)
    assert old in content
    with pytest.raises(X12FormatError) as caught:
        read_835(content.replace(old, new))
    assert caught.value.element == element


def test_a_reversal_keeps_its_negative_amounts() -> None:
    claim = remittance().claims[1]
    reversal = replace(
        claim,
        status_code="22",
        charge_cents=-12345,
        adjustments=(replace(claim.adjustments[0], cents=-12345),),
    )
    values = replace(remittance(), claims=(remittance().claims[0], reversal))
    again = read_835(write_835(values, ENVELOPE))[0]
    assert again.claims[1].charge_cents == -12345
    assert balance_of(again) == ()


def test_a_segment_the_guide_does_not_know_is_kept_with_its_loop() -> None:
    content = write_835(remittance(), ENVELOPE)
    content = content.replace(b"N1*PR*", b"ZZZ*1~\nN1*PR*").replace(b"NM1*QC*", b"HI*ABK:F332~\nNM1*QC*", 1)
    (found,) = read_835(content.replace(b"SE*37*", b"SE*39*"))
    assert found.header.unread == (UnreadSegment("", 5, ("ZZZ", "1")),)
    assert found.claims[0].unread == (UnreadSegment("2100", 14, ("HI", "ABK:F332")),)
