"""One regular expression per segment of a guide: a segment that matches is right; one that does not is judged by hand.

The expression may be stricter than the guide (leap days, rare syntax notes), never laxer. Text is canonical: element,
component and repetition separators are the control characters below. No quantifier is nested in another unbounded one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clearinghouse.x12.guide_tables import CODE_LISTS, ElementTable, SegmentTable, code_list

ELEMENT = "\x1d"
REPETITION = "\x1e"
COMPONENT = "\x1f"
FORBIDDEN_CONTROL = "\x01"

DATE = (
    r"(?:1[89]|20)\d\d(?:(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)"
    r"|02(?:0[1-9]|1\d|2[0-8]))"
)
SHORT_DATE = (
    r"\d\d(?:(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)"
    r"|02(?:0[1-9]|1\d|2[0-8]))"
)
MINUTE = r"(?:[01]\d|2[0-3])[0-5]\d"
TIMES = {4: MINUTE, 6: MINUTE + r"[0-5]\d", 7: MINUTE + r"[0-5]\d\d", 8: MINUTE + r"[0-5]\d\d\d"}
FORMATS = {"D8": DATE, "RD8": f"{DATE}-{DATE}", "TM": MINUTE, "DT": DATE + MINUTE, "D6": SHORT_DATE}
# Shapes of lists too old or too short in pyx12 to judge by membership.
SHAPES = {"entity_id": "[0-9A-Z]{2,3}", "claim_status": r"\d{1,4}", "remark_code": r"[A-Z]{1,2}\d{1,4}"}
MONEY = "782"
"""The data element of an amount of money: whole cents (guide appendix B, decimal)."""
_FORMAT_ELEMENT = "1250"
_PERIOD_ELEMENT = "1251"


def segment_pattern(segment: SegmentTable) -> re.Pattern[str]:
    """The expression of one segment, to be used with fullmatch on canonical text without the terminator."""
    tail = _elements(segment.elements, segment.notes, ELEMENT)
    return re.compile(re.escape(segment.name) + rf"(?={ELEMENT})" + tail + rf"(?<!{ELEMENT})")


def _elements(
    elements: tuple[ElementTable, ...], notes: tuple[tuple[str, tuple[int, ...]], ...], separator: str
) -> str:
    groups = _group_notes(elements, notes)
    if groups.by_hand:
        return "(?!)"
    tail = ""
    needed = False
    index = len(elements)
    while index > 0:
        first = groups.first.get(index, index)
        part, required = _part(elements, first, index, groups, separator)
        rest = tail if needed else (f"(?:{tail})?" if tail else "")
        tail = part + rest
        needed = needed or required
        index = first - 1
    return tail if needed else (f"(?:{tail})?" if tail else "")


class _NoteGroups:
    """What the syntax notes of a segment ask of the expression: neighbours tied together, elements left to the hand."""

    def __init__(self) -> None:
        self.first: dict[int, int] = {}
        self.forbidden: set[int] = set()
        self.by_hand = False

    def tie(self, first: int, last: int) -> None:
        self.first[last] = first


def _group_notes(elements: tuple[ElementTable, ...], notes: tuple[tuple[str, tuple[int, ...]], ...]) -> _NoteGroups:
    groups = _NoteGroups()
    usage = {index: element.usage for index, element in enumerate(elements, 1)}
    for kind, places in sorted(notes, key=lambda note: "LPCER".index(note[0])):
        used = [place for place in places if usage.get(place, "N") != "N"]
        _apply_note(groups, kind, places, used, usage)
    for last in [*groups.first]:
        if any(place in groups.forbidden for place in range(groups.first[last], last + 1)):
            del groups.first[last]
    return groups


def _apply_note(
    groups: _NoteGroups, kind: str, places: tuple[int, ...], used: list[int], usage: dict[int, str]
) -> None:
    lead = places[0]
    if kind == "R":
        if any(usage.get(place) == "R" for place in places):
            return
        groups.by_hand = True
    elif kind == "E":
        groups.forbidden.update(place for place in used if place != lead)
    elif kind == "C":
        if lead not in used or all(usage.get(place) == "R" for place in places[1:]):
            return
        if not any(first <= lead <= last for last, first in groups.first.items()):
            groups.forbidden.add(lead)
    elif kind == "L":
        if lead not in used:
            return
        if places[1] == lead + 1 and usage.get(lead) == "S" and len(places) == 3 and places[2] == lead + 2:
            groups.tie(lead, lead + 2)
        elif not any(usage.get(place) == "R" for place in places[1:]):
            groups.forbidden.add(lead)
    elif kind == "P":
        _apply_pair(groups, places, used, usage)


def _apply_pair(groups: _NoteGroups, places: tuple[int, ...], used: list[int], usage: dict[int, str]) -> None:
    if not used or all(usage.get(place) == "R" for place in places):
        return
    if len(places) == 2 and places[1] == places[0] + 1 and all(usage.get(place) == "S" for place in places):
        groups.tie(places[0], places[1])
        return
    groups.forbidden.update(place for place in used if usage.get(place) == "S")


def _part(
    elements: tuple[ElementTable, ...], first: int, last: int, groups: _NoteGroups, separator: str
) -> tuple[str, bool]:
    """The expression of one element or of a tied run, separator included, and whether it must be there."""
    if first == last:
        return _single(elements, first, groups, separator)
    values = [_dated_value(elements, place, separator) for place in range(first, last + 1)]
    full = separator + values[0] + separator + values[1]
    if len(values) == 3:
        full += f"(?:{separator}(?:{values[2]})?)?"
    return f"(?:{full}|{separator * len(values)})", False


def _single(elements: tuple[ElementTable, ...], place: int, groups: _NoteGroups, separator: str) -> tuple[str, bool]:
    element = elements[place - 1]
    if element.usage == "N" or place in groups.forbidden:
        return separator, False
    value = _dated_value(elements, place, separator)
    if element.usage == "R":
        return separator + value, True
    return f"{separator}(?:{value})?", False


def _dated_value(elements: tuple[ElementTable, ...], place: int, separator: str) -> str:
    """The value of an element; a format qualifier also looks at the period that follows it."""
    element = elements[place - 1]
    following = elements[place] if place < len(elements) else None
    if (
        element.data_element != _FORMAT_ELEMENT
        or following is None
        or following.data_element != _PERIOD_ELEMENT
        or following.usage == "N"
    ):
        return _value(element)
    ends = rf"(?:[{COMPONENT}{ELEMENT}]|$)"
    names = [name for name in element.codes or FORMATS if name in FORMATS]
    return "(?:" + "|".join(f"{name}(?={separator}{FORMATS[name]}{ends})" for name in names) + ")"


def _value(element: ElementTable) -> str:
    if element.kind == "composite":
        return f"(?!{ELEMENT}|$){_components(element)}(?<!{COMPONENT})"
    if element.codes and not element.external:
        return alternatives(element.codes)
    if element.external:
        known = set(element.codes)
        if element.external in CODE_LISTS:
            return alternatives(known | code_list(element.external))
        return f"(?:{SHAPES[element.external]})"
    return f"(?:{_typed(element)})"


def _typed(element: ElementTable) -> str:
    if element.pattern:
        return element.pattern
    least, most = max(element.least, 1), element.most
    if element.kind.startswith("N"):
        return rf"-?\d{{{least},{most}}}"
    if element.kind == "R":
        if element.data_element == MONEY:
            return rf"-?\d{{1,{most - 2}}}(?:\.\d{{1,2}})?"
        whole = max(1, most - 3)
        return rf"-?\d{{1,{whole}}}(?:\.\d{{1,3}})?" if most > 3 else rf"-?\d{{1,{most}}}"
    if element.kind in ("DT", "D8"):
        return DATE if least == 8 else f"{DATE}|{SHORT_DATE}" if most == 8 else SHORT_DATE
    if element.kind == "TM":
        return "|".join(TIMES[length] for length in sorted(TIMES, reverse=True) if least <= length <= most)
    return rf"[ -~]{{{least},{most}}}(?<! )"


def _components(element: ElementTable) -> str:
    parts = element.components
    tail = ""
    needed = False
    for place in range(len(parts), 0, -1):
        value, required = _component(parts, place)
        lead = "" if place == 1 else COMPONENT
        rest = tail if needed else (f"(?:{tail})?" if tail else "")
        tail = lead + value + rest
        needed = needed or required
    return tail


def _component(parts: tuple[ElementTable, ...], place: int) -> tuple[str, bool]:
    part = parts[place - 1]
    if part.usage == "N":
        return "", False
    value = _dated_value(parts, place, COMPONENT)
    return (value, True) if part.usage == "R" else (f"(?:{value})?", False)


def alternatives(codes: Iterable[str]) -> str:
    """An expression for a list of codes as a prefix tree, so that long lists stay quick."""
    return f"(?:{_branches(sorted(set(codes)))})"


def _branches(codes: list[str]) -> str:
    branches = []
    for letter, rest in _by_letter(codes):
        ends = "" in rest
        deeper = [tail for tail in rest if tail]
        if not deeper:
            branches.append(re.escape(letter))
        else:
            inner = _branches(deeper)
            grouped = f"(?:{inner})" if "|" in inner or ends else inner
            branches.append(re.escape(letter) + grouped + ("?" if ends else ""))
    return "|".join(branches)


def _by_letter(codes: list[str]) -> Iterator[tuple[str, list[str]]]:
    letters: dict[str, list[str]] = {}
    for code in codes:
        letters.setdefault(code[0], []).append(code[1:])
    yield from letters.items()
