"""Cents and text: every amount survives the round trip, and what is no amount is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claim.money import cents_from_text, dollars


@given(st.integers(min_value=-(10**12) + 1, max_value=10**12 - 1))
def test_an_amount_written_for_a_person_reads_back_as_the_same_cents(cents: int) -> None:
    assert cents_from_text(dollars(cents).replace("$", "").replace(",", "")) == cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("350", 35_000),
        ("350.", None),
        ("350.5", 35_050),
        ("-12.25", -1_225),
        (".5", 50),
        ("0", 0),
        ("-0", 0),
        (" 1.00 ", 100),
        ("1.2300", 123),
        ("1.239", None),
        ("+1", None),
        ("1,000", None),
        ("1e3", None),
        ("", None),
        ("-", None),
        (".", None),
        ("١٢", None),
        ("NaN", None),
        ("9" * 13, None),
    ],
)
def test_text_is_an_amount_of_whole_cents_or_none(text: str, cents: int | None) -> None:
    if cents is not None:
        assert cents_from_text(text) == cents
        return
    with pytest.raises(ValueError, match="not an amount") as refused:
        cents_from_text(text)
    assert not text.strip() or len(text.strip()) == 1 or text not in str(refused.value)


@pytest.mark.parametrize(("cents", "text"), [(0, "$0.00"), (105_000, "$1,050.00"), (-320, "-$3.20"), (5, "$0.05")])
def test_dollars_are_written_as_people_write_them(cents: int, text: str) -> None:
    assert dollars(cents) == text
