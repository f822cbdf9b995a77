"""Where a segment with no place in the guide most likely belongs, so that one mistake is told once.

Knows no findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from clearinghouse.x12.guide import Guide, LoopNode, Move, SegmentNode, enter, matches, split_key
from clearinghouse.x12.guide_tables import UNBOUNDED
from clearinghouse.x12.patterns import ELEMENT

_LEADING_CODE = re.compile(r"[A-Z0-9]+")


class OpenLoop(Protocol):
    """What is known of a loop the walk stands in: which children were seen (a mask)."""

    loop: LoopNode
    seen: int


def find_place(guide: Guide, node: SegmentNode, frames: list[OpenLoop], segment: str) -> Move | None:
    """The most likely place of a segment that cannot follow `node`, the best evidence first; None when there is none.

    `frames` are the open loops, the innermost last.
    """
    name, qualifier = split_key(segment)
    asked = qualifier if name in guide.discriminated else None
    return (
        _by_leading_code(guide, node, name, qualifier)
        or _belated(frames, name, asked)
        or _headless(node, frames, name, asked)
        or _headless_again(frames, name, asked)
        or _other_qualifier(node, name)
        or _through(node, name, asked)
        or _backwards(node, name, asked)
    )


def _by_leading_code(guide: Guide, node: SegmentNode, name: str, qualifier: str) -> Move | None:
    """`HI*BK>496` where the component separator is another mark: the code before the wrong mark tells the place."""
    leading = _LEADING_CODE.match(qualifier)
    if leading is None or leading[0] == qualifier or name == "HL":
        return None
    return guide.move(node, name + ELEMENT + leading[0])


def _belated(frames: list[OpenLoop], name: str, qualifier: str | None) -> Move | None:
    """A segment not seen yet of a loop that is still open, or a required loop of it, whose turn has passed."""
    for leave, frame in enumerate(reversed(frames)):
        for child in frame.loop.children:
            repeats = isinstance(child, SegmentNode) and child.table.most != 1 and not leave
            if child is frame.loop.first or (frame.seen & child.bit and not repeats):
                continue
            if isinstance(child, SegmentNode):
                if matches(child, name, qualifier):
                    return Move(leave, (), child, disorder=True)
            elif child.first is not None and frame.loop.required & child.bit and matches(child.first, name, qualifier):
                return Move(leave, (child,), child.first, disorder=True)
    return None


def _headless(node: SegmentNode, frames: list[OpenLoop], name: str, qualifier: str | None) -> Move | None:
    """A segment of a loop still to come whose own first segment is missing: SV1 without LX, SBR without HL."""
    order = node.order
    for leave, frame in enumerate(reversed(frames)):
        for path in _loops_from(frame, order):
            for child in _segments_after_the_first(path[-1]):
                if matches(child, name, qualifier):
                    return Move(leave, path, child, headless=True)
        order = frame.loop.order
    return None


def _loops_from(frame: OpenLoop, order: int) -> Iterator[tuple[LoopNode, ...]]:
    """Loops that may still begin in an open loop; those inside a wrapper come with the wrapper."""
    for child in frame.loop.children:
        if child.order < order or isinstance(child, SegmentNode) or (child.most == 1 and frame.seen & child.bit):
            continue
        if child.first is not None:
            yield (child,)
            continue
        for inner in child.children:
            if isinstance(inner, LoopNode) and inner.first is not None:
                yield child, inner


def _headless_again(frames: list[OpenLoop], name: str, qualifier: str | None) -> Move | None:
    """A required segment seen already in an open loop that repeats: the first segment of its next turn is missing."""
    for depth, frame in enumerate(reversed(frames)):
        if frame.loop.first is None or frame.loop.most == 1:
            continue
        for child in _segments_after_the_first(frame.loop):
            again = frame.seen & child.bit & frame.loop.required and child.table.most != UNBOUNDED
            if again and matches(child, name, qualifier):
                return Move(depth + 1, (frame.loop,), child, headless=True)
    return None


def _segments_after_the_first(loop: LoopNode) -> Iterable[SegmentNode]:
    return (child for child in loop.children if isinstance(child, SegmentNode) and child is not loop.first)


def _other_qualifier(node: SegmentNode, name: str) -> Move | None:
    """The one segment of this name still to come in the loop at hand (or the header), whatever its qualifier."""
    loop = node.loop
    candidates: list[Move] = []
    for child in loop.children:
        if child.order < node.order:
            continue
        if isinstance(child, SegmentNode):
            if child is not loop.first and child is not node and child.name == name:
                candidates.append(Move(0, (), child))
        elif child.first is not None and child.first.name == name:
            candidates.append(Move(0, (child,), child.first))
    return candidates[0] if len(candidates) == 1 else None


def _through(node: SegmentNode, name: str, qualifier: str | None) -> Move | None:
    """A loop inside a loop whose own first segment never came: CLP without LX. The gap is reported at the close."""
    loop: LoopNode | None = node.loop
    left: LoopNode | None = None
    order, leave = node.order, 0
    while loop is not None:
        for child in loop.children:
            if child.order < order or isinstance(child, SegmentNode) or child is left:
                continue
            for inner in child.children:
                if isinstance(inner, LoopNode) and (found := _enter_deep(inner, name, qualifier)) is not None:
                    return Move(leave, (child, *found[0]), found[1])
        left, order, leave, loop = loop, loop.order, leave + 1, loop.parent
    return None


def _enter_deep(loop: LoopNode, name: str, qualifier: str | None) -> tuple[tuple[LoopNode, ...], SegmentNode] | None:
    if (found := enter(loop, name, qualifier)) is not None:
        return found
    for child in loop.children:
        if isinstance(child, LoopNode) and (deeper := _enter_deep(child, name, qualifier)) is not None:
            return (loop, *deeper[0]), deeper[1]
    return None


def _backwards(node: SegmentNode, name: str, qualifier: str | None) -> Move | None:
    loop: LoopNode | None = node.loop
    leave = 0
    while loop is not None:
        for child in loop.children:
            if isinstance(child, SegmentNode):
                if child is not loop.first and matches(child, name, qualifier):
                    return Move(leave, (), child, disorder=True)
            elif (found := enter(child, name, qualifier)) is not None:
                return Move(leave, *found, disorder=True)
        leave, loop = leave + 1, loop.parent
    return None
