"""Origins by record field. A field that a mapping file fills in parts (``attending.npi``) has one for each part."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.claim.finding import Origin


def origin_of(origins: Mapping[str, Origin], name: str) -> Origin | None:
    """Where the field came from, or the first of its parts; None when nobody said."""
    found = origins.get(name)
    if found is None and origins:
        parts = name + "."
        return next((origin for part, origin in origins.items() if part.startswith(parts)), None)
    return found
