"""Which element of an 835's segment could not be read, once a reader has refused the segment. Knows no values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.decoding import X12FormatError, at


def unreadable(values: list[str], position: int, problem: ValueError) -> X12FormatError:
    """The refusal with its position and the first element whose conversion fails; one already placed stays as it is."""
    if isinstance(problem, X12FormatError):
        return problem
    name = values[0]
    conversions = _CONVERSIONS[name](values) if name in _CONVERSIONS else ()
    for index, convert in conversions:
        try:
            convert(at(values, index))
        except ValueError as found:
            return X12FormatError(f"{found}.", position, f"{name}{index:02d}")
    return X12FormatError(f"{problem}.", position, name)


def _cas_conversions(values: list[str]) -> Iterator[tuple[int, Callable[[str], Any]]]:
    for index in range(2, len(values), 3):
        if values[index] or at(values, index + 1):
            yield index + 1, read.cents
            yield index + 2, read.optional_decimal


def _plb_conversions(values: list[str]) -> Iterator[tuple[int, Callable[[str], Any]]]:
    yield 2, read.day
    for index in range(4, len(values) + 1, 2):
        yield index, read.cents


_Conversions = Callable[[list[str]], Iterable[tuple[int, Callable[[str], Any]]]]
_CONVERSIONS: dict[str, _Conversions] = {
    "BPR": lambda _: ((2, read.cents), (16, read.day)),
    "DTM": lambda _: ((2, read.day),),
    "LX": lambda _: ((1, read.whole),),
    "CLP": lambda _: (
        *((place, read.cents) for place in (3, 4)),
        (5, read.optional_cents),
        *((place, read.optional_decimal) for place in (12, 13)),
    ),
    "MOA": lambda _: ((1, read.optional_decimal), *((place, read.optional_cents) for place in (2, 8, 9))),
    "AMT": lambda _: ((2, read.cents),),
    "QTY": lambda _: ((2, read.decimal),),
    "SVC": lambda _: ((2, read.cents), (3, read.cents), (5, read.optional_decimal), (7, read.optional_decimal)),
    "CAS": _cas_conversions,
    "PLB": _plb_conversions,
}
