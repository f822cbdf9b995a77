"""Facts about connections; never changed, never deleted."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select, text

from gateway.ports.connections import ConnectionFact, ConnectionFactKind
from gateway.store.schema import connection_fact
from gateway.store.schema_exchange import numbers_vouched_for
from gateway.store.sql import insert_or_replace

_PLACE = text(
    "SELECT extract(epoch FROM pg_postmaster_start_time()) || ' ' || oid FROM pg_database"
    " WHERE datname = current_database()"
)
"""A server that was started again may be of an older copy of its disk; another database, a copy of this one."""
_TRANSACTION = text("SELECT CAST(pg_current_xact_id() AS text)")
_VOUCHED_FOR = text(
    "SELECT place, xmin = CAST(CAST(written_by AS xid8) AS xid) AS is_original FROM numbers_vouched_for"
    " WHERE connection_id = :connection"
)
"""A row that was written by another transaction than it says came out of a dump."""


class ConnectionRows:
    """Implements gateway.ports.connections.Connections."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_fact(self, fact: ConnectionFact) -> None:
        """Append one."""
        self._connection.execute(
            insert(connection_fact).values(
                connection_id=fact.connection,
                kind=fact.kind,
                at=fact.at,
                actor=fact.actor,
                role=fact.role,
                reason=fact.reason,
                detail=fact.detail,
            )
        )

    def facts(self, connection: str) -> Iterable[ConnectionFact]:
        """A connection's facts, oldest first."""
        columns = connection_fact.c
        statement = select(connection_fact).where(columns.connection_id == connection).order_by(columns.sequence)
        return [
            ConnectionFact(
                connection=row.connection_id,
                kind=ConnectionFactKind(row.kind),
                at=row.at,
                actor=row.actor,
                role=row.role,
                reason=row.reason,
                detail=row.detail,
            )
            for row in self._connection.execute(statement)
        ]

    def vouch(self, connection: str) -> None:
        """Note that this database knows every number the machine does; nothing to note on SQLite."""
        if self._connection.dialect.name != "postgresql":
            return
        place, transaction = self._connection.scalar(_PLACE), self._connection.scalar(_TRANSACTION)
        note = {"connection_id": connection, "place": place, "written_by": transaction}
        insert_or_replace(self._connection, numbers_vouched_for, [note])

    def is_vouched_for(self, connection: str) -> bool:
        """Whether the server ran on since, and the note is the one that was written here."""
        if self._connection.dialect.name != "postgresql":
            return False
        note = self._connection.execute(_VOUCHED_FOR, {"connection": connection}).first()
        return note is not None and bool(note.is_original) and note.place == self._connection.scalar(_PLACE)
