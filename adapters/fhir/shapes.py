"""What each R4 type may hold, compiled once from the classes of fhir.resources (R4B): elements, cardinality, codes.

fhir.resources describes each element, but as a validator reports only some of what is wrong and accepts "true" for
true. Its classes are therefore read as tables; `validation` walks a resource along them.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from fhir.resources.R4B import fhirtypes, get_fhir_model_class

from adapters.fhir.primitives import PRIMITIVES, Primitive

# fhir.resources takes code lists from the short descriptions; these are the ones it has no, or only part of.
# R4 value sets encounter-status and quantity-comparator.
_ENCOUNTER_STATUS = frozenset(
    {"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"}
)
_CODES: Mapping[tuple[str, str], frozenset[str]] = {
    ("Encounter", "status"): _ENCOUNTER_STATUS,
    ("EncounterStatusHistory", "status"): _ENCOUNTER_STATUS,
    **{
        (quantity, "comparator"): frozenset({"<", "<=", ">=", ">"})
        for quantity in ("Quantity", "Age", "Count", "Distance", "Duration")
    },
}
_INCOMPLETE_LIST_MARKS = {"+", "etc."}
_PRIMITIVE_BY_TYPE: Mapping[Any, Primitive] = {
    getattr(fhirtypes, f"{name[0].upper()}{name[1:]}Type"): primitive for name, primitive in PRIMITIVES.items()
}
_DIRECTIVES = {"resourceType", "fhir_comments"}


@dataclass(slots=True)
class Element:
    """One element of a type. Exactly one of ``primitive``, ``shape`` and ``any_resource`` says what it holds."""

    name: str
    many: bool
    primitive: Primitive | None = None
    shape: Shape | None = None
    any_resource: bool = False
    codes: frozenset[str] | None = None
    """The required value set, where the standard has one and its list is known."""
    targets: tuple[str, ...] = ()
    """Resource types a Reference may point at; empty when any."""


@dataclass(slots=True)
class Choice:
    """An element that may have one of several types: ``performed[x]``."""

    stem: str
    names: tuple[str, ...]
    required: bool


@dataclass(slots=True)
class Shape:
    """A resource or data type."""

    name: str
    is_resource: bool
    elements: dict[str, Element] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    choice_names: frozenset[str] = frozenset()
    """What elements of ``choices`` are called, with and without the underscore of a primitive's extensions."""
    needs_choice: bool = False


_COMPILED: dict[str, Shape] = {}
_RESOURCES: dict[str, Shape] = {}
# Shapes hold one another, so each is in the table before it is whole; nobody but who compiles them may look there.
_COMPILING = Lock()


def resource_shape(name: str) -> Shape | None:
    """The shape of a resource type by name; None when R4 has no such resource."""
    known = _RESOURCES.get(name)
    if known is not None:
        return known
    try:
        model = get_fhir_model_class(name)
    except (ValueError, LookupError):
        return None
    if not model.has_resource_base() or name in {"Resource", "DomainResource"}:
        return None
    with _COMPILING:
        shape = _RESOURCES[name] = _shape(model)  # only names that exist are kept: strangers cannot fill memory
    return shape


def _shape(model: Any) -> Shape:
    name = model.__name__
    known = _COMPILED.get(name)
    if known is not None:
        return known
    shape = _COMPILED[name] = Shape(name=name, is_resource=model.has_resource_base())
    required: list[str] = []
    choices: dict[str, tuple[list[str], bool]] = {}
    for field_name, described in model.model_fields.items():
        element_name = described.alias or field_name
        if element_name in _DIRECTIVES:
            continue
        extra = described.json_schema_extra or {}
        shape.elements[element_name] = _element(name, element_name, described.annotation, extra)
        if described.is_required() or extra.get("element_required"):
            required.append(element_name)
        if "one_of_many" in extra:
            names, _ = choices.setdefault(extra["one_of_many"], ([], bool(extra["one_of_many_required"])))
            names.append(element_name)
    shape.required = tuple(required)
    shape.choices = tuple(Choice(stem, tuple(names), needed) for stem, (names, needed) in choices.items())
    listed = [name for choice in shape.choices for name in choice.names]
    shape.choice_names = frozenset([*listed, *(f"_{name}" for name in listed)])
    shape.needs_choice = any(choice.required for choice in shape.choices)
    return shape


def _element(owner: str, name: str, annotation: Any, extra: Mapping[str, Any]) -> Element:
    held, many = _held(annotation)
    element = Element(name=name, many=many, targets=tuple(extra.get("enum_reference_types", ())))
    if hasattr(held, "get_model_klass"):
        model = held.get_model_klass()
        if model.__name__ == "Resource":
            element.any_resource = True
        else:
            element.shape = _shape(model)
        return element
    element.primitive = _PRIMITIVE_BY_TYPE[held]
    listed = _CODES.get((owner, name)) or frozenset(extra.get("enum_values", ()))
    if element.primitive.name == "code" and listed and not listed & _INCOMPLETE_LIST_MARKS:
        element.codes = listed
    return element


def _held(annotation: Any) -> tuple[Any, bool]:
    """The type inside Optional and List, and whether there was a List."""
    many = False
    while True:
        origin = typing.get_origin(annotation)
        if origin is None or origin is typing.Annotated:
            return annotation, many
        many = many or origin is list
        annotation = next(each for each in typing.get_args(annotation) if each is not type(None))
