"""The one encoder: values to X12 elements and segments.

X12 has no escape, so what cannot be written is refused here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from functools import lru_cache

from clearinghouse.x12.envelope import Delimiters
from clearinghouse.x12.parties import DateSpan

_SPACES = re.compile(r" {2,}")


class UnwritableValue(ValueError):
    """A value holds a delimiter, control or non-ASCII character that X12 cannot carry.

    Names `loop` and `element` (NM103, CLM05-1); never the value.
    """

    def __init__(self, loop: str, element: str, problem: str) -> None:
        super().__init__(f"{element} in loop {loop or 'envelope'}: {problem}")
        self.loop = loop
        self.element = element
        self.problem = problem


class Text(str):
    """Free text (names, addresses, notes): accents and delimiters are transliterated. Any other element is refused."""

    __slots__ = ()


Element = str | tuple[str, ...]


def writable_text(text: str, delimiters: Delimiters) -> str:
    """Free text as it will be written: upper case, accents dropped, delimiters, controls and foreign marks to spaces.

    Raises ValueError when a letter has no ASCII counterpart.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_LOOKALIKES))
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark)).translate(_LOOKALIKES).upper()
    plain = _forbidden(delimiters, controls_only=True).sub(" ", plain)
    if not plain.isascii():
        plain = "".join(" " if mark > "~" and unicodedata.category(mark)[0] in "PSZ" else mark for mark in plain)
    if not plain.isascii():
        raise ValueError("a letter has no plain counterpart")
    return _SPACES.sub(" ", plain).strip()


def money(cents: int) -> str:
    """Cents as an X12 amount: `1050`, `350.5`, `-3.25`; no sign for zero, a decimal point only if needed."""
    whole, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{whole}.{rest:02d}".rstrip("0") if rest else f"{sign}{whole}"


def optional_money(cents: int | None) -> str:
    """`money`, or blank for None."""
    return "" if cents is None else money(cents)


def number(value: Decimal | None) -> str:
    """A quantity or rate without exponent or trailing zeros; blank for None."""
    if value is None:
        return ""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def day(value: date) -> str:
    """CCYYMMDD."""
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"


def clock(value: time) -> str:
    """HHMM."""
    return f"{value.hour:02d}{value.minute:02d}"


def span(value: DateSpan) -> tuple[str, str]:
    """Date format qualifier and value: D8 for one day, RD8 for a range."""
    if value.through_on is None:
        return "D8", day(value.from_on)
    return "RD8", f"{day(value.from_on)}-{day(value.through_on)}"


class SegmentWriter:
    """Collects the segments of one transaction set, with the loop they stand in for error messages."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.delimiters = delimiters
        self.loop = ""
        self.segments: list[str] = []
        self._forbidden = _forbidden(delimiters)
        self._untidy = _untidy(delimiters)

    def add(self, segment_id: str, *elements: Element) -> None:
        """Write one segment; trailing blank elements and components are dropped. Raises UnwritableValue."""
        if not self._add_plain(segment_id, elements):
            self._add_encoded(segment_id, elements)

    def _add_plain(self, segment_id: str, elements: tuple[Element, ...]) -> bool:
        """Write a segment none of whose values needs the encoder; False when one does (judged once for all of them)."""
        written: list[str] = [segment_id]
        values: list[str] = []
        for element in elements:
            if element.__class__ is tuple:
                parts = [*element]
                while parts and not parts[-1]:
                    parts.pop()
                values += parts
                written.append(self.delimiters.component.join(parts))
            else:
                values.append(element)  # type: ignore[arg-type]
                written.append(element)  # type: ignore[arg-type]
        if self._forbidden.search("".join(values)):
            return False
        while not written[-1]:
            written.pop()
        segment = self.delimiters.element.join(written).upper()
        if self._untidy.search(segment):
            return False
        self.segments.append(segment)
        return True

    def _add_encoded(self, segment_id: str, elements: tuple[Element, ...]) -> None:
        written = [self._element(segment_id, index, element) for index, element in enumerate(elements, 1)]
        while written and not written[-1]:
            written.pop()
        self.segments.append(self.delimiters.element.join((segment_id, *written)))

    def add_repeated(self, segment_id: str, composites: Iterable[tuple[str, ...]], per_segment: int) -> None:
        """Write composites as elements of as many segments as they need (HI)."""
        pending = tuple(composites)
        for start in range(0, len(pending), per_segment):
            self.add(segment_id, *pending[start : start + per_segment])

    @contextmanager
    def within(self, loop: str) -> Iterator[None]:
        """Name the loop of the segments written inside."""
        outer, self.loop = self.loop, loop
        yield
        self.loop = outer

    def _element(self, segment_id: str, index: int, element: Element) -> str:
        if not element:
            return ""
        if isinstance(element, str):
            return self._plain(f"{segment_id}{index:02d}", element)
        name = f"{segment_id}{index:02d}-"
        parts = [self._plain(f"{name}{place}", part) if part else "" for place, part in enumerate(element, 1)]
        while parts and not parts[-1]:
            parts.pop()
        return self.delimiters.component.join(parts)

    def _plain(self, name: str, value: str) -> str:
        if isinstance(value, Text):
            try:
                written = writable_text(value, self.delimiters)
            except ValueError as problem:
                raise UnwritableValue(self.loop, name, f"{problem}.") from None
            if value.strip() and not written:
                raise UnwritableValue(self.loop, name, "nothing of the text can be written.")
            return written
        if self._forbidden.search(value):
            raise UnwritableValue(self.loop, name, "it holds a delimiter, a control or a non-ASCII character.")
        return value.strip().upper()


@lru_cache(maxsize=64)
def _forbidden(delimiters: Delimiters, controls_only: bool = False) -> re.Pattern[str]:
    marks = re.escape(delimiters.element + delimiters.component + delimiters.repetition + delimiters.segment)
    return re.compile(rf"[\x00-\x1f\x7f{marks}]" if controls_only else rf"[^ -~]|[{marks}]")


@lru_cache(maxsize=64)
def _untidy(delimiters: Delimiters) -> re.Pattern[str]:
    """Spaces to be dropped: doubled, or at the edge of an element or component."""
    marks = re.escape(delimiters.element + delimiters.component)
    return re.compile(rf" [ {marks}]|[{marks}] | $")


_LOOKALIKES = str.maketrans(
    {
        "‘": "'",  # noqa: RUF001
        "’": "'",  # noqa: RUF001
        "“": '"',
        "”": '"',
        "–": "-",  # noqa: RUF001
        "—": "-",
        "…": "...",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "ð": "d",
        "Ð": "D",
        "µ": "u",
        "ı": "i",  # noqa: RUF001
        "đ": "d",
        "Đ": "D",
        "þ": "th",
        "Þ": "TH",
        "œ": "oe",
        "Œ": "OE",
    }
)
