"""X12 elements to values: cents, numbers, dates, names. Says which element could not be read, never what it held."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import TypeVar

from clearinghouse.x12.parties import (
    Address,
    Adjustment,
    Amount,
    Contact,
    ContactNumber,
    DateSpan,
    Demographics,
    InpatientAdjudication,
    Name,
    OutpatientAdjudication,
    Procedure,
    Quantity,
    Reference,
)

_MONEY = re.compile(r"(-?)(\d{0,15})(?:\.(\d{1,2})0*)?", re.ASCII)
_NUMBER = re.compile(r"-?(?:\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})", re.ASCII)
_REMARKS_MIA = (5, 20, 21, 22, 23)
# Nearly every amount is one of these and a fraction: two look-ups cost half of what judging the digits does.
_WHOLE_DOLLARS = {str(dollars): dollars * 100 for dollars in range(10_000)}
_FRACTIONS = {"": 0} | {f"{tens}": tens * 10 for tens in range(10)} | {f"{part:02d}": part for part in range(100)}
_MISSING = [""] * 20

T = TypeVar("T")


class X12FormatError(ValueError):
    """A segment cannot be read.

    `position` counts from ST = 1, `element` is a reference such as CLP03; the value is never part of the message.
    """

    def __init__(self, problem: str, position: int = 0, element: str = "") -> None:
        where = f"segment {position}" if position else "the file"
        super().__init__(f"{element + ' in ' if element else ''}{where}: {problem}")
        self.problem = problem
        self.position = position
        self.element = element


def at(values: list[str], index: int) -> str:
    """The element at an index, blank beyond the end."""
    return values[index] if index < len(values) else ""


def cents(text: str) -> int:
    """An X12 amount as cents. Raises ValueError for anything else, blank or a fraction of a cent."""
    dollars, point, fraction = text.partition(".")
    if fraction or not point:
        try:
            return _WHOLE_DOLLARS[dollars] + _FRACTIONS[fraction]
        except KeyError:
            pass
    return _any_cents(text)


def _any_cents(text: str) -> int:
    found = _MONEY.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        raise ValueError("not an amount of whole cents")
    amount = int(found[2] or 0) * 100 + int((found[3] or "0").ljust(2, "0"))
    return -amount if found[1] else amount


def optional_cents(text: str) -> int | None:
    """`cents`, or None for blank."""
    return cents(text) if text else None


def decimal(text: str) -> Decimal:
    """A plain decimal number. Raises ValueError."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("not a number")
    return Decimal(text)


def optional_decimal(text: str) -> Decimal | None:
    """`decimal`, or None for blank."""
    return decimal(text) if text else None


def whole(text: str) -> int:
    """A whole number of at most nine digits. Raises ValueError."""
    if not (text.isdecimal() and text.isascii() and len(text) < 10):
        raise ValueError("not a whole number")
    return int(text)


def day(text: str) -> date:
    """CCYYMMDD (a longer CCYYMMDDHHMM is cut to its day). Raises ValueError."""
    if not (text[:8].isdecimal() and text.isascii() and len(text) in (8, 12)):
        raise ValueError("not a date")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        raise ValueError("not a date") from None


def short_day(text: str) -> date:
    """YYMMDD of this century. Raises ValueError."""
    return day("20" + text)


def clock(text: str) -> time:
    """HHMM or HHMMSS, hundredths cut. Raises ValueError."""
    if not (text.isdecimal() and text.isascii() and len(text) in (4, 6, 7, 8)):
        raise ValueError("not a time")
    return time(int(text[:2]), int(text[2:4]), int(text[4:6] or 0))


def span(qualifier: str, text: str) -> DateSpan:
    """A D8 or RD8 value. Raises ValueError."""
    first, dash, last = text.partition("-")
    if qualifier == "RD8" or dash:
        return DateSpan(day(first), day(last))
    return DateSpan(day(text))


def reading(convert: Callable[[str], T], values: list[str], index: int, position: int) -> T:
    """Convert one element. Raises X12FormatError naming it."""
    try:
        return convert(at(values, index))
    except ValueError as problem:
        raise X12FormatError(f"{problem}.", position, f"{values[0]}{index:02d}") from None


def name(values: list[str]) -> Name:
    """NM1."""
    if len(values) < 10:
        values = values + _MISSING
    return Name(values[3], values[4], values[5], values[7], values[8], values[9], values[2])


def party(values: list[str]) -> Name:
    """N1."""
    return Name(last_or_organization=at(values, 2), id_qualifier=at(values, 3), identifier=at(values, 4))


def address(street: list[str], city: list[str]) -> Address:
    """N3 with its N4."""
    return Address(
        line_1=at(street, 1),
        city=at(city, 1),
        state=at(city, 2),
        postal_code=at(city, 3),
        line_2=at(street, 2),
        country=at(city, 4),
        subdivision=at(city, 7),
    )


def demographics(values: list[str], position: int) -> Demographics:
    """DMG. Raises X12FormatError."""
    return Demographics(reading(day, values, 2, position), at(values, 3))


def reference(values: list[str]) -> Reference:
    """REF."""
    if len(values) < 3:
        values = values + _MISSING
    return Reference(values[1], values[2])


def contact(values: list[str]) -> Contact:
    """PER."""
    numbers = tuple(ContactNumber(at(values, i), at(values, i + 1)) for i in (3, 5, 7) if at(values, i + 1))
    return Contact(at(values, 2), numbers, at(values, 1))


def adjustments(values: list[str]) -> list[Adjustment]:
    """The reasons of a CAS. Raises ValueError."""
    padded, found = values + _MISSING, []
    for index in range(2, min(len(values), 20), 3):
        reason, amount, quantity = padded[index], padded[index + 1], padded[index + 2]
        if reason or amount:
            found.append(Adjustment(padded[1], reason, cents(amount), decimal(quantity) if quantity else None))
    return found


def inpatient(values: list[str]) -> InpatientAdjudication:
    """MIA."""
    return InpatientAdjudication(tuple(values[1:]), tuple(at(values, i) for i in _REMARKS_MIA if at(values, i)))


def outpatient(values: list[str]) -> OutpatientAdjudication:
    """MOA. Raises ValueError."""
    if len(values) < 10:
        values = values + _MISSING
    return OutpatientAdjudication(
        optional_decimal(values[1]),
        optional_cents(values[2]),
        tuple(filter(None, values[3:8])),
        optional_cents(values[8]),
        optional_cents(values[9]),
    )


def amount(values: list[str]) -> Amount:
    """AMT. Raises ValueError."""
    if len(values) < 3:
        values = values + _MISSING
    return Amount(values[1], cents(values[2]))


def quantity(values: list[str]) -> Quantity:
    """QTY. Raises ValueError."""
    return Quantity(at(values, 1), decimal(at(values, 2)))


def procedure(text: str, component: str) -> Procedure | None:
    """A composite medical procedure; None for blank."""
    if not text:
        return None
    parts = text.split(component)
    return Procedure(
        code=at(parts, 1),
        modifiers=tuple(part for part in parts[2:6] if part),
        qualifier=parts[0],
        description=at(parts, 6),
    )
