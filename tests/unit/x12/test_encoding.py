"""The encoder: what X12 cannot carry is transliterated in free text and refused everywhere else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from clearinghouse.x12.decoding import cents, decimal
from clearinghouse.x12.encoding import SegmentWriter, Text, UnwritableValue, money, number, span, writable_text
from clearinghouse.x12.envelope import BadDelimitersError, Delimiters
from clearinghouse.x12.parties import DateSpan
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    institutional_claim,
    institutional_transaction,
    person,
)

MARKS = Delimiters()


@pytest.mark.parametrize(
    ("amount", "written"),
    [(0, "0"), (5, "0.05"), (50, "0.5"), (35050, "350.5"), (105000, "1050"), (-325, "-3.25"), (-3, "-0.03")],
)
def test_cents_are_written_without_needless_characters(amount: int, written: str) -> None:
    assert money(amount) == written


@given(st.integers(-(10**12), 10**12))
def test_an_amount_reads_back_to_the_same_cents(amount: int) -> None:
    assert cents(money(amount)) == amount


@given(st.decimals(min_value=0, max_value=10**6, places=3))
def test_a_quantity_reads_back_to_the_same_number(value: Decimal) -> None:
    assert decimal(number(value)) == value


@pytest.mark.parametrize("text", ["1_0", "1e3", " 1", "1.005", "--1", "", "\u0661"])
def test_what_is_no_plain_amount_of_cents_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match="cents"):
        cents(text)


def test_a_day_and_a_range_have_their_own_formats() -> None:
    assert span(DateSpan(date(2026, 8, 1))) == ("D8", "20260801")
    assert span(DateSpan(date(2026, 8, 1), date(2026, 8, 7))) == ("RD8", "20260801-20260807")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Jos\u00e9 Nu\u00f1ez", "JOSE NUNEZ"),
        ("O\u2019Brien", "O'BRIEN"),
        ("Smith~CLM*1:2^3", "SMITH CLM 1 2 3"),
        ("two\r\nlines\tand  spaces", "TWO LINES AND SPACES"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u00abDoe\u00bb \u00bfJane", "DOE JANE"),
    ],
)
def test_free_text_is_transliterated(text: str, written: str) -> None:
    assert writable_text(text, MARKS) == written


@given(st.text(max_size=60))
def test_free_text_is_written_clean_or_refused(text: str) -> None:
    try:
        written = writable_text(text, MARKS)
    except ValueError:
        return
    assert written.isascii()
    assert written.isprintable() or not written
    assert not set(written) & set("*:^~")
    assert writable_text(written, MARKS) == written


@pytest.mark.parametrize("bad", ["A*B", "A:B", "A^B", "A~B", "A\nB", "A\x00B", "\u00c9", "\u0660"])
def test_an_identifier_with_a_mark_of_x12_is_refused_naming_loop_and_element_but_not_the_value(bad: str) -> None:
    claim = institutional_claim(patient_control_number=f"SECRET{bad}")
    with pytest.raises(UnwritableValue) as caught:
        write_837(institutional_transaction(claim), ENVELOPE)
    assert (caught.value.loop, caught.value.element) == ("2300", "CLM01")
    assert "SECRET" not in str(caught.value)


def test_a_name_that_would_inject_a_segment_is_written_as_one_element() -> None:
    claim = institutional_claim(
        providers=(replace(institutional_claim().providers[0], name=person("Smith~CLM*X*1", "A", "XX", "1888888876")),)
    )
    content = write_837(institutional_transaction(claim), ENVELOPE).decode()
    assert "NM1*71*1*SMITH CLM X 1*A****XX*1888888876~" in content
    assert content.count("CLM*") == 1


def test_text_of_which_nothing_can_be_written_is_refused() -> None:
    out = SegmentWriter(MARKS)
    with pytest.raises(UnwritableValue):
        out.add("NM1", "IL", "1", Text("***"))
    with pytest.raises(UnwritableValue):
        out.add("NM1", "IL", "1", Text("\u674e"))


@pytest.mark.parametrize("marks", [{"element": "A"}, {"segment": "*"}, {"component": " "}, {"repetition": ""}])
def test_delimiters_must_be_distinct_punctuation(marks: dict[str, str]) -> None:
    with pytest.raises(BadDelimitersError):
        Delimiters(**marks)  # type: ignore[arg-type]
