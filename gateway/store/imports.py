"""Bulk imports: parts of lines as they came, and what became of each line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from gateway.ports.imports import ImportPart, ImportStatus, LineOutcome
from gateway.store.blobs import BlobRows
from gateway.store.coding import decode, encode
from gateway.store.schema import import_job, import_part

_COUNTED = ("stored", "duplicate", "refused")


class ImportRows:
    """Implements gateway.ports.imports.Imports."""

    def __init__(self, connection: Connection, blobs: BlobRows) -> None:
        self._connection = connection
        self._blobs = blobs

    def add(self, import_id: str, source: str, asked_at: datetime) -> None:
        """A new import, open."""
        row = {"id": import_id, "source": source, "asked_at": asked_at, "sealed": False}
        self._connection.execute(insert(import_job), row)

    def add_part(self, import_id: str, number: int, lines: Sequence[tuple[int, bytes]]) -> None:
        """Some of its lines."""
        content = msgspec.msgpack.encode(lines)
        row = {"import_id": import_id, "number": number, "lines": len(lines), "sha256": self._blobs.put(content)}
        self._connection.execute(insert(import_part), row)

    def seal(self, import_id: str) -> None:
        """Close it."""
        self._connection.execute(update(import_job).where(import_job.c.id == import_id).values(sealed=True))

    def next_part(self, after: str) -> ImportPart | None:
        """The oldest part that is not done, of the source whose turn follows that of ``after``; of sealed imports."""
        columns, job = import_part.c, import_job.c
        number = select(func.min(columns.number)).where(columns.import_id == job.id, columns.outcomes_sha256.is_(None))
        number_waiting = number.correlate(import_job).scalar_subquery()
        waiting = (
            select(job.id, job.source, number_waiting.label("number"))
            .where(job.sealed, number_waiting.is_not(None))
            .order_by(job.source <= after, job.source, job.id)
            .limit(1)
        )
        found = self._connection.execute(waiting).first()
        if found is None:
            return None
        content = select(columns.sha256).where(columns.import_id == found.id, columns.number == found.number)
        lines = msgspec.msgpack.decode(
            self._blobs.get(self._connection.scalars(content).one()), type=tuple[tuple[int, bytes], ...]
        )
        return ImportPart(import_id=found.id, number=found.number, source=found.source, lines=lines)

    def finish_part(self, part: ImportPart, outcomes: Sequence[LineOutcome]) -> None:
        """Note what became of its lines."""
        columns = import_part.c
        counts = {name: sum(each.outcome == name for each in outcomes) for name in _COUNTED}
        self._connection.execute(
            update(import_part)
            .where(
                columns.import_id == part.import_id, columns.number == part.number, columns.outcomes_sha256.is_(None)
            )
            .values(outcomes_sha256=self._blobs.put(encode(tuple(outcomes))), **counts)
        )

    def status(self, source: str, import_id: str) -> ImportStatus | None:
        """How far a sealed import is."""
        columns = import_part.c
        job = select(import_job).where(import_job.c.id == import_id, import_job.c.source == source, import_job.c.sealed)
        found = self._connection.execute(job).first()
        if found is None:
            return None
        sums = [func.coalesce(func.sum(columns[name]), 0).label(name) for name in ("lines", *_COUNTED)]
        row = self._connection.execute(select(*sums).where(columns.import_id == import_id)).one()
        counts = {name: int(getattr(row, name)) for name in ("lines", *_COUNTED)}
        done = sum(counts[name] for name in _COUNTED)
        return ImportStatus(asked_at=found.asked_at, done=done, **counts)

    def parts_done(self, source: str, import_id: str) -> Iterable[int]:
        """Numbers of the parts that are done, in order."""
        columns = import_part.c
        done = (
            select(columns.number)
            .join(import_job, import_job.c.id == columns.import_id)
            .where(columns.import_id == import_id, import_job.c.source == source, columns.outcomes_sha256.is_not(None))
        )
        return self._connection.scalars(done.order_by(columns.number)).all()

    def outcomes(self, import_id: str, number: int) -> tuple[LineOutcome, ...]:
        """What became of the lines of one part."""
        columns = import_part.c
        name = select(columns.outcomes_sha256).where(columns.import_id == import_id, columns.number == number)
        return decode(self._blobs.get(self._connection.scalar(name) or ""), tuple[LineOutcome, ...])
