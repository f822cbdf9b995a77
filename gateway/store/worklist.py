"""What needs somebody soon, patient by patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from gateway.claim.finding import Finding
from gateway.ports.watch import Closing, Outcome, WorkItem
from gateway.store.coding import decode, encode
from gateway.store.schema import work_item, work_item_closing
from gateway.store.sql import delete_of, hold_names, insert_all


class WorklistRows:
    """Implements gateway.ports.watch.Worklist."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, patient_ids: Sequence[str], items: Sequence[WorkItem]) -> None:
        """Replace what was found of the patients."""
        delete_of(self._connection, work_item.c.patient_id, patient_ids)
        rows = [
            {
                "organization_id": each.organization,
                "patient_id": each.patient_id,
                "item_id": each.id,
                "owner": each.finding.owner,
                "due_on": each.due_on,
                "about": each.about,
                "cause": each.cause,
                "content": encode(each.finding),
            }
            for each in items
        ]
        insert_all(self._connection, work_item, rows)

    def items(self, *, owner: str = "", patient_id: str = "", id: str = "") -> list[WorkItem]:
        """Items, closed ones too, the ones due first in front."""
        columns, closed = work_item.c, work_item_closing.c
        wanted = (
            select(work_item, *(each for each in closed if each.name != "item_id"))
            .outerjoin(work_item_closing, closed.item_id == columns.item_id)
            .order_by(columns.due_on.is_(None), columns.due_on, columns.id)
        )
        for column, value in ((columns.owner, owner), (columns.patient_id, patient_id), (columns.item_id, id)):
            if value:
                wanted = wanted.where(column == value)
        return [
            WorkItem(
                organization=row.organization_id,
                patient_id=row.patient_id,
                finding=decode(row.content, Finding),
                due_on=row.due_on,
                about=row.about,
                cause=row.cause,
                closing=_closing(row) if row.at else None,
            )
            for row in self._connection.execute(wanted)
        ]

    def close(self, item_id: str, closing: Closing) -> Closing | None:
        """Close an item that is open; of one that is closed already its closing, which stays."""
        hold_names(self._connection, [f"work-item:{item_id}"])
        wanted = select(work_item_closing).where(work_item_closing.c.item_id == item_id)
        row = self._connection.execute(wanted).one_or_none()
        if row is not None:
            return _closing(row)
        self._connection.execute(insert(work_item_closing).values(item_id=item_id, **asdict(closing)))
        return None

    def reopen(self, item_id: str) -> bool:
        """Take the closing back; False when there is none."""
        done = self._connection.execute(delete(work_item_closing).where(work_item_closing.c.item_id == item_id))
        return bool(done.rowcount)


def _closing(row: Row[Any]) -> Closing:
    return Closing(at=row.at, actor=row.actor, role=row.role, outcome=Outcome(row.outcome), reason=row.reason)
