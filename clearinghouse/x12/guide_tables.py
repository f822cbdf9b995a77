"""Guide tables compiled from the installed pyx12's XML maps, corrected by our overlay, cached as JSON.

Knows no bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

FORMAT = 5
UNBOUNDED = 0

MAPS = {
    "005010X223A2": "837Q3.I.5010.X223.A1.xml",
    "005010X222A1": "837.5010.X222.A1.xml",
    "005010X221A1": "835.5010.X221.A1.xml",
    "005010X214": "277.5010.X214.xml",
    "005010X231A1": "999.5010X231.A1.xml",
}
# Versions a guide is also announced as: errata that changed no structure the table holds.
ALIASES = {
    "005010X223": "005010X223A2",
    "005010X223A1": "005010X223A2",
    "005010X223A3": "005010X223A2",
    "005010X222": "005010X222A1",
    "005010X222A2": "005010X222A1",
    "005010X221": "005010X221A1",
    "005010X231": "005010X231A1",
}
KINDS = {
    "005010X223A2": "837I",
    "005010X222A1": "837P",
    "005010X221A1": "835",
    "005010X214": "277CA",
    "005010X231A1": "999",
}
# Lists of pyx12 that are complete enough to judge by; its claim status and remark lists are years old, and its entity
# list lacks PR (payer) and 41 (submitter).
CODE_LISTS = ("states", "country", "currency", "pos", "claim_status_cat")
# In use since those lists were made: Newfoundland and Labrador, Nunavut, Palau, Quebec (postal authorities).
_NEWER_CODES = {"states": frozenset(("NL", "NU", "PW", "QC"))}
# Only the segments and loops of one transaction set: the envelope is checked by its own code.
_ROOT_LOOP = "ST_LOOP"


class GuideUnavailableError(LookupError):
    """No table exists for this guide."""


@dataclass(frozen=True, slots=True)
class ElementTable:
    """One element or component: NM103, SV202-2.

    `usage` R, S or N; `kind` is the X12 data type (AN, ID, N0, R, DT, TM ...); `codes` the guide's list or empty;
    `external` names a list of another body (states, pos, remark_code ...); `components` is filled for a composite;
    `pattern` is a shape the guide itself asks for (a nine digit ZIP) or blank.
    """

    name: str
    title: str
    usage: str
    data_element: str
    kind: str
    least: int
    most: int
    codes: tuple[str, ...]
    external: str
    components: tuple[ElementTable, ...]
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """One segment of a loop; `notes` are X12 syntax notes such as ("P", (3, 4)); `most` 0 is unbounded."""

    name: str
    title: str
    usage: str
    position: int
    most: int
    notes: tuple[tuple[str, tuple[int, ...]], ...]
    elements: tuple[ElementTable, ...]


@dataclass(frozen=True, slots=True)
class LoopTable:
    """One loop: its segments and loops in guide order; a wrapper (HEADER, DETAIL, FOOTER) is no loop of the guide."""

    name: str
    title: str
    usage: str
    position: int
    most: int
    wrapper: bool
    children: tuple[SegmentTable | LoopTable, ...]


@cache
def read_guide(guide: str) -> LoopTable:
    """The table of a guide or of one of its aliases. Raises GuideUnavailableError."""
    name = ALIASES.get(guide, guide)
    if name not in MAPS:
        raise GuideUnavailableError(f"No guide table for {guide!r}.")
    cached = _cache_file(name)
    table = _read_cache(cached)
    if table is None:
        tree = _compile(name)
        _write_cache(cached, tree)
        table = _table(tree)
    assert isinstance(table, LoopTable)
    return table


@cache
def code_list(name: str) -> frozenset[str]:
    """The codes of one list of CODE_LISTS, read from pyx12's codes.xml."""
    root = _parse("codes.xml")
    for found in root.findall("codeset"):
        if found.findtext("id") == name:
            return _NEWER_CODES.get(name, frozenset()) | {code.text or "" for code in found.iter("code")}
    raise GuideUnavailableError(f"No code list {name!r}.")


def _compile(name: str) -> dict[str, Any]:
    types = {entry.get("ele_num"): entry for entry in _parse("dataele.xml").findall("data_ele")}
    root = _parse(MAPS[name])
    top = next(loop for loop in root.iter("loop") if loop.get("xid") == _ROOT_LOOP)
    tree = _loop(top, types)
    for correction in _corrections():
        if correction["guide"] in (name, "*"):
            _correct(tree, correction)
    return tree


def _loop(found: Element, types: dict[str | None, Element]) -> dict[str, Any]:
    children: list[dict[str, Any]] = []
    for child in found:
        if child.tag == "loop":
            children.append(_loop(child, types))
        elif child.tag == "segment":
            children.append(_segment(child, types))
    children.sort(key=lambda child: child["position"])
    return {
        "loop": found.get("xid"),
        "title": _field(found, "name"),
        "usage": _field(found, "usage") or "R",
        "position": int(_field(found, "pos") or 0),
        "most": _most(_field(found, "repeat")),
        "wrapper": found.get("type") == "wrapper",
        "children": children,
    }


def _segment(found: Element, types: dict[str | None, Element]) -> dict[str, Any]:
    parts = [child for child in found if child.tag in ("element", "composite")]
    parts.sort(key=lambda child: int(_field(child, "seq") or 0))
    notes = [(text[0], [int(text[i : i + 2]) for i in range(1, len(text), 2)]) for text in _syntax(found)]
    return {
        "segment": found.get("xid"),
        "title": _field(found, "name"),
        "usage": _field(found, "usage"),
        "position": int(_field(found, "pos") or 0),
        "most": _most(_field(found, "max_use")),
        "notes": notes,
        "elements": [_element(part, types, f"{found.get('xid')}{_field(part, 'seq')}") for part in parts],
    }


