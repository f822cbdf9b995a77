"""A site's memory of how far it has come with each partner: one small file a connection, beside the database."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import ConfigurationError
from gateway.ports.connections import Reached

SENT_NUMBERS = "run/sent-numbers"
_HELD = re.compile(r"(\d{1,18})(?: (\d{1,18}))?", re.ASCII)
"""The last control number and the sends begun; files of before 29 November 2026 hold the number alone."""


class NumbersBeside:
    """Implements gateway.ports.connections.SentNumbers in a folder that several processes may share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reached(self, connection: str) -> Reached | None:
        """None when nothing was ever remembered here. Raises ConfigurationError for a broken file."""
        path = self._folder / connection
        try:
            text = path.read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError([f"{path}: cannot be read ({error.strerror})"]) from error
        held = _HELD.fullmatch(text)
        if held is None:
            raise ConfigurationError(
                [f"{path}: holds no number; remove it, then run 'cleanclaim exchange guard {connection}'"]
            )
        return Reached(int(held[1]), int(held[2] or 0))

    def remember(self, connection: str, reached: Reached) -> None:
        """Keep the higher of each, durably. Raises ConfigurationError where it cannot be."""
        try:
            with self._held(connection):
                known = self.reached(connection)
                if known is None:
                    self._write(connection, reached)
                elif not reached.is_within(known):
                    further = Reached(max(known.number, reached.number), max(known.sends, reached.sends))
                    self._write(connection, further)
        except OSError as error:
            raise ConfigurationError([f"{self._folder}: cannot be written ({error.strerror})"]) from error

    @contextmanager
    def _held(self, connection: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f".{connection}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, connection: str, reached: Reached) -> None:
        beside = self._folder / f".{connection}.new"
        with beside.open("w") as file:
            file.write(f"{reached.number} {reached.sends}\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / connection)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the new name survives a power loss only once its folder is on disk
        finally:
            os.close(folder)
