"""How far each search of an EHR that only answers has come."""

from __future__ import annotations

from sqlalchemy import Connection, select

from gateway.ports.pulls import PullProgress
from gateway.store.schema import pull_progress
from gateway.store.sql import insert_or_replace


class PullRows:
    """Implements gateway.ports.pulls.Pulls."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def progress(self, source: str, type: str, patient: str) -> PullProgress:
        """Of a search that was never begun, nowhere."""
        columns = pull_progress.c
        search = select(pull_progress).where(columns.source == source, columns.type == type, columns.patient == patient)
        row = self._connection.execute(search).first()
        if row is None:
            return PullProgress()
        return PullProgress(whole_until=row.whole_until, began_at=row.began_at, next_url=row.next_url)

    def record(self, source: str, type: str, patient: str, progress: PullProgress) -> None:
        """Remember how far the search has come."""
        row = {
            "source": source,
            "type": type,
            "patient": patient,
            "whole_until": progress.whole_until,
            "began_at": progress.began_at,
            "next_url": progress.next_url,
        }
        insert_or_replace(self._connection, pull_progress, [row])
