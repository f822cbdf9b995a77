"""A roster file as rows of text by column, each with its place: CSV with a heading line, or a JSON list of objects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import ConfigurationError

_MOST_NUMBERS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One row as text. ``place`` is ``file:line``, or the row's number in a JSON list."""

    place: str
    values: Mapping[str, str]
    problem: str = ""
    """Why it can be no row, whatever its cells say."""


def read_rows(content: bytes, name: str, required: Sequence[str], known: Sequence[str]) -> Iterator[Row]:
    """Every row that holds anything. Raises ConfigurationError where the file as such cannot be read."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError([f"{name}:1: the file is not UTF-8 text; save it as CSV UTF-8"]) from None
    if text.lstrip()[:1] in ("[", "{"):
        return _json_rows(text, name, required, known)
    return _csv_rows(text, name, required, known)


def _csv_rows(text: str, name: str, required: Sequence[str], known: Sequence[str]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            place = f"{name}:{reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                _check_columns(header, place, required, known)
                continue
            values = {column: cell.strip() for column, cell in zip(header, cells, strict=False)}
            over = len(cells) > len(header)
            yield Row(place, values, f"{len(cells)} cells under {len(header)} headings; quote commas" if over else "")
    except csv.Error as error:
        raise ConfigurationError([f"{name}:{reader.line_num}: is not CSV: {error}"]) from None
    if not header:
        raise ConfigurationError([f"{name}:1: has no heading line; the columns are {', '.join(known)}"])


def _json_rows(text: str, name: str, required: Sequence[str], known: Sequence[str]) -> Iterator[Row]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigurationError([f"{name}: is not JSON; send a list of objects, one for each row"]) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationError([f"{name}: is not a list of objects, one for each row"])
    for number, row in enumerate(rows, start=1):
        place = f"{name}: row {number}"
        nested = [str(at) for at, value in enumerate(row.values(), start=1) if not _is_cell(value)]
        wrong = _wrong_columns(row, required, known)
        wrong += [f"value {_some(nested)} is neither a word, a number nor a list of them"] if nested else []
        yield Row(place, {} if wrong else {column: _as_text(value) for column, value in row.items()}, "; ".join(wrong))


def _check_columns(header: Sequence[str], place: str, required: Sequence[str], known: Sequence[str]) -> None:
    if wrong := _wrong_columns(header, required, known):
        raise ConfigurationError([f"{place}: {each}" for each in wrong])


def _wrong_columns(header: Iterable[str], required: Sequence[str], known: Sequence[str]) -> list[str]:
    columns = list(header)
    wrong = [f"the column {each!r} is missing" for each in required if each not in columns]
    unknown = [str(number) for number, each in enumerate(columns, start=1) if each not in known]
    if unknown:
        wrong.append(f"column {_some(unknown)} has no heading we know; known are {', '.join(known)}")
    return wrong + [f"the column {each!r} is there twice" for each in known if columns.count(each) > 1]


def _some(numbers: Sequence[str]) -> str:
    more = len(numbers) - _MOST_NUMBERS
    return ", ".join(numbers[:_MOST_NUMBERS]) + (f" and {more:,} more" if more > 0 else "")


def _is_cell(value: Any) -> bool:
    cells = value if isinstance(value, list) else [value]
    return not any(isinstance(each, list | dict) for each in cells)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(_as_text, value)) if isinstance(value, list) else str(value).strip()
