"""Attended sessions of all patients, by who led them: what one patient's claim has to know of the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, delete, select, tuple_

from gateway.ports.watch import SessionRow
from gateway.store.schema import attended_session
from gateway.store.sql import insert_or_replace, slices

_COLUMNS = (
    attended_session.c.encounter_id,
    attended_session.c.patient_id,
    attended_session.c.organization_id,
    attended_session.c.facility,
    attended_session.c.session,
    attended_session.c.clinician,
    attended_session.c.on,
    attended_session.c.start_at,
    attended_session.c.end_at,
)
"""In the order of SessionRow's fields."""
_SESSIONS = select(*_COLUMNS)


class SessionRows:
    """Implements gateway.ports.watch.Sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, patient_ids: Sequence[str], rows: Sequence[SessionRow]) -> None:
        """Replace what was derived of the patients' sessions."""
        for some in slices(list(patient_ids)):
            self._connection.execute(delete(attended_session).where(attended_session.c.patient_id.in_(some)))
        names = [column.name for column in _COLUMNS]
        insert_or_replace(self._connection, attended_session, [dict(zip(names, each, strict=True)) for each in rows])

    def of_patients(self, patient_ids: Sequence[str]) -> list[SessionRow]:
        """The patients' sessions as they were last derived."""
        found: list[SessionRow] = []
        for some in slices(list(patient_ids)):
            rows = self._connection.execute(_SESSIONS.where(attended_session.c.patient_id.in_(some))).all()
            found += map(SessionRow._make, rows)
        return found

    def beside(self, clinicians: Mapping[str, Collection[date]], organization: str) -> list[SessionRow]:
        """Every session that one of these clinicians led on one of their dates, whoever attended."""
        columns = attended_session.c
        pairs = sorted((clinician, on) for clinician, days in clinicians.items() for on in days)
        found: list[SessionRow] = []
        for some in slices(pairs):
            wanted = _SESSIONS.where(
                columns.organization_id == organization, tuple_(columns.clinician, columns.on).in_(some)
            )
            found += map(SessionRow._make, self._connection.execute(wanted).all())
        return found
