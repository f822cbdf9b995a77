"""Compiled paths into a message (`PID-3[2].1`) and groups of segments (an FT1 with its PR1s). Knows no mapping file.

Path: `SEG-field[.component[.subcomponent]]`, or `SEG-field.*` for a whole repetition with its separators. A part left
out means the first, as HL7's own rule for older receivers has it (v2.5.1, 2.8.2). `[n]` picks a segment's occurrence or
a field's repetition; `PID-3[5=MR].1` a repetition by a component, `DG1[6=F]-3` a segment by a field. A leading `/`
looks at the whole message, whatever the scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from adapters.hl7.er7 import Hl7Message, Segment
from adapters.hl7.errors import PathError

_PATH = re.compile(
    r"(?P<root>/?)(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<occurrence>[^\[\]]{1,64})\])?"
    r"-(?P<field>\d{1,3})(?:\[(?P<repetition>[^\[\]]{1,64})\])?"
    r"(?:\.(?:(?P<whole>\*)|(?P<component>\d{1,3})(?:\.(?P<subcomponent>\d{1,3}))?))?"
)
_CONDITION = re.compile(r"(?P<first>\d{1,3})(?:\.(?P<second>\d{1,3}))?=(?P<value>.+)")

# What belongs to a segment that heads a group, beside Z-segments and its own comments (v2.5.1 chapters 6 and 10).
_MEMBERS = {
    "FT1": frozenset({"PR1", "ROL", "ORC", "OBR", "OBX", "TQ1", "TQ2"}),
    "PR1": frozenset({"ROL"}),
    "IN1": frozenset({"IN2", "IN3", "ROL", "AUT", "RF1"}),
    "RGS": frozenset({"AIS", "AIG", "AIL", "AIP"}),
    "MRG": frozenset({"PV1"}),
    "PID": frozenset(
        {"PD1", "ARV", "MRG", "NK1", "PV1", "PV2", "ROL", "DB1", "OBX", "AL1", "DG1", "IN1", "IN2", "IN3"}
    ),
}
# Senders (and DFT^P11 by the standard) put these inside each FT1; otherwise they follow the last FT1 for all of them.
_MEMBERS_WHEN_BETWEEN = {"FT1": frozenset({"DG1", "DRG", "GT1", "IN1", "IN2", "IN3", "ACC"})}


class Located(NamedTuple):
    """A value and where it stood, such as `FT1[2]-7.1`."""

    value: str
    position: str


class SegmentGroup:
    """A segment and the segments that belong to it, up to the next of its name."""

    __slots__ = ("_by_name", "_siblings", "head", "message", "parent", "segments")

    def __init__(self, segments: list[Segment], parent: SegmentGroup | None, siblings: frozenset[int]) -> None:
        self.head = segments[0]
        self.segments = segments
        self.message = self.head.message
        self.parent = parent
        self._siblings = siblings
        self._by_name: dict[str, list[Segment]] = {}
        for segment in segments:
            self._by_name.setdefault(segment.name, []).append(segment)

    def segments_named(self, name: str) -> list[Segment]:
        """The group's own segments of a name; where it has none, the enclosing ones outside this kind of group."""
        own = self._by_name.get(name)
        if own is not None:
            return own
        outer = self.parent or self.message
        return [segment for segment in outer.segments_named(name) if segment.index not in self._siblings]


@dataclass(frozen=True, slots=True)
class _Selector:
    """Which occurrence or repetition is meant: a number, a condition, or (neither) all of them."""

    number: int = 0
    first: int = 0
    second: int = 0
    value: str = ""

    @property
    def takes_all(self) -> bool:
        return not self.number and not self.value


