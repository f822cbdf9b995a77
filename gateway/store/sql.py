"""The few statements that the two databases spell differently, in the one place that knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine

T = TypeVar("T")
_MOST_PARAMETERS = 500


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows. Every row names the same columns, here and below."""
    _insert(connection, table, rows, _plain)


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose keys are not there yet; leave the others as they are."""
    _insert(connection, table, rows, _leaving)


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, taking the place of rows with the same primary key; of two here with one key the last stays."""
    keys = [column.name for column in table.primary_key]
    lasting = {tuple([row[key] for key in keys]): row for row in rows}
    _insert(connection, table, list(lasting.values()), _replacing)


def insert_or_touch(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows; one whose unique columns are there already stays as it is but is locked until the commit."""
    _insert(connection, table, rows, _touching)


def insert_or_touch_found(connection: Connection, table: Table, given: Sequence[str], found: Select[Any]) -> int:
    """The same with the rows that a query finds, each once, in the query's order; how many."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).from_select(given, found, include_defaults=False)
    counted = _touching(statement, table, tuple(given)).execution_options(preserve_rowcount=True)
    return connection.execute(counted).rowcount


_Insert = postgresql.Insert | sqlite.Insert
_Clash = Callable[[_Insert, Table, tuple[str, ...]], _Insert]
"""What is to happen to a row that is there already."""


def _plain(statement: _Insert, _table: Table, _given: tuple[str, ...]) -> _Insert:
    return statement


def _leaving(statement: _Insert, _table: Table, _given: tuple[str, ...]) -> _Insert:
    return statement.on_conflict_do_nothing()


def _replacing(statement: _Insert, table: Table, given: tuple[str, ...]) -> _Insert:
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in given if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _touching(statement: _Insert, table: Table, _given: tuple[str, ...]) -> _Insert:
    (unique,) = (each for each in table.constraints if isinstance(each, UniqueConstraint))
    names = [column.name for column in unique.columns]
    return statement.on_conflict_do_update(index_elements=names, set_={names[-1]: statement.excluded[names[-1]]})


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], clash: _Clash) -> None:
    """The rows of a batch go to the driver at once. SQLite's repeats the statement by itself; PostgreSQL's is given one
    array a column, because every repetition costs driver and server several times what they do with the row."""
    if not rows:
        return
    statement, names, processors = _prepared(table, tuple(rows[0]), clash, connection.dialect)
    columns = [
        [row[name] for row in rows] if process is None else [process(row[name]) for row in rows]
        for name, process in zip(names, processors, strict=True)
    ]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(statement, dict(zip(names, columns, strict=True)))
    else:
        connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


@lru_cache(maxsize=200)
def _prepared(
    table: Table, given: tuple[str, ...], clash: _Clash, dialect: Dialect
) -> tuple[str, Sequence[str], Sequence[Any]]:
    """The statement as the driver takes it, its parameters in order, and what makes each value the driver's."""
    statement: _Insert
    if dialect.name == "postgresql":
        arrays = [func.unnest(bindparam(name, type_=ARRAY(_as_sent(table.c[name].type, dialect)))) for name in given]
        statement = postgresql.insert(table).from_select(given, select(*arrays), include_defaults=False)
    else:
        statement = sqlite.insert(table)
    compiled = clash(statement, table, given).compile(dialect=dialect, column_keys=list(given))
    names = compiled.positiontup or given
    return str(compiled), names, [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]


def _as_sent(type: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Text of any length: what is too long for its column has to be refused there, and is not cut here."""
    return Text() if type.dialect_impl(dialect).python_type is str else type


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
    if not wanted or connection.dialect.name != "postgresql":
        return
    if len(wanted) > _MOST_NAMES:
        connection.execute(_HOLD_EVERY_NAME)
    else:
        connection.execute(_HOLD_NAMES, {"names": wanted})


_MOST_NAMES = 4000
"""The server has room for some ten thousand locks of all its transactions, with the settings it comes with. Whoever
wants more than these holds every name there is, which whoever holds any holds too, but shared."""
_HOLD_EVERY_NAME = text("SELECT pg_advisory_xact_lock(hashtextextended('every name', 0))")
_HOLD_NAMES = text(
    "WITH every AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended('every name', 0))) "
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) "
    "FROM every CROSS JOIN unnest(CAST(:names AS text[])) AS name"
)


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


def any_of(column: ColumnElement[Any], name: str = "values") -> ColumnElement[bool]:
    """The column has one of the values that are given, by that name, each time the statement is executed.

    For statements built once. SQLAlchemy's ``in_`` of the values themselves holds them in a circle of references, which
    lies there until the garbage collector comes by.
    """
    return _AnyOf(column, name)


class _AnyOf(ColumnElement[bool]):
    """To SQLite a list of so many parameters. To PostgreSQL one array: its statement is prepared once for any number of
    values, and they are looked up by hash or index, where a prepared list may be gone through for every row."""

    _traverse_internals = [  # by which SQLAlchemy tells statements apart
        ("column", InternalTraversal.dp_clauseelement),
        ("name", InternalTraversal.dp_string),
    ]
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.name = name

    def self_group(self, against: Any = None) -> _AnyOf:  # noqa: ARG002 - the interface
        """As it is: the comparison with 1 that SQLAlchemy puts behind any other truth keeps SQLite from its indexes."""
        return self


@compiles(_AnyOf)
def _in_list(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column.in_(bindparam(element.name, expanding=True)), **options)


@compiles(_AnyOf, "postgresql")
def _in_array(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    array = bindparam(element.name, type_=ARRAY(_as_sent(element.column.type, compiler.dialect)))
    return compiler.process(element.column.in_(select(func.unnest(array))), **options)


def delete_of(connection: Connection, column: Column[Any], values: Iterable[str]) -> None:
    """Delete the rows of the column's table that have one of the values in it."""
    for some in slices(list(values)):
        connection.execute(_deleting(column), {"values": some})


@lru_cache(maxsize=100)
def _deleting(column: Column[Any]) -> Delete:
    return delete(column.table).where(any_of(column))


def rows_of(connection: Connection, statement: Select[Any], values: Iterable[str]) -> Iterator[Any]:
    """What a statement with ``any_of`` finds, asked for in runs of values short enough for one IN (...)."""
    for some in slices(list(values)):
        yield from connection.execute(statement, {"values": some}).all()
