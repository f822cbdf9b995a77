"""The command in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command import Cleanclaim


@pytest.fixture
def cleanclaim(cleanclaim_command: str, tmp_path: Path) -> Cleanclaim:
    return Cleanclaim(cleanclaim_command, tmp_path)


@pytest.fixture(scope="module")
def in_shared_folder(cleanclaim_command: str, tmp_path_factory: pytest.TempPathFactory) -> Cleanclaim:
    """One folder for all tests of a module, where making a site again for each would only cost time."""
    return Cleanclaim(cleanclaim_command, tmp_path_factory.mktemp("shared"))
