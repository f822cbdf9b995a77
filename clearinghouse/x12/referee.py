"""A second opinion from pyx12: its maps cached, its traps closed. Judges one interchange at a time; never logs a value.

Closed traps of pyx12 4.0.0: a second ISA is ignored (we split), maps are reloaded per call (we cache), a malformed date
range raises (we report), values go to stderr (its logger is silenced), a host configuration file is read (not ours).
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from threading import Lock
from typing import Any

import pyx12.errors
import pyx12.map_if
import pyx12.map_index
import pyx12.params
import pyx12.x12file
from pyx12.map_walker import walk_tree

from clearinghouse.x12.guide_tables import ALIASES
from clearinghouse.x12.tokens import Body, Cut, Header, Noise, read_pieces

_CONTROL_MAP = "x12.control.00501.xml"
_STALE_LISTS = "claim_status,remark_code"
_HAS_MAP = {"005010X223A2", "005010X222A1", "005010X221A1", "005010X214", "005010X231", "005010X231A1"}
_ENVELOPE = frozenset(("ISA", "IEA", "GS", "GE", "TA1"))
_MISSING_SEGMENT = "3"
_TRAILERS = frozenset(("SE", "GE", "IEA"))
# What pyx12's reader counts and compares, by its own codes: the element at fault.
_COUNTED = {
    ("isa", "001"): "IEA02",
    ("isa", "021"): "IEA01",
    ("isa", "023"): "IEA",
    ("isa", "024"): "GE",
    ("isa", "025"): "ISA13",
    ("gs", "3"): "GE",
    ("gs", "4"): "GE02",
    ("gs", "5"): "GE01",
    ("gs", "6"): "GS06",
    ("st", "2"): "SE",
    ("st", "3"): "SE02",
    ("st", "4"): "SE01",
    ("st", "23"): "ST02",
    ("seg", "HL1"): "HL01",
    ("seg", "HL2"): "HL02",
    ("seg", "LX"): "LX01",
}
# One walk at a time: pyx12's cached maps hold counters.
_LOCK = Lock()

logging.getLogger("pyx12").addHandler(logging.NullHandler())
logging.getLogger("pyx12").propagate = False


class Kind(StrEnum):
    """What a complaint is about: a gap (named where it was noticed), the order and counts of segments, an element."""

    MISSING = "missing"
    STRUCTURE = "structure"
    ELEMENT = "element"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing pyx12 does not like: where, and its own code. No value, no text.

    `position` counts from ST = 1 in the `transaction`-th transaction set of the file (0: the envelope).
    """

    segment: str
    position: int
    code: str
    path: str = ""
    element: str = ""
    transaction: int = 0
    kind: Kind = Kind.STRUCTURE


def ask_referee(content: bytes) -> tuple[Complaint, ...]:
    """What pyx12 finds wrong with a file of 5010 transaction sets it has maps for; empty means it agrees.

    A file it cannot read, or a guide it has no map for, is a complaint of code `unreadable` or `no-map`.
    """
    found: list[Complaint] = []
    transactions = 0
    with _LOCK:
        for text in _interchanges(content):
            judgement = _Judgement(transactions)
            found += judgement.of(text)
            transactions = judgement.transactions
    return tuple(found)


def _interchanges(content: bytes) -> list[str]:
    texts: list[str] = []
    for piece in read_pieces(content):
        if isinstance(piece, Header):
            texts.append(piece.text)
        elif isinstance(piece, Body | Cut):
            texts[-1] += piece.text
        elif isinstance(piece, Noise) and piece.reason:
            texts.append(piece.text)
    return texts


