"""Values as FHIR and HL7 v2 write them, to ours: dates, times with daylight saving, yes and no, identifiers' text.

Raises NotUnderstood, which never repeats the value.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.claim.calendar import COUNTABLE

_DTM = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d{1,6})?)?)?)?([+-]\d{4})?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_JOINED = re.compile(  # a day and a time of two fields, as `parts` joins them
    r"(\d{4})-?(\d\d)-?(\d\d)(?:0000(?:00)?)?/(\d\d):?(\d\d)(?::?(\d\d))?([+-]\d{4})?", re.ASCII
)
_INTEGER = re.compile(r"(\d{1,9})(?:\.0*)?", re.ASCII)
_YES = frozenset({"true", "y", "yes", "1"})
_NO = frozenset({"false", "n", "no", "0"})
_US_POSTAL = re.compile(r"\d{5}(?:[- ]?\d{4})?", re.ASCII)


class NotUnderstood(ValueError):
    """A value is there, and is not what the field needs. The text says what was expected, never what was found."""

    def __init__(self, message: str, fix: str = "Correct the mapping entry, or the message at its source.") -> None:
        super().__init__(message)
        self.fix = fix


class NotInMap(NotUnderstood):
    """A word that a value map or lookup does not know. ``kept`` is what the file wants to keep of it, if anything."""

    def __init__(self, message: str, fix: str, kept: Any = None) -> None:
        super().__init__(message, fix)
        self.kept = kept


class Moment(NamedTuple):
    """A point in time as read: aware UTC; ``note`` says what had to be assumed."""

    at: datetime
    note: str = ""


def text_of(value: Any) -> str:
    """A simple value as text, white space around it and control characters gone."""
    if isinstance(value, str):
        return value.strip() if value.isprintable() else " ".join(value.split())
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, dict | list):
        raise NotUnderstood(
            "a whole element stands here, not a value", "Give the path of the value inside the element."
        )
    return str(value)


def read_bool(text: str) -> bool:
    """Yes or no: true/false, or HL7's Y/N (table 0136)."""
    word = text.lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise NotUnderstood("expected true or false (Y or N)", "Add a value map (codes) from the sender's words.")


def read_integer(text: str) -> int:
    """A whole number, also where it is written with decimals that are zero."""
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise NotUnderstood("expected a whole number")
    return int(match[1])


def read_postal_code(text: str) -> str:
    """A ZIP code as 5 or 9 digits."""
    if not _US_POSTAL.fullmatch(text):
        raise NotUnderstood("expected a ZIP code of 5 or 9 digits")
    return text[:5] + text[-4:] if len(text) > 5 else text


def read_diagnosis(text: str) -> str:
    """An ICD-10-CM code in capitals without its dot."""
    return text.replace(".", "").upper()


class _Parts(NamedTuple):
    year: int
    month: int
    day: int
    clock: tuple[int, int, int] | None
    offset: str


def _split(text: str) -> _Parts:
    match = _DTM.fullmatch(text) or _ISO.fullmatch(text) or _JOINED.fullmatch(text)
    if match is None:
        raise NotUnderstood("expected a full date (yyyymmdd or yyyy-mm-dd), with or without a time of day")
    year, month, day, hour, minute, second, offset = match.groups()
    clock = None if hour is None else (int(hour), int(minute or 0), int(second or 0))
    return _Parts(int(year), int(month), int(day), clock, (offset or "").replace(":", ""))


@lru_cache(maxsize=16384)
def read_date(text: str, zone: ZoneInfo) -> date:
    """The calendar day; of a time with an offset, its day in the source's time zone."""
    parts = _split(text)
    try:
        if parts.clock is None or not parts.offset:
            return date(parts.year, parts.month, parts.day)
        return _with_offset(parts).astimezone(zone).date()
    except (ValueError, OverflowError):
        raise NotUnderstood("expected a day that exists in the calendar") from None


@lru_cache(maxsize=16384)
def read_moment(text: str, zone: ZoneInfo, start_of_day: bool) -> Moment:
    """The point in time; without an offset, in the source's time zone.

    A time the clocks run through twice is the earlier one, a time they skip is moved on by the hour: both are noted.
    ``start_of_day`` lets a day alone stand for its local midnight; otherwise a day alone is not understood.
    """
    parts = _split(text)
    try:
        if parts.clock is None:
            if not start_of_day:
                raise NotUnderstood(
                    "expected a time of day, found a day alone",
                    "Map a field that has the time, or allow the day alone with convert: start-of-day.",
                )
            parts = parts._replace(clock=(0, 0, 0))
        if not COUNTABLE.covers(date(parts.year, parts.month, parts.day)):
            raise NotUnderstood(f"expected a time between {COUNTABLE.start_on} and {COUNTABLE.end_on}")
        if parts.offset:
            return Moment(_with_offset(parts).astimezone(UTC))
        return _local(parts, zone)
    except NotUnderstood:
        raise
    except (ValueError, OverflowError):
        raise NotUnderstood("expected a time that exists") from None


def _with_offset(parts: _Parts) -> datetime:
    clock = parts.clock or (0, 0, 0)
    if parts.offset == "Z":
        return datetime(parts.year, parts.month, parts.day, *clock, tzinfo=UTC)
    hours, minutes = int(parts.offset[1:3]), int(parts.offset[3:5])
    if hours > 14 or minutes > 59:
        raise ValueError
    distance = timedelta(hours=hours, minutes=minutes)
    utc = datetime(parts.year, parts.month, parts.day, *clock, tzinfo=UTC)
    return utc - distance if parts.offset[0] == "+" else utc + distance


def _local(parts: _Parts, zone: ZoneInfo) -> Moment:
    clock = parts.clock or (0, 0, 0)
    local = datetime(parts.year, parts.month, parts.day, *clock, tzinfo=zone)
    at = local.astimezone(UTC)
    if local.utcoffset() == local.replace(fold=1).utcoffset():
        return Moment(at)
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return Moment(at, "the clocks skip this time when daylight saving begins; it was moved on by the hour")
    return Moment(at, "the clocks run through this time twice when daylight saving ends; the earlier one was taken")
