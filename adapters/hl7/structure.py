"""Whether a message's segments stand where its structure puts them, by hl7apy's structure tables. Knows no values.

Greedy matching: every segment goes to the first place of the structure, from where the last one stood, that can begin
with it. A segment that fits nowhere is set aside and the rest matched again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from hl7apy import load_reference
from hl7apy.exceptions import ChildNotFound

# hl7apy writes a structure as (kind, children); a child as (name, its structure, (least, most), "SEG" or "GRP").
_Child = tuple[str, Any, tuple[int, int], str]
_MOST_MISPLACED = 25

# HL7 table 0354: which structure an event has, for senders that leave MSH-9.3 out (v2.5.1).
_STRUCTURES = {
    **dict.fromkeys(("ADT_A01", "ADT_A04", "ADT_A08", "ADT_A13"), "ADT_A01"),
    **dict.fromkeys(("ADT_A05", "ADT_A14", "ADT_A28", "ADT_A31"), "ADT_A05"),
    **dict.fromkeys(("ADT_A06", "ADT_A07"), "ADT_A06"),
    **dict.fromkeys(("ADT_A09", "ADT_A10", "ADT_A11"), "ADT_A09"),
    **dict.fromkeys(("ADT_A21", "ADT_A22", "ADT_A23", "ADT_A25", "ADT_A26", "ADT_A27", "ADT_A29"), "ADT_A21"),
    **dict.fromkeys(("ADT_A32", "ADT_A33"), "ADT_A21"),
    **dict.fromkeys([f"ADT_A{number}" for number in (30, 34, 35, 36, 46, 47, 48, 49)], "ADT_A30"),
    **dict.fromkeys(("ADT_A39", "ADT_A40", "ADT_A41", "ADT_A42"), "ADT_A39"),
    **dict.fromkeys(("ADT_A43", "ADT_A44"), "ADT_A43"),
    **dict.fromkeys(("ADT_A50", "ADT_A51"), "ADT_A50"),
    **dict.fromkeys(("ADT_A52", "ADT_A53"), "ADT_A52"),
    **dict.fromkeys(("ADT_A54", "ADT_A55"), "ADT_A54"),
    **dict.fromkeys(("ADT_A61", "ADT_A62"), "ADT_A61"),
    **dict.fromkeys([f"MDM_T{number:02}" for number in (1, 3, 5, 7, 9, 11)], "MDM_T01"),
    **dict.fromkeys([f"MDM_T{number:02}" for number in (2, 4, 6, 8, 10)], "MDM_T02"),
    **dict.fromkeys([f"REF_I{number}" for number in range(12, 16)], "REF_I12"),
    **dict.fromkeys([f"RRI_I{number}" for number in range(12, 16)], "RRI_I12"),
    **dict.fromkeys([f"RPA_I{number:02}" for number in range(8, 12)], "RPA_I08"),
    "RDE_O25": "RDE_O11",
    **dict.fromkeys([f"SIU_S{number}" for number in range(12, 27)], "SIU_S12"),
}


@dataclass(slots=True)
class StructureFit:
    """Which segments (by index into the names given) stand where the structure has no place, and what is missing."""

    structure: str
    misplaced: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def find_structure(message_type: str, trigger: str, stated: str, version: str) -> str | None:
    """The structure's name, from MSH-9.3 or from the event; None where the version's tables have none."""
    event = f"{message_type}_{trigger}"
    for name in (stated, _STRUCTURES.get(event, ""), event, message_type):
        if name and _children_of(name, version):
            return name
    return None


def fit_structure(names: Sequence[str], structure: str, version: str) -> StructureFit:
    """Match segment names, in order, to a structure. Z-segments belong nowhere in it: leave them out."""
    children = _children_of(structure, version)
    fit = StructureFit(structure)
    remaining = list(enumerate(names))
    while len(fit.misplaced) < _MOST_MISPLACED:
        walk = _Walk([name for _, name in remaining])
        walk.through(children)
        if walk.place == len(remaining):
            break
        fit.misplaced.append(remaining.pop(walk.place)[0])
    set_aside = {names[index] for index in fit.misplaced}
    fit.missing = [name for name in dict.fromkeys(walk.missing) if name not in set_aside]
    return fit


class _Walk:
    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.place = 0
        self.missing: list[str] = []

    def through(self, children: Sequence[_Child]) -> None:
        for child in children:
            _, structure, (least, most), kind = child
            count = 0
            while (most < 0 or count < most) and self.place < len(self.names):
                if self.names[self.place] not in _first_names(child):
                    break
                before = self.place
                if kind == "SEG":
                    self.place += 1
                else:
                    self._into(structure)
                if self.place == before:
                    break
                count += 1
            if count < least:
                self.missing.append(_first_required(child))

    def _into(self, structure: Any) -> None:
        if structure[0] != "choice":
            self.through(structure[1])
            return
        for alternative in structure[1]:
            if self.names[self.place] in _first_names(alternative):
                self.through([alternative])
                return


def _first_names(child: _Child) -> frozenset[str]:
    """The segments a child can begin with."""
    name, structure, _, kind = child
    if kind == "SEG":
        return frozenset((name,))
    names: set[str] = set()
    for inner in structure[1]:
        names |= _first_names(inner)
        if inner[2][0] > 0 and structure[0] != "choice":
            break
    return frozenset(names)


def _first_required(child: _Child) -> str:
    name, structure, _, kind = child
    if kind == "SEG":
        return name
    for inner in structure[1]:
        if inner[2][0] > 0:
            return _first_required(inner)
    return _first_required(structure[1][0])


def _children_of(structure: str, version: str) -> Sequence[_Child]:
    try:
        return cast(Sequence[_Child], load_reference(structure, "Message", version)[1] or ())
    except (ChildNotFound, KeyError, TypeError, IndexError):
        return ()
