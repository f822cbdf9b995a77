"""Rows out of a CSV file as spreadsheets and EHR reports write them: encodings, separators, quoted line ends.

Every row is handed on with the heading line above it, in the file's own bytes: it can be kept, and read again, alone.
Splits only; knows no column.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.errors import FormatError

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SEPARATORS = ",;\t|"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_FIRST_WORDS = re.compile(r'^[^\r\n]*[^,;\t| "\r\n][^\r\n]*', re.MULTILINE)
# ="00123": how exporters keep Excel from taking the zeros off.
_KEPT_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_MOST_CELL_CHARACTERS = 32_767
"""What a cell of Excel can hold: a longer one is a quote that nobody closed."""


_LONGEST_LINE, _TOO_LONG = 1_000_000, "has a line longer"
_MOST_COLUMNS = 2_000
"""Far more than any sheet has that people fill in."""
_MOST_HEADING_CHARACTERS = 65_536
"""Every row is kept with the headings, so that a heading line without end would be kept as often as there are rows."""


class CsvFormatError(FormatError):
    """The file is no CSV with a heading line."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: ``line`` of the file it begins in (from 1), its cells, and ``raw``, heading line and row as bytes."""

    line: int
    cells: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class CsvFault:
    """What can be no row: where, why in a sentence without values, and the bytes (heading line first)."""

    line: int
    text: str
    raw: bytes


@dataclass(slots=True)
class CsvTable:
    """A file opened: the headings, then the rows, read as they are asked for."""

    header: tuple[str, ...]
    header_line: int
    _lines: _Lines
    _header_text: str
    _separator: str
    _encode: _Encoder = field(repr=False)

    def rows(self) -> Iterator[CsvRow | CsvFault]:
        """Every row that holds anything, in order."""
        reader = _reader(self._lines, self._separator)
        while True:
            try:
                cells = _next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                line, text = self._lines.taken()
                yield CsvFault(line, _sentence(error), self._encode(self._header_text + text))
                reader = _reader(self._lines, self._separator)
                continue
            line, text = self._lines.taken()
            tidy = tuple(map(_tidy, cells))
            if not any(tidy):
                continue
            raw = self._encode(self._header_text + text)
            if any(tidy[len(self.header) :]):
                sentence = f"has {len(tidy)} cells under {len(self.header)} headings; quote cells that hold a separator"
                yield CsvFault(line, sentence, raw)
            else:
                yield CsvRow(line, tidy, raw)


def open_table(content: bytes, character_set: str = "") -> CsvTable:
    """The table of a file. ``character_set`` is a Python codec for what is not UTF-8 and begins with no mark.

    Raises CsvFormatError where there is no text or no heading line. A row shorter than the headings is no fault:
    Excel leaves trailing empty cells out of some rows and not of others.
    """
    text, encode = _decode(content, character_set)
    lines = _Lines(text)
    separator = _separator_of(text)
    try:
        reader = _reader(lines, separator)
        while True:
            cells = _next(reader)
            line, heading = lines.taken()
            header = tuple(map(_tidy, cells))
            if len(header) > _MOST_COLUMNS or len(heading) > _MOST_HEADING_CHARACTERS:
                raise CsvFormatError(
                    f"the heading line names {len(header)} columns in {len(heading)} characters; "
                    f"{_MOST_COLUMNS} columns and {_MOST_HEADING_CHARACTERS} characters are the most"
                )
            if any(header):
                ended = heading if heading.endswith(("\n", "\r")) else heading + "\n"
                return CsvTable(header, line, lines, ended, separator, encode)
    except csv.Error as error:
        raise CsvFormatError(f"the heading line {_sentence(error)}") from None
    except StopIteration:
        raise CsvFormatError("the file has no heading line that names its columns") from None


class _Encoder:
    """Text back to the bytes it came as; a file with a mark gets one again, so that a row alone says how to read it."""

    __slots__ = ("_codec", "_mark")

    def __init__(self, codec: str, mark: bytes) -> None:
        self._codec, self._mark = codec, mark

    def __call__(self, text: str) -> bytes:
        return self._mark + text.encode(self._codec)


class _Lines:
    """Lines for the csv reader, which remembers those that the reader has taken since it was last asked."""

    def __init__(self, text: str) -> None:
        self._lines = iter(io.StringIO(text, newline=""))
        self._number = 0
        self._since: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self._since.append(line)
        if len(line) > _LONGEST_LINE:
            raise csv.Error(f"{_TOO_LONG} than {_LONGEST_LINE} characters")
        return line

    def taken(self) -> tuple[int, str]:
        """The number of the first line taken since, and the text of all of them."""
        first, text = self._number - len(self._since) + 1, "".join(self._since)
        self._since.clear()
        return first, text


def _decode(content: bytes, character_set: str) -> tuple[str, _Encoder]:
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], codec), _Encoder(codec, mark)
    try:
        return content.decode(), _Encoder("utf-8", b"")
    except UnicodeDecodeError as error:
        if not character_set:
            line = content.count(b"\n", 0, error.start) + 1
            raise CsvFormatError(
                f"line {line} is not UTF-8 text; save the file as CSV UTF-8, or name its character_set in the source "
                "file, such as cp1252"
            ) from None
    return _strictly(content, character_set), _Encoder(character_set, b"")


def _strictly(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        line = content.count("\n".encode(codec), 0, error.start) + 1
        raise CsvFormatError(f"line {line} is not {codec} text; save the file as CSV UTF-8") from None


def _separator_of(text: str) -> str:
    """The separator that stands most often in the heading line, outside quotes; a comma where none does."""
    heading = _FIRST_WORDS.search(text)
    bare = _QUOTED.sub("", heading[0]) if heading else ""
    return max(_SEPARATORS, key=bare.count)


def _reader(lines: _Lines, separator: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=separator, strict=True)


def _next(reader: Iterator[list[str]]) -> list[str]:
    """The next row; the csv module has one limit for all of the process, so it is set for as long as this takes."""
    before = csv.field_size_limit(_MOST_CELL_CHARACTERS)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(before)


def _tidy(cell: str) -> str:
    kept = _KEPT_AS_TEXT.fullmatch(cell.strip())
    return (kept[1] if kept else cell).strip()


def _sentence(error: csv.Error) -> str:
    """The csv module's own words, for the three things people do."""
    words = str(error)
    if "unexpected end" in words or "field larger" in words:
        return "opens a quote that nothing closes"
    if "expected after" in words:
        return "has text after a closing quote; a quote inside a cell is written twice"
    return words if words.startswith(_TOO_LONG) else f"is not CSV: {words}"
