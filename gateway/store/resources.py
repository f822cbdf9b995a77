"""FHIR resources by source and version, their identifiers, and which mapping followed which reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, text

from gateway.claim.party import Identifier
from gateway.errors import NotFound
from gateway.ports import Resource
from gateway.store.schema import fhir_identity, fhir_link, fhir_resource
from gateway.store.sql import insert_missing

# FHIR decimals keep their digits: 350.50 is not 350.5 (R4 datatypes, "decimal").
_read = msgspec.json.Decoder(float_hook=Decimal)
_write = msgspec.json.Encoder(decimal_format="number")


class ResourceRows:
    """Implements gateway.ports.storage.Resources."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def table(self, source: str, at: datetime, message_id: str) -> SourceResources:
        """The resource table of one source, writing on behalf of one message."""
        return SourceResources(self._connection, source, at, message_id)

    def current(self, source: str, reference: str) -> Resource | None:
        """The newest version of ``Type/id``."""
        type, _, id = reference.partition("/")
        columns = fhir_resource.c
        newest = (
            select(fhir_resource)
            .where(columns.source == source, columns.type == type, columns.id == id)
            .order_by(columns.version.desc())
            .limit(1)
        )
        row = self._connection.execute(newest).first()
        if row is None:
            return None
        return Resource(
            type=row.type, id=row.id, version=row.version, updated_at=row.updated_at, body=_read.decode(row.body)
        )

    def identified(self, source: str, type: str, identifier: Identifier) -> list[str]:
        """Ids of the source's resources with that identifier."""
        columns = fhir_identity.c
        found = select(columns.id).where(
            columns.source == source,
            columns.type == type,
            columns.system == identifier.namespace,
            columns.value == identifier.value,
        )
        return sorted(self._connection.scalars(found))

    def references(self, source: str) -> list[str]:
        """``Type/id`` of every resource of the source."""
        columns = fhir_resource.c
        known = select(columns.type, columns.id).where(columns.source == source).distinct()
        return [f"{row.type}/{row.id}" for row in self._connection.execute(known.order_by(columns.type, columns.id))]

    def versions_told(self, message_id: str) -> int:
        """How many resource versions a message brought."""
        told = select(func.count()).select_from(fhir_resource).where(fhir_resource.c.message_id == message_id)
        return self._connection.scalar(told) or 0

    def told_by(self, source: str, reference: str) -> str:
        """Id of the message that brought the newest version. Raises NotFound."""
        type, _, id = reference.partition("/")
        columns = fhir_resource.c
        newest = (
            select(columns.message_id)
            .where(columns.source == source, columns.type == type, columns.id == id)
            .order_by(columns.version.desc())
            .limit(1)
        )
        message_id: str | None = self._connection.scalar(newest)
        if message_id is None:
            raise NotFound("that source never sent this resource")
        return message_id

    def link(self, source: str, reference: str, targets: Iterable[str]) -> None:
        """Remember which resources the mapping of ``reference`` followed."""
        columns = fhir_link.c
        self._connection.execute(delete(fhir_link).where(columns.source == source, columns.from_reference == reference))
        rows = [{"source": source, "from_reference": reference, "to_reference": target} for target in set(targets)]
        insert_missing(self._connection, fhir_link, rows)

    def dependents(self, source: str, reference: str) -> list[str]:
        """References whose mapping followed this one."""
        columns = fhir_link.c
        found = select(columns.from_reference).where(columns.source == source, columns.to_reference == reference)
        return sorted(self._connection.scalars(found))


class SourceResources:
    """Implements gateway.ports.ResourceTable for one source inside one transaction."""

    def __init__(self, connection: Connection, source: str, at: datetime, message_id: str) -> None:
        self._connection = connection
        self._source = source
        self._at = at
        self._message_id = message_id
        self.changed: list[str] = []
        """``Type/id`` of every resource put, in order."""

    def find(self, type: str, identifier: Identifier) -> list[str]:
        """Ids of the resources with that identifier. Holds a lock on the identity until the commit, so that two
        conditional creates of one identity cannot both find nothing."""
        if self._connection.dialect.name == "postgresql":
            key = f"{self._source}|{type}|{identifier}"
            self._connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
        return ResourceRows(self._connection).identified(self._source, type, identifier)

    def current(self, type: str, id: str) -> Resource | None:
        """The newest version."""
        return ResourceRows(self._connection).current(self._source, f"{type}/{id}")

    def put(self, type: str, id: str, body: Mapping[str, Any], *, identifiers: Iterable[Identifier]) -> Resource:
        """Store a new version and index its identifiers."""
        columns = fhir_resource.c
        newest = select(func.max(columns.version)).where(
            columns.source == self._source, columns.type == type, columns.id == id
        )
        version = (self._connection.scalar(newest) or 0) + 1
        meta = {**body.get("meta", {}), "versionId": str(version), "lastUpdated": _instant(self._at, body)}
        stored = {**body, "id": id, "meta": meta}
        self._connection.execute(
            insert(fhir_resource).values(
                source=self._source,
                type=type,
                id=id,
                version=version,
                updated_at=self._at,
                message_id=self._message_id,
                body=_write.encode(stored),
            )
        )
        keys = fhir_identity.c
        self._connection.execute(
            delete(fhir_identity).where(keys.source == self._source, keys.type == type, keys.id == id)
        )
        rows = [
            {"source": self._source, "type": type, "system": each.namespace, "value": each.value, "id": id}
            for each in set(identifiers)
        ]
        insert_missing(self._connection, fhir_identity, rows)
        self.changed.append(f"{type}/{id}")
        return Resource(type=type, id=id, version=version, updated_at=self._at, body=stored)


def _instant(at: datetime, body: Mapping[str, Any]) -> str:
    """The source's own lastUpdated where it gave one: late and repeated versions are ordered by what *it* says."""
    given = body.get("meta", {}).get("lastUpdated")
    return given if isinstance(given, str) else at.isoformat().replace("+00:00", "Z")
