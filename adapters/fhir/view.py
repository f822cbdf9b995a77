"""A FHIR resource, or one group of its elements, as the mapping engine reads it: paths compiled once, references
followed and remembered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.fhir.paths import CompiledPath, Located, Node, compile_path
from adapters.mapping.view import FindResource, Notation
from gateway.ports import Resource

TYPE_AND_ID = re.compile(
    r"(?:^|/)([A-Z][A-Za-z]{2,60})/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?\Z", re.ASCII
)
"""A reference by address, relative or not, with the type and the id it names."""


class _Trail:
    """Which references were followed from one resource, each asked for once."""

    __slots__ = ("_find", "_found", "missing", "references")

    def __init__(self, find: FindResource) -> None:
        self._find = find
        self._found: dict[str, Resource | None] = {}
        self.references: list[str] = []
        self.missing: list[str] = []

    def resolve(self, reference: Any, within: Any) -> tuple[str, Any] | None:
        """Type and body of what a Reference (or its text) points at; None when it has not arrived, or was an error."""
        text = reference.get("reference") if isinstance(reference, dict) else reference
        if isinstance(text, str) and text.startswith("#"):
            return _contained(text[1:], within)
        local = _by_id(text) if isinstance(text, str) else _by_identifier(reference)
        if local is None:
            return None
        if local not in self._found:
            self._found[local] = self._find(local)
            self.references.append(local)
            if self._found[local] is None:
                self.missing.append(local)
        found = self._found[local]
        return (found.type, found.body) if found is not None and not _is_error(found.body) else None


def _is_error(body: Mapping[str, Any]) -> bool:
    """True for a resource whose sender says that it was entered in error, or a diagnosis that was refuted."""
    if body.get("status") == "entered-in-error":
        return True
    verification = body.get("verificationStatus")
    codings = verification.get("coding") or () if isinstance(verification, dict) else ()
    return any(each.get("code") in ("entered-in-error", "refuted") for each in codings if isinstance(each, dict))


class FhirView:
    """A whole resource, or with a scope one group of it; what a group lacks is looked up in the resource around it."""

    __slots__ = ("_node", "_resource", "_trail")

    def __init__(self, resource: Resource, find: FindResource) -> None:
        self._resource = resource
        self._trail = _Trail(find)
        body = resource.body if type(resource.body) is dict else dict(resource.body)
        self._node: Node = (body, resource.type, body)

    @staticmethod
    def compile(path: str) -> Callable[[FhirView], list[Located]]:
        """A function from a view to [(value, position)]; absent, null and empty values are left out.

        Raises PathError. Positions are texts like ``Encounter.diagnosis[0].condition -> Condition.code``.
        """
        alternatives = compile_path(path)

        def read(view: FhirView) -> list[Located]:
            return [
                (value, position)
                for compiled in alternatives
                for value, position, _ in view._read(compiled)
                if value is not None and value != ""
            ]

        return read

    def _read(self, path: CompiledPath) -> list[Node]:
        whole = self._whole
        if path.type:
            return path.read([whole], self._trail) if path.type == self._resource.type else []
        found = path.read([self._node], self._trail)
        return found if found or self._node is whole else path.read([whole], self._trail)

    @property
    def _whole(self) -> Node:
        """The resource itself, whatever group this view is of."""
        root = self._node[2]
        return self._node if self._node[0] is root else (root, self._resource.type, root)

    def groups(self, name: str) -> list[FhirView]:
        """One view for each object at a path, in order: ``item`` of a Claim, ``participant`` of an Appointment."""
        return [self._inside(node) for path in compile_path(name) for node in self._read(path) if type(node[0]) is dict]

    def _inside(self, node: Node) -> FhirView:
        view = object.__new__(FhirView)
        view._resource, view._trail = self._resource, self._trail
        view._node = node if node[2] is self._node[2] else (node[0], node[1], self._node[2])
        return view

    @property
    def position(self) -> str:
        """Where the view begins: ``Encounter``, ``Claim.item[1]``."""
        return self._node[1]

    @property
    def references(self) -> Sequence[str]:
        """Every resource followed so far, found or not, each once: ``Type/id`` or ``Type?identifier=system|value``."""
        return self._trail.references

    @property
    def missing(self) -> Sequence[str]:
        """Those of them that have not arrived."""
        return self._trail.missing


def _by_id(text: str) -> str | None:
    match = TYPE_AND_ID.search(text)
    return f"{match[1]}/{match[2]}" if match else None


def _by_identifier(reference: Any) -> str | None:
    """``Type?identifier=system|value`` of a reference that names its target by type and identifier alone."""
    if not isinstance(reference, dict) or not isinstance(reference.get("identifier"), dict):
        return None
    type, identifier = reference.get("type"), reference["identifier"]
    system, value = identifier.get("system"), identifier.get("value")
    return f"{type}?identifier={system}|{value}" if type and system and value else None


def _contained(id: str, within: Any) -> tuple[str, Any] | None:
    held = within.get("contained", ()) if isinstance(within, dict) else ()
    for each in held if isinstance(held, list) else ():
        if isinstance(each, dict) and each.get("id") == id:
            return str(each.get("resourceType", "")), each
    return None


FHIR_NOTATION = Notation(name="fhir", compile=FhirView.compile, open_resource=FhirView)
"""How the mapping engine reads FHIR."""
