"""The shape of the shipped code lists: codes with our own label and the days they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.mapping.contract_shapes import HCPCS, PLACE_OF_SERVICE
from adapters.mapping.shapes import Dated, Key, ListKind, Shape, TextKind
from gateway.claim.calendar import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """One code, our own words for it, and when it holds."""

    code: str
    label: str
    span: Span
    unit: str = ""
    """What one unit usually is, where the code says."""
    entry: str = ""


def _rows(name: str, code: TextKind, **more: Key) -> Shape:
    keys = {
        "code": Key(code, required=True),
        "label": Key(TextKind(), required=True, says="Our own words for it"),
    } | more
    row = Shape(f"{name} row", CodeRow, keys, Dated.MAY, entry=True)
    return Shape(f"{name} file", dict, {name: Key(ListKind(row), required=True)})


CODE_FILES: Final[Mapping[str, Shape]] = {
    "places_of_service": _rows("places_of_service", PLACE_OF_SERVICE),
    "hcpcs": _rows("hcpcs", HCPCS, unit=Key(TextKind())),
}