@dataclass(frozen=True, slots=True)
class Hl7Path:
    """One compiled path; `first` and `all` read it from a message, or from one group of it."""

    text: str
    from_root: bool
    segment: str
    occurrence: _Selector
    field: int
    repetition: _Selector
    component: int
    subcomponent: int
    whole: bool
    tail: str

    def first(self, message: Hl7Message, scope: SegmentGroup | None = None) -> str | None:
        """The first value that is not empty, or None."""
        for _, _, _, value in self._walk(message, scope):
            return value
        return None

    def all(self, message: Hl7Message, scope: SegmentGroup | None = None) -> list[Located]:
        """Every value that is not empty, in order, with its position."""
        return [
            Located(value, self._position(segment, repetition, several))
            for segment, repetition, several, value in self._walk(message, scope)
        ]

    def _walk(self, message: Hl7Message, scope: SegmentGroup | None) -> Iterator[tuple[Segment, int, bool, str]]:
        source = message if scope is None or self.from_root else scope
        segments = source.segments_named(self.segment)
        if segments and not self.occurrence.takes_all:
            segments = self._selected(segments)
        for segment in segments:
            repetitions = segment.repetitions(self.field)
            several = len(repetitions) > 1
            for number, text in enumerate(repetitions, 1):
                if text and (self.repetition.takes_all or self._takes(segment, text, number)):
                    value = self._value(segment, text)
                    if value:
                        yield segment, number, several, value

    def _selected(self, segments: list[Segment]) -> list[Segment]:
        chosen = self.occurrence
        if chosen.number:
            return segments[chosen.number - 1 : chosen.number]
        return [segment for segment in segments if segment.value(chosen.first, chosen.second or 1) == chosen.value]

    def _takes(self, segment: Segment, text: str, number: int) -> bool:
        chosen = self.repetition
        if chosen.number:
            return number == chosen.number
        return segment.message.value_of(text, chosen.first, chosen.second or 1) == chosen.value

    def _value(self, segment: Segment, text: str) -> str:
        if self.whole:
            return segment.message.unescape(text)
        if self.field <= 2 and segment.holds_separators:
            return text
        return segment.message.value_of(text, self.component, self.subcomponent)

    def _position(self, segment: Segment, repetition: int, several: bool) -> str:
        number = f"[{repetition}]" if several else ""
        return f"{segment.label}-{self.field}{number}{self.tail}"


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Hl7Path:
    """Compile one path text. Raises PathError naming the text."""
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise PathError(f"{text!r}: {PathError.__doc__}")
    component, subcomponent = match["component"], match["subcomponent"]
    numbers = (match["field"], component or "1", subcomponent or "1")
    if any(int(number) == 0 for number in numbers):
        raise PathError(f"{text!r}: fields, components and subcomponents are counted from 1")
    tail = ".*" if match["whole"] else "".join(f".{part}" for part in (component, subcomponent) if part)
    return Hl7Path(
        text=text,
        from_root=bool(match["root"]),
        segment=match["segment"],
        occurrence=_read_selector(match["occurrence"], text),
        field=int(match["field"]),
        repetition=_read_selector(match["repetition"], text),
        component=int(component or 1),
        subcomponent=int(subcomponent or 1),
        whole=bool(match["whole"]),
        tail=tail,
    )


def find_groups(message: Hl7Message, name: str, within: SegmentGroup | None = None) -> list[SegmentGroup]:
    """Each segment of a name with the segments that belong to it, in order; inside `within` where that is given."""
    segments = message.segments if within is None else within.segments
    heads = [place for place, segment in enumerate(segments) if segment.name == name]
    if not heads:
        return []
    members = _MEMBERS.get(name, frozenset()) | {"NTE"}
    if any(segment.name in _MEMBERS_WHEN_BETWEEN.get(name, ()) for segment in segments[heads[0] : heads[-1]]):
        members |= _MEMBERS_WHEN_BETWEEN[name]
    bodies = [list(_body(segments, place, name, members)) for place in heads]
    siblings = frozenset(segment.index for body in bodies for segment in body)
    return [SegmentGroup(body, within, siblings) for body in bodies]


def _body(segments: list[Segment], place: int, name: str, members: Iterable[str]) -> Iterator[Segment]:
    yield segments[place]
    for segment in segments[place + 1 :]:
        if segment.name == name or not (segment.name in members or segment.name.startswith("Z")):
            return
        yield segment


def _read_selector(text: str | None, path: str) -> _Selector:
    if text is None:
        return _Selector()
    if text.isascii() and text.isdigit() and int(text) > 0:
        return _Selector(number=int(text))
    match = _CONDITION.fullmatch(text)
    if match is None or int(match["first"]) == 0:
        raise PathError(f"{path!r}: write a number from 1, or a condition such as [5=MR], between the brackets")
    return _Selector(first=int(match["first"]), second=int(match["second"] or 0), value=match["value"])
