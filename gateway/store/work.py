"""What is still to be done. On PostgreSQL workers skip each other's rows; on SQLite there is one writer at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, func, select

from gateway.ports.work import WorkKind
from gateway.store.schema import sweep, work
from gateway.store.sql import insert_or_replace, insert_or_touch, slices


class WorkRows:
    """Implements gateway.ports.work.Work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, kind: WorkKind, keys: Iterable[str]) -> None:
        """Ask for the keys to be worked on.

        A key that waits already is held until this transaction commits: a worker that took it now would not see what
        this transaction wrote, and the wish would be lost with the row.
        """
        for some in slices(sorted(set(keys))):
            insert_or_touch(self._connection, work, [{"kind": kind, "key": key} for key in some])

    def take(self, kind: WorkKind, limit: int) -> list[str]:
        """Take up to ``limit`` keys out; they come back if this transaction does not commit."""
        wanted = select(work.c.id, work.c.key).where(work.c.kind == kind).order_by(work.c.id).limit(limit)
        rows = self._connection.execute(wanted.with_for_update(skip_locked=True)).all()
        if rows:
            self._connection.execute(delete(work).where(work.c.id.in_([row.id for row in rows])))
        return [row.key for row in rows]

    def waiting(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that wait for anything."""
        found: set[str] = set()
        for some in slices(list(keys)):
            found.update(self._connection.scalars(select(work.c.key).where(work.c.key.in_(some))))
        return found

    def count(self) -> Mapping[str, int]:
        """How many keys wait, by kind."""
        counted = self._connection.execute(select(work.c.kind, func.count()).group_by(work.c.kind))
        return dict(counted.all())

    def last_sweep(self, name: str) -> str:
        """What the last sweep of that name was for; empty before the first."""
        return self._connection.scalar(select(sweep.c.value).where(sweep.c.name == name)) or ""

    def record_sweep(self, name: str, value: str) -> None:
        """Remember what a sweep was for."""
        insert_or_replace(self._connection, sweep, [{"name": name, "value": value}])
