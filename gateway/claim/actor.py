"""Who acts, and as what: a person of the site, a source, or the machine itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and as what."""

    name: str
    role: str


MACHINE = Actor(name="machine", role="machine")
