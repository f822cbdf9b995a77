"""A database in which everything happens within one transaction that is taken back: what would be, and nothing kept."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from gateway.ports.storage import Transaction
from gateway.ports.work import WorkKind
from gateway.store.database import Database
from gateway.store.work import patients_answered, patients_of_a_new_day


@contextmanager
def rehearsed(database: Database) -> Iterator[Database]:
    """The database as it is, for as long as the block runs; whatever the block writes is gone afterwards.

    Work that waits in the database is left to those who do it: the block sees only what it asks for itself.
    """
    with _taken_back(database, writing=True) as rehearsal:
        yield rehearsal


@contextmanager
def rehearsed_beside(database: Database) -> Iterator[Database]:
    """As ``rehearsed``, for work that takes long: whoever writes to the database meanwhile does not wait for it.

    An SQLite database is copied (into a folder beside it, which is removed afterwards); PostgreSQL shows one picture.
    """
    with ExitStack() as stack:
        if database.url.startswith("sqlite"):
            database = stack.enter_context(_copy_of(database))
        yield stack.enter_context(_taken_back(database, writing=False))


@contextmanager
def _taken_back(database: Database, *, writing: bool) -> Iterator[Database]:
    try:
        with database._opened(writing=writing) as (connection, tx):
            yield _Rehearsal(database.url, connection, replace(tx, work=_WorkAtHand(connection)))
            raise _TakenBack
    except _TakenBack:
        pass


@contextmanager
def _copy_of(database: Database) -> Iterator[Database]:
    path = Path(str(make_url(database.url).database))
    with TemporaryDirectory(prefix=".rehearsal-", dir=path.parent) as folder:
        copied = Path(folder) / "copy.sqlite"
        with closing(sqlite3.connect(path)) as original, closing(sqlite3.connect(copied)) as copy:
            original.backup(copy)
        beside = database.at(f"sqlite:///{copied}")
        try:
            yield beside
        finally:
            beside.close()


class _TakenBack(Exception):
    """Rolls the transaction back."""


class _Rehearsal(Database):
    """Hands out the one transaction, whoever asks."""

    def __init__(self, url: str, connection: Connection, tx: Transaction) -> None:
        self.url = url
        self._open = connection, tx

    @contextmanager
    def _opened(self, *, writing: bool) -> Iterator[tuple[Connection, Transaction]]:  # noqa: ARG002 - one does both
        yield self._open


class _WorkAtHand:
    """Implements gateway.ports.work.Work in memory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[str, dict[str, None]] = defaultdict(dict)
        self._sweeps: dict[str, str] = {}

    def add(self, kind: str, keys: Iterable[str]) -> None:
        """Ask for the keys to be worked on; asking twice is asking once."""
        self._waiting[kind].update(dict.fromkeys(keys))

    def add_patients_answered(self, answer_id: str) -> None:
        """Ask for the patients of the claims that an answer's facts speak of to be derived."""
        self.add(WorkKind.DERIVE, self._connection.scalars(patients_answered(answer_id)))

    def add_patients_of_a_new_day(self, *, or_visits_not_billed: bool = False) -> int:
        """Ask for the patients of whom a new day may say something else to be derived; how many."""
        wanted = patients_of_a_new_day(or_visits_not_billed=or_visits_not_billed)
        patients = self._connection.scalars(wanted).all()
        self.add(WorkKind.DERIVE, sorted(patients))
        return len(patients)

    def more_than(self, number: int, kind: str) -> bool:
        """True when more keys than that wait for this."""
        return len(self._waiting[kind]) > number

    def waiting(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that wait for anything."""
        return {*keys} & {key for waiting in self._waiting.values() for key in waiting}

    def take(self, kind: str, limit: int) -> list[str]:
        """Up to ``limit`` keys, oldest first."""
        waiting = self._waiting[kind]
        taken = list(waiting)[:limit]
        for key in taken:
            del waiting[key]
        return taken

    def count(self) -> Mapping[str, int]:
        """How many keys wait, by kind."""
        return {kind: len(keys) for kind, keys in self._waiting.items() if keys}

    def last_sweep(self, name: str) -> str:
        """What the last sweep of that name was for; empty before the first."""
        return self._sweeps.get(name, "")

    def record_sweep(self, name: str, value: str) -> None:
        """Remember what a sweep was for."""
        self._sweeps[name] = value
