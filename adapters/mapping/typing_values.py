"""From a value as the feed gives it to the type a field needs, decided once per mapping entry.

A typer raises NotInMap, NotUnderstood, and gives None for a value that is to be passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.mapping.source_file import Convert, Miss, ValueMap, ValueSpec
from adapters.mapping.spreadsheet_times import iso_of
from adapters.mapping.targets import Target
from adapters.mapping.values import (
    Moment,
    NotInMap,
    NotUnderstood,
    read_bool,
    read_date,
    read_diagnosis,
    read_integer,
    read_moment,
    read_postal_code,
    text_of,
)
from adapters.mapping.yaml_reader import nearest
from gateway.claim.party import Identifier

Typer = Callable[[Any], Any]

_REFERENCE: Final = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?")
_NOT_DIGITS: Final = re.compile(r"\D")
_MOST_MINUTES: Final = 24 * 60

# Fields whose name says more than their type.
_BY_NAME: Final[Mapping[str, Callable[[str], str]]] = {
    "postal_code": read_postal_code,
    "diagnoses": read_diagnosis,
    "state": str.upper,
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a source's values are read with."""

    source: str
    time_zone: ZoneInfo
    namespaces: Mapping[str, str]
    facilities: Mapping[Identifier, str] | None
    """Facility ids by the names feeds use; None while no catalogue is at hand."""
    time_text: Callable[[Any], str] = text_of
    """A date or time as the feed writes it, to a form that `values` reads."""


def spreadsheet_time(value: Any) -> str:
    """How a CSV feed's dates and times are read: as spreadsheets show them."""
    return iso_of(text_of(value))


def reference_of(text: str) -> str | None:
    """The `Type/id` a reference names, whatever server address stands before it; None for any other text."""
    match = _REFERENCE.fullmatch(text)
    return match[1] if match else None


def typer_for(target: Target, spec: ValueSpec, found_map: ValueMap | None, around: Surroundings) -> Typer:
    """The typer of one entry. Raises NotUnderstood when its value map holds a word the field does not take."""
    last = _typer_of_type(target, spec, around)
    converted = _with_conversion(last, spec)
    if found_map is None:
        return converted
    known = {word: last(ours) for word, ours in found_map.words.items()}
    return _with_map(known, spec.miss or Miss.PROBLEM, converted)


def _with_map(known: Mapping[str, Any], miss: Miss, otherwise: Typer) -> Typer:
    def typed(value: Any) -> Any:
        text = text_of(value)
        if text in known:
            return known[text]
        if miss in (Miss.KEEP, Miss.PROBLEM):
            raise NotInMap(
                "the value map does not know this value",
                "Add the value to the map, or say what a miss becomes.",
                otherwise(value) if miss is Miss.KEEP else None,
            )
        return None

    return typed


def _with_conversion(last: Typer, spec: ValueSpec) -> Typer:
    if spec.convert is Convert.DIGITS:
        return lambda value: last(_NOT_DIGITS.sub("", text_of(value))) or None
    if spec.convert is Convert.UPPER:
        return lambda value: last(text_of(value).upper())
    if spec.convert is Convert.LOWER:
        return lambda value: last(text_of(value).lower())
    return last


def _typer_of_type(target: Target, spec: ValueSpec, around: Surroundings) -> Typer:
    kind = target.type
    if kind is Identifier:
        return _identifier_typer(spec, around)
    if spec.lookup:
        return _lookup_typer(spec, around)
    if spec.convert is Convert.MINUTE:
        return _minute_typer(around)
    if kind is str:
        tidy = _BY_NAME.get(target.name.rpartition(".")[2])
        return text_of if tidy is None else lambda value: tidy(text_of(value))
    if kind is datetime:
        return _moment_typer(spec, around)
    if kind is date:
        zone, time_text = around.time_zone, around.time_text
        return lambda value: read_date(time_text(value), zone)
    if kind is bool:
        return lambda value: value if isinstance(value, bool) else read_bool(text_of(value))
    if kind is int:
        return lambda value: read_integer(text_of(value))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_typer(kind)
    raise AssertionError(f"no way to fill a field of type {kind}")


def _enum_typer(kind: type[Enum]) -> Typer:
    words = {str(word.value): word for word in kind}

    def typed(value: Any) -> Any:
        text = text_of(value)
        found = words.get(text)
        if found is None:
            raise NotUnderstood(
                f"expected one of {', '.join(words)}", "Add a value map (codes) from the sender's words to these."
            )
        return found

    return typed


def nearest_word(target: Target, word: str) -> str:
    """A hint at the right word, for a constant the field does not take."""
    kind = target.type
    return (
        nearest(word, [str(each.value) for each in kind]) if isinstance(kind, type) and issubclass(kind, Enum) else ""
    )


def _moment_typer(spec: ValueSpec, around: Surroundings) -> Typer:
    if spec.minutes_after:
        return lambda value: _minutes(text_of(value))
    start_of_day = spec.convert is Convert.START_OF_DAY
    zone, time_text = around.time_zone, around.time_text
    return lambda value: read_moment(time_text(value), zone, start_of_day)


def _minutes(text: str) -> timedelta:
    """A length in minutes; decimals (as FHIR and AIS-7 may have) round to the minute."""
    whole, _, fraction = text.partition(".")
    minutes = read_integer(whole) + (fraction[:1] >= "5")
    if minutes > _MOST_MINUTES:
        raise NotUnderstood("expected minutes, at most a day of them")
    return timedelta(minutes=minutes)


def _minute_typer(around: Surroundings) -> Typer:
    def typed(value: Any) -> str:
        moment: Moment = read_moment(around.time_text(value), around.time_zone, False)
        return moment.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")

    return typed


def _lookup_typer(spec: ValueSpec, around: Surroundings) -> Typer:
    facilities = around.facilities
    if facilities is None:
        return text_of

    def typed(value: Any) -> str | None:
        text = text_of(value)
        found = facilities.get(Identifier(spec.namespace, text))
        if found is None and spec.miss in (None, Miss.KEEP, Miss.PROBLEM):
            raise NotInMap(
                f"no facility has this name in {spec.namespace!r}",
                "Add the name to the facility's names in its file.",
                text if spec.miss is Miss.KEEP else None,
            )
        return found

    return typed


def _identifier_typer(spec: ValueSpec, around: Surroundings) -> Typer:
    """Text in the entry's namespace, FHIR identifiers through the source's namespaces, FHIR references by `Type/id`."""
    namespace, source, namespaces = spec.namespace, around.source, around.namespaces

    def of_element(value: Mapping[str, Any]) -> Identifier | None:
        reference = reference_of(str(value.get("reference") or ""))
        if reference is not None:
            return Identifier(source, reference)
        inside = value.get("identifier") if "value" not in value else value
        if not isinstance(inside, Mapping) or not inside.get("value"):
            return None
        known = namespace or namespaces.get(str(inside.get("system") or ""))
        return Identifier(known, text_of(inside["value"])) if known else None

    def typed(value: Any) -> Identifier | None:
        if isinstance(value, Mapping):
            return of_element(value)
        text = text_of(value)
        if namespace:
            return Identifier(namespace, text) if text else None
        reference = reference_of(text)
        if reference is None:
            raise NotUnderstood("an identifier needs its namespace", "Give the entry a namespace.")
        return Identifier(source, reference)

    return typed
