"""A second opinion from pyx12: its maps cached, its traps closed. Judges one interchange at a time; never logs a value.

Closed traps of pyx12 4.0.0: a second ISA is ignored (we split), maps are reloaded per call (we cache), a malformed date
range raises (we report), values go to stderr (its logger is silenced), a host configuration file is read (not ours).
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import pyx12.error_handler
import pyx12.errors
import pyx12.map_if
import pyx12.map_index
import pyx12.params
import pyx12.x12file
from pyx12.map_if._segment import apply_segment_errors
from pyx12.map_walker import apply_walk_errors, walk_tree

from clearinghouse.x12.guide_tables import ALIASES
from clearinghouse.x12.tokens import Body, Cut, Header, Noise, read_pieces

_CONTROL_MAP = "x12.control.00501.xml"
_STALE_LISTS = "claim_status,remark_code"
_HAS_MAP = {"005010X223A2", "005010X222A1", "005010X221A1", "005010X214", "005010X231", "005010X231A1"}
# One walk at a time: pyx12's cached maps hold counters.
_LOCK = Lock()

logging.getLogger("pyx12").addHandler(logging.NullHandler())
logging.getLogger("pyx12").propagate = False


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing pyx12 does not like: its segment and element reference, its code, its loop path. No value, no text."""

    segment: str
    position: int
    code: str
    path: str = ""
    element: str = ""


def ask_referee(content: bytes) -> tuple[Complaint, ...]:
    """What pyx12 finds wrong with a file of 5010 transaction sets it has maps for; empty means it agrees.

    A file it cannot read, or a guide it has no map for, is a complaint of code `unreadable` or `no-map`.
    """
    found: list[Complaint] = []
    with _LOCK:
        for text in _interchanges(content):
            found += _Judgement().of(text)
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


# The parameter names below are pyx12's; their texts are dropped because they quote values.
class _Errors(pyx12.error_handler.errh_null):  # type: ignore[misc]
    """Collects pyx12's callbacks as complaints; what was said in words is dropped, since it quotes values."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Complaint] = []
        self.segment = ""
        self.position = 0
        self.path = ""

    def isa_error(self, err_cde: str, err_str: str) -> None:  # noqa: ARG002
        self._add(err_cde)

    def gs_error(self, err_cde: str, err_str: str) -> None:  # noqa: ARG002
        self._add(err_cde)

    def st_error(self, err_cde: str, err_str: str) -> None:  # noqa: ARG002
        self._add(err_cde)

    def seg_error(self, err_cde: str, err_str: str, err_value: Any = None, src_line: Any = None) -> None:  # noqa: ARG002
        self._add(err_cde)

    def ele_error(self, err_cde: str, err_str: str, bad_value: Any, refdes: Any = None) -> None:  # noqa: ARG002
        self._add(err_cde, str(refdes or ""))

    def add_ele(self, map_node: Any) -> None:
        """Nothing: complaints carry their own reference."""

    def handle_errors(self, err_list: list[tuple[Any, ...]]) -> None:
        for entry in err_list:
            self._add(str(entry[1]))

    def _add(self, code: str, element: str = "") -> None:
        self.found.append(Complaint(self.segment, self.position, code, self.path, element))


class _Judgement:
    """One interchange walked along pyx12's maps."""

    def __init__(self) -> None:
        self.errors = _Errors()

    def of(self, text: str) -> list[Complaint]:
        try:
            self._walk(text)
        except pyx12.errors.X12Error:
            self.errors._add("unreadable")
        except pyx12.errors.EngineError:
            self.errors._add("no-map")
        except (ValueError, AttributeError, IndexError, TypeError, KeyError, AssertionError):
            # pyx12 raises these itself on some malformed values (a date range with two dashes).
            self.errors._add("unreadable")
        return self.errors.found

    def _walk(self, text: str) -> None:
        errors = self.errors
        source = pyx12.x12file.X12Reader(io.StringIO(text))
        control = _map(_CONTROL_MAP)
        current: Any = control
        node = control.getnodebypath("/ISA_LOOP/ISA")
        walker = walk_tree()
        for segment in source:
            name = segment.get_seg_id()
            errors.segment, errors.position = str(name), source.get_seg_count()
            before = node
            if name == "ISA":
                node = control.getnodebypath("/ISA_LOOP/ISA")
                walker.forceWalkCounterToLoopStart("/ISA_LOOP", "/ISA_LOOP/ISA")
            elif name == "GS":
                current = self._guide(segment)
                node = current.getnodebypath("/ISA_LOOP/GS_LOOP/GS")
                walker.forceWalkCounterToLoopStart("/ISA_LOOP/GS_LOOP", "/ISA_LOOP/GS_LOOP/GS")
                source.check_837_lx = current.id in ("837", "837Q3")
            else:
                node, _, _, walk_errors = walker.walk_errors(
                    node, segment, source.get_seg_count(), source.get_cur_line(), source.get_ls_id()
                )
                apply_walk_errors(errors, walk_errors)
            errors.handle_errors(source.pop_errors())
            if node is None:
                node = before
                continue
            errors.path = node.get_path()
            apply_segment_errors(node, segment, errors)
        source.cleanup()
        errors.handle_errors(source.pop_errors())

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
