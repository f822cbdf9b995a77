"""Attended sessions of all patients, by who led them: what one patient's claim has to know of the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, select, tuple_

from gateway.ports.watch import SessionRow
from gateway.store.schema import attended_session
from gateway.store.sql import insert_or_replace, slices


class SessionRows:
    """Implements gateway.ports.watch.Sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, patient_ids: Sequence[str], rows: Sequence[SessionRow]) -> None:
        """Replace what was derived of the patients' sessions."""
        for some in slices(list(patient_ids)):
            self._connection.execute(delete(attended_session).where(attended_session.c.patient_id.in_(some)))
        values = [
            {
                "encounter_id": each.encounter_id,
                "organization_id": each.organization,
                "patient_id": each.patient_id,
                "facility": each.facility,
                "session": each.session,
                "clinician": each.clinician,
                "on": each.on,
                "start_at": each.start_at,
                "end_at": each.end_at,
            }
            for each in rows
        ]
        insert_or_replace(self._connection, attended_session, values)

    def of_patients(self, patient_ids: Sequence[str]) -> list[SessionRow]:
        """The patients' sessions as they were last derived."""
        found: list[SessionRow] = []
        for some in slices(list(patient_ids)):
            rows = self._connection.execute(select(attended_session).where(attended_session.c.patient_id.in_(some)))
            found += [_session(row) for row in rows]
        return found

    def beside(self, clinicians: Mapping[str, Collection[date]], organization: str) -> list[SessionRow]:
        """Every session that one of these clinicians led on one of their dates, whoever attended."""
        columns = attended_session.c
        pairs = sorted((clinician, on) for clinician, days in clinicians.items() for on in days)
        found: list[SessionRow] = []
        for some in slices(pairs):
            wanted = select(attended_session).where(
                columns.organization_id == organization, tuple_(columns.clinician, columns.on).in_(some)
            )
            found += [_session(row) for row in self._connection.execute(wanted)]
        return found


def _session(row: Row[Any]) -> SessionRow:
    return SessionRow(
        encounter_id=row.encounter_id,
        patient_id=row.patient_id,
        organization=row.organization_id,
        facility=row.facility,
        session=row.session,
        clinician=row.clinician,
        on=row.on,
        start_at=row.start_at,
        end_at=row.end_at,
    )
