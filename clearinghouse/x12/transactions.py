"""A file as its transaction sets: each ST with the envelope it stands in, its segments streamed. Knows no guide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.envelope_check import counts
from clearinghouse.x12.tokens import Cut, Header, Noise, Source, read_pieces, segments_of


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Where a transaction set stands: its ISA, its GS elements (`group[6]` is GS06) and its ST elements."""

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
        mark = piece.header.delimiters.element
        for text in segments_of(piece):
            values = text.split(mark)
            name = values[0]
            if enclosure is None:
                if name == "GS":
                    group = tuple(values)
                elif name == "ST" and at(values, 1) == transaction_type:
                    enclosure, position = Enclosure(piece.header, group, tuple(values)), 1
                    yield enclosure, values, 1
                continue
            position += 1
            if name in ("GE", "IEA", "GS", "ST"):
                raise X12FormatError("the transaction set has no SE segment.", position)
            yield enclosure, values, position
            if name == "SE":
                if counted and not counts(at(values, 1), position):
                    raise X12FormatError("the segment count differs from the segments there are.", position, "SE01")
                enclosure = None
    if enclosure is not None:
        raise X12FormatError("the transaction set has no SE segment.", position)
    if not found:
        raise X12FormatError("no X12 interchange could be read.")
