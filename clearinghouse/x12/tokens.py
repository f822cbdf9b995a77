"""Bytes to interchanges and segments: any delimiters, any line ending, several interchanges, noise kept. Knows no
guide.

Text is decoded as Latin-1, one character per byte, so the pieces of a file joined are the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from clearinghouse.x12.envelope import BadDelimitersError, Delimiters

CHUNK_BYTES = 1 << 18
MAX_SEGMENT_CHARACTERS = 1 << 20
ISA_LENGTH = 106
_ISA_SEPARATORS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_LINE_ENDS = "\r\n"
_BLANKS = "\r\n \t"


class Readable(Protocol):
    """An opened file, or what reads like one."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many; empty at the end."""


Source = bytes | Readable | Path


@dataclass(frozen=True, slots=True)
class Noise:
    """Text outside any interchange. `reason` is blank for line ends and spaces, else a plain sentence."""

    offset: int
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """One ISA as written, its delimiters and its elements (`elements[1]` is ISA01, spaces kept).

    `complaint` is a plain sentence when ISA11 announces no usable repetition separator, else blank.
    """

    offset: int
    text: str
    delimiters: Delimiters
    elements: tuple[str, ...]
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """Whole segments after an ISA as written, terminators and line ends included.

    `last` says the IEA is the last one.
    """

    offset: int
    text: str
    header: Header
    last: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """What stands after the last terminator of an interchange whose IEA never came, or before another ISA."""

    offset: int
    text: str
    header: Header


Piece = Noise | Header | Body | Cut


def read_pieces(source: Source, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Piece]:
    """Cut a file into interchanges; the texts joined are the file byte for byte. Memory does not grow with the file."""
    return _Cutter().cut(_chunks(source, chunk_bytes))


def segments_of(body: Body) -> list[str]:
    """The segments of a body as text, without terminators and line ends. Blank ones are kept (`~~` is an error)."""
    return split_segments(body.text, body.header.delimiters.segment)


def split_segments(text: str, terminator: str) -> list[str]:
    """`segments_of` for text and a terminator."""
    if terminator in _LINE_ENDS:
        return [part for part in map(str.lstrip, text.split(terminator)) if part]
    if "\n" not in text and "\r" not in text:
        parts = text.split(terminator)
    else:
        joined = terminator + ("\r\n" if "\r" in text else "\n")
        if text.count(joined) == text.count(terminator) and text.endswith(joined):
            parts = text.split(joined)
        else:
            parts = [*map(str.lstrip, text.split(terminator))]
    parts[0] = parts[0].lstrip()
    if not parts[-1]:
        del parts[-1]
    return parts


def read_segments(source: Source) -> Iterator[tuple[Header, list[str]]]:
    """Every segment of every interchange as (its ISA, elements); the ISA itself comes first. Noise is passed over."""
    for piece in read_pieces(source):
        if isinstance(piece, Header):
            yield piece, list(piece.elements)
        elif isinstance(piece, Body):
            header, mark = piece.header, piece.header.delimiters.element
            for segment in segments_of(piece):
                yield header, segment.split(mark)


def read_header(text: str, offset: int = 0) -> Header | str:
    """Judge 106 characters as an ISA: the header, or a plain sentence why it is none."""
    if len(text) < ISA_LENGTH:
        return "The file ends inside the ISA segment; an ISA is exactly 106 characters."
    mark = text[3]
    if mark.isalnum() or not " " < mark <= "~":
        return "The character after ISA cannot be an element separator."
    for index, at in enumerate(_ISA_SEPARATORS):
        if text[at] != mark:
            return _width_complaint(text, mark, index)
    elements = tuple(text[: ISA_LENGTH - 1].split(mark))
    if len(elements) != len(_ISA_WIDTHS) + 1:
        return "The ISA holds an element separator inside an element."
    judged = _delimiters(elements, text[ISA_LENGTH - 1], mark)
    if isinstance(judged, str):
        return judged
    return Header(offset, text[:ISA_LENGTH], judged[0], elements, judged[1])


def _delimiters(elements: tuple[str, ...], terminator: str, mark: str) -> tuple[Delimiters, str] | str:
    """The delimiters and a complaint about the repetition separator, the only one that can be stood in for."""
    component, repetition, complaint = elements[16], elements[11], ""
    taken = {mark, component, terminator}
    if repetition in taken or repetition.isalnum() or not " " < repetition <= "~":
        if elements[12] >= "00402":
            complaint = "ISA11 (repetition separator) must be a punctuation mark of its own; repeats cannot be read."
        repetition = next(free for free in "^!|`" if free not in taken)
    # A line end is a lawful terminator; a stand-in lets the other three be judged by one rule.
    stand_in = next(free for free in "~!|^`" if free not in {mark, component, repetition})
    try:
        judged = Delimiters(mark, component, repetition, stand_in if terminator in _LINE_ENDS else terminator)
    except BadDelimitersError:
        return "The ISA announces delimiters that are not distinct punctuation marks."
    if terminator in _LINE_ENDS:
        object.__setattr__(judged, "segment", terminator)
    return judged, complaint


