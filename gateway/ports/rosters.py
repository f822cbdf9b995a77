"""What use cases ask of the database about rosters: rows by source and key, loaded, replaced and looked up in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.claim.party import Identifier
from gateway.claim.roster import CredentialRecord, RosterKind, RosterRecord

Changes = Mapping[str, tuple[RosterRecord, ...]]
"""What a load did: the records it ``added``, ``changed`` and ``retired``, by those words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterStatus:
    """One roster as it is loaded now."""

    organization: str
    kind: RosterKind
    source: str
    loaded_at: datetime
    rows: int
    file_sha256: str
    """Of the file that was loaded last, kept as it came."""


class Rosters(Protocol):
    """What organizations keep of people and papers. A row keeps when it was recorded and when it was retired."""

    def load(
        self,
        organization: str,
        kind: RosterKind,
        source: str,
        rows: Mapping[str, RosterRecord],
        at: datetime,
        *,
        whole: bool,
        file: bytes,
    ) -> Changes:
        """Put rows by key in place of the source's rows of the same keys; the same row again is no change.

        ``file`` is what the rows were read from, kept as it came.

        ``whole`` retires every other row of the source: the rows given are all there are.
        """

    def statuses(self) -> list[RosterStatus]:
        """Every roster that was ever loaded, with how many rows it has."""

    def kinds(self, organizations: Sequence[str]) -> Mapping[str, set[RosterKind]]:
        """The kinds that were ever loaded, by organization."""

    def credentials(self, organization: str) -> tuple[CredentialRecord, ...]:
        """Every credential of the organization that is in force now, whatever source said it."""

    def about(self, organizations: Sequence[str], names: Sequence[Identifier]) -> list[tuple[str, RosterRecord]]:
        """(organization, record) of every row now in force that is about one of these patients or people."""

    def rows(self, organization: str, kind: RosterKind, at: datetime | None) -> list[tuple[str, RosterRecord]]:
        """(source, record) of one kind in order of source and key: in force now, or as they stood at a moment."""
