"""Records in our own words, as JSON: for whoever has neither FHIR nor HL7 at hand and wants a preview."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from gateway.claim.calendar import COUNTABLE
from gateway.claim.finding import Origin
from gateway.claim.record import FEED_RECORDS, FeedRecord
from gateway.errors import FormatError
from gateway.ports import Interpretation, MappedRecord, Resource

_KINDS: Mapping[str, type[FeedRecord]] = {str(each.kind): each for each in FEED_RECORDS}

_MOST_TOLD = 100
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_VALUE = re.compile(r" '.*'(?= - at )", re.DOTALL)
"""The value in what msgspec says of it: it may be a patient's."""


def is_record_set(content: bytes) -> bool:
    """True for a JSON object with ``records`` and no ``resourceType``."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and "records" in body and "resourceType" not in body


class RecordSetInterpreter:
    """Implements gateway.ports.Interpreter over record sets: nothing is mapped, every field is its own source."""

    def interpret_message(self, content: bytes, received_at: datetime) -> Interpretation:
        """The records. Raises FormatError with every record that is wrong."""
        rows = json.loads(content)["records"]
        if not isinstance(rows, list) or not rows:
            raise FormatError("records is no list with a record in it")
        records, wrong = [], []
        for place, row in enumerate(rows):
            try:
                records.append(_mapped(place, row, received_at))
            except ValueError as error:
                wrong.append(f"records[{place}]: {_VALUE.sub('', str(error))}")
        if wrong:
            more = len(wrong) - _MOST_TOLD
            raise FormatError("; ".join([*wrong[:_MOST_TOLD], *([f"and {more:,} records more"] if more > 0 else [])]))
        return Interpretation(records=tuple(records))

    def interpret_resource(self, resource: Resource, find: Callable[[str], Resource | None]) -> Interpretation:
        """Nothing: a record set has no resources."""
        del resource, find
        return Interpretation()


def _mapped(place: int, row: Any, received_at: datetime) -> MappedRecord:
    if not isinstance(row, dict) or row.get("kind") not in list(_KINDS):
        raise ValueError(f"a record is an object whose kind is one of {', '.join(_KINDS)}")
    shape = _KINDS[row["kind"]]
    known = {field.name for field in dataclasses.fields(shape)}
    unknown = sorted(set(row) - known - {"kind"})
    if unknown:
        raise ValueError(f"{row['kind']} has no field {', '.join(map(repr, unknown))}")
    given = {name: value for name, value in row.items() if name != "kind"}
    record = msgspec.convert(given, shape)
    if any(_UNWRITABLE.search(text) for text in _texts(given)):
        raise ValueError("holds a control character or half a character")
    for name in known:
        _check_moment(name, getattr(record, name))
    origins = {name: Origin(source=f"records[{place}].{name}", mapping="") for name in given}
    return MappedRecord(record=record, asserted_at=received_at, origins=origins)


def _check_moment(name: str, value: Any) -> None:
    """Raise ValueError for a time of nowhere, and for one that falls on no day somewhere on earth."""
    if not isinstance(value, datetime):
        return
    if value.tzinfo is None:
        raise ValueError(f"{name} has no offset; write 2026-08-03T09:00:00-05:00")
    if not COUNTABLE.covers(value.date()):
        raise ValueError(f"{name} does not lie between {COUNTABLE.start_on} and {COUNTABLE.end_on}")


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value of a known shape."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
