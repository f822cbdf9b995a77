"""What the mapping engine needs of a message: values by compiled path, each with its place. Knows no format.

The readers of each format satisfy these Protocols without importing them; whoever wires them passes a `Notation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.ports import Resource

Located = tuple[Any, str]
"""A value and where it stood, in the sender's notation: `("20260803", "PID-7")`, `({...}, "Encounter.subject")`.

HL7 values are text. FHIR values are JSON values as parsed: text, bool, numbers, and mappings for whole elements.
"""

FindResource = Callable[[str], Resource | None]
"""Answers `Type/id` with the newest version."""


class View(Protocol):
    """A whole message or resource, or one group of it."""

    @property
    def position(self) -> str:
        """Where the view begins: `MSH`, `FT1[2]`, `Encounter`, `Claim.item[1]`."""

    def groups(self, name: str) -> Sequence[View]:
        """One view for each group of that name (HL7 segment, FHIR path), in order; paths read the group first."""


class ResourceView(View, Protocol):
    """A view that follows references, and remembers which."""

    @property
    def references(self) -> Sequence[str]:
        """`Type/id` of every resource followed so far, found or not, in order, each once."""

    @property
    def missing(self) -> Sequence[str]:
        """Those of them that have not arrived."""


Reader = Callable[[Any], list[Located]]
"""From a view of the same format to the values at one path, in order; an absent, empty or null value gives none."""


@dataclass(frozen=True, slots=True)
class Notation:
    """One format as the engine sees it.

    `compile` raises ValueError or GatewayError, with a sentence, for a path that is not well formed.
    `open_message` takes the bytes and the source's fallback character set (empty when the file names none) and raises
    FormatError; `open_resource` takes a resource and a way to find others.
    """

    name: str
    compile: Callable[[str], Reader]
    open_message: Callable[[bytes, str], View] | None = None
    open_resource: Callable[[Resource, FindResource], ResourceView] | None = None
