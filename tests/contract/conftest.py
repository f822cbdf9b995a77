"""The store on both databases, migrated once per engine and as good as new for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.database import Database
from tests.databases import empty_postgres, prepare_database
from tests.factories import CHAIN
from tests.partner_answers import Partner
from tests.pipeline_site import Site
from tests.servers import PostgresCluster


@pytest.fixture(scope="session")
def migrated_postgres(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A PostgreSQL database with our tables in it, emptied after each test: that is much faster than a new one."""
    url = postgres_cluster.create_database()
    prepare_database(url)
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with our tables in it."""
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite"
    prepare_database(f"sqlite:///{path}")
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
    empty_postgres(url)


@pytest.fixture
def store(store_url: str) -> Iterator[Database]:
    """That database, open."""
    database = Database(store_url, CHAIN)
    yield database
    database.close()


@pytest.fixture
def site(store: Database, tmp_path: Path) -> Site:
    """A site over that database with a partner's folder of its own."""
    return Site(store, tmp_path / "partner")


@pytest.fixture
def partner(site: Site) -> Partner:
    """Who answers that site."""
    return Partner(site.payee_npi)
