"""HL numbering: HL01 counts from 1, HL02 names the level above, HL04 says whether a level below follows.

A wrong number is told once: what is counted from it, or in spite of it, is right.
"""

from __future__ import annotations

from collections.abc import Callable

from clearinghouse.x12.guide import LoopNode

# Called with (message, element, loop name, position).
Complaint = Callable[[str, str, str, int], None]


class Hierarchy:
    """The levels of one transaction set, as they come."""

    def __init__(self, complain: Complaint) -> None:
        self.complain = complain
        self.count = 0
        self.last = 0
        self.numbers: dict[LoopNode, tuple[str, ...]] = {}
        self.promised: tuple[LoopNode, str, int] | None = None

    def level(self, loop: LoopNode, values: list[str], position: int) -> None:
        """An HL segment, which begins this loop."""
        values = [*values, "", "", "", "", ""]
        self.count += 1
        number = values[1]
        if number not in (str(self.count), str(self.last + 1)):
            message = f"HL01 must be {self.count}: levels count from 1 by one."
            self.complain(message, "HL01", loop.name, position)
        self.last = int(number) if number.isdecimal() and len(number) < 12 else self.count
        self.numbers[loop] = (number, str(self.count))
        parent = _level_above(loop)
        expected = self.numbers.get(parent, ("",)) if parent is not None else ("",)
        if parent is not None and expected and values[2] not in expected:
            self.complain(f"HL02 must be {expected[0]}, the level above.", "HL02", loop.name, position)
        self._keep_promise(parent)
        self.promised = (loop, values[4], position)

    def skipped(self, loop: LoopNode) -> None:
        """A level whose HL is missing: nothing is expected of its number."""
        self.count += 1
        self.last += 1
        self.numbers[loop] = ()
        self._keep_promise(_level_above(loop))
        self.promised = None

    def finish(self) -> None:
        """The transaction set has ended."""
        self._keep_promise(None)

    def _keep_promise(self, parent: LoopNode | None) -> None:
        if self.promised is None:
            return
        loop, code, at = self.promised
        if code == "1" and parent is not loop:
            self.complain("HL04 says a level below follows, and none does.", "HL04", loop.name, at)
        elif code == "0" and parent is loop and _may_end(loop):
            self.complain("HL04 says no level below follows, and one does.", "HL04", loop.name, at)


def _may_end(loop: LoopNode) -> bool:
    """Whether the guide lets HL04 be 0 here; where it does not, the code itself is told to be wrong."""
    return loop.first is not None and "0" in loop.first.table.elements[3].codes


def _level_above(loop: LoopNode) -> LoopNode | None:
    above = loop.parent
    while above is not None:
        if above.first is not None and above.first.name == "HL":
            return above
        above = above.parent
    return None
