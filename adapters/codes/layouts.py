"""The layouts in which owners publish code lists, row by row: every bad one told with its line, no text kept.

No cell is repeated in what is wrong with it: whoever picks the wrong file may have picked one of patients.
Descriptions are left where they are: what CPT, NUBC or NUCC codes mean is their owners' wording. Of the reasons and
remarks of an 835 (CARC, RARC) a site keeps the words of its own licensed list, to show them beside the code.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from adapters.codes.table import ListedCode

PROCEDURE: Final = re.compile(r"[A-Z0-9]\d{3}[A-Z0-9]", re.ASCII)
_MODIFIER: Final = re.compile(r"[A-Z0-9]{2}", re.ASCII)
_DIAGNOSIS: Final = re.compile(r"[A-Z][0-9A-Z]{2,6}", re.ASCII)
_CPT: Final = re.compile(r"\d{4}[0-9A-Z]", re.ASCII)
_UNITS: Final = re.compile(r"\d{1,9}", re.ASCII)
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_LOOKED_AT = 4096
_MOST_WORDS = 500
WORDS: Final = "words"
"""The fact of a listed code that holds what its list says of it."""
_OPEN: Final = frozenset({"", "*", "99991231", "12/31/9999", "9999-12-31"})


@dataclass(slots=True)
class Reading:
    """What came of a file: its rows, and every row that could not be read as (line, what is wrong)."""

    rows: list[ListedCode] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, key: str, shape: re.Pattern[str], what: str, row: ListedCode) -> None:
        """Take the row when each code of its key has the shape."""
        if all(shape.fullmatch(code) for code in key.split(" ")) and key:
            self.rows.append(row)
        else:
            self.problems.append((line, f"what stands there is not {what}"))


def read_icd_10_cm_order(text: str) -> Reading:
    """The order file of CMS and CDC: place 7-13 the code, 15 whether it may be billed (1) or is a heading (0)."""
    reading = Reading()
    for number, line in _lines(text):
        code, flag = line[6:13].strip(), line[14:15]
        if flag not in ("0", "1"):
            reading.problems.append((number, "place 15 is 1 for a code that may be billed and 0 for a heading"))
            continue
        row = ListedCode(code, facts={"billable": flag})
        reading.add(number, code, _DIAGNOSIS, "an ICD-10-CM code", row)
    return reading


def read_hcpcs(text: str) -> Reading:
    """The alpha-numeric file of CMS, fixed (ANWEB: 1-5, 11, 269-276, 285-292) or with a header as CSV.

    Record 3 begins a procedure code and 7 a modifier, which is kept with a hyphen before it; 4 and 8 go on with words.
    """
    reading = Reading()
    has_header = _header_places(_cells(text[:_LOOKED_AT]), _HCPCS_COLUMNS) is not None
    rows = _hcpcs_rows(_columns(text, _HCPCS_COLUMNS)) if has_header else _fixed_hcpcs(text)
    for number, code, record, added, ended in rows:
        if record not in ("3", "7"):
            continue
        bare = code.strip()
        span = _span(reading, number, added, ended)
        if record == "3" and span is not None:
            reading.add(number, bare, PROCEDURE, "a HCPCS code", ListedCode(bare, *span))
        elif span is not None:
            row = ListedCode(f"-{bare[-2:]}", *span)
            reading.add(number, bare[-2:], _MODIFIER, "a modifier", row)
    return reading


def _fixed_hcpcs(text: str) -> Iterator[tuple[int, str, str, str, str]]:
    for number, line in _lines(text):
        yield number, line[0:5], line[10:11], line[268:276].strip(), line[284:292].strip()


def _hcpcs_rows(found: Iterable[tuple[int, dict[str, str]]]) -> Iterator[tuple[int, str, str, str, str]]:
    for number, row in found:
        code = row["code"]
        record = row["record"] or ("3" if len(code) == 5 else "7")
        yield number, code, record, row["added"], row["ended"]


def read_cpt(text: str) -> Reading:
    """The customer's licensed file of the AMA: a code first on each line, or after a concept id."""
    reading = Reading()
    for number, line in _lines(text):
        codes = [cell for cell in re.split(r"[\t ,]", line.replace('"', ""))[:2] if _CPT.fullmatch(cell)]
        if codes:
            reading.rows.append(ListedCode(codes[0]))
        elif reading.rows:
            reading.problems.append((number, "no CPT code begins this line"))
    return reading


