"""Attended sessions of all patients, by who led them: what one patient's claim has to know of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, bindparam, select

from gateway.ports.watch import SessionRow
from gateway.store.schema import attended_session
from gateway.store.sql import any_of, delete_of, insert_or_replace, rows_of, slices

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
_OF_PATIENTS = _SESSIONS.where(any_of(attended_session.c.patient_id))
# Built once. Clinicians and dates apart, because SQLite finds those by index and ``(clinician, on) IN (...)`` only by
# looking at every session there ever was: the few of one clinician on another's dates are passed over.
_BESIDE = _SESSIONS.where(
    attended_session.c.organization_id == bindparam("organization"),
    any_of(attended_session.c.clinician, "clinicians"),
    any_of(attended_session.c.on, "dates"),
).order_by(attended_session.c.clinician, attended_session.c.on)
_AT_ONCE = 500


class SessionRows:
    """Implements gateway.ports.watch.Sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, patient_ids: Sequence[str], rows: Sequence[SessionRow]) -> None:
        """Replace what was derived of the patients' sessions."""
        delete_of(self._connection, attended_session.c.patient_id, patient_ids)
        names = [column.name for column in _COLUMNS]
        insert_or_replace(self._connection, attended_session, [dict(zip(names, each, strict=True)) for each in rows])

    def of_patients(self, patient_ids: Sequence[str]) -> list[SessionRow]:
        """The patients' sessions as they were last derived."""
        return list(map(SessionRow._make, rows_of(self._connection, _OF_PATIENTS, patient_ids)))

    def beside(self, clinicians: Mapping[str, Collection[date]], organization: str) -> Iterator[SessionRow]:
        """Every session that one of these clinicians led on one of their dates, whoever attended: one clinician and
        date after the other, fetched as they are asked for."""
        dates = sorted({on for days in clinicians.values() for on in days})
        for some in slices(sorted(clinicians)):
            given = {"organization": organization, "clinicians": some, "dates": dates}
            for rows in self._connection.execute(_BESIDE, given).partitions(_AT_ONCE):
                found = map(SessionRow._make, rows)
                yield from (each for each in found if each.on in clinicians[each.clinician])
