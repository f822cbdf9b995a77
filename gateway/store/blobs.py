"""Raw bytes, content-addressed and compressed. ``key_id`` says how a row is encrypted; only ``plain`` exists yet."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, select

from gateway.errors import NotFound
from gateway.store.coding import digest
from gateway.store.schema import blob
from gateway.store.sql import insert_missing


class BlobRows:
    """Puts and gets bytes by their SHA-256."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, content: bytes) -> str:
        """Store the bytes if they are new; their SHA-256."""
        return self.put_all([content])[0]

    def put_all(self, contents: list[bytes]) -> list[str]:
        """Store many at once; their SHA-256s in order."""
        names = [digest(content) for content in contents]
        rows = {
            name: {
                "sha256": name,
                "codec": "zlib",
                "key_id": "plain",
                "size": len(content),
                "content": zlib.compress(content, 1),
            }
            for name, content in zip(names, contents, strict=True)
        }
        insert_missing(self._connection, blob, list(rows.values()))
        return names

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises NotFound."""
        content = self._connection.scalar(select(blob.c.content).where(blob.c.sha256 == sha256))
        if content is None:
            raise NotFound("there are no stored bytes of that hash")
        return zlib.decompress(content)