def read_mue(text: str) -> Reading:
    """Medically unlikely edits of CMS: the most units of a code, counted by line (1) or by day (2, 3)."""
    reading = Reading()
    for number, row in _columns(text, _MUE_COLUMNS):
        code, units, counts = row["code"], row["units"], row["counts"][:1]
        if not _UNITS.fullmatch(units) or counts not in ("1", "2", "3"):
            reading.problems.append((number, "the units are no whole number, or the indicator is not 1, 2 or 3"))
            continue
        listed = ListedCode(code, facts={"units": units, "by": "line" if counts == "1" else "day"})
        reading.add(number, code, PROCEDURE, "a procedure code", listed)
    return reading


def read_ptp(text: str) -> Reading:
    """Procedure-to-procedure edits of CMS: the second code is not paid beside the first (1: unless a modifier).

    Indicator 9 stands for a pair that was taken back on the day it began.
    """
    reading = Reading()
    for number, row in _columns(text, _PTP_COLUMNS):
        indicator, pair = row["modifier"][:1], f"{row['first']} {row['second']}"
        span = _span(reading, number, row["start"], row["end"])
        if indicator not in ("0", "1", "9"):
            reading.problems.append((number, "the modifier indicator is not 0, 1 or 9"))
        elif span is not None and indicator != "9":
            reading.add(
                number, pair, PROCEDURE, "two procedure codes", ListedCode(pair, *span, {"modifier": indicator})
            )
    return reading


def read_add_on_codes(text: str) -> Reading:
    """Add-on codes of CMS, each with a code that it may stand beside; CCCCC leaves that to the contractor."""
    reading = Reading()
    for number, row in _columns(text, _ADD_ON_COLUMNS):
        span = _span(reading, number, row["start"], row["end"])
        if span is None:
            continue
        if row["primary"] in ("", "CCCCC"):
            reading.add(number, row["code"], PROCEDURE, "a procedure code", ListedCode(row["code"], *span))
        else:
            pair = f"{row['code']} {row['primary']}"
            reading.add(number, pair, PROCEDURE, "two procedure codes", ListedCode(pair, *span))
    return reading


def read_program_services(text: str) -> Reading:
    """Services that CMS takes on a PHP or IOP claim, a sheet of the IOCE's quarterly files saved as CSV.

    A column that says which of them are primary (Y) is kept.
    """
    reading = Reading()
    for number, row in _columns(text, _SERVICE_COLUMNS):
        span = _span(reading, number, row["start"], row["end"])
        primary = {"primary": "1"} if row["primary"][:1].upper() in ("Y", "1") else {}
        if span is not None:
            listed = ListedCode(row["code"], *span, primary)
            reading.add(number, row["code"], PROCEDURE, "a procedure code", listed)
    return reading


def simple_reader(shape: str, what: str, *, with_words: bool = False) -> Callable[[str], Reading]:
    """A reader of a CSV with a header: a column of codes, and one for the first and the last day where it has them.

    ``with_words`` keeps what the list says of each code; ask for it only where a site's own licence lets it.
    """
    pattern = re.compile(shape, re.ASCII)

    def read(text: str) -> Reading:
        reading = Reading()
        for number, row in _columns(text, _SIMPLE_COLUMNS):
            span = _span(reading, number, row["start"], row["end"])
            if span is not None:
                said = " ".join(row["words"].replace(";", ",").split())[:_MOST_WORDS] if with_words else ""
                listed = ListedCode(row["code"], *span, {WORDS: said} if said else {})
                reading.add(number, row["code"], pattern, what, listed)
        return reading

    return read


# --- rows under a header ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    """A column by the words its title may begin with, in small letters; the first that fits is it."""

    titles: tuple[str, ...]
    required: bool = False


