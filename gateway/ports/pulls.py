"""What use cases ask of the database about pulls: how far each search of an EHR that only answers has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How far one search has come: for all resources of a type, or for those of one patient."""

    whole_until: datetime | None = None
    """Everything that changed before this moment of the EHR's clock is here; None before the first search ended."""
    began_at: datetime | None = None
    """The EHR's clock when the search that is under way began."""
    next_url: str = ""
    """Where that search goes on; empty when none is under way."""


class Pulls(Protocol):
    """How far pulling has come, by source, resource type and patient; the patient is empty where all are asked for."""

    def progress(self, source: str, type: str, patient: str) -> PullProgress:
        """Of a search that was never begun, nowhere."""

    def record(self, source: str, type: str, patient: str, progress: PullProgress) -> None:
        """Remember how far the search has come."""
