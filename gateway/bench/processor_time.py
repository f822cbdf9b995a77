"""Processor time of other processes on this machine, as the kernel counts it: workers, and a PostgreSQL server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_OWN, _WITH_THOSE_ENDED = slice(11, 13), slice(11, 15)
"""utime and stime, then the same of the children that ended: proc(5), counted from the field after the name."""
_PARENT = 1


def processor_s(pid: int) -> float:
    """Seconds of one process, all of its threads. Raises OSError where there is none, or no /proc."""
    return _seconds(_fields(pid)[_OWN])


class Watched:
    """A PostgreSQL server on this machine: its processes are the children of one, whoever they work for."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        own = connection.info.backend_pid
        if not Path(f"/proc/{own}/stat").exists() or "postgres" not in Path(f"/proc/{own}/stat").read_text():
            raise OSError("the database does not run on this machine: what it costs cannot be told")
        self._server = int(_fields(own)[_PARENT])

    def analyze(self) -> None:
        """Have the server look at its tables and tidy them up, as it does by itself within minutes."""
        self._connection.execute("VACUUM (ANALYZE)")

    def processor_s(self) -> float:
        """Seconds of the whole server since it was started."""
        return _seconds(_fields(self._server)[_WITH_THOSE_ENDED]) + sum(
            _seconds(each[_OWN]) for each in self._children()
        )

    def _children(self) -> Iterator[list[str]]:
        for each in Path("/proc").iterdir():
            if each.name.isdigit():
                try:
                    fields = _fields(int(each.name))
                except OSError:
                    continue  # it ended while we looked
                if int(fields[_PARENT]) == self._server:
                    yield fields


@contextmanager
def watched(url: str) -> Iterator[Watched]:
    """The server of a database, for as long as it is looked at. Raises OSError for one on another machine."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield Watched(connection)


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _seconds(ticks: list[str]) -> float:
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
