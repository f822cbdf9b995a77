"""What is wrong with ISA, GS, GE, IEA and TA1 segments themselves (SNIP 1). Knows no guide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clearinghouse.x12.explain import is_date, is_time
from clearinghouse.x12.findings import ERROR, Finding, redacted
from clearinghouse.x12.tokens import Header

FUNCTIONAL_CODES = {"837I": "HC", "837P": "HC", "835": "HP", "277CA": "HN", "999": "FA"}
SUPPORTED_VERSION = "00501"
_QUALIFIERS = frozenset(("01", "14", "20", "27", "28", "29", "30", "33", "ZZ"))
_CONTROL_NUMBER = re.compile(r"\d{9}")
_GROUP_NUMBER = re.compile(r"\d{1,9}")
_APPLICATION = re.compile(r"[ -~]{1,14}[!-~]")
_APPLICATION_CODE = "must have 2 to 15 characters and no spaces after the last"
_NOTE = re.compile(r"0(?:0\d|1\d|2\d|3[01])")
_GS_ELEMENTS, _TRAILER_ELEMENTS = 8, 2


def check_header(header: Header) -> Iterator[Finding]:
    """Findings on an ISA that could be read."""
    values = header.elements
    if header.complaint:
        yield envelope_finding("delimiter-invalid", header.complaint, "ISA", 1, "ISA11")
    tests = (
        ("ISA01", values[1] in ("00", "03"), "must be 00 or 03"),
        ("ISA03", values[3] in ("00", "01"), "must be 00 or 01"),
        ("ISA05", values[5] in _QUALIFIERS, "is not a known sender id qualifier"),
        ("ISA06", bool(values[6].strip()), "(sender id) is blank"),
        ("ISA07", values[7] in _QUALIFIERS, "is not a known receiver id qualifier"),
        ("ISA08", bool(values[8].strip()), "(receiver id) is blank"),
        ("ISA09", is_date("20" + values[9]), "is not a valid date (YYMMDD)"),
        ("ISA10", is_time(values[10]), "is not a valid time (HHMM)"),
        ("ISA13", _CONTROL_NUMBER.fullmatch(values[13]) is not None, "(control number) must be nine digits"),
        ("ISA14", values[14] in ("0", "1"), "must be 0 or 1"),
        ("ISA15", values[15] in ("P", "T"), "must be P (production) or T (test)"),
    )
    for element, good, problem in tests:
        if not good:
            yield envelope_finding("envelope-value", f"{element} {problem}.", "ISA", 1, element)


def check_group_header(values: list[str], position: int) -> Iterator[Finding]:
    """Findings on a GS."""
    count = len(values) - 1
    if count != _GS_ELEMENTS:
        message = f"GS has {count} elements; it must have {_GS_ELEMENTS}."
        yield envelope_finding("envelope-value", message, "GS", position)
    values = [*values, *[""] * _GS_ELEMENTS]
    tests = (
        ("GS01", values[1] in FUNCTIONAL_CODES.values() or len(values[1]) == 2, "is not a functional identifier code"),
        ("GS02", _is_application_code(values[2]), f"(sender code) {_APPLICATION_CODE}"),
        ("GS03", _is_application_code(values[3]), f"(receiver code) {_APPLICATION_CODE}"),
        ("GS04", is_date(values[4]), "is not a valid date (CCYYMMDD)"),
        ("GS05", is_time(values[5]), "is not a valid time (HHMM)"),
        ("GS06", _GROUP_NUMBER.fullmatch(values[6]) is not None, "(control number) must be 1 to 9 digits"),
        ("GS07", values[7] == "X", "must be X"),
        ("GS08", bool(values[8]), "(guide version) is missing"),
    )
    for element, good, problem in tests:
        if not good:
            yield envelope_finding("envelope-value", f"{element} {problem}.", "GS", position, element)


def _is_application_code(value: str) -> bool:
    return _APPLICATION.fullmatch(value) is not None


def check_trailer(
    values: list[str], name: str, position: int, count: int, counted: str, control_number: str, header: str
) -> Iterator[Finding]:
    """Findings on a GE or IEA: its count and the control number it repeats (`header` names GS06 or ISA13)."""
    if len(values) - 1 > _TRAILER_ELEMENTS:
        message = f"{name} has {len(values) - 1} elements; it must have {_TRAILER_ELEMENTS}."
        yield envelope_finding("envelope-value", message, name, position)
    values = [*values, "", ""]
    if not counts(values[1], count):
        given = values[1] if values[1].isdecimal() and len(values[1]) < 7 else "no number of"
        message = f"{name}01 counts {given} {counted}; there are {count}."
        yield envelope_finding("count-wrong", message, name, position, f"{name}01")
    if values[2] != control_number and control_number.isdecimal():
        message = f"{name}02 must repeat the control number of {header}."
        yield envelope_finding("control-number-mismatch", message, name, position, f"{name}02")


def check_interchange_acknowledgement(values: list[str], position: int) -> Iterator[Finding]:
    """Findings on a TA1."""
    values = [*values, *[""] * 6]
    tests = (
        ("TA101", _CONTROL_NUMBER.fullmatch(values[1]) is not None, "must be the nine digits of the answered ISA13"),
        ("TA102", is_date("20" + values[2]), "is not a valid date (YYMMDD)"),
        ("TA103", is_time(values[3]), "is not a valid time (HHMM)"),
        ("TA104", values[4] in ("A", "E", "R"), "must be A, E or R"),
        ("TA105", _NOTE.fullmatch(values[5]) is not None, "must be a note code from 000 to 031"),
    )
    for element, good, problem in tests:
        if not good:
            value = redacted(values[int(element[-1])])
            yield Finding(1, ERROR, "envelope-value", f"{element} {problem}.", "TA1", position, "", element, value)


def counts(text: str, count: int) -> bool:
    """Whether a written count is this number; leading zeros do not change a number."""
    return text.isdecimal() and text.isascii() and len(text) < 12 and int(text) == count


def read_count(text: str) -> int | None:
    """A count as written, of at most six digits; None when it is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 7 else None


def envelope_finding(
    code: str, message: str, segment: str, position: int | None = None, element: str = "", severity: str = ERROR
) -> Finding:
    """A SNIP 1 finding on the envelope; `position` counts from the ISA."""
    return Finding(1, severity, code, message, segment, position, "", element)


def repeated_numbers(numbers: Iterable[str], element: str, inside: str) -> Iterator[Finding]:
    """A finding for each control number used twice in its scope."""
    seen: set[str] = set()
    for number in numbers:
        if number in seen:
            message = f"{element} repeats a control number already used in this {inside}."
            yield envelope_finding("control-number-repeated", message, element[:2], None, element)
        seen.add(number)
