"""A valid file damaged in one place, in every systematic way: segments dropped, doubled, moved; elements changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_ELEMENT, _COMPONENT = "*", ":"
_CHANGES = {
    "blank": lambda value: "",
    "longer": lambda value: value + "9" * 90,
    "garbled": lambda value: "?" * len(value),
    "wrong code": lambda value: "ZZ"[: max(len(value), 1)],
    "one letter": lambda value: value[:-1] + "Q",
    "one digit": lambda value: value[:-1] + "7",
    "first letter": lambda value: value[:1],
    "space": lambda value: value + " ",
    "component": lambda value: value + ":1",
    "repeated": lambda value: value + "^" + value,
    "small letters": str.lower,
}


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done, where (the segment counted from ISA = 0), and the bytes it gives."""

    what: str
    segment: str
    content: bytes

    def __str__(self) -> str:
        return f"{self.what} at segment {self.segment}"


def damages(content: bytes) -> Iterator[Damage]:
    """Every one-place damage of a file written with `*`, `:` and `~`, the ISA left whole."""
    segments = content.decode().replace("\n", "").split("~")[:-1]
    for at in range(1, len(segments)):
        for what, changed in _structural(segments, at):
            yield Damage(what, f"{at} {segments[at].split(_ELEMENT)[0]}", _joined(_recounted(changed)))
        for what, segment in _element_changes(segments[at]):
            changed = [*segments[:at], segment, *segments[at + 1 :]]
            yield Damage(what, f"{at} {segments[at].split(_ELEMENT)[0]}", _joined(changed))


def _structural(segments: list[str], at: int) -> Iterator[tuple[str, list[str]]]:
    here = segments[at]
    yield "dropped", [*segments[:at], *segments[at + 1 :]]
    yield "doubled", [*segments[: at + 1], here, *segments[at + 1 :]]
    if at + 1 < len(segments):
        yield "swapped", [*segments[:at], segments[at + 1], here, *segments[at + 2 :]]
    yield "unknown after", [*segments[: at + 1], "ZZZ*1", *segments[at + 1 :]]
    yield "emptied", [*segments[:at], here.split(_ELEMENT)[0], *segments[at + 1 :]]
    yield "element added", [*segments[:at], here + _ELEMENT * 3 + "X", *segments[at + 1 :]]
    yield "separator added", [*segments[:at], here + _ELEMENT, *segments[at + 1 :]]
    yield "cut", segments[:at]


def _recounted(segments: list[str]) -> list[str]:
    """SE01 made right again, so that the damage itself must be seen and not its count."""
    recounted, began = [], 0
    for at, segment in enumerate(segments):
        name, *values = segment.split(_ELEMENT)
        began = at if name == "ST" else began
        if name == "SE" and values:
            segment = _ELEMENT.join([name, str(at - began + 1), *values[1:]])
        recounted.append(segment)
    return recounted


def _element_changes(segment: str) -> Iterator[tuple[str, str]]:
    name, *values = segment.split(_ELEMENT)
    for place, value in enumerate(values, 1):
        for what, change in _CHANGES.items():
            if not value and what != "longer":
                continue
            changed = [name, *values]
            changed[place] = change(value) if value else "X"
            if changed[place] != value:
                yield f"{name}{place:02d} {what if value else 'filled'}", _ELEMENT.join(changed)
        if _COMPONENT in value:
            yield from _component_changes(name, values, place)


def _component_changes(name: str, values: list[str], place: int) -> Iterator[tuple[str, str]]:
    parts = values[place - 1].split(_COMPONENT)
    for index, part in enumerate(parts):
        for what in ("blank", "longer", "garbled", "one letter"):
            if part:
                changed = [*parts[:index], _CHANGES[what](part), *parts[index + 1 :]]
                element = _COMPONENT.join(changed)
                yield (
                    f"{name}{place:02d}-{index + 1} {what}",
                    _ELEMENT.join([name, *values[: place - 1], element, *values[place:]]),
                )


def _joined(segments: list[str]) -> bytes:
    return "".join(f"{segment}~" for segment in segments).encode()
