"""The contract tests' databases, site and partner; folders and databases for processes that die."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.contract.conftest import (  # noqa: F401 - fixtures are found by name
    migrated_postgres,
    migrated_sqlite,
    partner,
    site,
    store,
    store_url,
)
from tests.databases import empty_postgres
from tests.servers import MEMORY, our_prefix


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: SIGKILL takes nothing from the kernel, so no disk need be waited for."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY, prefix=our_prefix()) as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A database that is emptied for each run; of SQLite, with a `migrated.sqlite` beside it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "migrated.sqlite")
        yield f"sqlite:///{folder / 'store.sqlite'}"
        return
    url: str = request.getfixturevalue("migrated_postgres")
    yield url
    empty_postgres(url)
