"""Opens the database and its transactions: SQLite (WAL, one writer) or PostgreSQL, same tables and queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway.errors import Unavailable
from gateway.fault_points import FaultPoint, reach
from gateway.ports.storage import Transaction
from gateway.store import schema
from gateway.store.attended import SessionRows
from gateway.store.audit import AuditRows
from gateway.store.audit_chain import AuditChain
from gateway.store.authorizations import AuthorizationRows
from gateway.store.blobs import BlobRows
from gateway.store.claims import ClaimRows
from gateway.store.code_lists import CodeListRows
from gateway.store.connections import ConnectionRows
from gateway.store.exchanges import ExchangeRows
from gateway.store.imports import ImportRows
from gateway.store.inbox import InboxRows
from gateway.store.ledger import LedgerRows
from gateway.store.mapping_sets import MappingSetRows
from gateway.store.origins import SheetRows
from gateway.store.partners import PartnerRows
from gateway.store.pulls import PullRows
from gateway.store.resources import ResourceRows
from gateway.store.revisions import is_newest, upgrade
from gateway.store.rosters import RosterRows
from gateway.store.sql import hold_if_free, hold_names, insert_missing, let_go
from gateway.store.subjects import SubjectRows
from gateway.store.webhooks import WebhookRows
from gateway.store.work import WorkRows
from gateway.store.worklist import WorklistRows

_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000")

_TOO_MUCH_OF_SOMETHING = "54"
"""SQLSTATE class of PostgreSQL's program limits: an index entry beyond its size, say."""


class Database:
    """Implements gateway.ports.storage.Store over SQLAlchemy Core."""

    def __init__(self, url: str, chain: AuditChain) -> None:
        self.url = url
        self._chain = chain
        self._engine = _sqlite_engine(url) if url.startswith("sqlite") else _postgresql_engine(url)

    def at(self, url: str) -> Database:
        """The same database elsewhere, its acts sealed by the same chain."""
        return Database(url, self._chain)

    def migrate(self) -> None:
        """Bring the schema to the newest revision; safe to repeat. Raises Unavailable, UnknownRevision."""
        with _unavailable(), self._engine.connect() as connection, connection.begin():
            hold_names(connection, ["migrate"])
            if not is_newest(connection):
                upgrade(connection)

    def close(self) -> None:
        """Let every pooled connection go."""
        self._engine.dispose()

    def write(self) -> AbstractContextManager[Transaction]:
        """A writing transaction; see gateway.ports.storage.Store."""
        return self._transaction(writing=True)

    def read(self) -> AbstractContextManager[Transaction]:
        """A reading transaction on one consistent picture."""
        return self._transaction(writing=False)

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Transaction]:
        with self._opened(writing=writing) as (_, tx):
            yield tx

    @contextmanager
    def _opened(self, *, writing: bool) -> Iterator[tuple[Connection, Transaction]]:
        with _unavailable(), self._engine.connect() as plain:
            options: dict[str, Any] = {"cleanclaim_writing": writing}
            if not writing and plain.dialect.name == "postgresql":
                options["isolation_level"] = "REPEATABLE READ"
            connection = plain.execution_options(**options)
            audit = AuditRows(connection, self._chain)
            with connection.begin():
                yield connection, _rows(connection, audit)
                audit.seal()
                if writing:
                    reach(FaultPoint.COMMITTING)
            if writing:
                reach(FaultPoint.COMMITTED)
            audit.anchor()

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Hold a name among all processes on this database; False where another one holds it. Raises Unavailable.

        A process that dies lets it go. On SQLite there is only one process.
        """
        if self._engine.dialect.name != "postgresql":
            yield True
            return
        with _unavailable(), self._engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            held = hold_if_free(connection, name)
            try:
                yield held
            finally:
                if held:
                    let_go(connection, name)

    def ensure_tenant(self, tenant: str, organizations: Mapping[str, str], connections: Mapping[str, str]) -> None:
        """Insert the rows that others hang on, where they are missing. Raises Unavailable."""
        with self._opened(writing=True) as (connection, _):
            insert_tenant(connection, tenant, organizations, connections)

    def is_ready(self) -> bool:
        """True when the database answers and has our tables."""
        try:
            with self._engine.connect() as plain:  # reading: whoever asks must not stand in line with the writers
                connection = plain.execution_options(cleanclaim_writing=False)
                connection.execute(select(schema.tenant.c.id).limit(1))
        except DBAPIError:
            return False
        return True


def insert_tenant(
    connection: Connection, tenant: str, organizations: Mapping[str, str], connections: Mapping[str, str]
) -> None:
    """Insert the rows that others hang on, where they are missing."""
    insert_missing(connection, schema.tenant, [{"id": tenant}])
    named = [{"id": id, "tenant_id": tenant, "name": name} for id, name in organizations.items()]
    insert_missing(connection, schema.organization, named)
    used = [{"id": id, "tenant_id": tenant, "usage": usage} for id, usage in connections.items()]
    insert_missing(connection, schema.connection, used)


def _rows(connection: Connection, audit: AuditRows) -> Transaction:
    blobs, sheets = BlobRows(connection), SheetRows(connection)
    return Transaction(
        inbox=InboxRows(connection, blobs),
        work=WorkRows(connection),
        resources=ResourceRows(connection),
        pulls=PullRows(connection),
        webhooks=WebhookRows(connection),
        imports=ImportRows(connection, blobs),
        subjects=SubjectRows(connection, sheets),
        rosters=RosterRows(connection, blobs),
        claims=ClaimRows(connection, sheets),
        exchanges=ExchangeRows(connection, blobs),
        connections=ConnectionRows(connection),
        ledger=LedgerRows(connection),
        audit=audit,
        mapping_sets=MappingSetRows(connection, blobs),
        code_lists=CodeListRows(connection, blobs),
        authorizations=AuthorizationRows(connection),
        worklist=WorklistRows(connection),
        sessions=SessionRows(connection),
        partners=PartnerRows(connection),
        savepoint=lambda: _savepoint(connection, audit),
    )


@contextmanager
def _savepoint(connection: Connection, audit: AuditRows) -> Iterator[None]:
    """What fails inside is undone; a database that stopped answering is told apart from everything else."""
    mark = audit.mark()
    try:
        with _unavailable(), connection.begin_nested():
            yield
    except BaseException:
        audit.take_back(mark)
        raise


@contextmanager
def _unavailable() -> Iterator[None]:
    """The driver's "cannot reach it" becomes ours; its text may name hosts, so only the first line is kept."""
    try:
        yield
    except OperationalError as error:
        if str(getattr(error.orig, "sqlstate", "")).startswith(_TOO_MUCH_OF_SOMETHING):
            raise  # it answers, and will say no to these values whenever they are asked for again
        reason = str(error.orig).splitlines()[0] if error.orig else "no reason given"
        raise Unavailable(f"the database does not answer ({reason})") from error


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url, connect_args={"check_same_thread": False}, pool_size=8, max_overflow=16, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("cleanclaim_writing", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql_engine(url: str) -> Engine:
    from gateway.store import postgresql_text  # with it comes psycopg, which SQLite has no use for

    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, pool_size=8, max_overflow=16, pool_pre_ping=True, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        postgresql_text.register(connection.adapters)

    return engine
