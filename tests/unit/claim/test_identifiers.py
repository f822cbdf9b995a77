"""Numbers of the trade: a claim number shows its own typing errors; ids are stable or ordered by time."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claim.identifiers import (
    claim_number,
    claim_number_is_intact,
    new_ulid,
    npi_is_valid,
    stable_id,
    taxonomy_is_shaped,
)

CHARACTERS = string.digits + string.ascii_uppercase
sequences = st.integers(min_value=0, max_value=36**10 - 1)


@given(sequences)
def test_a_claim_number_is_intact_and_fits_every_payer(sequence: int) -> None:
    number = claim_number(sequence)
    assert claim_number_is_intact(number)
    assert len(number) <= 17
    assert set(number) <= set(CHARACTERS)


@given(sequences)
def test_every_single_character_error_shows(sequence: int) -> None:
    number = claim_number(sequence)
    for place, right in enumerate(number):
        for wrong in CHARACTERS:
            if wrong != right:
                assert not claim_number_is_intact(number[:place] + wrong + number[place + 1 :])


@given(sequences)
def test_every_transposition_of_neighbours_shows(sequence: int) -> None:
    number = claim_number(sequence)
    for place in range(len(number) - 1):
        left, right = number[place], number[place + 1]
        if left != right:
            assert not claim_number_is_intact(number[:place] + right + left + number[place + 2 :])


@given(sequences)
def test_a_claim_number_cut_short_or_lower_case_is_not_intact(sequence: int) -> None:
    number = claim_number(sequence)
    assert not any(claim_number_is_intact(number[:length]) for length in range(len(number)))
    assert not claim_number_is_intact(number + "0")
    assert not claim_number_is_intact(number.lower())


@given(st.sets(sequences, min_size=2, max_size=50))
def test_different_sequences_give_different_claim_numbers(chosen: set[int]) -> None:
    assert len({claim_number(sequence) for sequence in chosen}) == len(chosen)


def test_a_claim_number_has_no_negative_sequence() -> None:
    with pytest.raises(ValueError, match="negative"):
        claim_number(-1)


def test_a_sequence_beyond_the_numbers_length_is_refused_rather_than_repeated() -> None:
    with pytest.raises(ValueError, match="used up"):
        claim_number(36**10)


@pytest.mark.parametrize("npi", ["1234567893", "1679576722", "1245319599"])
def test_a_right_npi_passes_and_with_any_digit_changed_fails(npi: str) -> None:
    assert npi_is_valid(npi)
    for place, right in enumerate(npi):
        for wrong in string.digits:
            if wrong != right:
                assert not npi_is_valid(npi[:place] + wrong + npi[place + 1 :])


@pytest.mark.parametrize(
    "npi", ["", "123456789", "12345678931", "3234567891", "١٢٣٤٥٦٧٨٩٣", "123456789X", "1234567893\n"]
)
def test_what_has_not_the_shape_of_an_npi_is_none(npi: str) -> None:
    assert not npi_is_valid(npi)


@pytest.mark.parametrize(("code", "shaped"), [("2084P0800X", True), ("2084p0800X", False), ("2084P0800", False)])
def test_a_taxonomy_code_is_ten_characters_that_end_in_x(code: str, shaped: bool) -> None:
    assert taxonomy_is_shaped(code) is shaped


def test_ulids_of_later_moments_sort_later_and_none_repeats() -> None:
    start = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
    made = [new_ulid(start + timedelta(milliseconds=each)) for each in range(200)]
    assert made == sorted(made)
    assert {len(each) for each in made} == {26}
    assert len({new_ulid(start) for _ in range(1000)}) == 1000


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_a_stable_id_is_the_same_for_the_same_parts_alone(one: list[str], other: list[str]) -> None:
    assert stable_id(*one) == stable_id(*one)
    if one != other:
        assert stable_id(*one) != stable_id(*other)