_START: Final = _Column(("effective", "start", "add dt", "aoc edit eff"))
_END: Final = _Column(("deletion", "deactivation", "stop", "end", "term", "aoc edit del"))
_CODE: Final = _Column(("hcpcs", "hcpc", "cpt", "code", "taxonomy", "revenue code", "rev"), required=True)
_SIMPLE_COLUMNS: Final = {
    "code": _CODE,
    "start": _START,
    "end": _END,
    "words": _Column(("description", "meaning", "message", "text", "narrative")),
}
_SERVICE_COLUMNS: Final = {"code": _CODE, "start": _START, "end": _END, "primary": _Column(("primary",))}
_HCPCS_COLUMNS: Final = {
    "code": _Column(("hcpc", "hcpcs"), required=True),
    "record": _Column(("recid", "record id")),
    "added": _Column(("add dt", "code added", "hcpcs code added")),
    "ended": _Column(("term dt", "termination", "hcpcs termination"), required=True),
}
_MUE_COLUMNS: Final = {
    "code": _Column(("hcpcs cpt",), required=True),
    "units": _Column(("practitioner", "outpatient", "dme", "mue value"), required=True),
    "counts": _Column(("mue adjudication", "mai"), required=True),
}
_PTP_COLUMNS: Final = {
    "first": _Column(("column 1", "column1"), required=True),
    "second": _Column(("column 2", "column2"), required=True),
    "start": _Column(("effective",), required=True),
    "end": _Column(("deletion",), required=True),
    "modifier": _Column(("modifier",), required=True),
}
_ADD_ON_COLUMNS: Final = {
    "code": _Column(("add on code", "aoc"), required=True),
    "primary": _Column(("primary code",), required=True),
    "start": _Column(("aoc edit eff", "effective")),
    "end": _Column(("aoc edit del", "deletion")),
}


class LayoutError(ValueError):
    """The file is not in the layout that its owner publishes."""


def _columns(text: str, columns: Mapping[str, _Column]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by name) of every row below the header; title lines above it and empty rows are passed over.

    Raises LayoutError when no line is the header.
    """
    rows = _cells(text)
    places = _header_places(rows, columns)
    if places is None:
        wanted = ", ".join(repr(each.titles[0]) for each in columns.values() if each.required)
        raise LayoutError(f"no header line was found; it has columns that begin with {wanted}")
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            yield (
                number,
                {name: cells[at].strip() if at is not None and at < len(cells) else "" for name, at in places.items()},
            )


def _cells(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), delimiter="\t" if "\t" in text[:_LOOKED_AT] else ",")
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise LayoutError(f"line {reader.line_num} is not CSV: {error}") from None


def _header_places(
    rows: Iterable[tuple[int, list[str]]], columns: Mapping[str, _Column]
) -> dict[str, int | None] | None:
    """Where each column is, by the first of the rows that has all those required; rows are read up to that one."""
    for _, cells in rows:
        titles = [_WORDS.sub(" ", cell.lower()).strip() for cell in cells]
        places = {name: _place(titles, column) for name, column in columns.items()}
        if all(places[name] is not None for name, column in columns.items() if column.required):
            return places
    return None


def _place(titles: Sequence[str], column: _Column) -> int | None:
    for wanted in column.titles:
        for at, title in enumerate(titles):
            if title == wanted or title.startswith(f"{wanted} "):
                return at
    return None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())


def _span(reading: Reading, number: int, start: str, end: str) -> tuple[date | None, date | None] | None:
    """The days of a row; None, with the problem noted, when one of them is no date."""
    try:
        return _day(start), _day(end)
    except (ValueError, OverflowError):
        reading.problems.append((number, "the first or the last day is not a date"))
        return None


def _day(text: str) -> date | None:
    """A day as owners write it: 20260101, 1/31/2026, 2026-01-31, or year and day of the year; None where it is open."""
    if text in _OPEN or text.startswith("9999"):
        return None
    if re.fullmatch(r"\d{8}", text):
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if re.fullmatch(r"\d{7}", text):
        return date(int(text[:4]), 1, 1) + timedelta(days=int(text[4:]) - 1)
    if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        return date(int(match[3]), int(match[1]), int(match[2]))
    return date.fromisoformat(text)
