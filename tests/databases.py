"""Databases with our tables in them, for tests: made once, then as good as new each time."""

from __future__ import annotations

import psycopg
from psycopg.sql import SQL, Identifier

from gateway.store.database import Database
from gateway.store.schema import metadata
from tests.factories import CHAIN, CONNECTION, ORGANIZATION, TENANT
from tests.pipeline_site import OTHER_CONNECTION

_KEPT = ("tenant", "organization", "connection", "audit_event")


def prepare_database(url: str) -> None:
    """Our tables, and the tenant's rows in them."""
    database = Database(url, CHAIN)
    database.migrate()
    database.ensure_tenant(TENANT, {ORGANIZATION: "Harbor Behavioral Health"}, {CONNECTION: "T", OTHER_CONNECTION: "T"})
    database.close()


def empty_postgres(url: str) -> None:
    """Everything but the tenant's rows goes: that is much faster than a new database."""
    tables = (table for table in reversed(metadata.sorted_tables) if table.name not in _KEPT)
    emptying = [SQL("DELETE FROM {};").format(Identifier(table.name)) for table in tables]
    with psycopg.connect(url, options="-c lock_timeout=10s") as connection:
        connection.execute(SQL("").join([SQL("TRUNCATE audit_event;"), *emptying]))  # no row of it may be deleted
