"""A site's memory of the control numbers it has come to: one small file a connection, beside the database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import ConfigurationError

SENT_NUMBERS = "run/sent-numbers"


class NumbersBeside:
    """Implements gateway.ports.connections.SentNumbers in a folder that several processes may share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def highest(self, connection: str) -> int | None:
        """The number, or None when nothing was ever remembered here. Raises ConfigurationError for a broken file."""
        path = self._folder / connection
        try:
            text = path.read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError([f"{path}: cannot be read ({error.strerror})"]) from error
        if not text.isascii() or not text.isdigit():
            raise ConfigurationError(
                [f"{path}: holds no number; remove it, then run 'cleanclaim exchange guard {connection}'"]
            )
        return int(text)

    def remember(self, connection: str, number: int) -> None:
        """Keep the number, durably, unless a higher one is kept. Raises ConfigurationError where it cannot be."""
        try:
            with self._held(connection):
                known = self.highest(connection)
                if known is None or number > known:
                    self._write(connection, number)
        except OSError as error:
            raise ConfigurationError([f"{self._folder}: cannot be written ({error.strerror})"]) from error

    @contextmanager
    def _held(self, connection: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f".{connection}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, connection: str, number: int) -> None:
        beside = self._folder / f".{connection}.new"
        with beside.open("w") as file:
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / connection)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the new name survives a power loss only once its folder is on disk
        finally:
            os.close(folder)
