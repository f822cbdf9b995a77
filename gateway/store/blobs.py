"""Raw bytes, content-addressed and compressed. ``key_id`` says how a row is encrypted; only ``plain`` exists yet."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.errors import NotFound
from gateway.ports.returned import Readable
from gateway.store.coding import digest
from gateway.store.schema import blob
from gateway.store.sql import any_of, insert_missing, rows_of

_PIECES = "pieces"
"""The codec of a blob that is the names of others, a line each, which joined are its bytes."""
_PIECE_BYTES = 1 << 20
_STORED = select(blob.c.sha256, blob.c.codec, blob.c.content).where(any_of(blob.c.sha256))


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

    def put_file(self, file: Readable) -> str:
        """Store what may be large, in pieces that are blobs themselves; the SHA-256 of the whole."""
        whole, size, pieces = hashlib.sha256(), 0, []
        while piece := _next_piece(file):
            whole.update(piece)
            size += len(piece)
            pieces.append(self.put(piece))
        if len(pieces) < 2:
            return pieces[0] if pieces else self.put(b"")
        row = {
            "sha256": whole.hexdigest(),
            "codec": _PIECES,
            "key_id": "plain",
            "size": size,
            "content": zlib.compress("\n".join(pieces).encode(), 1),
        }
        insert_missing(self._connection, blob, [row])
        return whole.hexdigest()

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises NotFound."""
        return self.get_all([sha256])[sha256]

    def get_all(self, sha256s: Iterable[str]) -> dict[str, bytes]:
        """Several, by hash. Raises NotFound."""
        wanted = dict.fromkeys(sha256s)
        found = {row.sha256: self._whole(row) for row in rows_of(self._connection, _STORED, wanted)}
        if len(found) < len(wanted):
            raise NotFound("there are no stored bytes of that hash")
        return found

    def _whole(self, row: Row[Any]) -> bytes:
        content = zlib.decompress(row.content)
        return b"".join(map(self.get, content.decode().split("\n"))) if row.codec == _PIECES else content


def _next_piece(file: Readable) -> bytes:
    """As many bytes as a stored piece has, fewer at the end: where pieces end depends on the bytes alone."""
    found = bytearray()
    while len(found) < _PIECE_BYTES and (read := file.read(_PIECE_BYTES - len(found))):
        found += read
    return bytes(found)
