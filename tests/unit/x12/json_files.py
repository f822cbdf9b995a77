"""A file's JSON as a reader of the documented shape takes it up, and the bytes again from that shape alone."""

from __future__ import annotations

import json
from typing import Any

from clearinghouse.x12.read_json import stream_json
from clearinghouse.x12.tokens import Source


def read_json(source: Source, path: str = "") -> dict[str, Any]:
    """An entry of `files` of `read --json`."""
    parts: list[str] = []
    stream_json(source, path, parts.append)
    found: dict[str, Any] = json.loads("{" + "".join(parts) + "}")
    return found


def write_json(file: dict[str, Any]) -> bytes:
    """The bytes of the file."""
    placed = [(entry["offset"], entry["text"]) for entry in file["noise"]]
    placed += [(entry["offset"], _interchange(entry)) for entry in file["interchanges"]]
    return "".join(text for _, text in sorted(placed)).encode("latin-1")


def _interchange(entry: dict[str, Any]) -> str:
    marks, gaps = entry["delimiters"], entry["gaps"]
    parts = [entry["isa"]]
    for place, segment in enumerate(entry["segments"]):
        elements = [each if isinstance(each, str) else marks["component"].join(each) for each in segment]
        parts += [gaps.get(str(place), entry["line_ending"]), marks["element"].join(elements), marks["segment"]]
    return "".join([*parts, entry["cut"]])
