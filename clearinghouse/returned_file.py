"""A returned file cut into its transactions, each alone in its own envelope, so that a bad one spoils no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from clearinghouse.x12.tokens import ISA_LENGTH, Body, Cut, Header, read_header, read_pieces, segments_of

_WITHOUT_TERMINATOR = ISA_LENGTH - 1


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One TA1, or one ST to SE, with its envelope around it: bytes any reader takes by themselves."""

    identifier: str
    """ST01 (``999``, ``277``, ``835`` ...) or ``TA1``."""
    header: Header
    group_number: str
    control_number: str
    raw: bytes
    """The segments as received, in an envelope of just themselves."""
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Interchange:
    header: Header
    group: str = ""
    trailer: str = ""
    open: list[str] = field(default_factory=list)
    found: list[tuple[str, str, list[str], str]] = field(default_factory=list)
    """(GS segment, identifier, segments, what is wrong with this one)."""
    problems: list[str] = field(default_factory=list)


def split_returned(content: bytes) -> list[Enclosed]:
    """Every transaction of every interchange, in order; empty when there is no interchange."""
    return [each for interchange in _interchanges(content) for each in _enclosed(interchange)]


def _interchanges(content: bytes) -> Iterator[_Interchange]:
    current: _Interchange | None = None
    for piece in read_pieces(content):
        if isinstance(piece, Header):
            if current is not None:
                yield current
            current = _Interchange(piece)
        elif isinstance(piece, Body) and current is not None:
            for segment in segments_of(piece):
                glued = _glued_header(segment, current.header.delimiters.segment)
                if glued is not None:
                    current.problems.append("the interchange is cut off inside a segment")
                    yield current
                    current = _Interchange(glued)
                    continue
                _take(current, segment)
        elif isinstance(piece, Cut) and current is not None:
            current.problems.append("the interchange is cut off inside a segment")
    if current is not None:
        yield current


def _glued_header(segment: str, terminator: str) -> Header | None:
    """The ISA that begins inside a segment, where a file was put together from one that broke off and a whole one."""
    if segment[-_WITHOUT_TERMINATOR:][:3] != "ISA":
        return None
    header = read_header(segment[-_WITHOUT_TERMINATOR:] + terminator)
    return header if isinstance(header, Header) else None


def _take(interchange: _Interchange, segment: str) -> None:
    mark = interchange.header.delimiters.element
    name = segment.split(mark, 1)[0]
    if name in ("ST", "GS", "GE", "IEA") and interchange.open:
        _close(interchange, "the transaction has no SE")
    if name == "GS":
        interchange.group = segment
    elif name == "TA1":
        interchange.found.append(("", "TA1", [segment], ""))
    elif name == "ST":
        interchange.open = [segment]
    elif name == "IEA":
        interchange.trailer = segment
    elif interchange.open:
        interchange.open.append(segment)
        if name == "SE":
            _close(interchange)


def _close(interchange: _Interchange, problem: str = "") -> None:
    elements = interchange.open[0].split(interchange.header.delimiters.element)
    identifier = elements[1] if len(elements) > 1 else ""
    interchange.found.append((interchange.group, identifier, interchange.open, problem))
    interchange.open = []


def _enclosed(interchange: _Interchange) -> Iterator[Enclosed]:
    header, mark = interchange.header, interchange.header.delimiters.element
    problems = list(interchange.problems)
    if not interchange.trailer:
        problems.append("the interchange has no IEA: it is cut off")
    elif interchange.trailer.split(mark)[2:3] != [header.elements[13]]:
        problems.append("IEA02 is not the number of its ISA")
    if interchange.open:
        _close(interchange, "the transaction has no SE")
    for group, identifier, segments, problem in interchange.found:
        number = segments[0].split(mark)[2:3]
        yield Enclosed(
            identifier=identifier,
            header=header,
            group_number=(group.split(mark)[6:7] or [""])[0],
            control_number=number[0] if number and identifier != "TA1" else "",
            raw=_alone(header, group, segments),
            problems=(*problems, problem) if problem else tuple(problems),
        )


def _alone(header: Header, group: str, segments: list[str]) -> bytes:
    """The transaction in its own ISA and GS, with trailers that count just it."""
    mark, end = header.delimiters.element, header.delimiters.segment
    number = header.elements[13]
    around = [group, *segments, mark.join(("GE", "1", (group.split(mark)[6:7] or [""])[0]))] if group else segments
    trailer = mark.join(("IEA", "1" if group else "0", number))
    return (header.text + "".join(each + end for each in (*around, trailer))).encode("latin-1")
