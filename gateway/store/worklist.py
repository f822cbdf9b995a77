"""What needs somebody soon, patient by patient."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, union

from gateway.claim.finding import Finding
from gateway.ports.watch import WorkItem
from gateway.store.coding import decode, encode
from gateway.store.schema import authorization_on_file, work_item
from gateway.store.sql import slices


class WorklistRows:
    """Implements gateway.ports.watch.Worklist."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, patient_ids: Sequence[str], items: Sequence[WorkItem]) -> None:
        """Replace what was found of the patients."""
        for some in slices(list(patient_ids)):
            self._connection.execute(delete(work_item).where(work_item.c.patient_id.in_(some)))
        rows = [
            {
                "organization_id": each.organization,
                "patient_id": each.patient_id,
                "owner": each.finding.owner,
                "due_on": each.due_on,
                "about": each.about,
                "content": encode(each.finding),
            }
            for each in items
        ]
        if rows:
            self._connection.execute(insert(work_item), rows)

    def items(self, *, owner: str = "", organization: str = "") -> list[WorkItem]:
        """Items, the ones due first in front."""
        columns = work_item.c
        wanted = select(work_item).order_by(columns.due_on.is_(None), columns.due_on, columns.id)
        for column, value in ((columns.owner, owner), (columns.organization_id, organization)):
            if value:
                wanted = wanted.where(column == value)
        return [
            WorkItem(
                organization=row.organization_id,
                patient_id=row.patient_id,
                finding=decode(row.content, Finding),
                due_on=row.due_on,
                about=row.about,
            )
            for row in self._connection.execute(wanted)
        ]

    def patients(self) -> list[str]:
        """Patients who have an item, or an authorization."""
        tables = (work_item, authorization_on_file)
        return sorted(self._connection.scalars(union(*(select(each.c.patient_id) for each in tables))))
