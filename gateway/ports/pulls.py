"""What use cases ask of the database about pulls: how far each search of an EHR that only answers has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How far the search for resources of one type has come."""

    whole_until: datetime | None = None
    """Everything that changed before this moment of the EHR's clock is here; None before the first search ended."""
    began_at: datetime | None = None
    """The EHR's clock when the search that is under way began."""
    next_url: str = ""
    """Where that search goes on; empty when none is under way."""


class Pulls(Protocol):
    """How far pulling has come, by source and resource type."""

    def progress(self, source: str) -> Mapping[str, PullProgress]:
        """By resource type; a type that was never searched for is left out."""

    def record(self, source: str, type: str, progress: PullProgress) -> None:
        """Remember how far the search has come."""
