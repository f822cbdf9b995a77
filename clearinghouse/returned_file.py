"""A returned file cut into its transactions, each alone in its own envelope, so that a bad one spoils no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from clearinghouse.x12.tokens import Body, Cut, Header, read_pieces, segments_of


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
    found: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """(GS segment, identifier, segments)."""
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
                _take(current, segment)
        elif isinstance(piece, Cut) and current is not None:
            current.problems.append("the interchange is cut off inside a segment")
    if current is not None:
        yield current


def _take(interchange: _Interchange, segment: str) -> None:
    mark = interchange.header.delimiters.element
    name = segment.split(mark, 1)[0]
    if name == "GS":
        interchange.group = segment
    elif name == "TA1":
        interchange.found.append(("", "TA1", [segment]))
    elif name == "ST":
        interchange.open = [segment]
    elif name == "IEA":
        interchange.trailer = segment
    elif interchange.open:
        interchange.open.append(segment)
        if name == "SE":
            elements = interchange.open[0].split(mark)
            identifier = elements[1] if len(elements) > 1 else ""
            interchange.found.append((interchange.group, identifier, interchange.open))
            interchange.open = []


def _enclosed(interchange: _Interchange) -> Iterator[Enclosed]:
    header, mark = interchange.header, interchange.header.delimiters.element
    problems = list(interchange.problems)
    if not interchange.trailer:
        problems.append("the interchange has no IEA: it is cut off")
    elif interchange.trailer.split(mark)[2:3] != [header.elements[13]]:
        problems.append("IEA02 is not the number of its ISA")
    if interchange.open:
        problems.append("the last transaction has no SE")
    for group, identifier, segments in interchange.found:
        number = segments[0].split(mark)[2:3]
        yield Enclosed(
            identifier=identifier,
            header=header,
            group_number=(group.split(mark)[6:7] or [""])[0],
            control_number=number[0] if number and identifier != "TA1" else "",
            raw=_alone(header, group, segments),
            problems=tuple(problems),
        )


def _alone(header: Header, group: str, segments: list[str]) -> bytes:
    """The transaction in its own ISA and GS, with trailers that count just it."""
    mark, end = header.delimiters.element, header.delimiters.segment
    number = header.elements[13]
    around = [group, *segments, mark.join(("GE", "1", (group.split(mark)[6:7] or [""])[0]))] if group else segments
    trailer = mark.join(("IEA", "1" if group else "0", number))
    return (header.text + "".join(each + end for each in (*around, trailer))).encode("latin-1")
