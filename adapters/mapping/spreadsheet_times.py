"""Dates and times as spreadsheets and reports show them, to the ISO form the mapping engine reads.

`8/3/2026 9:00 AM`, `2026-08-03 09:00`, Excel's serial days (46237.375), and a day and a time joined by `/`, as `parts`
joins two columns. Month before day, as in the United States; two digits are no year.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from adapters.mapping.values import NotUnderstood

_MIDNIGHT: Final = r"(?: (?:0?0:00(?::00)?|12:00(?::00)? ?AM))?"
_TEXT: Final = re.compile(
    r"(?:(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})|(?P<iso>\d{4}-\d{2}-\d{2})|(?P<serial>\d{5}))"
    rf"(?:{_MIDNIGHT}/|,? +|T|(?=\.))?"
    r"(?:(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?(?: ?(?P<half>[AP])\.?M\.?)?"
    r"|(?P<fraction>0?\.\d{1,15}))?",
    re.ASCII | re.IGNORECASE,
)
_SERIAL_ZERO: Final = date(1899, 12, 30)
"""Day 0 of Excel's 1900 calendar, for days after February 1900."""
_SECONDS_OF_DAY: Final = 24 * 60 * 60


def iso_of(text: str) -> str:
    """The ISO form of a spreadsheet's date or time; any other text as it is. Raises NotUnderstood."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return text
    day = _day_of(match)
    clock = _clock_of(match)
    return f"{day.isoformat()}T{clock}" if clock else day.isoformat()


def _day_of(match: re.Match[str]) -> date:
    if match["year"] and len(match["year"]) == 2:
        raise NotUnderstood("expected a year of four digits", "Format the column as a date with a year of four digits.")
    try:
        if match["serial"]:
            return _SERIAL_ZERO + timedelta(days=int(match["serial"]))
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise NotUnderstood("expected month/day/year of a day that exists") from None


def _clock_of(match: re.Match[str]) -> str:
    if match["fraction"]:
        seconds = min(round(float(match["fraction"]) * _SECONDS_OF_DAY), _SECONDS_OF_DAY - 1)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if not match["hour"]:
        return ""
    hour, half = int(match["hour"]), (match["half"] or "").upper()
    if half and not 1 <= hour <= 12:
        raise NotUnderstood("expected an hour from 1 to 12 before AM or PM")
    if half:
        hour = hour % 12 + (12 if half == "P" else 0)
    return f"{hour:02}:{match['minute']}:{match['second'] or '00'}"
