"""Who did what, in order; sealed at the end of each transaction, never changed, never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from gateway.claim.actor import Actor
from gateway.ports.oversight import AuditVerdict
from gateway.store.audit_chain import BEFORE_THE_FIRST, AuditChain
from gateway.store.schema import audit_event
from gateway.store.sql import hold_names, insert_all


class AuditRows:
    """Implements gateway.ports.oversight.Audit.

    Acts are written last of all, by ``seal``: the trail has one end, and whoever adds to it makes the others wait.
    """

    def __init__(self, connection: Connection, chain: AuditChain) -> None:
        self._connection = connection
        self._chain = chain
        self._acts: list[dict[str, Any]] = []

    def record(self, at: datetime, actor: Actor, action: str, subject: str, reason: str = "", detail: str = "") -> None:
        """Append one act when this transaction commits."""
        said = {"actor": actor.name, "role": actor.role, "action": action, "subject": subject}
        said |= {"reason": reason, "detail": detail}
        storable = {name: text.replace("\x00", "\ufffd") for name, text in said.items()}  # PostgreSQL keeps no NUL
        self._acts.append({"at": at, **storable})

    def acts(self, subject: str = "") -> Iterable[Mapping[str, Any]]:
        """Committed acts in order, of one subject or of all."""
        statement = select(audit_event).order_by(audit_event.c.id)
        if subject:
            statement = statement.where(audit_event.c.subject == subject)
        return [dict(row) for row in self._connection.execute(statement).mappings()]

    def verify(self) -> AuditVerdict:
        """Check the whole trail against its seals and the anchors outside the database; memory stays flat."""
        statement = select(audit_event).order_by(audit_event.c.id).execution_options(yield_per=1000)
        return self._chain.verify(dict(row._mapping) for row in self._connection.execute(statement))

    # --- for the transaction that these acts belong to ---------------------------------------------------------------

    def seal(self) -> None:
        """Write the acts of this transaction onto the end of the trail: the last thing before it commits."""
        if not self._acts:
            return
        hold_names(self._connection, ["audit"])
        last = select(audit_event.c.id, audit_event.c.seal).order_by(audit_event.c.id.desc()).limit(1)
        number, seal = self._connection.execute(last).one_or_none() or (0, "")
        seal = seal or BEFORE_THE_FIRST
        for act in self._acts:
            number += 1
            act["id"] = number
            act["seal"] = seal = self._chain.seal(seal, act)
        insert_all(self._connection, audit_event, self._acts)

    def anchor(self) -> None:
        """Once the transaction is committed: note outside the database how far the trail reaches."""
        if self._acts:
            self._chain.anchor(self._acts[-1])

    def mark(self) -> int:
        """How many acts were recorded so far."""
        return len(self._acts)

    def take_back(self, mark: int) -> None:
        """Forget the acts recorded since the mark: what they tell of was undone."""
        del self._acts[mark:]
