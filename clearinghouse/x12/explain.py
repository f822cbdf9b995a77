"""Why a segment's elements are wrong, element by element, from the guide's table.

The slow and exact half of the check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache

from clearinghouse.x12.findings import ERROR, Finding, redacted
from clearinghouse.x12.guide_tables import CODE_LISTS, ElementTable, SegmentTable, code_list
from clearinghouse.x12.patterns import COMPONENT, ELEMENT, MINUTE, MONEY, REPETITION, SHAPES

_CODES_SHOWN = 12
_INTEGER = re.compile(r"-?\d+")
_DECIMAL = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)")
_TIME = re.compile(rf"{MINUTE}(?:[0-5]\d\d{{0,2}})?")
_TIME_LENGTHS = (4, 6, 7, 8)
_FOREIGN_MARK = re.compile(r"[^A-Za-z0-9 .\-]")
_PRINTABLE = re.compile(r"[ -~]*")
_EXTERNAL_TITLES = {
    "states": "state codes",
    "country": "country codes",
    "currency": "currency codes",
    "pos": "place of service codes",
    "entity_id": "entity codes",
    "claim_status_cat": "claim status category codes",
    "claim_status": "claim status codes",
    "remark_code": "remark codes",
}


def explain(segment: SegmentTable, text: str, position: int, loop: str) -> list[Finding]:
    """Every finding on one segment's elements; none when the segment is right. `text` is canonical."""
    return [*_Explanation(segment, text, position, loop).findings()]


