"""Checks a FHIR R4 resource along the shapes of fhir.resources: every finding with its place, none with a value.

Beyond fhir.resources: required value sets, JSON types taken literally, nulls and empty lists, reversed periods,
resources of other FHIR versions said plainly. Knows no bundle processing and no store.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.fhir.issues import Issue
from adapters.fhir.primitives import Primitive
from adapters.fhir.shapes import Element, Shape, resource_shape
from adapters.fhir.versions import VersionSigns, version_of_unknown_type, wrong_version

Place = tuple[Any, ...]
"""(outer place, element name) or (outer place, element name, index); rendered only when something is wrong."""

_SAFE_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}\Z", re.ASCII)
_CONDITION_CODES = {
    "clinicalStatus": (
        "http://terminology.hl7.org/CodeSystem/condition-clinical",
        frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"}),
    ),
    "verificationStatus": (
        "http://terminology.hl7.org/CodeSystem/condition-ver-status",
        frozenset({"unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"}),
    ),
}


@dataclass(slots=True)
class FoundReference:
    """A Reference inside a resource: the JSON object itself, where it stands and what it may point at."""

    value: dict[str, Any]
    place: Place
    targets: tuple[str, ...]

    @property
    def expression(self) -> str:
        """FHIRPath of the reference."""
        return render_place(self.place)


@dataclass(slots=True)
class Inspection:
    """What one walk along a resource found."""

    issues: list[Issue] = field(default_factory=list)
    references: list[FoundReference] = field(default_factory=list)


def check_resource(body: Any) -> list[Issue]:
    """Everything wrong with one resource as read by `strict_json.read_json`; an empty list when it is valid R4.

    Bundles are checked with all they hold. Expressions begin with the resource type: ``Encounter.period.start``.
    """
    return inspect_resource(body).issues


def inspect_resource(body: Any, place: Place | None = None, *, entries: bool = True) -> Inspection:
    """Check one resource and collect its references. With ``entries`` False a Bundle's resources are left out."""
    walk = _Walk(entries)
    walk.resource(body, place)
    return Inspection(walk.issues, walk.references)


def render_place(place: Place) -> str:
    """``Encounter.diagnosis[0].condition`` of a place."""
    parts: list[str] = []
    at: Place | None = place
    while at is not None:
        name = f"{at[1]}[{at[2]}]" if len(at) == 3 else str(at[1])
        parts.append(name)
        at = at[0]
    return ".".join(reversed(parts))


