"""kill -9 at every fault point there is: whoever starts next finishes the work, and every invariant holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.fault_points import FaultPoint

DEATHS_AT_A_POINT = int(os.environ.get("CLEANCLAIM_DEATHS", "2"))
"""`make soak` sets more than there are, so that every death that can be told from another is among them."""


@pytest.mark.fault("F01")
def test_a_death_at_any_point_is_made_good_by_whoever_starts_next(
    url: str, folder: Path, record_property: Callable[[str, object], None]
) -> None:
    arguments = [sys.executable, "-m", "tests.faults.killing", url, str(folder), str(DEATHS_AT_A_POINT)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    kills = sum(found["killed"].values())
    print(f"{kills} kills: {found['killed']}")
    record_property("figures", {"kills": kills, "violations": len(found["violations"])})
    assert [] == found["violations"]
    assert set(FaultPoint) == set(found["killed"]), "no point is left without a death"
