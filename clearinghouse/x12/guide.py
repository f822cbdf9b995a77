"""A guide as linked nodes to walk along: which loop and segment a next segment belongs to.

Knows no bytes but prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from clearinghouse.x12.guide_tables import (
    ALIASES,
    KINDS,
    LoopTable,
    SegmentTable,
    read_guide,
)
from clearinghouse.x12.patterns import COMPONENT, ELEMENT, segment_pattern

_PREFIX = 3
# Segments whose numbers or counts the walk itself keeps.
_STRUCTURAL = frozenset(("HL", "LX", "CLM", "CLP", "SE"))


class SegmentNode:
    """One segment at its place in the guide. `moves` remembers where each next segment leads from here."""

    __slots__ = ("bit", "key", "loop", "moves", "name", "order", "qualifiers", "structural", "table", "tests")

    def __init__(self, table: SegmentTable, loop: LoopNode, order: int, bit: int) -> None:
        self.table = table
        self.name = table.name
        self.loop = loop
        self.order = order
        self.bit = bit
        self.qualifiers, self.key = _discriminator(table)
        self.moves: dict[str, Any] = {}
        self.tests: Any = None
        self.structural = table.name in _STRUCTURAL

    @property
    def test(self) -> Any:
        """The bound fullmatch of this segment's expression, compiled when first asked for."""
        if self.tests is None:
            self.tests = _pattern(self.table).fullmatch
        return self.tests

    @property
    def opens_loop(self) -> bool:
        """Whether this segment is the first of its loop."""
        return self.loop.first is self


class LoopNode:
    """One loop at its place in the guide. `required` is the mask of children that must appear in each instance."""

    __slots__ = ("bit", "children", "first", "most", "name", "order", "parent", "required", "table")

    def __init__(self, table: LoopTable, parent: LoopNode | None, bit: int) -> None:
        self.table = table
        self.name = "" if table.wrapper or parent is None else table.name
        self.parent = parent
        self.order = table.position
        self.bit = bit
        self.most = table.most
        self.children: list[SegmentNode | LoopNode] = []
        self.required = 0
        self.first: SegmentNode | None = None
        self._fill()

    def _fill(self) -> None:
        for index, child in enumerate(self.table.children):
            bit = 1 << index
            node: SegmentNode | LoopNode
            if isinstance(child, SegmentTable):
                node = SegmentNode(child, self, child.position, bit)
                if index == 0 and not self.table.wrapper:
                    self.first = node
            else:
                node = LoopNode(child, self, bit)
            if child.usage == "R":
                self.required |= bit
            self.children.append(node)

    def __repr__(self) -> str:
        return f"<loop {self.table.name}>"


class Move:
    """Where a segment leads: loops to leave, loops to enter, and the node it is.

    A guess is marked: `disorder` goes back in the guide, `headless` enters a loop whose first segment never came.
    """

    __slots__ = ("disorder", "enter", "headless", "leave", "node")

    def __init__(
        self,
        leave: int,
        enter: tuple[LoopNode, ...],
        node: SegmentNode,
        *,
        disorder: bool = False,
        headless: bool = False,
    ) -> None:
        self.leave = leave
        self.enter = enter
        self.node = node
        self.disorder = disorder
        self.headless = headless


class Guide:
    """One implementation guide ready to walk.

    `kind` is 837I, 837P, 835, 277CA or 999; `name` the guide's own version.
    """

    def __init__(self, name: str) -> None:
        self.name = ALIASES.get(name, name)
        self.root = LoopNode(read_guide(self.name), None, 0)
        self.kind = KINDS[self.name]
        first, last = self.root.children[0], self.root.children[-1]
        assert isinstance(first, SegmentNode) and isinstance(last, SegmentNode)
        self.start, self.end = first, last
        self.segments = [*_segments(self.root)]
        self.names = frozenset(node.name for node in self.segments)
        self.discriminated = _discriminated(self.segments)

    def move(self, node: SegmentNode, segment: str) -> Move | None:
        """Where this segment leads from a node, remembered; None when the guide has no place for it here."""
        name, qualifier = split_key(segment)
        prefix = segment[:_PREFIX]
        if name not in self.discriminated:
            known = _resolve(node, name, None)
            if known is not None:
                node.moves[prefix] = known
            return known
        by_qualifier: dict[str, Move] = node.moves.setdefault(prefix, {})
        found = by_qualifier.get(qualifier)
        if found is None:
            found = _resolve(node, name, qualifier)
            if found is not None:
                by_qualifier[qualifier] = found
        return found


