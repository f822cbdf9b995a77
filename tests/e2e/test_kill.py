"""kill -9 of the server at random moments of the month, restarts, and the same month comes out."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.month import FEW_PATIENTS, export_of, run_demo

_KILLS = 5


class Killer(threading.Thread):
    """Kills the demo's server, whichever process it is just then, at seeded random moments."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self._ports = folder / "run" / "ports.json"
        self._random = random.Random(seed)
        self.killed: list[int] = []
        self.over = threading.Event()

    def run(self) -> None:
        while len(self.killed) < _KILLS and not self.over.is_set():
            pid = self._server()
            if pid is None or pid in self.killed:
                time.sleep(0.02)
                continue
            self.over.wait(self._random.uniform(0.2, 7.0))
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.killed.append(pid)

    def _server(self) -> int | None:
        try:
            pid = json.loads(self._ports.read_text())["pid"]
        except (OSError, ValueError):
            return None
        return int(pid)


@pytest.mark.fault("F01")
def test_a_server_killed_five_times_gives_the_same_month(
    cleanclaim_command: str, tmp_path: Path, undisturbed_month: dict[str, Any]
) -> None:
    seed = int(os.environ.get("CLEANCLAIM_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    print(f"seed of the kills: {seed} (CLEANCLAIM_KILL_SEED={seed} repeats them)")
    killed = tmp_path / "killed"
    killer = Killer(killed, seed)
    killer.start()
    result = run_demo(cleanclaim_command, killed, *FEW_PATIENTS)
    killer.over.set()
    killer.join()
    assert len(killer.killed) == _KILLS
    assert result["server_starts"] == _KILLS + 1
    assert result["doctor"]["ok"], result["doctor"]["checks"]
    assert undisturbed_month == export_of(cleanclaim_command, killed)
