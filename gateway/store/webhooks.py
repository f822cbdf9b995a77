"""Notices to EHRs: which state of each claim was looked at, and notices without gaps until they are delivered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update

from gateway.ports.webhooks import Notice
from gateway.store.schema import claim, webhook_notice, webhook_state
from gateway.store.sql import hold_names, insert_all, insert_or_replace


class WebhookRows:
    """Implements gateway.ports.webhooks.Webhooks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def changed(self, source: str, organization: str, limit: int) -> list[tuple[str, str]]:
        """(claim id, state) of claims whose state was not looked at yet."""
        hold_names(self._connection, [f"webhook|{source}"])
        known = and_(webhook_state.c.claim_id == claim.c.id, webhook_state.c.source == source)
        news = (
            select(claim.c.id, claim.c.state)
            .outerjoin(webhook_state, known)
            .where(
                claim.c.organization_id == organization,
                or_(webhook_state.c.state.is_(None), webhook_state.c.state != claim.c.state),
            )
        )
        return [(row.id, row.state) for row in self._connection.execute(news.order_by(claim.c.id).limit(limit))]

    def note(self, source: str, states: Sequence[tuple[str, str]], tell: Sequence[str], at: datetime) -> None:
        """Remember states as looked at; make notices of the claims to tell of."""
        rows = [{"source": source, "claim_id": id, "state": state} for id, state in states]
        insert_or_replace(self._connection, webhook_state, rows)
        columns = webhook_notice.c
        last = self._connection.scalar(select(func.max(columns.number)).where(columns.source == source)) or 0
        notices = [
            {"source": source, "number": number, "claim_id": id, "at": at, "delivered_at": None}
            for number, id in enumerate(tell, last + 1)
        ]
        insert_all(self._connection, webhook_notice, notices)

    def next_notice(self, source: str) -> Notice | None:
        """The first that was not delivered."""
        columns = webhook_notice.c
        waiting = select(webhook_notice).where(columns.source == source, columns.delivered_at.is_(None))
        row = self._connection.execute(waiting.order_by(columns.number).limit(1)).first()
        return Notice(number=row.number, claim_id=row.claim_id, at=row.at) if row is not None else None

    def delivered(self, source: str, number: int, at: datetime) -> None:
        """The source has it."""
        columns = webhook_notice.c
        told = update(webhook_notice).where(columns.source == source, columns.number == number)
        self._connection.execute(told.values(delivered_at=at))
