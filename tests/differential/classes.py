"""The table of known differences: which class a difference belongs to, and the page that shows the table."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.differential.pairing import Difference

_TABLE = Path(__file__).with_name("differences.toml")
_PLACES = ("guide", "code", "segment", "element", "loop")


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceClass:
    """One known way to differ, with who is right and a public source."""

    id: str
    verdict: str
    reason: str
    source: str
    alone: str = ""
    follows: bool = False
    published: bool = False
    """Met in published files only, not in those made here."""
    guide: str = ""
    code: str = ""
    segment: str = ""
    element: str = ""
    loop: str = ""

    @property
    def patterns(self) -> dict[str, str]:
        """The patterns a remark must match, by what of it they look at."""
        return {place: pattern for place in _PLACES if (pattern := getattr(self, place))}

    def fits(self, difference: Difference) -> bool:
        """Whether a difference is of this class."""
        if (self.alone and self.alone != difference.alone) or (self.follows and not difference.follows):
            return False
        remark = difference.remark
        return all(re.fullmatch(pattern, getattr(remark, place)) for place, pattern in self.patterns.items())


def known_classes() -> tuple[DifferenceClass, ...]:
    """The table, in the order in which classes are tried."""
    entries = tomllib.loads(_TABLE.read_text())["class"]
    return tuple(DifferenceClass(**{**entry, "reason": " ".join(entry["reason"].split())}) for entry in entries)


def class_of(difference: Difference, classes: Iterable[DifferenceClass]) -> DifferenceClass | None:
    """The first class that fits; None for a difference nobody has judged yet."""
    return next((each for each in classes if each.fits(difference)), None)
