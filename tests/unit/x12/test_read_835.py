"""The 835 reader: balance at line, claim and transaction, JSON of the documented shape, several sets in a file."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.decoding import X12FormatError, cents
from clearinghouse.x12.parties import Address, UnreadSegment
from clearinghouse.x12.read_835 import OutOfBalance, RemittanceEnd, balance_of, read_835, stream_835
from clearinghouse.x12.remittance_835 import ClaimPayment, Remittance, RemittanceHeader
from clearinghouse.x12.write_835 import write_835
from tests.unit.x12.examples import ENVELOPE, remittance
from tests.unit.x12.json_files import read_json


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


def test_two_transaction_sets_of_one_number_are_two_remittances() -> None:
    content = write_835(remittance(), ENVELOPE)
    start, end = content.index(b"ST*"), content.index(b"GE*")
    assert len(read_835(content[:end] + content[start:end] + content[end:])) == 2


def test_a_payee_without_a_street_is_not_given_the_payers() -> None:
    content = write_835(remittance(), ENVELOPE).replace(b"SE*37", b"SE*38")
    read = read_835(content.replace(b"REF*TJ*", b"N4*WACO*TX*76701~\nREF*TJ*"))[0]
    assert read.header.payee.address == Address("", "WACO", "TX", "76701")


def test_the_claims_before_one_that_cannot_be_read_are_given_out() -> None:
    content = write_835(remittance(), ENVELOPE).replace(b"*4*123.45*", b"*4*12E.45*")
    stream = stream_835(content)
    assert [type(next(stream)) for _ in range(2)] == [RemittanceHeader, ClaimPayment]
    with pytest.raises(X12FormatError, match="CLP03"):
        next(stream)


@pytest.mark.parametrize(
    ("stray", "element"), [(b"SVC*HC:90853*1*1~\n", "SVC"), (b"CAS*CO*45*1_0~\n", "CAS03"), (b"AMT*AU*x~\n", "AMT02")]
)
@pytest.mark.parametrize("after", [b"TRN*1*EFT123*1123456789~\n", b"N4*AUSTIN*TX*78701~\n", b"LX*1~\n"])
def test_what_stands_outside_any_claim_must_be_legible_too(after: bytes, stray: bytes, element: str) -> None:
    content = write_835(remittance(), ENVELOPE)
    assert after in content
    with pytest.raises(X12FormatError) as caught:
        read_835(content.replace(after, after + stray))
    assert caught.value.element == element


@given(st.text("0123456789.-+_ e²½", max_size=9))
def test_an_amount_is_read_to_the_cent_or_not_at_all(text: str) -> None:
    """Decimal judges the value, the guide's shape of an amount (no exponent, no blank, no sign but minus) the form."""
    lawful = re.fullmatch(r"-?(\d+|\d*\.\d{1,2}0*)", text, re.ASCII)
    if lawful is None:
        with pytest.raises(ValueError, match="cents"):
            cents(text)
    else:
        assert Decimal(text) * 100 == cents(text)


def test_values_cannot_be_changed_once_read() -> None:
    claim = read_835(write_835(remittance(), ENVELOPE))[0].claims[0]
    with pytest.raises(AttributeError, match="immutable"):
        claim.paid_cents = 0  # type: ignore[misc]