class _Explanation:
    def __init__(self, segment: SegmentTable, text: str, position: int, loop: str) -> None:
        self.segment = segment
        self.values = text.split(ELEMENT)[1:]
        self.position = position
        self.loop = loop

    def findings(self) -> Iterator[Finding]:
        elements, values = self.segment.elements, self.values
        if not values:
            message = f"{self.segment.name} has no element; a segment that says nothing must not be sent."
            yield self._finding(1, "segment-empty", message)
        torn = -1
        for index, element in enumerate(elements):
            if index == torn:
                continue
            value = values[index] if index < len(values) else ""
            before = (elements[index - 1], values[index - 1]) if 0 < index <= len(values) else None
            if index + 1 < len(values) and self._is_torn(element, value, values[index + 1]):
                torn = index + 1
                message = (
                    f"{_titled(element)} is cut in two: its components need the component separator, not this one."
                )
                yield self._finding(2, "component-separator-wrong", message, element.name, value, ik4="7")
                continue
            yield from self._judge(element, value, before)
        if any(values[len(elements) :]):
            extra = f"{self.segment.name}{len(elements) + 1:02d}"
            message = f"{self.segment.name} has more elements than the {len(elements)} the guide allows."
            yield self._finding(1, "element-too-many", message, extra, ik4="3")
        elif values and not values[-1]:
            message = f"{self.segment.name} ends with empty elements; the separators after the last value must go."
            yield self._finding(1, "separator-trailing", message, ik3="8")
        for kind, places in self.segment.notes:
            yield from self._note(kind, places)

    def _judge(self, element: ElementTable, value: str, before: tuple[ElementTable, str] | None) -> Iterator[Finding]:
        if not value:
            if element.usage == "R":
                yield self._missing(element)
            return
        if element.usage == "N":
            message = f"{_titled(element)} must not be sent here."
            yield self._finding(2, "element-not-used", message, element.name, value, ik4="I10")
        elif element.kind == "composite":
            yield from self._composite(element, value)
        elif REPETITION in value:
            message = f"{_titled(element)} repeats; the guide allows it once."
            yield self._finding(1, "element-repeats", message, element.name, value, ik4="12")
        elif COMPONENT in value:
            message = f"{_titled(element)} has components; it is a simple element."
            yield self._finding(1, "component-too-many", message, element.name, value, ik4="13")
        else:
            yield from self._simple(element, value, before)

    def _composite(self, element: ElementTable, value: str) -> Iterator[Finding]:
        values = value.split(COMPONENT)
        if not any(values):
            if element.usage == "R":
                yield self._missing(element)
            return
        if self._is_glued(element, value):
            message = f"{_titled(element)} has another mark between its components than the ISA announces."
            yield self._finding(2, "component-separator-wrong", message, element.name, value, ik4="7")
            return
        yield from self._components(element, values)

    def _components(self, element: ElementTable, values: list[str]) -> Iterator[Finding]:
        parts = element.components
        for index, part in enumerate(parts):
            given = values[index] if index < len(values) else ""
            before = (parts[index - 1], values[index - 1]) if 0 < index <= len(values) else None
            found = [*self._judge(part, given, before)]
            yield from found
            if found and len(values) == 1 and values[0]:
                return  # what else a lone wrong component lacks would only say again that it is wrong
        if any(values[len(parts) :]):
            message = f"{_titled(element)} has more than the {len(parts)} components the guide allows."
            yield self._finding(1, "component-too-many", message, element.name, COMPONENT.join(values), ik4="13")
        elif not values[-1]:
            message = f"{_titled(element)} ends with empty components; the separators after the last one must go."
            yield self._finding(1, "separator-trailing", message, element.name, ik4="6")

    def _is_glued(self, element: ElementTable, value: str) -> bool:
        """Whether a composite of one component would be right with another mark read as its separator."""
        if COMPONENT in value or not any(self._components(element, [value])):
            return False
        marks = sorted(set(_FOREIGN_MARK.findall(value)))
        return any(not [*self._components(element, value.split(mark))] for mark in marks)

    def _is_torn(self, element: ElementTable, value: str, following: str) -> bool:
        """Whether a composite stands in two elements: `HI*ABK*F332` for `HI*ABK:F332`."""
        parts = element.components
        if len(parts) < 2 or parts[1].usage != "R" or value not in parts[0].codes or COMPONENT in following:
            return False
        return bool(following) and not [*self._components(element, [value, following])]

    def _simple(self, element: ElementTable, value: str, before: tuple[ElementTable, str] | None) -> Iterator[Finding]:
        if not _PRINTABLE.fullmatch(value):
            message = f"{_titled(element)} holds a control or non-ASCII character."
            yield self._finding(1, "character-invalid", message, element.name, value, ik4="6")
            return
        if element.codes or element.external:
            yield from self._code(element, value)
            return
        wrong = [*self._type(element, value, before)]
        yield from wrong or self._length(element, value)
        if element.pattern and not re.fullmatch(element.pattern, value):
            postal = element.data_element == "116"
            nine = "must be nine digits" if element.pattern == "[0-9]{9}" else "has not the form the guide asks for"
            code, wanted = ("zip-short", f"{nine} (ZIP+4)") if postal else ("form-wrong", nine)
            yield self._finding(2, code, f"{_titled(element)} {wanted}.", element.name, value, ik4="I12")

    def _length(self, element: ElementTable, value: str) -> Iterator[Finding]:
        numeric = element.kind == "R" or element.kind.startswith("N")
        length = len(value.replace("-", "").replace(".", "")) if numeric else len(value)
        if length < element.least:
            message = f"{_titled(element)} is too short: {length} characters, at least {element.least}."
            yield self._finding(1, "element-short", message, element.name, value, ik4="4")
        elif length > element.most:
            message = f"{_titled(element)} is too long: {length} characters, at most {element.most}."
            yield self._finding(1, "element-long", message, element.name, value, ik4="5")

    def _type(self, element: ElementTable, value: str, before: tuple[ElementTable, str] | None) -> Iterator[Finding]:
        kind = element.kind
        if before is not None and before[0].data_element == "1250":
            kind = _FORMATS.get(before[1], kind)
        if kind.startswith("N") and not _INTEGER.fullmatch(value):
            yield self._wrong_type(element, value, "a whole number")
        elif kind == "R" and not _DECIMAL.fullmatch(value):
            yield self._wrong_type(element, value, "a number with at most one decimal point")
        elif element.data_element == MONEY and len(value.partition(".")[2]) > 2:
            yield self._wrong_type(element, value, "an amount of whole cents: at most two digits after the point")
        elif kind in _PERIODS and not _PERIODS[kind][0](value):
            code, ik4 = ("time-invalid", "9") if kind in ("TM", "HHMM") else ("date-invalid", "8")
            message = f"{_titled(element)} is not a valid {_PERIODS[kind][1]}."
            yield self._finding(1, code, message, element.name, value, ik4=ik4)
        elif kind in ("AN", "ID") and value.endswith(" ") and len(value.rstrip()) >= element.least:
            yield self._trailing_space(element, value)

    def _trailing_space(self, element: ElementTable, value: str) -> Finding:
        message = f"{_titled(element)} ends with spaces that must go."
        return self._finding(1, "space-trailing", message, element.name, value, ik4="6")

    def _wrong_type(self, element: ElementTable, value: str, wanted: str) -> Finding:
        message = f"{_titled(element)} must be {wanted}."
        return self._finding(1, "character-invalid", message, element.name, value, ik4="6")

    def _code(self, element: ElementTable, value: str) -> Iterator[Finding]:
        if value in element.codes:
            return
        if value.endswith(" ") and value.rstrip() in element.codes:
            yield self._trailing_space(element, value)
            return
        if not element.external:
            allowed = ", ".join(element.codes[:_CODES_SHOWN]) + (" ..." if len(element.codes) > _CODES_SHOWN else "")
            message = f"{_titled(element)} holds a code the guide does not list here; allowed: {allowed}."
            yield self._finding(2, "code-not-in-guide", message, element.name, value, ik4="7")
            return
        known = value in code_list(element.external) if element.external in CODE_LISTS else None
        if known is None:
            known = re.fullmatch(SHAPES[element.external], value) is not None
        if not known:
            message = f"{_titled(element)} is not among the {_EXTERNAL_TITLES[element.external]}."
            yield self._finding(5, "code-unknown", message, element.name, value, ik4="7")

    def _missing(self, element: ElementTable) -> Finding:
        return self._finding(2, "element-missing", f"{_titled(element)} is missing.", element.name, ik4="1")

    def _note(self, kind: str, places: tuple[int, ...]) -> Iterator[Finding]:
        present = [bool(self.values[place - 1]) if place <= len(self.values) else False for place in places]
        if _satisfied(kind, present):
            return
        names = [f"{self.segment.name}{place:02d}" for place in places]
        if kind == "E":
            message = f"Only one of {', '.join(names)} may be sent."
            yield self._finding(1, "element-exclusive", message, names[-1], ik4="10")
            return
        absent = next(name for name, there in zip(names, present, strict=True) if not there)
        wanted = {
            "P": f"{', '.join(names)} go together: send all or none.",
            "R": f"One of {', '.join(names)} must be sent.",
            "C": f"{names[0]} also needs {', '.join(names[1:])}.",
            "L": f"{names[0]} also needs one of {', '.join(names[1:])}.",
        }
        yield self._finding(1, "element-conditional", wanted[kind], absent, ik4="2")

    def _finding(
        self, snip: int, code: str, message: str, element: str = "", value: str = "", ik3: str = "8", ik4: str = ""
    ) -> Finding:
        shape = redacted(value) if value else ""
        return Finding(
            snip,
            ERROR,
            code,
            message,
            self.segment.name,
            self.position,
            self.loop,
            _reference(element),
            shape,
            ik3,
            ik4,
        )


