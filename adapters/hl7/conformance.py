"""What in a message departs from the HL7 standard's own tables, by hl7apy, as findings with a place and no values.

Off the hot path: at onboarding, in `cleanclaim check`, and on a sample after the acknowledgement. Nothing found here
refuses a message. hl7apy drops what it does not know, so its segment count is compared with our reader's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from hl7apy import SUPPORTED_LIBRARIES, load_reference
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import ChildNotFound, HL7apyException
from hl7apy.factories import datatype_factory
from hl7apy.parser import parse_message

from adapters.hl7.batch import BatchFault, BatchMessage, read_batch
from adapters.hl7.er7 import Hl7Message, Segment, is_segment_id, read_message
from adapters.hl7.errors import Hl7FormatError
from adapters.hl7.structure import find_structure, fit_structure
from adapters.hl7.triage import ANY_SENDER, AcceptancePolicy, triage

Severity = Literal["error", "warn", "note"]

_NEWEST_VERSION = "2.8.2"
_DEFAULT_VERSION = "2.5.1"
_MOST_FINDINGS = 500
_LARGEST_CHECKED_BYTES = 1_000_000
"""hl7apy needs minutes for a message of many repetitions."""
_NULL = '""'
_WITHDRAWN = "WD"
# Longer than any date, time or number, and short enough for hl7apy's own patterns.
_LONGEST_TYPED_VALUE = 40
_CHECKED_TYPES = {"DT": "date", "TM": "time", "DTM": "date and time", "NM": "number", "SI": "sequence number"}


@dataclass(frozen=True, slots=True)
class ConformanceFinding:
    """One departure: `position` such as `FT1[2]-7.1`; `field` 0 where a whole segment is meant; no value is quoted."""

    segment: str
    field: int
    position: str
    message: str
    severity: Severity
    code: str


def check_conformance(raw: bytes, fallback_charset: str | None = None) -> list[ConformanceFinding]:
    """Check one message against the tables of its version; never raises for what the bytes hold."""
    try:
        message = read_message(raw, fallback_charset)
    except Hl7FormatError as error:
        return [ConformanceFinding("MSH", 0, "MSH", str(error), "error", error.reason)]
    if len(raw) > _LARGEST_CHECKED_BYTES:
        text = f"the message is larger than {_LARGEST_CHECKED_BYTES} bytes; it was not held against the tables"
        return [ConformanceFinding("MSH", 0, "MSH", text, "note", "not-checked")]
    findings: list[ConformanceFinding] = []
    for finding in _check(message):
        if len(findings) == _MOST_FINDINGS:
            text = f"more than {_MOST_FINDINGS} findings; the rest are not listed"
            findings.append(ConformanceFinding("MSH", 0, "MSH", text, "note", "more-findings"))
            break
        findings.append(finding)
    return findings


def check_hl7_file_json(path: str | Path, policy: AcceptancePolicy = ANY_SENDER) -> dict[str, Any]:
    """Check every message of a file: {"path","format","readable","error","messages":[...],"findings":[...]}.

    A message is {"index","byte_position","type","version","segments","answer","reason","findings":[...]}; `answer` is
    the acknowledgement code the listener would give.
    """
    outcome: dict[str, Any] = {"path": str(path), "format": "hl7v2", "readable": True, "error": None}
    messages: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    try:
        with Path(path).open("rb") as stream:
            for entry in read_batch(stream):
                if isinstance(entry, BatchFault):
                    faults.append(_fault_json(entry))
                else:
                    messages.append(_message_json(entry, policy))
    except OSError as error:
        outcome.update(readable=False, error=f"cannot be read: {error.strerror}")
    if not messages and outcome["readable"]:
        outcome.update(readable=False, error="no HL7 v2 message in this file: none of its lines begins with MSH")
    return {**outcome, "messages": messages, "findings": faults}


def _message_json(entry: BatchMessage, policy: AcceptancePolicy) -> dict[str, Any]:
    verdict = triage(entry.raw, policy)
    message = verdict.message
    return {
        "index": entry.index,
        "byte_position": entry.byte_position,
        "type": "^".join(part for part in (verdict.message_type, verdict.trigger) if part),
        "version": verdict.version,
        "segments": len(message.segments) if message else 0,
        "answer": verdict.code,
        "reason": None if verdict.kind == "accept" else verdict.text,
        "findings": [asdict(finding) for finding in check_conformance(entry.raw, policy.fallback_charset)],
    }


def _fault_json(fault: BatchFault) -> dict[str, Any]:
    return {"byte_position": fault.byte_position, "code": fault.reason, "message": fault.text, "severity": "error"}


def _check(message: Hl7Message) -> Iterator[ConformanceFinding]:
    version = message.header.version
    tables = _tables_version(version)
    if tables != version:
        found = "names no version" if not version else "names a version without tables here"
        text = f"MSH-12 {found}; checked against {tables}"
        yield ConformanceFinding(
            "MSH", 12, "MSH-12", text, "error" if not version.startswith("2.") else "note", "version"
        )
    known = [segment for segment in message.segments if _segment_reference(segment.name, tables) is not None]
    yield from _check_names(message, known)
    yield from _check_structure(message, known, tables)
    yield from _check_count(message, known, tables)
    for segment in known:
        yield from _check_segment(segment, tables)


def _tables_version(version: str) -> str:
    if version in SUPPORTED_LIBRARIES:
        return version
    return _NEWEST_VERSION if version.startswith(("2.7", "2.8", "2.9")) else _DEFAULT_VERSION


def _check_names(message: Hl7Message, known: list[Segment]) -> Iterator[ConformanceFinding]:
    places = {segment.index for segment in known}
    for segment in message.segments:
        if segment.index in places or _is_local(segment):
            continue
        if is_segment_id(segment.name):
            text = "the tables of this version have no such segment"
            yield _whole(segment, segment.label, text, "warn", "segment-unknown")
        else:
            # What stands here may be a piece of somebody's free text, so it is named by its line.
            text = "this line does not begin with a segment name; is it a value broken in two by a line end?"
            yield _whole(segment, f"line {segment.index + 1}", text, "error", "segment-id", name="?")


def _check_structure(message: Hl7Message, known: list[Segment], tables: str) -> Iterator[ConformanceFinding]:
    header = message.header
    structure = find_structure(header.message_type, header.trigger, header.structure, tables)
    if structure is None:
        text = "the tables of this version have no structure for this event; the order of segments was not checked"
        yield ConformanceFinding("MSH", 9, "MSH-9", text, "note", "structure-unknown")
        return
    in_order = [segment for segment in known if not _is_local(segment)]
    fit = fit_structure([segment.name for segment in in_order], structure, tables)
    for index in fit.misplaced:
        segment = in_order[index]
        yield _whole(segment, segment.label, f"{structure} has no place for this segment here", "warn", "misplaced")
    for name in fit.missing:
        text = f"{structure} requires this segment"
        yield ConformanceFinding(name, 0, name, text, "error", "segment-missing")


# hl7apy raises much beside its own exceptions on odd input; whichever it is, the message is one it cannot read.
_UNREADABLE = (HL7apyException, ValueError, KeyError, IndexError, AttributeError, TypeError)


def _check_count(message: Hl7Message, known: list[Segment], tables: str) -> Iterator[ConformanceFinding]:
    """Let hl7apy read the message whole, ungrouped, CR ended, without the segments it cannot name, and compare."""
    readable = [segment.text for segment in message.segments if segment in known or _is_local(segment)]
    if message.header.version != tables:
        # hl7apy reads no version it has no tables for, so MSH-12 says the one it is checked against.
        fields = [*message.header.fields, *[""] * 13]
        fields[12] = tables
        readable[0] = message.separators.field.join(["MSH", *fields[2:]]).rstrip(message.separators.field)
    try:
        logging.getLogger("hl7apy").setLevel(logging.CRITICAL)
        parsed = parse_message("\r".join(readable), validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
        count = len(parsed.children)
    except _UNREADABLE as error:
        text = f"hl7apy cannot read this message ({type(error).__name__})"
        yield ConformanceFinding("MSH", 0, "MSH", text, "warn", "hl7apy-unreadable")
        return
    if count != len(readable):
        text = f"hl7apy reads {count} of {len(readable)} segments"
        yield ConformanceFinding("MSH", 0, "MSH", text, "warn", "hl7apy-count")


def _check_segment(segment: Segment, tables: str) -> Iterator[ConformanceFinding]:
    if _is_local(segment):
        return
    children = _segment_reference(segment.name, tables) or ()
    for name, reference, (least, most), _ in children:
        number = int(name.rpartition("_")[2])
        text = segment.field(number)
        if not text.strip():
            if least:
                yield _field(segment, number, "", f"version {tables} requires this field", "error", "field-missing")
            continue
        if most == 0 or reference[2] == _WITHDRAWN:
            yield _field(segment, number, "", f"withdrawn from version {tables}", "warn", "field-withdrawn")
            continue
        repetitions = segment.repetitions(number)
        if 0 <= most < len(repetitions):
            found = f"{len(repetitions)} repetitions; version {tables} allows {most}"
            yield _field(segment, number, "", found, "error", "too-many-repetitions")
        if segment.holds_separators and number <= 2:
            continue
        for place, repetition in enumerate(repetitions, 1):
            tail = f"[{place}]" if len(repetitions) > 1 else ""
            yield from _check_element(segment, number, tail, repetition, reference, tables, 0)
    yield from _check_excess(segment, len(children))


def _check_excess(segment: Segment, defined: int) -> Iterator[ConformanceFinding]:
    for number in range(defined + 1, len(segment.fields)):
        if segment.field(number):
            yield _field(segment, number, "", "the tables of this version have no such field", "warn", "field-unknown")
    if len(segment.fields) > 1 and segment.text.endswith(segment.message.separators.field):
        yield _whole(segment, segment.label, "empty fields stand at its end", "note", "trailing-fields")


def _check_element(
    segment: Segment, number: int, tail: str, text: str, reference: Any, tables: str, depth: int
) -> Iterator[ConformanceFinding]:
    """One repetition (depth 0), component (1) or subcomponent (2) against its reference in hl7apy's tables."""
    separators = segment.message.separators
    mark = (separators.component, separators.subcomponent, "")[depth]
    parts = text.split(mark) if mark else [text]
    if reference[0] == "leaf":
        if reference[2] in ("varies", None):
            return
        if any(parts[1:]):
            yield _field(segment, number, tail, f"type {reference[2]} has no parts", "warn", "parts-unknown")
        yield from _check_leaf(segment, number, tail, parts[0], reference, tables)
        return
    children = reference[1]
    for place, (_, inner, (least, _most), _kind) in enumerate(children, 1):
        part = parts[place - 1] if place <= len(parts) else ""
        if part and inner[2] == _WITHDRAWN:
            yield _field(
                segment, number, f"{tail}.{place}", f"withdrawn from version {tables}", "warn", "part-withdrawn"
            )
        elif part:
            yield from _check_element(segment, number, f"{tail}.{place}", part, inner, tables, min(depth + 1, 2))
        elif least and text != _NULL:
            found = f"type {reference[2]} requires this part"
            yield _field(segment, number, f"{tail}.{place}", found, "warn", "part-missing")
    if any(parts[len(children) :]):
        found = f"type {reference[2]} has {len(children)} parts"
        yield _field(segment, number, tail, found, "warn", "parts-unknown")


