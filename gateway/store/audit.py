"""Who did what, in order; never changed, never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from gateway.store.schema import audit_event


class AuditRows:
    """Implements gateway.ports.storage.Audit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(
        self, at: datetime, actor: str, role: str, action: str, subject: str, reason: str = "", detail: str = ""
    ) -> None:
        """Append one act."""
        self._connection.execute(
            insert(audit_event).values(
                at=at, actor=actor, role=role, action=action, subject=subject, reason=reason, detail=detail
            )
        )

    def acts(self, subject: str = "") -> Iterable[Mapping[str, Any]]:
        """Acts in order, of one subject or of all."""
        statement = select(audit_event).order_by(audit_event.c.id)
        if subject:
            statement = statement.where(audit_event.c.subject == subject)
        return [dict(row) for row in self._connection.execute(statement).mappings()]
