"""The fields a mapping file may fill, from the record classes' own type hints, and how values become a record."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from gateway.claim.record import FeedRecord


@dataclass(frozen=True, slots=True)
class Target:
    """One field that takes a single value, or a list of them when ``many``; ``name`` is dotted for nested ones."""

    name: str
    type: Any
    many: bool
    required: bool
    """The record cannot be made without it."""


def _bare(hint: Any) -> Any:
    """A hint without its None."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint


def _is_nested(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint.__name__ != "Identifier"


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@cache
def targets_of(record: Any, prefix: str = "") -> Mapping[str, Target]:
    """Every target of a record class by dotted name; ``identifiers`` is left out: the identity fills it."""
    hints = get_type_hints(record)
    found: dict[str, Target] = {}
    for field in dataclasses.fields(record):
        hint = _bare(hints[field.name])
        if (field.name == "identifiers" and not prefix) or get_origin(hint) is ClassVar:
            continue
        name = prefix + field.name
        if _is_nested(hint):
            found.update(targets_of(hint, name + "."))
        elif get_origin(hint) is tuple:
            found[name] = Target(name, get_args(hint)[0], True, False)
        else:
            found[name] = Target(name, hint, False, _is_required(field) and not prefix)
    return found


Incomplete = Callable[[str, str], None]
"""Told the name of a nested value that could not be made, and the name of the part it lacks."""
Build = Callable[[dict[str, Any], Incomplete], Any]


def builder_of(record: type[FeedRecord], filled: tuple[str, ...]) -> Callable[..., FeedRecord]:
    """A function ``(values by dotted name, identifiers, incomplete)`` that makes the record from what was found."""
    nested = _nested_builders(record, "", filled)
    plain = frozenset(name for name in filled if "." not in name)

    def build(values: dict[str, Any], identifiers: tuple[Any, ...], incomplete: Incomplete) -> FeedRecord:
        arguments = {name: value for name, value in values.items() if name in plain}
        for name, make in nested:
            made = make(values, incomplete)
            if made is not None:
                arguments[name] = made
        return record(identifiers=identifiers, **arguments)

    return build


def _nested_builders(record: type[Any], prefix: str, filled: tuple[str, ...]) -> list[tuple[str, Build]]:
    hints = get_type_hints(record)
    found: list[tuple[str, Build]] = []
    for field in dataclasses.fields(record):
        hint, name = _bare(hints[field.name]), prefix + field.name
        if _is_nested(hint) and any(each.startswith(name + ".") for each in filled):
            found.append((field.name, _nested_builder(hint, name, filled)))
    return found


def _nested_builder(nested: type[Any], name: str, filled: tuple[str, ...]) -> Build:
    below = _nested_builders(nested, name + ".", filled)
    inner = {field.name for field in dataclasses.fields(nested)} - {each for each, _ in below}
    plain = tuple((f"{name}.{field}", field) for field in sorted(inner) if f"{name}.{field}" in filled)
    required = tuple(field.name for field in dataclasses.fields(nested) if _is_required(field))

    def build(values: dict[str, Any], incomplete: Incomplete) -> Any:
        arguments = {field: values[dotted] for dotted, field in plain if dotted in values}
        for field, make in below:
            made = make(values, incomplete)
            if made is not None:
                arguments[field] = made
        if not arguments:
            return None
        for field in required:
            if field not in arguments:
                incomplete(name, field)
                return None
        return nested(**arguments)

    return build
