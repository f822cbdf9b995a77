"""A returned file cut into its transactions, each alone in its own envelope, so that a bad one spoils no other.

Only their places are kept: a transaction may be larger than what one wants to hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from clearinghouse.x12.tokens import ISA_LENGTH, Body, Cut, Header, read_header, read_pieces

_WITHOUT_TERMINATOR = ISA_LENGTH - 1


class Excerpt:
    """A part of a file with something before and after it, read piece by piece; pieces may be short."""

    def __init__(self, before: bytes, file: BinaryIO, start: int, end: int, after: bytes) -> None:
        self._before = before
        self._file = file
        self._at = start
        self._end = end
        self._after = after

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size`` of the file's; empty at the end."""
        if self._before:
            piece, self._before = self._before, b""
        elif self._at < self._end:
            self._file.seek(self._at)
            piece = self._file.read(min(size, self._end - self._at))
            self._at += len(piece)
        else:
            piece, self._after = self._after, b""
        return piece


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One TA1, or one ST to SE, with its envelope around it: bytes any reader takes by themselves."""

    identifier: str
    """ST01 (``999``, ``277``, ``835`` ...) or ``TA1``."""
    header: Header
    group: str
    """The GS segment; empty for a TA1."""
    control_number: str
    file: BinaryIO
    start: int
    end: int
    """Where its segments stand in the file."""
    problems: tuple[str, ...]

    @property
    def group_number(self) -> str:
        """GS06 as written."""
        return (self.group.split(self.header.delimiters.element)[6:7] or [""])[0]

    def open(self) -> Excerpt:
        """The segments as received, in an ISA and GS of their own, with trailers that count just them."""
        mark, end = self.header.delimiters.element, self.header.delimiters.segment
        trailers = [mark.join(("GE", "1", self.group_number))] if self.group else []
        trailers.append(mark.join(("IEA", "1" if self.group else "0", self.header.elements[13])))
        before = self.header.text + (self.group + end if self.group else "")
        after = "".join(each + end for each in trailers)
        return Excerpt(before.encode("latin-1"), self.file, self.start, self.end, after.encode("latin-1"))


@dataclass(slots=True)
class _Found:
    group: str
    elements: list[str]
    """Of its first segment."""
    start: int
    end: int = 0
    problem: str = ""


@dataclass(slots=True)
class _Interchange:
    header: Header
    group: str = ""
    trailer: str = ""
    open: _Found | None = None
    found: list[_Found] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    end: int = 0
    """Where the segments seen so far end."""


def split_returned(file: BinaryIO) -> list[Enclosed]:
    """Every transaction of every interchange, in order; empty when there is no interchange."""
    file.seek(0)
    return [each for interchange in _interchanges(file) for each in _enclosed(interchange, file)]


def _interchanges(file: BinaryIO) -> Iterator[_Interchange]:
    current: _Interchange | None = None
    for piece in read_pieces(file):
        if isinstance(piece, Header):
            if current is not None:
                yield current
            current = _Interchange(piece)
        elif isinstance(piece, Body) and current is not None:
            for start, end, segment in _placed(piece):
                glued = _glued_header(segment, current.header.delimiters.segment)
                if glued is not None:
                    current.problems.append("the interchange is cut off inside a segment")
                    yield current
                    current = _Interchange(glued)
                    continue
                _take(current, segment, start)
                current.end = end
                if segment[:2] == "SE" and segment[2:3] in ("", current.header.delimiters.element):
                    _close(current)
        elif isinstance(piece, Cut) and current is not None:
            current.problems.append("the interchange is cut off inside a segment")
    if current is not None:
        yield current


def _placed(body: Body) -> Iterator[tuple[int, int, str]]:
    """Each segment with where it begins in the file, and where its terminator ends."""
    at = body.offset
    for raw in body.text.split(body.header.delimiters.segment)[:-1]:
        segment = raw.lstrip()
        end = at + len(raw) + 1
        yield end - 1 - len(segment), end, segment
        at = end


def _glued_header(segment: str, terminator: str) -> Header | None:
    """The ISA that begins inside a segment, where a file was put together from one that broke off and a whole one."""
    if segment[-_WITHOUT_TERMINATOR:][:3] != "ISA":
        return None
    header = read_header(segment[-_WITHOUT_TERMINATOR:] + terminator)
    return header if isinstance(header, Header) else None


def _take(interchange: _Interchange, segment: str, start: int) -> None:
    if segment[:2] not in _STARTS:
        return
    elements = segment.split(interchange.header.delimiters.element)
    name = elements[0]
    if name in ("ST", "GS", "GE", "IEA"):
        _close(interchange, "the transaction has no SE")
    if name == "GS":
        interchange.group = segment
    elif name == "TA1":
        interchange.found.append(_Found("", ["", "TA1"], start, start + len(segment) + 1))
    elif name == "ST":
        interchange.open = _Found(interchange.group, elements, start)
    elif name == "IEA":
        interchange.trailer = segment


_STARTS = frozenset(("ST", "GS", "GE", "IE", "TA"))


def _close(interchange: _Interchange, problem: str = "") -> None:
    if interchange.open is not None:
        interchange.open.end, interchange.open.problem = interchange.end, problem
        interchange.found.append(interchange.open)
        interchange.open = None


def _enclosed(interchange: _Interchange, file: BinaryIO) -> Iterator[Enclosed]:
    header, mark = interchange.header, interchange.header.delimiters.element
    problems = list(interchange.problems)
    if not interchange.trailer:
        problems.append("the interchange has no IEA: it is cut off")
    elif interchange.trailer.split(mark)[2:3] != [header.elements[13]]:
        problems.append("IEA02 is not the number of its ISA")
    _close(interchange, "the transaction has no SE")
    for found in interchange.found:
        yield Enclosed(
            identifier=(found.elements[1:2] or [""])[0],
            header=header,
            group=found.group,
            control_number=(found.elements[2:3] or [""])[0],
            file=file,
            start=found.start,
            end=found.end,
            problems=(*problems, found.problem) if found.problem else tuple(problems),
        )
