"""Imported code lists: the file as published, the table made of it, and the days of service it holds for."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from gateway.ports.code_lists import CodeReleaseRow
from gateway.store.blobs import BlobRows
from gateway.store.schema import code_release

_SHOWN = ("id", "kind", "file_name", "file_sha256", "table_sha256", "start_on", "end_on", "row_count")
_BY_WHOM = ("imported_at", "actor", "role")


class CodeListRows:
    """Implements gateway.ports.code_lists.CodeLists."""

    def __init__(self, connection: Connection, blobs: BlobRows) -> None:
        self._connection = connection
        self._blobs = blobs

    def add(self, release: CodeReleaseRow, file: bytes, table: bytes) -> bool:
        """Store a release; False when this file is there already for this kind and first day."""
        same = select(code_release.c.id).where(
            code_release.c.kind == release.kind,
            code_release.c.start_on == release.start_on,
            code_release.c.file_sha256 == release.file_sha256,
        )
        if self._connection.scalar(same) is not None:
            return False
        self._blobs.put_all([file, table])
        values = {name: getattr(release, name) for name in (*_SHOWN[1:], *_BY_WHOM)}
        self._connection.execute(insert(code_release).values(**values))
        return True

    def releases(self) -> list[CodeReleaseRow]:
        """Every release, oldest import first."""
        columns = [code_release.c[name] for name in (*_SHOWN, *_BY_WHOM)]
        rows = self._connection.execute(select(*columns).order_by(code_release.c.id))
        return [CodeReleaseRow(**row._mapping) for row in rows]

    def table(self, sha256: str) -> bytes:
        """The table of a release. Raises NotFound."""
        return self._blobs.get(sha256)
