"""FHIR R4's primitive types: what a JSON value must be to count as one (R4 datatypes, "Primitive Types")."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

_INTEGER_MAX = 2**31 - 1
_STRING_LENGTH_MAX = 1024 * 1024
_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?\Z", re.ASCII)
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_TIME = re.compile(_CLOCK + r"\Z", re.ASCII)
_TIME_AND_ZONE = re.compile(_CLOCK + _ZONE + r"\Z", re.ASCII)
_CODE = re.compile(r"\S+(?:\s\S+)*\Z")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}\Z", re.ASCII)
_NO_SPACE = re.compile(r"\S+\Z")
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+\Z", re.ASCII)
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.ASCII)
_BASE64 = re.compile(r"[0-9a-zA-Z+/=\s]*\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive type. ``holds`` decides, ``expected`` is how the fix text describes it, ``json`` the JSON kind."""

    name: str
    json: type
    holds: Callable[[Any], bool]
    expected: str


def is_id(value: Any) -> bool:
    """True for 1 to 64 of letters, digits, ``-`` and ``.``: what a resource id may be."""
    return type(value) is str and _ID.match(value) is not None


def is_date(value: Any) -> bool:
    """True for YYYY, YYYY-MM or a YYYY-MM-DD that is in the calendar."""
    return type(value) is str and _DATE.match(value) is not None and value[:4] != "0000" and _in_calendar(value)


def is_date_time(value: Any) -> bool:
    """True for a date, or a date with seconds and time zone."""
    if type(value) is not str:
        return False
    return is_date(value) if len(value) <= 10 else _is_moment(value)


def _is_moment(value: Any) -> bool:
    return (
        type(value) is str
        and value[10:11] == "T"
        and is_date(value[:10])
        and _TIME_AND_ZONE.match(value, 11) is not None
    )


def _in_calendar(text: str) -> bool:
    if len(text) < 10 or text[8:] <= "28":
        return True
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_string(value: Any) -> bool:
    """True for text with something in it and no control characters but tab, CR and LF."""
    return (
        type(value) is str
        and not (value.isspace() or not value)
        and (value.isprintable() or _CONTROL.search(value) is None)
        and len(value) <= _STRING_LENGTH_MAX
    )


def _is_code(value: Any) -> bool:
    return type(value) is str and _CODE.match(value) is not None and _CONTROL.search(value) is None


def _is_uri(value: Any) -> bool:
    return type(value) is str and _NO_SPACE.match(value) is not None and _CONTROL.search(value) is None


def _is_boolean(value: Any) -> bool:
    return value is True or value is False


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= _INTEGER_MAX


def _is_decimal(value: Any) -> bool:
    return type(value) is Decimal or (type(value) is int and -(10**30) < value < 10**30)


def _is_oid(value: Any) -> bool:
    return type(value) is str and _OID.match(value) is not None


def _is_uuid(value: Any) -> bool:
    return type(value) is str and _UUID.match(value) is not None


def _is_time(value: Any) -> bool:
    return type(value) is str and _TIME.match(value) is not None


def _is_base64(value: Any) -> bool:
    if type(value) is not str or not value or _BASE64.match(value) is None:
        return False
    bare = value if value.isalnum() else "".join(value.split())
    body = bare.rstrip("=")
    return len(bare) % 4 == 0 and len(bare) - len(body) <= 2 and "=" not in body


def _is_xhtml(value: Any) -> bool:
    return type(value) is str and value.lstrip().startswith("<div") and _CONTROL.search(value) is None


PRIMITIVES: dict[str, Primitive] = {
    each.name: each
    for each in (
        Primitive("boolean", bool, _is_boolean, "true or false, without quotes"),
        Primitive("integer", int, lambda value: _is_whole(value, -_INTEGER_MAX - 1), "a whole number without quotes"),
        Primitive("unsignedInt", int, lambda value: _is_whole(value, 0), "a whole number from 0, without quotes"),
        Primitive("positiveInt", int, lambda value: _is_whole(value, 1), "a whole number from 1, without quotes"),
        Primitive("decimal", Decimal, _is_decimal, "a number without quotes"),
        Primitive("string", str, is_string, "text that is not empty and has no control characters"),
        Primitive("markdown", str, is_string, "text that is not empty and has no control characters"),
        Primitive("code", str, _is_code, "a code: text without leading, trailing or doubled spaces"),
        Primitive("id", str, is_id, "an id: 1 to 64 of letters, digits, - and ."),
        Primitive("uri", str, _is_uri, "a URI: text without spaces"),
        Primitive("url", str, _is_uri, "a URL: text without spaces"),
        Primitive("canonical", str, _is_uri, "a canonical URL: text without spaces"),
        Primitive("oid", str, _is_oid, "an OID such as urn:oid:1.2.3"),
        Primitive("uuid", str, _is_uuid, "a UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
        Primitive("date", str, is_date, "a date: YYYY, YYYY-MM or YYYY-MM-DD"),
        Primitive(
            "dateTime", str, is_date_time, "a date, or a date with seconds and time zone: 2026-08-03T09:00:00-05:00"
        ),
        Primitive("instant", str, _is_moment, "a moment with seconds and time zone: 2026-08-03T09:00:00-05:00"),
        Primitive("time", str, _is_time, "a time: hh:mm:ss"),
        Primitive("base64Binary", str, _is_base64, "base64 text"),
        Primitive("xhtml", str, _is_xhtml, "a <div> of XHTML"),
    )
}
