"""The command in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Cleanclaim
from tests.e2e.month import FEW_PATIENTS, export_of, run_demo


@pytest.fixture
def cleanclaim(cleanclaim_command: str, tmp_path: Path) -> Cleanclaim:
    return Cleanclaim(cleanclaim_command, tmp_path)


@pytest.fixture(scope="module")
def in_shared_folder(cleanclaim_command: str, tmp_path_factory: pytest.TempPathFactory) -> Cleanclaim:
    """One folder for all tests of a module, where making a site again for each would only cost time."""
    return Cleanclaim(cleanclaim_command, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def undisturbed_month(cleanclaim_command: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The export of a small month that nothing went wrong in, on SQLite: other runs must come to the same."""
    folder = tmp_path_factory.mktemp("undisturbed") / "site"
    run_demo(cleanclaim_command, folder, *FEW_PATIENTS)
    return export_of(cleanclaim_command, folder)