def guide_for(name: str) -> Guide:
    """The guide of a version string or alias, compiled once a process. Raises GuideUnavailableError."""
    return _guide(ALIASES.get(name, name))


@cache
def _guide(name: str) -> Guide:
    return Guide(name)


@cache
def _pattern(table: SegmentTable) -> re.Pattern[str]:
    return segment_pattern(table)


def split_key(segment: str) -> tuple[str, str]:
    """Segment id and the qualifier that tells same-named segments apart: HL03, else the first element or component."""
    parts = segment.split(ELEMENT, 4)
    name = parts[0]
    if name == "HL":
        return name, parts[3] if len(parts) > 3 else ""
    return name, parts[1].split(COMPONENT, 1)[0] if len(parts) > 1 else ""


def _discriminator(table: SegmentTable) -> tuple[frozenset[str], int]:
    elements = table.elements
    if table.name == "HL":
        return frozenset(elements[2].codes), 3
    if not elements:
        return frozenset(), 0
    first = elements[0].components[0] if elements[0].components else elements[0]
    if first.codes and first.usage == "R" and first.kind in ("ID", "AN"):
        return frozenset(first.codes), 1
    return frozenset(), 0


def _discriminated(nodes: list[SegmentNode]) -> frozenset[str]:
    """Segment ids whose places in the guide are told apart by a qualifier and not by order alone."""
    lists: dict[str, set[frozenset[str]]] = {}
    for node in nodes:
        lists.setdefault(node.name, set()).add(node.qualifiers)
    return frozenset(name for name, found in lists.items() if len(found) > 1)


def _segments(loop: LoopNode) -> Iterator[SegmentNode]:
    for child in loop.children:
        if isinstance(child, SegmentNode):
            yield child
        else:
            yield from _segments(child)


def matches(node: SegmentNode, name: str, qualifier: str | None) -> bool:
    """Whether a segment is this node; None = its name is told apart by order alone, so its qualifier is not asked."""
    return node.name == name and (qualifier is None or not node.qualifiers or qualifier in node.qualifiers)


def enter(loop: LoopNode, name: str, qualifier: str | None) -> tuple[tuple[LoopNode, ...], SegmentNode] | None:
    """Loops to enter to place a segment as the first of a loop, or of any loop inside a wrapper."""
    if loop.first is not None:
        return ((loop,), loop.first) if matches(loop.first, name, qualifier) else None
    for child in loop.children:
        if isinstance(child, SegmentNode):
            if matches(child, name, qualifier):
                return (loop,), child
        elif (found := enter(child, name, qualifier)) is not None:
            return (loop, *found[0]), found[1]
    return None


def _resolve(node: SegmentNode, name: str, qualifier: str | None) -> Move | None:
    loop: LoopNode | None = node.loop
    left: LoopNode | None = None
    order, leave = node.order, 0
    while loop is not None:
        for child in loop.children:
            if child.order < order or (child is left and left.first is None):
                continue  # behind us, or the wrapper we just came out of: a header does not begin again
            if isinstance(child, SegmentNode):
                if child is not loop.first and matches(child, name, qualifier):
                    return Move(leave, (), child)
            elif (found := enter(child, name, qualifier)) is not None:
                return Move(leave, *found)
        left, order, leave, loop = loop, loop.order, leave + 1, loop.parent
    return None
