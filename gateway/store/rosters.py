"""Rosters: rows by source and key, never changed, only retired, so that what was known on a day stays known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, tuple_, update

from gateway.claim.party import Identifier
from gateway.claim.roster import ROSTER_RECORDS, CredentialRecord, RosterKind, RosterRecord, about
from gateway.ports.rosters import Changes, RosterStatus
from gateway.store.blobs import BlobRows
from gateway.store.coding import decode, encode
from gateway.store.schema import roster_load, roster_row
from gateway.store.sql import hold_names, insert_all, slices

_TYPES: dict[str, type[RosterRecord]] = {each.kind: each for each in ROSTER_RECORDS}
_IN_FORCE = roster_row.c.retired_at.is_(None)


class RosterRows:
    """Implements gateway.ports.rosters.Rosters."""

    def __init__(self, connection: Connection, blobs: BlobRows) -> None:
        self._connection = connection
        self._blobs = blobs

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
        """Put rows by key in place of the source's rows of the same keys."""
        hold_names(self._connection, [f"roster/{organization}/{kind}/{source}"])
        named = {"organization_id": organization, "kind": kind, "source": source}
        stored = self._blobs.put(file)
        self._connection.execute(insert(roster_load), [{**named, "loaded_at": at, "sha256": stored}])
        contents = {key: encode(replace(record, entry="")) for key, record in rows.items()}
        standing = {row.key: row for row in self._of(organization, kind, source, None if whole else list(rows))}
        replaced = [row for key, row in standing.items() if key in contents and row.content != contents[key]]
        gone = [row for key, row in standing.items() if key not in contents] if whole else []
        self._retire([row.id for row in (*replaced, *gone)], at)
        changed = {row.key for row in replaced}
        added = [key for key in rows if key not in standing]
        written = [
            {**named, **_row(rows[key]), "key": key, "content": contents[key], "recorded_at": at}
            for key in (*added, *sorted(changed))
        ]
        insert_all(self._connection, roster_row, written)
        return {
            "added": tuple(rows[key] for key in added),
            "changed": tuple(rows[key] for key in sorted(changed)),
            "retired": tuple(_record(row) for row in gone),
        }

    def statuses(self) -> list[RosterStatus]:
        """Every roster that was ever loaded."""
        rows, loads = roster_row.c, roster_load.c
        key = (rows.organization_id, rows.kind, rows.source)
        counted = self._connection.execute(select(*key, func.count()).where(_IN_FORCE).group_by(*key))
        counts = {tuple(row[:3]): row[3] for row in counted}
        last = {
            (row.organization_id, row.kind, row.source): row
            for row in self._connection.execute(select(roster_load).order_by(loads.id))
        }
        return [
            RosterStatus(
                organization=row.organization_id,
                kind=RosterKind(row.kind),
                source=row.source,
                loaded_at=row.loaded_at,
                rows=counts.get(named, 0),
                file_sha256=row.sha256 or "",
            )
            for named, row in sorted(last.items())
        ]

    def kinds(self, organizations: Sequence[str]) -> Mapping[str, set[RosterKind]]:
        """The kinds that were ever loaded, by organization."""
        found: dict[str, set[RosterKind]] = {each: set() for each in organizations}
        columns = roster_load.c
        statement = select(columns.organization_id, columns.kind).where(columns.organization_id.in_(organizations))
        for row in self._connection.execute(statement.distinct()):
            found[row.organization_id].add(RosterKind(row.kind))
        return found

    def credentials(self, organization: str) -> tuple[CredentialRecord, ...]:
        """Every credential of the organization that is in force now."""
        columns = roster_row.c
        statement = select(columns.content, columns.entry).where(
            columns.organization_id == organization, columns.kind == RosterKind.CREDENTIALS, _IN_FORCE
        )
        rows = self._connection.execute(statement.order_by(columns.source, columns.key))
        return tuple(replace(decode(row.content, CredentialRecord), entry=row.entry) for row in rows)

    def about(self, organizations: Sequence[str], names: Sequence[Identifier]) -> list[tuple[str, RosterRecord]]:
        """(organization, record) of every row now in force that names one of these identifiers."""
        columns = roster_row.c
        found: list[tuple[str, RosterRecord]] = []
        for some in slices(sorted({(each.namespace, each.value) for each in names})):
            statement = select(columns.organization_id, columns.kind, columns.content, columns.entry).where(
                columns.organization_id.in_(organizations),
                tuple_(columns.namespace, columns.value).in_(some),
                _IN_FORCE,
            )
            rows = self._connection.execute(statement.order_by(columns.kind, columns.source, columns.key))
            found.extend((row.organization_id, _record(row)) for row in rows)
        return found

    def rows(self, organization: str, kind: RosterKind, at: datetime | None) -> list[tuple[str, RosterRecord]]:
        """(source, record) of one kind, in force now or as they stood at a moment."""
        columns = roster_row.c
        statement = select(columns.source, columns.kind, columns.content, columns.entry).where(
            columns.organization_id == organization, columns.kind == kind
        )
        if at is None:
            statement = statement.where(_IN_FORCE)
        else:
            statement = statement.where(
                columns.recorded_at <= at, or_(columns.retired_at.is_(None), columns.retired_at > at)
            )
        rows = self._connection.execute(statement.order_by(columns.source, columns.key, columns.id))
        return [(row.source, _record(row)) for row in rows]

    def _of(self, organization: str, kind: RosterKind, source: str, keys: Sequence[str] | None) -> list[Any]:
        """The source's rows in force, of these keys or all of them."""
        columns = roster_row.c
        statement = select(columns.id, columns.key, columns.kind, columns.content, columns.entry).where(
            columns.organization_id == organization, columns.kind == kind, columns.source == source, _IN_FORCE
        )
        if keys is None:
            return list(self._connection.execute(statement.order_by(columns.key)))
        found = (self._connection.execute(statement.where(columns.key.in_(some))) for some in slices(keys))
        return [row for rows in found for row in rows]

    def _retire(self, ids: Sequence[int], at: datetime) -> None:
        for some in slices(ids):
            self._connection.execute(update(roster_row).where(roster_row.c.id.in_(some)).values(retired_at=at))


def _row(record: RosterRecord) -> dict[str, str]:
    """Whom the row is about, as it is looked up, and where it stood."""
    name = about(record)
    return {"namespace": name.namespace, "value": name.value, "entry": record.entry}


def _record(row: Any) -> RosterRecord:
    return replace(decode(row.content, _TYPES[row.kind]), entry=row.entry)
