"""The few statements that the two databases spell differently, in the one place that knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
_MOST_PARAMETERS = 500


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose keys are not there yet; leave the others as they are."""
    if rows:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(table).on_conflict_do_nothing(), list(rows))


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, taking the place of rows with the same primary key."""
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def insert_or_touch(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], unique: Sequence[str]
) -> None:
    """Insert the rows; one that is there already stays as it is but is locked until this transaction ends."""
    if rows:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert(table)
        touched = {unique[-1]: statement.excluded[unique[-1]]}
        connection.execute(statement.on_conflict_do_update(index_elements=list(unique), set_=touched), list(rows))


def next_value(connection: Connection, table: Table, key: Mapping[str, Any], count: int = 1) -> int:
    """Count a row's ``last`` up in this transaction, from nothing; the new value."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(table)
        .values(**key, last=count)
        .on_conflict_do_update(index_elements=list(key), set_={"last": table.c.last + count})
        .returning(table.c.last)
    )
    value: int = connection.execute(statement).scalar_one()
    return value


def hold_names(connection: Connection, names: Iterable[str]) -> None:
    """Make every other transaction that holds one of these names wait until this one ends.

    For things that have no row to lock yet. In sorted order, so that two holders of the same names never wait in a
    circle. SQLite has one writer at a time and needs none of it, and who only reads holds nobody up.
    """
    wanted = sorted(set(names)) if connection.get_execution_options().get("cleanclaim_writing", True) else []
    if wanted and connection.dialect.name == "postgresql":
        statement = (
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(CAST(:names AS text[])) AS name"
        )
        connection.execute(text(statement), {"names": wanted})


def hold_if_free(connection: Connection, name: str) -> bool:
    """Hold a name for as long as this connection lives, or until it is let go; False when another one holds it."""
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": name}))


def let_go(connection: Connection, name: str) -> None:
    """Let go of a name that this connection holds."""
    connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), {"name": name})


def slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in runs short enough for one IN (...)."""
    for start in range(0, len(values), _MOST_PARAMETERS):
        yield values[start : start + _MOST_PARAMETERS]
