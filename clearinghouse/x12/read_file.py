"""A file from end to end, told to a listener as it is read: noise, interchanges, every segment, groups, transaction
sets, and what an 835 pays. Keeps nothing, so that the size of a file does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.guide_tables import ALIASES, KINDS
from clearinghouse.x12.read_835 import RemittanceEnd, read_remittance
from clearinghouse.x12.remittance_835 import ClaimPayment, RemittanceHeader
from clearinghouse.x12.tokens import Body, Cut, Header, Noise, Piece, Source, read_pieces
from clearinghouse.x12.transactions import Enclosure

_BLANKS = " \t\r\n"
_BEFORE_ITS_END = frozenset(("ST", "GS", "GE", "IEA"))


@dataclass(frozen=True, slots=True)
class SetStart:
    """A transaction set: `kind` is 837I, 835 and so on (ST01 where the guide is unknown), `segment` its ST's place.

    Segments are counted from 0, the first after the ISA.
    """

    kind: str
    guide: str
    control_number: str
    segment: int
    is_remittance: bool


@dataclass(frozen=True, slots=True)
class SetEnd:
    """Its last segment's place; for an 835 also what its header and end said, and why it could not be read."""

    segment: int
    header: RemittanceHeader | None = None
    end: RemittanceEnd | None = None
    error: str | None = None


class Listener:
    """What is told of a file, in its order; here nobody listens. A group or set begun is ended, an 835's claims come in
    between.
    """

    def noise(self, piece: Noise) -> None:
        """Text outside any interchange."""

    def interchange(self, header: Header) -> None:
        """An ISA."""

    def segment(self, values: list[str], blank: str) -> None:
        """The next segment after the ISA: its elements, and the line end or spaces before it."""

    def group(self, values: list[str], segment: int) -> None:
        """A GS; without elements for transaction sets that stand in no group."""

    def transaction(self, start: SetStart) -> None:
        """An ST."""

    def claim(self, claim: ClaimPayment) -> None:
        """One claim of an 835."""

    def end_transaction(self, end: SetEnd) -> None:
        """An SE, or the end of what should have had one."""

    def end_group(self, segment: int) -> None:
        """A GE, or the end of what should have had one."""

    def end_interchange(self, cut: str) -> None:
        """After the last whole segment; `cut` is what stands after its terminator where the IEA never came."""


def read_file(source: Source, listener: Listener) -> bool:
    """Tell a listener of a whole file; whether there was an interchange in it. Raises nothing for what a file holds."""
    return _FileReader(source, listener).run()


class _FileReader:
    """Where the reading is: the piece that comes next, the place of the last segment, and one taken too early."""

    def __init__(self, source: Source, listener: Listener) -> None:
        self.pieces = read_pieces(source)
        self.listener = listener
        self.following: Piece | None = None
        self.place = -1
        self.early: list[str] | None = None

    def run(self) -> bool:
        readable = False
        self.following = next(self.pieces, None)
        while (piece := self.following) is not None:
            if isinstance(piece, Header):
                readable = True
                self._interchange(piece)
                continue
            if isinstance(piece, Noise):
                self.listener.noise(piece)
            self.following = next(self.pieces, None)
        return readable

    def _interchange(self, header: Header) -> None:
        self.listener.interchange(header)
        self.place, self.early = -1, None
        segments = self._segments(header)
        group: list[str] | None = None
        while (values := self.early or next(segments, None)) is not None:
            self.early = None
            name = values[0]
            if name == "GS" and group is not None:
                self.listener.end_group(self.place - 1)
            if name == "GS" or (name == "ST" and group is None):
                group = values if name == "GS" else []
                self.listener.group(group, self.place)
            if name == "ST" and group is not None:
                self._transaction(Enclosure(header, tuple(group), tuple(values)), segments)
            if name == "GE" and group is not None:
                self.listener.end_group(self.place)
                group = None
        if group is not None:
            self.listener.end_group(self.place)
        cut = self.following
        self.listener.end_interchange(cut.text if isinstance(cut, Cut) else "")

    def _segments(self, header: Header) -> Iterator[list[str]]:
        """The segments of one interchange, each told of as it passes."""
        marks = header.delimiters
        blanks = _BLANKS.replace(marks.segment, "")
        for piece in self.pieces:
            if not isinstance(piece, Body):
                self.following = piece
                return
            for raw in piece.text.split(marks.segment)[:-1]:
                bare = raw.lstrip(blanks)
                values = bare.split(marks.element)
                self.place += 1
                self.listener.segment(values, raw[: len(raw) - len(bare)])
                yield values
        self.following = None

    def _transaction(self, enclosure: Enclosure, segments: Iterator[list[str]]) -> None:
        kind, group = at([*enclosure.start], 1), [*enclosure.group]
        guide = at([*enclosure.start], 3) or at(group, 8)
        is_remittance = kind == "835"
        named = KINDS.get(ALIASES.get(guide, guide), kind)
        self.listener.transaction(SetStart(named, guide, enclosure.control_number, self.place, is_remittance))
        own = self._to_its_end(segments)
        end = self._remittance(enclosure, own) if is_remittance else SetEnd(0)
        for _ in own:
            pass
        last = self.place - (self.early is not None)
        self.listener.end_transaction(replace(end, segment=last))

    def _to_its_end(self, segments: Iterator[list[str]]) -> Iterator[list[str]]:
        """The segments up to SE; one that begins or ends something else is kept for its turn."""
        for values in segments:
            if values[0] in _BEFORE_ITS_END:
                self.early = values
                return
            yield values
            if values[0] == "SE":
                return

    def _remittance(self, enclosure: Enclosure, segments: Iterator[list[str]]) -> SetEnd:
        header: RemittanceHeader | None = None
        try:
            for event in read_remittance(enclosure, segments):
                if isinstance(event, ClaimPayment):
                    self.listener.claim(event)
                elif isinstance(event, RemittanceHeader):
                    header = event
                else:
                    return SetEnd(0, header, event)
        except X12FormatError as problem:
            return SetEnd(0, header, error=str(problem))
        return SetEnd(0, header, error="The transaction set has no SE segment.")
