"""The clocks: the present, a time that stands, and a pretended present for rehearsals on dated data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.config import Settings
from gateway.errors import ConfigurationError
from gateway.ports import Clock


class SystemClock:
    """The present."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class StandingClock:
    """Implements gateway.ports.Clock: always the same time."""

    at: datetime

    def now(self) -> datetime:
        """That time."""
        return self.at


class RehearsalClock:
    """A pretended present that runs on from where its file last set it, for every process of the site alike."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written_ns = -1
        self._behind = timedelta(0)

    def now(self) -> datetime:
        """The pretended present, aware, in UTC. Raises ConfigurationError when the file does not say."""
        try:
            written_ns = self._path.stat().st_mtime_ns
            if written_ns != self._written_ns:
                pretended, since = map(datetime.fromisoformat, self._path.read_text().split())
                self._behind = since - pretended
                self._written_ns = written_ns
        except (OSError, ValueError, TypeError) as error:
            wanted = "two times with offsets, the pretended present and when it was set"
            raise ConfigurationError([f"{self._path}: does not hold a rehearsal's clock; expected {wanted}"]) from error
        return (datetime.now(UTC) - self._behind).astimezone(UTC)

    def turn(self, now: datetime) -> None:
        """Set the pretended present; every process of the site sees it at its next look."""
        beside = self._path.with_suffix(".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(f"{now.isoformat()} {datetime.now(UTC).isoformat()}\n")
        beside.replace(self._path)


def clock_of(settings: Settings) -> Clock:
    """The present, or the rehearsal's where the settings name its file."""
    return RehearsalClock(settings.folder / settings.rehearsal_clock) if settings.rehearsal_clock else SystemClock()
