"""Mapping sets by hash, and which one is in force."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from gateway.claim.actor import Actor
from gateway.errors import NotFound
from gateway.ports.oversight import MappingVersion
from gateway.store.blobs import BlobRows
from gateway.store.coding import decode, encode
from gateway.store.schema import mapping_in_force, mapping_set
from gateway.store.sql import insert_missing


class MappingSetRows:
    """Implements gateway.ports.oversight.MappingSets."""

    def __init__(self, connection: Connection, blobs: BlobRows) -> None:
        self._connection = connection
        self._blobs = blobs

    def put_in_force(self, content_hash: str, files: Mapping[str, bytes], at: datetime, actor: Actor) -> None:
        """Store a checked set and make it the one in force."""
        content = encode({name: b64encode(text).decode() for name, text in files.items()})
        row = {"hash": content_hash, "blob_sha256": self._blobs.put(content), "created_at": at}
        insert_missing(self._connection, mapping_set, [row])
        said = {"hash": content_hash, "at": at, "actor": actor.name, "role": actor.role}
        self._connection.execute(insert(mapping_in_force).values(**said))

    def in_force(self) -> str | None:
        """The hash of the set in force; None in a new database."""
        newest = select(mapping_in_force.c.hash).order_by(mapping_in_force.c.id.desc()).limit(1)
        return self._connection.scalar(newest)

    def history(self) -> list[MappingVersion]:
        """Every time a set was put in force, the newest first."""
        table = mapping_in_force.c
        rows = self._connection.execute(select(table.hash, table.at, table.actor, table.role).order_by(table.id.desc()))
        return [MappingVersion(hash=row.hash, at=row.at, actor=row.actor, role=row.role) for row in rows]

    def files(self, content_hash: str) -> dict[str, bytes]:
        """The files of a stored set. Raises NotFound."""
        sha256 = self._connection.scalar(select(mapping_set.c.blob_sha256).where(mapping_set.c.hash == content_hash))
        if sha256 is None:
            raise NotFound("there is no stored mapping set of that hash")
        return {name: b64decode(text) for name, text in decode(self._blobs.get(sha256), dict[str, str]).items()}
