"""A run of the harness: files through both judges, their differences classed and counted, the rest told readably."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.differential.classes import DifferenceClass, class_of, known_classes
from tests.differential.judges import Remark, ours, pyx12
from tests.differential.pairing import Difference, differences

_SHOWN = 6


@dataclass
class Comparison:
    """What was compared so far. `unclassed` tells readably of each file with a difference that no class fits."""

    classes: tuple[DifferenceClass, ...] = field(default_factory=known_classes)
    files: int = 0
    same_verdict: int = 0
    shared_remarks: int = 0
    met: Counter[str] = field(default_factory=Counter)
    unclassed: list[str] = field(default_factory=list)

    def take(self, name: str, content: bytes) -> None:
        """Compare one file."""
        left, right = ours(content), pyx12(content)
        found = differences(left, right)
        self.files += 1
        self.same_verdict += bool(left) == bool(right)
        self.shared_remarks += len(left) + len(right) - len(found)
        unknown = []
        for difference in found:
            known = class_of(difference, self.classes)
            if known is None:
                unknown.append(difference)
            else:
                self.met[known.id] += 1
        if unknown:
            self.unclassed.append(_told(name, unknown, left, right))

    def report(self) -> str:
        """The counts, then every message."""
        lines = [f"{self.files} files compared, {self.same_verdict} with one verdict; differences by class:"]
        lines += [f"  {count:7} {name}" for name, count in self.met.most_common()]
        lines.append(f"{len(self.unclassed)} files with a difference of no class")
        return "\n".join([*lines, *self.unclassed])


def _told(name: str, unknown: Iterable[Difference], left: list[Remark], right: list[Remark]) -> str:
    heads = [f"{name}: a difference of no class (tests/differential/differences.toml)"]
    heads += [f"  only {each.alone}: {each.remark}" for each in unknown]
    for judge, remarks in (("ours", left), ("pyx12", right)):
        shown = "; ".join(map(str, remarks[:_SHOWN])) or "nothing"
        more = f" and {len(remarks) - _SHOWN} more" if len(remarks) > _SHOWN else ""
        heads.append(f"  {judge} says {shown}{more}")
    return "\n".join(heads)