class _Walk:
    """One pass over one resource. Issues are built only where something is wrong, so that a clean walk is cheap."""

    __slots__ = ("_entries", "_signs", "issues", "references")

    def __init__(self, entries: bool) -> None:
        self.issues: list[Issue] = []
        self.references: list[FoundReference] = []
        self._signs = VersionSigns()
        self._entries = entries

    def resource(self, body: Any, place: Place | None) -> None:
        """Check a resource of any type at a place; at the root when the place is None."""
        name = body.get("resourceType") if type(body) is dict else None
        shape = resource_shape(name) if type(name) is str else None
        if shape is None:
            self.issues.append(_not_a_resource(body, name, place))
            return
        root: Place = place if place is not None else (None, name)
        outer, self._signs = self._signs, VersionSigns()
        before = len(self.issues)
        self.object(body, shape, root)
        wrong = self._signs.issue(render_place(root)) if len(self.issues) > before else None
        if wrong is not None:
            self.issues.insert(before, wrong)
        self._signs = outer

    def object(self, node: dict[str, Any], shape: Shape, place: Place) -> None:
        """Check an object against its shape: each element, then what must be there."""
        elements = shape.elements
        for name, value in node.items():
            element = elements.get(name)
            if element is None:
                if name != "resourceType" or not shape.is_resource:
                    self._unknown(shape, name, place)
            elif element.many:
                self._list(shape, element, value, place, node)
            elif element.primitive is not None:
                if not element.primitive.holds(value) or (element.codes is not None and value not in element.codes):
                    self._wrong_primitive(shape, element, value, (place, name))
            elif type(value) is dict and value:
                inner = element.shape
                if inner is None:
                    self._inner_resource(shape, value, (place, name))
                else:
                    self.object(value, inner, (place, name))
                    if inner.name == "Reference":
                        self.references.append(FoundReference(value, (place, name), element.targets))
            else:
                self._wrong_object(shape, element, value, (place, name))
        for name in shape.required:
            if name not in node and not _excused(node, name):
                self._missing(name, place)
        if shape.needs_choice or sum(map(shape.choice_names.__contains__, node)) > 1:
            self._check_choices(node, shape, place)
        own_check = _OWN_CHECKS.get(shape.name)
        if own_check is not None:
            own_check(node, place, self.issues)

    def _list(self, shape: Shape, element: Element, value: Any, place: Place, node: dict[str, Any]) -> None:
        name = element.name
        if type(value) is not list:
            self._signs.misshapen(shape.name, name, value)
            self._add("structure", "element-not-list", (place, name), "must be a list.", "Put it in [ ].")
            return
        if not value:
            self._add("structure", "element-empty", (place, name), "is an empty list.", "Leave the element out.")
            return
        primitive, inner = element.primitive, element.shape
        for index, item in enumerate(value):
            at = (place, name, index)
            if primitive is not None:
                if item is None and f"_{name}" in node:
                    continue
                if not primitive.holds(item) or (element.codes is not None and item not in element.codes):
                    self._wrong_primitive(shape, element, item, at)
            elif type(item) is dict and item:
                if inner is None:
                    self._inner_resource(shape, item, at)
                else:
                    self.object(item, inner, at)
                    if inner.name == "Reference":
                        self.references.append(FoundReference(item, at, element.targets))
            elif item is not None or not name.startswith("_"):
                self._wrong_object(shape, element, item, at)

    def _inner_resource(self, shape: Shape, value: Any, place: Place) -> None:
        if shape.name != "BundleEntry" or self._entries:
            self.resource(value, place)

    def _check_choices(self, node: dict[str, Any], shape: Shape, place: Place) -> None:
        for choice in shape.choices:
            given = [name for name in choice.names if name in node or f"_{name}" in node]
            if len(given) > 1:
                self._add(
                    "structure",
                    "choice-repeated",
                    (place, choice.stem),
                    f"is given as {' and '.join(given)}.",
                    "Send one of them.",
                )
            elif choice.required and not given:
                self._missing(choice.stem, place)

    def _missing(self, name: str, place: Place) -> None:
        self._add("required", "element-missing", (place, name), "is required and not there.", "Send it.")

    def _unknown(self, shape: Shape, name: str, place: Place) -> None:
        self._signs.unknown_element(shape.name, name)
        shown = name if _SAFE_NAME.match(name) else "(an element name that FHIR does not allow)"
        self._add(
            "structure",
            "element-unknown",
            (place, shown),
            f"is not an element of {shape.name} in R4.",
            "Remove it, or send it as an extension.",
        )

    def _wrong_object(self, shape: Shape, element: Element, value: Any, place: Place) -> None:
        self._signs.misshapen(shape.name, element.name, value)
        if value is None:
            self._null(place)
        elif value == {}:
            self._add("structure", "element-empty", place, "is an empty object.", "Leave the element out.")
        elif type(value) is list:
            self._add(
                "structure", "element-is-list", place, "must be one object, not a list.", "Send one, without [ ]."
            )
        else:
            kind = element.shape.name if element.shape else "resource"
            self._add("structure", "value-wrong-type", place, f"must be a JSON object ({kind}).", f"Send a {kind}.")

    def _wrong_primitive(self, shape: Shape, element: Element, value: Any, place: Place) -> None:
        primitive = element.primitive
        assert primitive is not None
        if value is None:
            self._null(place)
        elif type(value) is list:
            self._signs.misshapen(shape.name, element.name, value)
            self._add("structure", "element-is-list", place, "must be one value, not a list.", "Send one, without [ ].")
        elif not _is_json_kind(value, primitive):
            self._signs.misshapen(shape.name, element.name, value)
            self._add("structure", "value-wrong-type", place, "has the wrong JSON type.", f"Send {primitive.expected}.")
        elif not primitive.holds(value):
            self._add(
                "value", "value-not-well-formed", place, f"is not a {primitive.name}.", f"Send {primitive.expected}."
            )
        else:
            self._add(
                "code-invalid", "code-not-in-value-set", place, "is not a code of its value set.", _one_of(element)
            )

    def _null(self, place: Place) -> None:
        self._add("structure", "element-null", place, "is null.", "Leave the element out.")

    def _add(self, code: str, detail: str, place: Place, message: str, fix: str) -> None:
        expression = render_place(place)
        self.issues.append(
            Issue(code=code, detail=detail, expression=expression, message=f"{expression} {message}", fix=fix)
        )


