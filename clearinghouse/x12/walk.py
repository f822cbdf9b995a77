"""Walks one transaction set along its guide: places each segment, counts, and hands wrong ones to `explain`.

The loop over segments is the hot path of the product's check: it keeps nothing of a segment that is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from clearinghouse.x12.envelope_check import counts
from clearinghouse.x12.explain import explain
from clearinghouse.x12.findings import ERROR, Finding, TransactionReport
from clearinghouse.x12.guide import Guide, LoopNode, Move, SegmentNode, split_key
from clearinghouse.x12.guide_tables import UNBOUNDED
from clearinghouse.x12.hierarchy import Hierarchy
from clearinghouse.x12.patterns import COMPONENT, ELEMENT, FORBIDDEN_CONTROL
from clearinghouse.x12.recovery import find_place

ENVELOPE = frozenset(("ISA", "IEA", "GS", "GE", "ST", "TA1"))
# What may follow a segment that was not recognized and belongs to it: reported once, with that segment.
_FOLLOWERS = frozenset(("N3", "N4", "REF", "PER", "PRV", "DMG"))
# Called with (the later checks' own state, segment, position, loop name).
Handler = Callable[[Any, str, int, str], None]


class _Frame(Struct):
    """One open loop: which children were seen (a mask), how often the repeating ones, where it began."""

    loop: LoopNode
    position: int
    seen: int = 0
    headless: bool = False
    counts: dict[int, int] = {}


class Walk:
    """The check of one ST..SE against its guide (SNIP 1 and 2), fed with batches of canonical segments.

    `handlers` maps guide nodes to functions called with (`observer`, segment, position, loop name) for the later SNIP
    types; the map is shared by all transaction sets of a guide.
    """

    def __init__(
        self,
        guide: Guide,
        report: TransactionReport,
        handlers: Mapping[SegmentNode, Handler] | None = None,
        observer: object = None,
    ) -> None:
        self.guide = guide
        self.report = report
        self.handlers = handlers or {}
        self.observer = observer
        self.node = guide.start
        self.position = 0
        self.frames = [_Frame(guide.root, 1)]
        self.skipped_at = self.disorder_at = 0
        self.done = False
        self.control_number = ""
        self.hierarchy = Hierarchy(self._hierarchy_wrong)
        self.line_number = self.last_line = 0

    def begin(self, text: str) -> None:
        """The ST segment."""
        self.position = 1
        self.frames[-1].seen |= self.node.bit
        if not self.node.test(text):
            self._explain(self.node, text, 1)
        self.control_number = [*text.split(ELEMENT), "", ""][2]

    def feed(self, segments: list[str], index: int) -> int:
        """Judge segments from `index` until SE or an envelope segment; returns the index after the last one judged."""
        move_of, handlers, observer = self.guide.move, self.handlers, self.observer
        node, position, frame = self.node, self.position, self.frames[-1]
        for at in range(index, len(segments)):
            text = segments[at]
            moves = node.moves.get(text[:3])
            if moves.__class__ is dict:
                if text[3:4] == ELEMENT:
                    end = text.find(ELEMENT, 4)
                    move = moves.get(text[4:end] if end > 0 else text[4:])
                elif text[1] == "I":
                    move = moves.get(text[3 : text.find(COMPONENT, 3)])
                else:
                    move = moves.get(split_key(text)[1])
            else:
                move = moves
            if move is None:
                move = move_of(node, text)
                if move is None:
                    if text[:3].rstrip(ELEMENT) in ENVELOPE or text[:4] == "ISA" + ELEMENT:
                        self.node, self.position = node, position
                        return at
                    self.position, self.node = position + 1, node
                    self._unplaced(text)
                    position, node, frame = self.position, self.node, self.frames[-1]
                    continue
            position += 1
            target: SegmentNode = move.node
            if move.leave or move.enter:
                if (
                    position == frame.position + 1
                    and target is frame.loop.first
                    and self._belongs_to_last(target, text, position, segments[at - 1])
                ):
                    continue
                frame = self._change(move, position)
            bit = target.bit
            surplus = frame.seen & bit and self._repeated(frame, target, position)
            frame.seen |= bit
            test = target.tests or target.test
            if not test(text):
                self._explain(target, text, position)
            handler = handlers.get(target)
            if handler is not None and not surplus:
                handler(observer, text, position, target.loop.name)
            node = target
            if target.structural:
                self._structure(target, text, position)
                if self.done:
                    self.node, self.position = node, position
                    return at + 1
        self.node, self.position = node, position
        return len(segments)

    def finish_without_trailer(self, *, at_end: bool) -> None:
        """The transaction ended with no SE: close what is open, unless the rest is missing with the end of the file."""
        self._add(1, "trailer-missing", "The transaction set has no SE segment.", "SE")
        self.frames[0].seen |= self.guide.end.bit
        while self.frames and not at_end:
            self._close(self.frames.pop())
        self.done = True

    def _belongs_to_last(self, node: SegmentNode, text: str, position: int, previous: str) -> bool:
        """Whether a loop's first segment, right after that loop began by itself or without it, begins no other."""
        frame = self.frames[-1]
        if frame.headless:  # it comes right after the segment it should have preceded, which was told
            self.frames[-2].seen |= frame.loop.bit
            self._explain(node, text, position)
            return True
        if text != previous or not frame.loop.required & ~frame.seen:
            return False
        message = f"{node.name} ({node.table.title}), which begins loop {node.loop.name}, is sent twice in a row."
        self._add(2, "segment-too-many", message, node.name, position, node.loop.name, ik3="5")
        return True

    def _change(self, move: Move, position: int) -> _Frame:
        frames = self.frames
        for _ in range(move.leave):
            frame = frames.pop()
            if frame.loop.required & ~frame.seen:
                self._close(frame)
        frame = frames[-1]
        for loop in move.enter:
            bit = loop.bit
            if frame.seen & bit:
                self._loop_repeated(frame, loop, position)
            else:
                frame.seen |= bit
            frame = _Frame(loop, position)
            frames.append(frame)
        return frame

    def _close(self, frame: _Frame) -> None:
        missing = frame.loop.required & ~frame.seen
        for child in frame.loop.children:
            if not child.bit & missing:
                continue
            name = child.loop.name if isinstance(child, SegmentNode) else frame.loop.name
            inside = f"loop {name}" if name else "the transaction set"
            at = frame.position
            if isinstance(child, SegmentNode):
                which = f"{child.name} ({child.table.title})" if child.table.title else child.name
                message = f"{which} is required in {inside} and is missing."
                self._add(2, "segment-missing", message, child.name, at, name, ik3="3")
            elif child.first is None:
                self._missing_inside(child, at)
            else:
                message = f"Loop {child.name} ({child.table.title}) is required in {inside} and is missing."
                self._add(2, "loop-missing", message, child.first.name, at, child.name, ik3="I7")

    def _missing_inside(self, wrapper: LoopNode, position: int) -> None:
        """A required part of the guide's header or detail never began: name what it should have begun with."""
        for child in wrapper.children:
            if not child.bit & wrapper.required:
                continue
            first = child if isinstance(child, SegmentNode) else child.first
            name = "" if isinstance(child, SegmentNode) else child.name
            message = f"{'Loop ' + name if name else child.table.name} is required and is missing."
            code = "loop-missing" if name else "segment-missing"
            self._add(2, code, message, first.name if first else "", position, name, ik3="I7" if name else "3")

    def _repeated(self, frame: _Frame, target: SegmentNode, position: int) -> bool:
        """Count a repeat; whether it was one too many."""
        most = target.table.most
        if most == UNBOUNDED:
            return False
        count = frame.counts.get(target.bit, 1) + 1
        frame.counts[target.bit] = count
        if count > most:
            loop = target.loop.name
            times = "once" if most == 1 else f"{most} times"
            message = f"{target.name} ({target.table.title}) may appear {times} in loop {loop}; this is number {count}."
            self._add(2, "segment-too-many", message, target.name, position, loop, ik3="5")
        return count > most

    def _loop_repeated(self, frame: _Frame, loop: LoopNode, position: int) -> None:
        if loop.most == UNBOUNDED:
            return
        count = frame.counts.get(loop.bit, 1) + 1
        frame.counts[loop.bit] = count
        if count > loop.most and loop.first is not None:
            times = "once" if loop.most == 1 else f"{loop.most} times"
            message = f"Loop {loop.name} ({loop.table.title}) may appear {times} here; this is number {count}."
            self._add(2, "loop-too-many", message, loop.first.name, position, loop.name, ik3="4")

    def _explain(self, target: SegmentNode, text: str, position: int) -> None:
        name = text.split(ELEMENT, 1)[0]
        if name != target.name:
            self._unknown(name, position)
            return
        for finding in explain(target.table, text, position, target.loop.name):
            self._append(finding)

    def _unplaced(self, text: str) -> None:
        """A segment with no place here: name the trouble, and go on from the place it most likely meant."""
        name = text.split(ELEMENT, 1)[0]
        if not text:
            self._add(1, "segment-empty", "Two segment terminators follow each other.", "", self.position, ik3="8")
            return
        after_skipped = self.skipped_at == self.position - 1
        if name not in self.guide.names:
            self._unknown(name, self.position)
            self.skipped_at = self.position
            return
        move = find_place(self.guide, self.node, [*self.frames], text)
        if after_skipped and name in _FOLLOWERS and not (move is not None and self._is_awaited(move)):
            self.skipped_at = self.position
        elif move is None:
            self._unexpected(name, text)
            self.skipped_at = self.position
        elif move.headless:
            self._enter_headless(move, text, told=after_skipped)
        elif move.disorder:
            self._out_of_order(move, text)
        else:
            frame = self._change(move, self.position)
            frame.seen |= move.node.bit
            self._settle(move.node, text)

    def _is_awaited(self, move: Move) -> bool:
        """Whether a move enters a loop that is required and has not come yet."""
        frame = self.frames[-1 - move.leave]
        return move.headless and bool(frame.loop.required & ~frame.seen & move.enter[0].bit)

    def _enter_headless(self, move: Move, text: str, *, told: bool) -> None:
        """A loop begun without its first segment; a required loop stays missing unless it begins properly later."""
        loop = move.node.loop
        if not told:
            self._unexpected(move.node.name, text, loop)
        parent = self.frames[-1 - move.leave]
        seen = parent.seen
        frame = self._change(move, self.position)
        parent.seen = seen
        first = loop.first
        assert first is not None
        frame.seen |= first.bit | move.node.bit
        frame.headless = True
        if first.name == "HL":
            self.hierarchy.skipped(loop)
        elif first.name == "LX":
            self.line_number += 1
            self.last_line += 1
        elif first.name == "CLM":
            self.line_number = self.last_line = 0
        handler = self.handlers.get(first)
        if handler is not None:
            codes = [*first.qualifiers] if first.key == 1 and len(first.qualifiers) == 1 else []
            handler(self.observer, ELEMENT.join((first.name, *codes)), self.position, loop.name)
        self._settle(move.node, text)

    def _settle(self, node: SegmentNode, text: str) -> None:
        """Judge a segment where it was placed, and walk on from there."""
        self._explain(node, text, self.position)
        self.node = node
        self._observe(node, text)

    def _observe(self, node: SegmentNode, text: str) -> None:
        """What `feed` does for a segment in its place, for one that was placed by guess."""
        handler = self.handlers.get(node)
        if handler is not None:
            handler(self.observer, text, self.position, node.loop.name)
        if node.structural:
            self._structure(node, text, self.position)

    def _unknown(self, name: str, position: int) -> None:
        shown = name if name.isalnum() and name.isascii() and len(name) <= 3 else "?"
        if FORBIDDEN_CONTROL in name or shown == "?":
            message = "The text here does not begin with a segment id."
        else:
            message = f"{shown} is not a segment of guide {self.guide.name}."
        self._add(1, "segment-unknown", message, shown, position, self.node.loop.name, ik3="1")

    def _unexpected(self, name: str, text: str, headless: LoopNode | None = None) -> None:
        """`headless` is the loop the segment belongs to, whose first segment did not come."""
        loop = self.node.loop.name
        qualifier = split_key(text)[1]
        named = _is_code(qualifier) and name in self.guide.discriminated
        shown = f"{name} with qualifier {qualifier}" if named else name
        where = f"in or after loop {loop}" if loop else "here"
        why = f": loop {headless.name} must begin with {headless.first.name}" if headless and headless.first else ""
        message = f"{shown} has no place {where}{why}."
        self._add(2, "segment-unexpected", message, name, self.position, loop, ik3="2")

    def _out_of_order(self, move: Move, text: str) -> None:
        """Read a segment, or the first of a loop, where it belongs, and go on from where the walk stood."""
        node = move.node
        frame = self.frames[-1 - move.leave]
        child = move.enter[0] if move.enter else node
        if isinstance(child, SegmentNode):
            told = bool(frame.seen & child.bit) and self._repeated(frame, child, self.position)
            told = told or self.disorder_at == self.position - 1  # one segment that came too early makes the rest late
            self.disorder_at = self.position
        else:
            told = child.first is not None and bool(frame.seen & child.bit) and child.most == 1
            if told:
                self._loop_repeated(frame, child, self.position)
            self.skipped_at = self.position
        if not told:
            inside = f" of loop {node.loop.name}" if node.loop.name else ""
            message = f"{node.name} ({node.table.title}){inside} is out of order."
            self._add(1, "segment-out-of-order", message, node.name, self.position, node.loop.name, ik3="7")
        frame.seen |= child.bit
        self._explain(node, text, self.position)
        self._observe(node, text)

    def _structure(self, target: SegmentNode, text: str, position: int) -> None:
        name = target.name
        if name == "HL":
            self.hierarchy.level(target.loop, text.split(ELEMENT), position)
        elif name == "LX":
            self._line(target, text.split(ELEMENT), position)
        elif name == "CLM":
            self.line_number = self.last_line = 0
            self.report.claim_count += 1
        elif name == "CLP":
            self.report.claim_count += 1
        elif name == "SE":
            self._trailer(text.split(ELEMENT), position)

    def _line(self, target: SegmentNode, values: list[str], position: int) -> None:
        if target.loop.name != "2400":
            return
        self.line_number += 1
        given = values[1] if len(values) > 1 else ""
        plain = given == str(self.line_number)
        if not (plain or counts(given, self.line_number) or counts(given, self.last_line + 1)):
            message = f"Service lines must be numbered 1, 2, 3 within the claim; this one should be {self.line_number}."
            self._add(2, "line-number-wrong", message, "LX", position, "2400", "LX01", ik3="8", ik4="7")
        self.last_line = int(given) if given.isdecimal() and len(given) < 7 else self.line_number

    def _trailer(self, values: list[str], position: int) -> None:
        values = [*values, "", ""]
        if values[1].isdecimal() and len(values[1]) < 11 and not counts(values[1], position):
            message = f"SE01 counts {values[1]} segments; there are {position}."
            self._add(1, "segment-count-wrong", message, "SE", position, "", "SE01")
        if values[2] != self.control_number:
            message = "SE02 must repeat the control number of ST02."
            self._add(1, "control-number-mismatch", message, "SE", position, "", "SE02")
        self.hierarchy.finish()
        while self.frames:
            frame = self.frames.pop()
            if frame.loop.required & ~frame.seen:
                self._close(frame)
        self.report.segment_count = position
        self.done = True

    def _add(
        self,
        snip: int,
        code: str,
        message: str,
        segment: str,
        position: int | None = None,
        loop: str = "",
        element: str = "",
        ik3: str = "",
        ik4: str = "",
    ) -> None:
        self._append(Finding(snip, ERROR, code, message, segment, position, loop, element, "", ik3, ik4))

    def _hierarchy_wrong(self, message: str, element: str, loop: str, position: int) -> None:
        self._add(2, "hierarchy-wrong", message, "HL", position, loop, element, ik3="8", ik4="7")

    def _append(self, finding: Finding) -> None:
        self.report.add(finding)


@cache
def handlers_by_name(guide: Guide, named: tuple[tuple[str, Handler], ...]) -> Mapping[SegmentNode, Handler]:
    """Handlers for every place of the guide that holds a segment of these names."""
    by_name = dict(named)
    return MappingProxyType({node: by_name[node.name] for node in guide.segments if node.name in by_name})


def _is_code(value: str) -> bool:
    return 0 < len(value) <= 3 and value.isascii() and value.isalnum()