def _width_complaint(text: str, mark: str, index: int) -> str:
    start = _ISA_SEPARATORS[index - 1] + 1 if index else 3
    end = text.find(mark, start)
    found = (end - start) if end >= 0 else None
    if index == 0 or found is None or found == _ISA_WIDTHS[index - 1]:
        return "The ISA is not 106 characters with separators at their fixed places."
    return f"ISA{index:02d} is {found} characters wide; it must be exactly {_ISA_WIDTHS[index - 1]}."


def _announced_version(text: str) -> str:
    """A sentence when a misshapen ISA announces a version before 5010: that alone would refuse it."""
    parts = text.split(text[3:4] or "*")
    version = parts[12] if len(parts) > 12 else ""
    if len(version) == 5 and version.isdecimal() and version < "00501":
        return f" It announces version {version}; only 00501 (5010) is read."
    return ""


def _chunks(source: Source, chunk_bytes: int) -> Iterator[str]:
    if isinstance(source, bytes):
        for start in range(0, len(source), chunk_bytes):
            yield source[start : start + chunk_bytes].decode("latin-1")
        return
    if isinstance(source, Path):
        with source.open("rb") as opened:
            yield from _read_chunks(opened, chunk_bytes)
        return
    yield from _read_chunks(source, chunk_bytes)


def _read_chunks(opened: Readable, chunk_bytes: int) -> Iterator[str]:
    while chunk := opened.read(chunk_bytes):
        yield chunk.decode("latin-1")


class _Cutter:
    """The state between chunks: text not yet given out, and the interchange it stands in (None = outside)."""

    def __init__(self) -> None:
        self.pending = ""
        self.offset = 0
        self.header: Header | None = None
        self.reason = ""

    def cut(self, chunks: Iterable[str]) -> Iterator[Piece]:
        for chunk in chunks:
            self.pending += chunk
            yield from self._advance(at_end=False)
        yield from self._advance(at_end=True)
        if self.pending:
            yield self._rest()

    def _advance(self, at_end: bool) -> Iterator[Piece]:
        while True:
            before = len(self.pending)
            piece = self._outside(at_end) if self.header is None else self._inside(at_end, self.header)
            if piece is not None:
                yield piece
            if len(self.pending) == before:
                return

    def _take(self, length: int) -> tuple[int, str]:
        offset, text = self.offset, self.pending[:length]
        self.pending = self.pending[length:]
        self.offset += length
        return offset, text

    def _rest(self) -> Piece:
        offset, text = self._take(len(self.pending))
        if self.header is not None and text.strip():
            return Cut(offset, text, self.header)
        return self._noise(offset, text)

    def _noise(self, offset: int, text: str) -> Noise:
        reason, self.reason = self.reason, ""
        if text.isspace():
            return Noise(offset, text)
        return Noise(offset, text, reason or "Text outside any interchange: no ISA segment begins here.")

    def _outside(self, at_end: bool) -> Piece | None:
        search = 0
        while (at := self.pending.find("ISA", search)) >= 0:
            if len(self.pending) - at < ISA_LENGTH and not at_end:
                break
            header = read_header(self.pending[at : at + ISA_LENGTH], self.offset + at)
            if isinstance(header, Header):
                if at:
                    return self._noise(*self._take(at))
                self._take(ISA_LENGTH)
                self.header = header
                return header
            self.reason = self.reason or header + _announced_version(self.pending[at : at + 2 * ISA_LENGTH])
            search = at + 3
        if at < 0 and not at_end:
            at = max(len(self.pending) - 2, search)
        if at > CHUNK_BYTES:
            return self._noise(*self._take(at))
        return None

    def _inside(self, at_end: bool, header: Header) -> Piece | None:
        terminator = header.delimiters.segment
        whole = self.pending.rfind(terminator) + 1
        if whole:
            end, kind = self._envelope_mark(whole, header)
            if kind == "ISA":
                segments_end = self.pending.rfind(terminator, 0, end) + 1
                if segments_end:
                    return Body(*self._take(segments_end), header)
                self.header = None
                return self._noise(*self._take(end)) if end else None
            if kind == "IEA":
                self.header = None
                return Body(*self._take(end), header, last=True)
            return Body(*self._take(whole), header)
        if len(self.pending) > MAX_SEGMENT_CHARACTERS or at_end:
            self.header = None if not self.pending.strip() or not at_end else header
            if self.pending.strip():
                self.header = None
                return Cut(*self._take(len(self.pending)), header)
        return None

    def _envelope_mark(self, whole: int, header: Header) -> tuple[int, str]:
        """Where the interchange ends inside the first `whole` characters: after its IEA, or before an unannounced
        ISA.
        """
        first, later = _envelope_patterns(header.delimiters.segment, header.delimiters.element)
        found = first.match(self.pending, 0, whole) or later.search(self.pending, 0, whole)
        if found is None:
            return whole, ""
        if found[1] == "ISA":
            return found.start(1), "ISA"
        return self.pending.find(header.delimiters.segment, found.start(1)) + 1, "IEA"


@lru_cache(maxsize=64)
def _envelope_patterns(terminator: str, mark: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """An IEA or ISA as the first segment of a text, and after another segment; line ends and blanks may come before."""
    names = f"[{_BLANKS.replace(terminator, '')}]*(IEA{re.escape(mark)}|ISA)"
    return re.compile(names), re.compile(re.escape(terminator) + names)
