"""The clocks: the present, and a pretended present for rehearsals on dated data."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.config import Rehearsal


class SystemClock:
    """The present."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)


class RehearsalClock:
    """Shows the rehearsal's ``now`` at its ``since`` and runs on from there, over restarts too."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._behind = rehearsal.since - rehearsal.now

    def now(self) -> datetime:
        """The pretended present, aware, in UTC."""
        return (datetime.now(UTC) - self._behind).astimezone(UTC)
