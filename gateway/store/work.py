"""What is still to be done. On PostgreSQL workers skip each other's rows; on SQLite there is one writer at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, func, literal, select, union

from gateway.ports.work import WorkKind
from gateway.store.schema import (
    authorization_on_file,
    claim,
    claim_draft,
    claim_fact,
    placement,
    sweep,
    work,
    work_item,
)
from gateway.store.sql import insert_or_replace, insert_or_touch, insert_or_touch_found, slices


def patients_answered(answer_id: str) -> Select[Any]:
    """The patients of the claims that an answer's facts speak of."""
    spoken_of = select(claim.c.patient_id).join(claim_fact, claim_fact.c.claim_id == claim.c.id)
    return spoken_of.where(claim_fact.c.answer_id == answer_id).distinct()


def patients_of_a_new_day(*, or_visits_not_billed: bool) -> Select[Any]:
    """Patients with a claim that is not frozen as it stands, an item of work or an authorization."""
    sources = [
        select(claim.c.patient_id).join(claim_draft, claim_draft.c.claim_id == claim.c.id),
        *(select(each.c.patient_id) for each in (work_item, authorization_on_file)),
    ]
    if or_visits_not_billed:
        sources.append(select(placement.c.patient_id).where(placement.c.claim_key == ""))
    return select(union(*sources).subquery().c.patient_id)


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

    def add_patients_answered(self, answer_id: str) -> None:
        """Ask for the patients of the claims that an answer's facts speak of to be derived."""
        self._add_patients(patients_answered(answer_id))

    def add_patients_of_a_new_day(self, *, or_visits_not_billed: bool = False) -> int:
        """Ask for the patients of whom a new day may say something else to be derived; how many."""
        return self._add_patients(patients_of_a_new_day(or_visits_not_billed=or_visits_not_billed))

    def _add_patients(self, patients: Select[Any]) -> int:
        """In the order of their ids, as ``add`` does, and without holding them: there may be a million."""
        (patient_id,) = patients.selected_columns
        found = patients.add_columns(literal(WorkKind.DERIVE, work.c.kind.type)).order_by(patient_id)
        return insert_or_touch_found(self._connection, work, ("key", "kind"), found)

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

    def more_than(self, number: int, kind: WorkKind) -> bool:
        """True when more keys than that wait for this, without counting them all."""
        one_more = select(work.c.key).where(work.c.kind == kind).offset(number).limit(1)
        return self._connection.scalar(select(one_more.exists())) or False

    def last_sweep(self, name: str) -> str:
        """What the last sweep of that name was for; empty before the first."""
        return self._connection.scalar(select(sweep.c.value).where(sweep.c.name == name)) or ""

    def record_sweep(self, name: str, value: str) -> None:
        """Remember what a sweep was for."""
        insert_or_replace(self._connection, sweep, [{"name": name, "value": value}])