def _check_leaf(
    segment: Segment, number: int, tail: str, written: str, reference: Any, tables: str
) -> Iterator[ConformanceFinding]:
    if not written or written == _NULL:
        return
    value = segment.message.unescape(written)
    _, _, kind, _, table, longest = reference
    if kind in _CHECKED_TYPES and not _is_typed(value, kind, tables):
        yield _field(segment, number, tail, f"not a {_CHECKED_TYPES[kind]} ({kind})", "error", "value-type")
    if -1 < longest < len(value):
        yield _field(segment, number, tail, f"longer than {longest} characters", "warn", "value-length")
    if table and kind in ("ID", "IS"):
        values = _table(table, tables)
        if values and value not in values:
            # Tables of IS are the site's own to extend; those of ID are HL7's.
            severity: Severity = "warn" if kind == "ID" else "note"
            yield _field(segment, number, tail, f"not in table {table[3:]} of {tables}", severity, "value-table")


def _is_typed(value: str, kind: str, tables: str) -> bool:
    if len(value) > _LONGEST_TYPED_VALUE or not value.isascii():
        return False
    try:
        datatype_factory(kind, value, tables, VALIDATION_LEVEL.STRICT)
    except (HL7apyException, ValueError, ArithmeticError):
        return False
    return True


def _segment_reference(name: str, tables: str) -> Any:
    if name.startswith("Z") and is_segment_id(name):
        return ()
    try:
        return load_reference(name, "Segment", tables)[1]
    except (ChildNotFound, KeyError):
        return None


def _table(name: str, tables: str) -> tuple[str, ...]:
    try:
        return tuple(load_reference(name, "Table", tables)[1] or ())
    except (ChildNotFound, KeyError, TypeError):
        return ()


def _is_local(segment: Segment) -> bool:
    return segment.name.startswith("Z") and is_segment_id(segment.name)


def _whole(
    segment: Segment, position: str, text: str, severity: Severity, code: str, name: str = ""
) -> ConformanceFinding:
    return ConformanceFinding(name or segment.name, 0, position, text, severity, code)


def _field(segment: Segment, number: int, tail: str, text: str, severity: Severity, code: str) -> ConformanceFinding:
    return ConformanceFinding(segment.name, number, f"{segment.label}-{number}{tail}", text, severity, code)
