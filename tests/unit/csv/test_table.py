"""Rows out of CSV files as spreadsheets write them."""

import csv

import pytest

from adapters.csv.table import CsvFault, CsvFormatError, CsvRow, open_table


def rows(content: bytes, character_set: str = "") -> list[CsvRow | CsvFault]:
    return list(open_table(content, character_set).rows())


def cells(content: bytes, character_set: str = "") -> list[tuple[str, ...]]:
    return [each.cells for each in rows(content, character_set) if isinstance(each, CsvRow)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_of_the_heading_line(separator: str) -> None:
    content = f'Name{separator}"Day, or; time"{separator}End\nA{separator}B{separator}C\n'.encode()
    assert ("Name", "Day, or; time", "End") == open_table(content).header
    assert [("A", "B", "C")] == cells(content)


@pytest.mark.parametrize(
    ("content", "character_set"),
    [
        ("Näme,Day\nZoë,1\n".encode(), ""),
        ("Näme,Day\nZoë,1\n".encode("utf-8-sig"), ""),
        ("Näme,Day\nZoë,1\n".encode("utf-16"), ""),
        ("Näme,Day\nZoë,1\n".encode("cp1252"), "cp1252"),
    ],
)
def test_a_row_kept_with_its_heading_line_reads_alone_as_it_did_in_the_file(content: bytes, character_set: str) -> None:
    (row,) = rows(content, character_set)
    (alone,) = rows(row.raw, character_set)
    assert isinstance(row, CsvRow) and isinstance(alone, CsvRow)
    assert ("Zoë", "1") == row.cells == alone.cells
    assert row.raw == content


def test_lines_are_counted_as_an_editor_does_whatever_quotes_hold() -> None:
    found = rows(b'\r\nName,Note\r\nA,"one\r\ntwo"\r\n\r\nB,x\r\n')
    assert [3, 6] == [each.line for each in found]
    assert [("A", "one\r\ntwo"), ("B", "x")] == cells(b'Name,Note\r\nA,"one\r\ntwo"\r\n,\r\nB,x\r\n')


def test_a_cell_kept_as_text_for_excel_is_that_text() -> None:
    assert [("00123", "5")] == cells(b'"Client","Day"\n"=""00123""", 5 \n')


def test_a_row_that_is_too_short_has_empty_cells_and_one_too_long_is_a_fault() -> None:
    short, padded, long = rows(b"A,B\n1\n2,3,,\n4,5,6\n")
    assert isinstance(short, CsvRow) and isinstance(padded, CsvRow)
    assert CsvFault(4, "has 3 cells under 2 headings; quote cells that hold a separator", b"A,B\n4,5,6\n") == long


def test_a_fault_keeps_no_later_row_out_and_its_bytes_are_kept() -> None:
    first, fault, last = rows(b'A,B\n1,2\n"x"y,3\n4,5\n')
    assert isinstance(first, CsvRow) and isinstance(last, CsvRow)
    assert isinstance(fault, CsvFault)
    assert (3, b'A,B\n"x"y,3\n') == (fault.line, fault.raw)
    assert "closing quote" in fault.text


def test_a_quote_that_nothing_closes_is_told_at_the_line_that_opens_it() -> None:
    fault = rows(b'A,B\n1,2\n"3,4\n5,6\n')[-1]
    assert isinstance(fault, CsvFault)
    assert (3, "opens a quote that nothing closes") == (fault.line, fault.text)


def test_bytes_that_are_no_utf_8_are_refused_with_the_line_and_what_to_do() -> None:
    with pytest.raises(CsvFormatError, match=r"line 2 is not UTF-8 text; save the file as CSV UTF-8, or name"):
        open_table("Name\nZoë\n".encode("cp1252"))


@pytest.mark.parametrize("content", [b"", b"\n\n", b" , ,\n", b'"""\n'])
def test_a_file_without_a_heading_line_is_refused(content: bytes) -> None:
    with pytest.raises(CsvFormatError, match="heading line"):
        open_table(content)


@pytest.mark.parametrize(
    "heading", ["Name," + ",".join(map(str, range(3000))), "Name," + "x" * 70_000, "," * 2_000_000]
)
def test_a_heading_line_that_no_sheet_has_is_refused_because_it_is_kept_with_every_row(heading: str) -> None:
    with pytest.raises(CsvFormatError, match=r"the heading line (names|opens|has)"):
        open_table(f"{heading}\nA\n".encode())


def test_a_line_without_end_is_kept_as_it_is_and_keeps_no_other_out() -> None:
    found = rows(b"Name,Day\nAna,1\n" + b"," * 2_000_000 + b"\nBo,2\n")
    assert ["CsvRow", "CsvFault", "CsvRow"] == [type(each).__name__ for each in found]
    assert isinstance(found[1], CsvFault)
    assert "has a line longer than 1000000 characters" == found[1].text
    assert 2_000_000 < len(found[1].raw)


def test_reading_a_table_leaves_the_limit_that_all_of_the_process_has_on_cells_as_it_was() -> None:
    before = csv.field_size_limit()
    [*open_table(b"a,b\n1,2\n").rows()]
    assert before == csv.field_size_limit()