def _one_of(element: Element) -> str:
    return f"Send one of: {', '.join(sorted(element.codes or ()))}."


def _is_json_kind(value: Any, primitive: Primitive) -> bool:
    if primitive.json is str or primitive.json is bool:
        return type(value) is primitive.json
    return type(value) is int or type(value).__name__ == "Decimal"


def _excused(node: dict[str, Any], name: str) -> bool:
    """True when an extension says why a required primitive has no value (R4 extensibility, "Special Case")."""
    said = node.get(f"_{name}")
    return type(said) is dict and bool(said.get("extension"))


def _not_a_resource(body: Any, name: Any, place: Place | None) -> Issue:
    expression = render_place(place) if place is not None else ""
    shown = expression or "The body"
    if type(body) is not dict:
        message, detail, code = f"{shown} is not a JSON object.", "resource-not-object", "structure"
        fix = "Send a FHIR resource: an object with resourceType."
    elif "resourceType" not in body:
        message, detail, code = f"{shown} has no resourceType.", "resource-type-missing", "required"
        fix = "Send resourceType, for instance Encounter."
        expression = f"{expression}.resourceType" if expression else "resourceType"
    else:
        version = version_of_unknown_type(name) if type(name) is str else None
        if version is not None:
            return wrong_version(expression or "resourceType", version)
        message, detail, code = f"{shown} has a resourceType that R4 does not have.", "resource-type-unknown", "value"
        fix = "Send a resource type of FHIR R4."
        expression = f"{expression}.resourceType" if expression else "resourceType"
    return Issue(code=code, detail=detail, expression=expression, message=message, fix=fix)


def _check_period(node: dict[str, Any], place: Place, issues: list[Issue]) -> None:
    start, end = node.get("start"), node.get("end")
    if type(start) is str and type(end) is str and _is_before(end, start):
        expression = render_place(place)
        issues.append(
            Issue(
                code="invariant",
                detail="period-reversed",
                expression=expression,
                message=f"{expression} ends before it starts.",
                fix="Correct start or end.",
            )
        )


def _is_before(first: str, second: str) -> bool:
    """True when a date or moment is certainly before another, as far as both are precise (2026-08 is not before
    2026-08-03)."""
    if "T" in first and "T" in second:
        try:
            return datetime.fromisoformat(first) < datetime.fromisoformat(second)
        except ValueError:
            return False
    precision = min(len(first), len(second), 10)
    return first[:precision] < second[:precision]


def _check_extension(node: dict[str, Any], place: Place, issues: list[Issue]) -> None:
    has_value = any(name.startswith(("value", "_value")) for name in node)
    if has_value == ("extension" in node):
        expression = render_place(place)
        issues.append(
            Issue(
                code="invariant",
                detail="extension-value",
                expression=expression,
                message=f"{expression} must have either a value or extensions of its own.",
                fix="Send value[x] or extension, not both and not neither.",
            )
        )


def _check_condition(node: dict[str, Any], place: Place, issues: list[Issue]) -> None:
    for name, (system, codes) in _CONDITION_CODES.items():
        concept = node.get(name)
        codings = concept.get("coding") if type(concept) is dict else None
        for index, coding in enumerate(codings if type(codings) is list else ()):
            if type(coding) is dict and coding.get("system") == system and coding.get("code") not in codes:
                expression = f"{render_place(place)}.{name}.coding[{index}].code"
                issues.append(
                    Issue(
                        code="code-invalid",
                        detail="code-not-in-value-set",
                        expression=expression,
                        message=f"{expression} is not a code of its value set.",
                        fix=f"Send one of: {', '.join(sorted(codes))}.",
                    )
                )


_OWN_CHECKS: dict[str, Callable[[dict[str, Any], Place, list[Issue]], None]] = {
    "Period": _check_period,
    "Extension": _check_extension,
    "Condition": _check_condition,
}
