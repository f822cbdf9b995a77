"""What use cases ask of the database about FHIR resources: by source, versions, identities, who follows whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gateway.claim.party import Identifier
from gateway.ports import LookAhead, Resource, ResourceTable


class OpenResourceTable(ResourceTable, Protocol):
    """A resource table whose owner decides what of what was put is stored, and writes all of it at once."""

    def look_ahead(self, wanted: Iterable[LookAhead]) -> None:
        """Ask for all of this at once; ``find`` and ``current`` need not ask again."""

    def keep(self, message_id: str) -> list[str]:
        """Take what was put since the last call as brought by a message: ``Type/id`` of each. Seen from now on."""

    def discard(self) -> None:
        """Forget what was put since the last ``keep``."""

    def write(self) -> None:
        """Write what is kept."""


class Resources(Protocol):
    """FHIR resources by source."""

    def table(self, source: str, at: datetime) -> OpenResourceTable:
        """The resource table of one source in this transaction."""

    def current(self, source: str, reference: str) -> Resource | None:
        """The newest version of ``Type/id``, or of the one resource that ``Type?identifier=system|value`` means."""

    def newest(self, source: str, references: Sequence[str]) -> Mapping[str, Resource]:
        """The newest version of each ``Type/id`` that is there."""

    def identified(self, source: str, type: str, identifier: Identifier) -> list[str]:
        """Ids of the source's resources with that identifier (namespace is the system)."""

    def references(self, source: str, type: str = "") -> list[str]:
        """``Type/id`` of every resource of the source, or of those of one type."""

    def versions_told(self, message_id: str) -> int:
        """How many resource versions a message brought."""

    def told_by(self, source: str, references: Sequence[str]) -> Mapping[str, str]:
        """Id of the message that brought each resource's newest version."""

    def hold_lane(self, source: str) -> None:
        """Look around among this source's resources alone until the commit.

        Two workers that do it side by side could each miss the other's: one followed a reference that had not arrived,
        the other mapped what arrived and finds nobody that follows it.
        """

    def overtaken(self, source: str, read: Mapping[str, Resource | None]) -> set[str]:
        """Those of what was read, by reference, that are found otherwise by now: others changed them meanwhile."""

    def link(self, source: str, followed: Mapping[str, Iterable[str]]) -> None:
        """Remember which resources the mapping of each one followed, replacing what was remembered."""

    def dependents(self, source: str, references: Sequence[str]) -> set[str]:
        """References whose mapping followed one of these, by id or by an identifier it has."""
