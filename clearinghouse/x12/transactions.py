"""A file as its transaction sets: each ST with the envelope it stands in, its segments streamed. Knows no guide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby, repeat
from operator import itemgetter

from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.envelope_check import counts
from clearinghouse.x12.tokens import Body, Cut, Header, Noise, Source, read_pieces, segments_of


@dataclass(frozen=True, slots=True, eq=False)
class Enclosure:
    """Where a transaction set stands: its ISA, its GS elements (`group[6]` is GS06) and its ST elements.

    Each ST has its own: two with the same numbers are not equal.
    """

    header: Header
    group: tuple[str, ...]
    start: tuple[str, ...]

    @property
    def control_number(self) -> str:
        """ST02."""
        return self.start[2] if len(self.start) > 2 else ""

    @property
    def component(self) -> str:
        """The component separator in force."""
        return self.header.delimiters.component


def read_lines(
    source: Source, transaction_type: str, *, counted: bool = True
) -> Iterator[tuple[Enclosure, list[str], int]]:
    """Every segment of every ST of one type (835, 837, 277, 999) as (enclosure, elements, position), SE included.

    Raises X12FormatError when no interchange can be read, a transaction set ends without SE, or (where `counted`) after
    an SE whose SE01 miscounts.
    """
    for enclosure, runs in groupby(_runs(source, transaction_type, counted), key=itemgetter(0)):
        for position, values in enumerate(_joined(runs), 1):
            yield enclosure, values, position


def read_sets(source: Source, transaction_type: str) -> Iterator[tuple[Enclosure, Iterator[list[str]]]]:
    """`read_lines` set by set: each ST with the elements of every segment after it, to be read before the next ST."""
    for enclosure, runs in groupby(_runs(source, transaction_type, counted=True), key=itemgetter(0)):
        segments = _joined(runs)
        next(segments)
        yield enclosure, segments


_Run = tuple[Enclosure, Iterator[list[str]]]


def _joined(runs: Iterator[_Run]) -> Iterator[list[str]]:
    return chain.from_iterable(map(itemgetter(1), runs))


def _runs(source: Source, transaction_type: str, counted: bool) -> Iterator[_Run]:
    """The segments of each ST, as many at once as a piece of the file holds; one ST has one Enclosure."""
    enclosure: Enclosure | None = None
    group: tuple[str, ...] = ()
    position = 0
    found = False
    for piece in read_pieces(source):
        if isinstance(piece, Noise):
            continue
        if isinstance(piece, Header):
            found, group = True, ()
            continue
        if isinstance(piece, Cut):
            raise X12FormatError("the interchange is cut off inside a segment.", position + 1)
        texts, mark, first = segments_of(piece), piece.header.delimiters.element, 0
        for index, values in _envelope_segments(piece, texts):
            name = values[0]
            if enclosure is None:
                if name == "GS":
                    group = tuple(values)
                elif name == "ST" and at(values, 1) == transaction_type:
                    enclosure, first, position = Enclosure(piece.header, group, tuple(values)), index, 0
                continue
            end = index + (name == "SE")
            yield enclosure, map(str.split, texts[first:end], repeat(mark))
            position += end - first
            if name != "SE":
                raise X12FormatError("the transaction set has no SE segment.", position + 1)
            if counted and not counts(at(values, 1), position):
                raise X12FormatError("the segment count differs from the segments there are.", position, "SE01")
            enclosure = None
        if enclosure is not None:
            yield enclosure, map(str.split, texts[first:], repeat(mark))
            position += len(texts) - first
    if enclosure is not None:
        raise X12FormatError("the transaction set has no SE segment.", position)
    if not found:
        raise X12FormatError("no X12 interchange could be read.")


def _envelope_segments(body: Body, texts: list[str]) -> Iterator[tuple[int, list[str]]]:
    """ST, SE and the envelope's own segments among those of a body, with their places; most bodies have none."""
    terminator, mark = body.header.delimiters.segment, body.header.delimiters.element
    if _envelope_pattern(terminator).search(terminator + body.text) is None:
        return
    for index, text in enumerate(texts):
        if text.startswith(_ENVELOPE_STARTS):
            values = text.split(mark)
            if values[0] in _ENVELOPE_NAMES:
                yield index, values


@lru_cache(maxsize=64)
def _envelope_pattern(terminator: str) -> re.Pattern[str]:
    """Finds what may be one of _ENVELOPE_NAMES; blanks before a segment are no part of it."""
    end = re.escape(terminator)
    return re.compile(rf"{end}[^\S{end}]*(?:S[TE]|G[SE]|IEA)")


_ENVELOPE_NAMES = frozenset(("ST", "SE", "GS", "GE", "IEA"))
_ENVELOPE_STARTS = tuple(_ENVELOPE_NAMES)
