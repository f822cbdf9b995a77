"""The store on both databases, migrated once per engine and as good as new for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from gateway.store.database import Database
from gateway.store.schema import metadata
from tests.factories import CHAIN, CONNECTION, ORGANIZATION, TENANT
from tests.partner_answers import Partner
from tests.pipeline_site import OTHER_CONNECTION, Site
from tests.servers import PostgresCluster


@pytest.fixture(scope="session")
def migrated_postgres(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A PostgreSQL database with our tables in it, emptied after each test: that is much faster than a new one."""
    url = postgres_cluster.create_database()
    _prepare(url)
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with our tables in it."""
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own with our tables and the tenant's rows in it, once on each engine."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "store.sqlite")
        yield f"sqlite:///{tmp_path / 'store.sqlite'}"
        return
    url: str = request.getfixturevalue("migrated_postgres")
    yield url
    _empty(url)


@pytest.fixture
def store(store_url: str) -> Iterator[Database]:
    """That database, open."""
    database = Database(store_url, CHAIN)
    yield database
    database.close()


def _empty(url: str) -> None:
    tables = (table for table in reversed(metadata.sorted_tables) if table.name not in ("connection", "organization"))
    emptying = [SQL("DELETE FROM {};").format(Identifier(table.name)) for table in tables if table.name != "tenant"]
    with psycopg.connect(url, options="-c lock_timeout=10s") as connection:
        connection.execute(SQL("").join([SQL("TRUNCATE audit_event;"), *emptying]))  # no row of it may be deleted


def _prepare(url: str) -> None:
    database = Database(url, CHAIN)
    database.migrate()
    database.ensure_tenant(TENANT, {ORGANIZATION: "Harbor Behavioral Health"}, {CONNECTION: "T", OTHER_CONNECTION: "T"})
    database.close()


@pytest.fixture
def site(store: Database, tmp_path: Path) -> Site:
    """A site over that database with a partner's folder of its own."""
    return Site(store, tmp_path / "partner")


@pytest.fixture
def partner(site: Site) -> Partner:
    """Who answers that site."""
    return Partner(site.payee_npi)