class _Judgement:
    """One interchange walked along pyx12's maps."""

    def __init__(self, transactions: int) -> None:
        self.found: list[Complaint] = []
        self.transactions = transactions
        self.segment = ""
        self.position = 0
        self.path = ""

    def of(self, text: str) -> list[Complaint]:
        try:
            self._walk(text)
        except pyx12.errors.X12Error:
            self._add("unreadable")
        except pyx12.errors.EngineError:
            self._add("no-map")
        except (ValueError, AttributeError, IndexError, TypeError, KeyError, AssertionError):
            # pyx12 raises these itself on some malformed values (a date range with two dashes).
            self._add("unreadable")
        return self.found

    def _walk(self, text: str) -> None:
        source = pyx12.x12file.X12Reader(io.StringIO(text))
        control = _map(_CONTROL_MAP)
        current: Any = control
        node = control.getnodebypath("/ISA_LOOP/ISA")
        walker = walk_tree()
        for segment in source:
            self._arrive(str(segment.get_seg_id()), source.get_seg_count())
            before = node
            if self.segment == "ISA":
                node = control.getnodebypath("/ISA_LOOP/ISA")
                walker.forceWalkCounterToLoopStart("/ISA_LOOP", "/ISA_LOOP/ISA")
            elif self.segment == "GS":
                current = self._guide(segment)
                node = current.getnodebypath("/ISA_LOOP/GS_LOOP/GS")
                walker.forceWalkCounterToLoopStart("/ISA_LOOP/GS_LOOP", "/ISA_LOOP/GS_LOOP/GS")
                source.check_837_lx = current.id in ("837", "837Q3")
            else:
                node, _, _, wrong = walker.walk_errors(
                    node, segment, source.get_seg_count(), source.get_cur_line(), source.get_ls_id()
                )
                self._misplaced(wrong)
            self._miscounted(source.pop_errors())
            if node is None:
                node = before
                continue
            self.path = node.get_path()
            for each in node.is_valid_errors(segment)[1]:
                # A syntax note is named by a bare number: it speaks of the segment.
                self._add(str(each.err_cde), each.refdes if isinstance(each.refdes, str) else "")
        source.cleanup()
        self._miscounted(source.pop_errors())

    def _arrive(self, segment: str, count: int) -> None:
        self.transactions += segment == "ST"
        # pyx12 leaves ST and SE out of its count as they come.
        self.segment, self.position = segment, count + (segment == "SE")

    def _misplaced(self, wrong: list[Any]) -> None:
        for each in wrong:
            node, code = each.map_node, str(each.err_cde)
            if node is not None and code == _MISSING_SEGMENT:
                self._add(code, "", str(node.id), str(node.get_path()), Kind.MISSING)
            else:
                self._add(code)

    def _miscounted(self, wrong: list[tuple[Any, ...]]) -> None:
        for kind, code, *_ in wrong:
            element = _COUNTED.get((kind, code), "")
            if element in _TRAILERS and element != self.segment:
                self._add(code, "", element, kind=Kind.MISSING)
            else:
                self._add(code, "" if element in _TRAILERS else element)

    def _add(
        self, code: str, element: str = "", segment: str = "", path: str = "", kind: Kind = Kind.STRUCTURE
    ) -> None:
        segment = segment or self.segment
        if element[:1].isdigit():
            element = segment + element
        enveloped = segment in _ENVELOPE or not segment or not self.transactions
        self.found.append(
            Complaint(
                segment,
                0 if enveloped else self.position,
                code,
                path or self.path,
                element,
                0 if enveloped else self.transactions,
                kind,
            )
        )

    def _guide(self, segment: Any) -> Any:
        version = segment.get_value("GS08")
        version = version if version in _HAS_MAP else ALIASES.get(version, version)
        name = _index().get_filename("00501", version, segment.get_value("GS01"))
        if name is None:
            raise pyx12.errors.EngineError("no map")
        return _map(name)


@cache
def _index() -> Any:
    return pyx12.map_index.map_index(None)


@cache
def _map(name: str) -> Any:
    return pyx12.map_if.load_map_file(name, _parameters())


@cache
def _parameters() -> Any:
    parameters = pyx12.params.ParamsBase()
    parameters.set("exclude_external_codes", _STALE_LISTS)
    return parameters