def _satisfied(kind: str, present: list[bool]) -> bool:
    if kind == "P":
        return all(present) or not any(present)
    if kind == "R":
        return any(present)
    if kind == "E":
        return sum(present) <= 1
    if kind == "C":
        return not present[0] or all(present[1:])
    return not present[0] or any(present[1:])


def _titled(element: ElementTable) -> str:
    return f"{element.title} ({_reference(element.name)})" if element.title else _reference(element.name)


def _reference(name: str) -> str:
    """NM109 as it is; SV202-02 as SV202-2."""
    head, dash, component = name.partition("-")
    return f"{head}-{int(component)}" if dash and component.isdigit() else name


@lru_cache(maxsize=8192)
def is_date(value: str) -> bool:
    """Whether a CCYYMMDD names a day from 1800 on."""
    if len(value) != 8 or not value.isdecimal() or value < "1800":
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


def is_time(value: str) -> bool:
    """Whether HHMM, HHMMSS or HHMMSSDD names a time of day."""
    return len(value) in _TIME_LENGTHS and _TIME.fullmatch(value) is not None


def _is_span(value: str) -> bool:
    first, dash, last = value.partition("-")
    return bool(dash) and is_date(first) and is_date(last)


def _is_short_or_long_date(value: str) -> bool:
    return is_date(value) or (len(value) == 6 and is_date("20" + value))


def _is_moment(value: str) -> bool:
    return len(value) == 12 and is_date(value[:8]) and is_time(value[8:])


def _is_minute(value: str) -> bool:
    return len(value) == 4 and is_time(value)


_PERIODS: dict[str, tuple[Callable[[str], bool], str]] = {
    "D8": (is_date, "date (CCYYMMDD)"),
    "RD8": (_is_span, "date range (CCYYMMDD-CCYYMMDD)"),
    "D6": (_is_short_or_long_date, "date (YYMMDD)"),
    "DT": (_is_short_or_long_date, "date (CCYYMMDD)"),
    "TM": (is_time, "time (HHMM)"),
    "MOMENT": (_is_moment, "date and time (CCYYMMDDHHMM)"),
    "HHMM": (_is_minute, "time (HHMM)"),
}
# What each format qualifier (element 1250) asks of the period that follows it.
_FORMATS = {"D8": "D8", "RD8": "RD8", "D6": "D6", "DT": "MOMENT", "TM": "HHMM"}
