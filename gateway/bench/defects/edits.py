"""What an EHR writes otherwise than it is: one value of a message left out or put in its place, in either format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

_STEP = re.compile(r"([A-Za-z]+)(?:\[([^\]]+)\])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One value as the message has it. A value of None is left out.

    ``fhir`` is a path such as ``Encounter.extension[note-signed].valueBoolean``, ``hl7`` a field such as ``PID-7``.
    """

    fhir: str
    fhir_value: Any
    hl7: str
    hl7_value: str
    on: date | None = None
    """Only in what is told of that date."""
    label: str = ""
    """Only in what is told under that label."""


def edit_bundle(content: bytes, edits: list[Edit]) -> bytes:
    """The Bundle with every edit made in every resource it is about."""
    bundle = orjson.loads(content)
    for edit in edits:
        kind, _, path = edit.fhir.partition(".")
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] == kind:
                _put(entry["resource"], path.split("."), edit.fhir_value)
        if not path:  # the whole resource stays out
            bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != kind]
    return orjson.dumps(bundle)


def edit_message(content: bytes, edits: list[Edit]) -> bytes:
    """The message with every edit made in every segment it is about."""
    segments = [segment.split("|") for segment in content.decode().split("\r") if segment]
    for edit in edits:
        name, _, place = edit.hl7.partition("-")
        if not place:
            segments = [each for each in segments if each[0] != name]
            continue
        for segment in segments:
            if segment[0] == name:
                segment += [""] * (int(place) + 1 - len(segment))
                segment[int(place)] = edit.hl7_value
    return "".join("|".join(segment) + "\r" for segment in segments).encode()


def _put(resource: Any, path: list[str], value: Any) -> None:
    """Set or take away what the path names; a resource without the way there stays as it is."""
    if path == [""]:
        return
    *way, last = path
    for step in way:
        resource = _step(resource, step)
        if resource is None:
            return
    found = _STEP.fullmatch(last)
    assert found is not None, last
    name, choice = found[1], found[2]
    if choice is None:
        if value is None:
            resource.pop(name, None)
        else:
            resource[name] = value
    elif value is None:
        resource[name] = [each for each in resource.get(name, []) if not _is(each, choice)]


def _step(resource: Any, step: str) -> Any:
    found = _STEP.fullmatch(step)
    assert found is not None, step
    child = resource.get(found[1])
    if found[2] is None or child is None:
        return child
    if found[2].isdecimal():
        return child[int(found[2])] if int(found[2]) < len(child) else None
    return next((each for each in child if _is(each, found[2])), None)


def _is(element: Any, name: str) -> bool:
    """An extension by the end of its URL, a participant by its role."""
    if "url" in element:
        return bool(element["url"].rpartition("/")[2] == name)
    return any(coding["code"] == name for kind in element.get("type", []) for coding in kind["coding"])
