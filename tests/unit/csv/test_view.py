"""A row's cells by heading."""

import pytest

from adapters.csv.table import CsvFormatError
from adapters.csv.view import CSV_NOTATION, RowView, open_row


def read(path: str, raw: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = RowView.compile(path)(open_row(raw))
    return found


@pytest.mark.parametrize("path", ["Start time", "start TIME", " Start  time "])
def test_a_heading_is_found_whatever_its_case_and_blanks(path: str) -> None:
    assert ["9:00"] == [value for value, _ in read(path, b"Start Time ,End\n9:00,10:00\n")]


def test_a_value_says_its_heading_and_an_empty_cell_gives_none() -> None:
    assert [("9:00", "Start")] == read("Start", b"Start,End\n9:00,\n")
    assert [] == read("End", b"Start,End\n9:00,\n")
    assert [] == read("Other", b"Start,End\n9:00,\n")


def test_the_pieces_of_a_cell_are_several_values() -> None:
    assert [("F33.1", "Dx"), ("F41.1", "Dx")] == read("Dx[;]", b"Dx\nF33.1; F41.1;\n")


@pytest.mark.parametrize("path", ["", "  ", "[;]"])
def test_a_path_without_a_heading_is_none(path: str) -> None:
    with pytest.raises(ValueError, match="heading"):
        CSV_NOTATION.compile(path)


def test_bytes_that_hold_no_row_are_refused() -> None:
    with pytest.raises(CsvFormatError, match="no row"):
        open_row(b"Start,End\n")
