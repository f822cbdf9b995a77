"""Facts about connections; never changed, never deleted."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from gateway.ports.connections import ConnectionFact, ConnectionFactKind
from gateway.store.schema import connection_fact


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
