"""References between resources: what they may look like, and turning each into ``Type/id`` once ids are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from adapters.fhir.issues import Issue, Refused
from adapters.fhir.shapes import resource_shape
from adapters.fhir.validation import FoundReference
from adapters.fhir.view import TYPE_AND_ID
from gateway.claim.party import Identifier

_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]{2,60})\?(.{1,2000})\Z", re.ASCII)
_ANY_TYPE = {"Resource", "Any"}


def check_references(
    references: Sequence[FoundReference],
    originals: Sequence[str | None],
    body: Mapping[str, Any],
    names: Mapping[str, str],
) -> list[Issue]:
    """Issues of references that can never be followed: malformed, dangling, or to a type the element may not mean.

    ``names`` are the texts that mean a resource of the same Bundle, with that resource's type.
    """
    contained = {each.get("id") for each in body.get("contained", ()) if isinstance(each, dict)}
    issues = []
    for found, text in zip(references, originals, strict=True):
        if text is None:
            continue
        issue = _check_one(found, text, names, contained)
        if issue is not None:
            issues.append(issue)
    return issues


def _check_one(found: FoundReference, text: str, names: Mapping[str, str], contained: Collection[Any]) -> Issue | None:
    if text.startswith("#"):
        return None if text == "#" or text[1:] in contained else _dangling(found, "is not contained in the resource")
    target = names.get(text)
    if target is None and text.startswith("urn:"):
        return _dangling(found, "is in no entry of the request")
    if target is None:
        match = TYPE_AND_ID.search(text) or _CONDITIONAL.match(text)
        if match is None or resource_shape(match[1]) is None:
            return None if "://" in text else _malformed(found)
        target = match[1]
    if target and found.targets and target not in found.targets and not _ANY_TYPE & set(found.targets):
        return _wrong_type(found)
    return None


def resolve_reference(text: str, book: Mapping[str, str]) -> str | None:
    """``Type/id`` of a literal reference; None when it is left as it is (contained, foreign, conditional).

    ``book`` gives ``Type/id`` by every text that means a resource of the same Bundle.
    """
    if text.startswith("#"):
        return None
    known = book.get(text)
    if known is not None:
        return known
    if "?" in text:
        return None
    match = TYPE_AND_ID.search(text)
    if match is None:
        return None
    local = f"{match[1]}/{match[2]}"
    return book.get(local, local)


def conditional_target(text: str, read_condition: Callable[[str, str], Identifier]) -> tuple[str, Identifier] | None:
    """Type and identifier of ``Patient?identifier=system|value``; None for any other reference."""
    match = _CONDITIONAL.match(text)
    if match is None:
        return None
    try:
        return match[1], read_condition(match[2], "")
    except Refused:
        return None


def logical_target(found: FoundReference) -> tuple[tuple[str, ...], Identifier] | None:
    """Types and identifier of a reference that names its target by identifier alone; None for any other."""
    identifier = found.value.get("identifier")
    if not isinstance(identifier, dict):
        return None
    system, value = identifier.get("system"), identifier.get("value")
    if not (system and value):
        return None
    stated = found.value.get("type")
    types = (stated,) if isinstance(stated, str) and resource_shape(stated) else found.targets
    return types, Identifier(system, value)


def _dangling(found: FoundReference, why: str) -> Issue:
    expression = f"{found.expression}.reference"
    return Issue(
        code="not-found",
        detail="reference-dangling",
        expression=expression,
        message=f"What {expression} points at {why}.",
        fix="Send the resource along, or refer to it as Type/id or by its identifier.",
    )


def _malformed(found: FoundReference) -> Issue:
    expression = f"{found.expression}.reference"
    return Issue(
        code="value",
        detail="reference-malformed",
        expression=expression,
        message=f"{expression} is not a reference.",
        fix="Send Type/id, an absolute URL, the fullUrl of another entry, or #id of a contained resource.",
    )


def _wrong_type(found: FoundReference) -> Issue:
    expression = f"{found.expression}.reference"
    return Issue(
        code="value",
        detail="reference-type",
        expression=expression,
        message=f"{expression} points at a type it may not point at.",
        fix=f"Refer to one of: {', '.join(found.targets)}.",
    )
