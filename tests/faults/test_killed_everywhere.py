"""kill -9 at every fault point there is: whoever starts next finishes the work, and every invariant holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.fault_points import FaultPoint
from tests.databases import empty_postgres

DEATHS_AT_A_POINT = int(os.environ.get("CLEANCLAIM_DEATHS", "2"))
"""`make soak` sets more; every death that can be told from another is among them."""
MEMORY = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: SIGKILL takes nothing from the kernel, so no disk need be waited for."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "migrated.sqlite")
        yield f"sqlite:///{folder / 'store.sqlite'}"
        return
    url: str = request.getfixturevalue("migrated_postgres")
    yield url
    empty_postgres(url)


@pytest.mark.fault("F01")
def test_a_death_at_any_point_is_made_good_by_whoever_starts_next(url: str, folder: Path) -> None:
    arguments = [sys.executable, "-m", "tests.faults.killing", url, str(folder), str(DEATHS_AT_A_POINT)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    print(f"{sum(found['killed'].values())} kills: {found['killed']}")
    assert [] == found["violations"]
    assert set(FaultPoint) == set(found["killed"]), "no point is left without a death"