def _element(found: Element, types: dict[str | None, Element], place: str) -> dict[str, Any]:
    number = _field(found, "data_ele")
    kind = types.get(number)
    codes = found.find("valid_codes")
    components = sorted(found.findall("element"), key=lambda child: int(_field(child, "seq") or 0))
    return {
        "name": found.get("xid") or place,
        "title": _field(found, "name"),
        "usage": _field(found, "usage"),
        "data_element": number,
        "kind": (kind.get("data_type") or "AN") if kind is not None else "",
        "least": int(kind.get("min_len") or 0) if kind is not None else 0,
        "most": int(kind.get("max_len") or 0) if kind is not None else 0,
        "codes": [code.text or "" for code in codes.findall("code")] if codes is not None else [],
        "external": (codes.get("external") or "") if codes is not None else "",
        "components": [_element(part, types, f"{place}-{_field(part, 'seq')}") for part in components]
        if found.tag == "composite"
        else [],
        "composite": found.tag == "composite",
        "pattern": found.findtext("regex") or "",
    }


def _field(found: Element, name: str) -> str:
    return found.get(name) or found.findtext(name) or ""


def _most(text: str) -> int:
    return int(text) if text.isdigit() else UNBOUNDED


def _syntax(found: Element) -> list[str]:
    return [note.text.strip() for note in found.findall("syntax") if note.text]


@cache
def _overlay() -> bytes:
    return files("clearinghouse.x12").joinpath("guide_overlay.toml").read_bytes()


def _corrections() -> list[dict[str, Any]]:
    corrections: list[dict[str, Any]] = tomllib.loads(_overlay().decode())["correction"]
    return corrections


def _correct(tree: dict[str, Any], correction: dict[str, Any]) -> None:
    """Set fields of every place an overlay entry names: a loop, its segment (by qualifier), its element."""
    found = [*_places(tree, correction)]
    if not found:
        raise GuideUnavailableError(f"An overlay entry names nothing of the guide: {correction['reason']}")
    for place in found:
        place.update(correction["set"])
    for loop in _loops(tree):
        loop["children"].sort(key=lambda child: child["position"])


def _places(tree: dict[str, Any], correction: dict[str, Any]) -> list[dict[str, Any]]:
    loops = [loop for loop in _loops(tree) if loop["loop"] in correction["loops"]]
    if "segment" not in correction:
        return loops
    segments = [
        child
        for loop in loops
        for child in loop["children"]
        if child.get("segment") == correction["segment"]
        and ("qualifier" not in correction or correction["qualifier"] in child["elements"][0]["codes"])
    ]
    if "element" not in correction:
        return segments
    elements = [part for segment in segments for part in segment["elements"]]
    elements += [part for element in elements for part in element["components"]]
    return [element for element in elements if element["name"] == correction["element"]]


def _loops(tree: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [child for child in tree["children"] if "loop" in child]
    return [tree, *(found for child in inner for found in _loops(child))]


def _table(tree: dict[str, Any]) -> LoopTable | SegmentTable:
    if "loop" in tree:
        children = tuple(_table(child) for child in tree["children"])
        common = (tree["loop"], tree["title"], tree["usage"], tree["position"], tree["most"])
        return LoopTable(*common, tree["wrapper"], children)
    notes = tuple((kind, tuple(places)) for kind, places in tree["notes"])
    elements = tuple(_element_table(element) for element in tree["elements"])
    return SegmentTable(tree["segment"], tree["title"], tree["usage"], tree["position"], tree["most"], notes, elements)


def _element_table(tree: dict[str, Any]) -> ElementTable:
    components = tuple(_element_table(part) for part in tree["components"])
    kind = "composite" if tree["composite"] else tree["kind"]
    return ElementTable(
        name=tree["name"],
        title=tree["title"],
        usage=tree["usage"],
        data_element=tree["data_element"],
        kind=kind,
        least=tree["least"],
        most=tree["most"],
        codes=tuple(tree["codes"]),
        external=tree["external"],
        components=components,
        pattern=tree["pattern"],
    )


def _parse(name: str) -> Element:
    with files("pyx12").joinpath("map", name).open("rb") as opened:
        root = ElementTree.parse(opened).getroot()
    assert root is not None
    return root


def _cache_file(name: str) -> Path:
    key = hashlib.sha256(f"{FORMAT}|{version('pyx12')}|".encode() + _overlay()).hexdigest()[:16]
    folder = os.environ.get("XDG_CACHE_HOME") or (Path.home() / ".cache" if sys.platform != "win32" else None)
    return Path(folder or tempfile.gettempdir()) / "cleanclaim" / "guides" / f"{name}-{key}.json"


def _read_cache(path: Path) -> LoopTable | SegmentTable | None:
    """The table of a cache file; None when there is none, or it holds anything else."""
    try:
        table = _table(json.loads(path.read_bytes()))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return table if isinstance(table, LoopTable) and table.children else None


def _write_cache(path: Path, tree: dict[str, Any]) -> None:
    """Best effort: a folder that cannot be written leaves the table in memory only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as opened:
            json.dump(tree, opened)
        Path(name).replace(path)
    except OSError:
        return
