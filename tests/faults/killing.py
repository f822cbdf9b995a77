"""Kills a process at every fault point of a scenario and lets another one finish: `python -m tests.faults.killing`.

It is the preloaded parent: every child is forked from it, warm, so none pays for imports and tables. Two deaths at one
point with nothing committed or moved between them are one death.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from difflib import unified_diff
from pathlib import Path
from typing import Any

import psycopg

from gateway import fault_points
from gateway.fault_points import FaultPoint
from tests.databases import empty_postgres, prepare_database
from tests.factories import NOON
from tests.faults.scenario import Scenario, outcome
from tests.faults.world import open_world

KILLED = -signal.SIGKILL


def in_child(act: Callable[[], Any]) -> tuple[int, Any]:
    """How a child that did this ended (0, or minus the signal), and what it found."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        code = 1
        try:
            found = act()
            with os.fdopen(writing, "w") as pipe:
                json.dump(found, pipe)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), json.loads(text) if text else None


def kill_at(index: int) -> None:
    """Die at the point that is reached after so many others."""
    left = index

    def strike(point: FaultPoint) -> None:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    fault_points.arm(strike)


def fresh_database(url: str) -> None:
    """Our tables and nothing in them: of SQLite, a copy of the `migrated.sqlite` beside it."""
    if not url.startswith("sqlite"):
        empty_postgres(url)
        return
    path = Path(url.removeprefix("sqlite:///"))
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(path.with_name("migrated.sqlite"), path)


def warm_up(folder: Path) -> None:
    """Load in this process what every child would load for itself."""
    url = f"sqlite:///{folder / 'warm.sqlite'}"
    prepare_database(url)
    world = open_world(url, folder / "warm")
    Scenario(world).run()
    world.close()


@contextmanager
def watched(url: str) -> Iterator[Callable[[], object]]:
    """Asks a database for what changes with every transaction that wrote."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as sqlite:
            yield lambda: sqlite.execute("PRAGMA data_version").fetchone()[0]
    else:
        with psycopg.connect(url, autocommit=True) as postgres:
            yield lambda: postgres.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()


def files(root: Path) -> list[tuple[str, int]]:
    """What lies at the partner's."""
    places = ("in", "out", "archive")
    return sorted(
        (f"{place}/{path.name}", path.stat().st_size) for place in places for path in (root / place).iterdir()
    )


def differences(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """What two exports do not share, shortly."""
    lines = [json.dumps(each, indent=0, sort_keys=True).splitlines() for each in (expected, found)]
    return " ".join(line for line in unified_diff(*lines, n=0) if line[0] in "+-")[:1000]


class Sweep:
    """One database, emptied for each run; one folder per run."""

    def __init__(self, url: str, folder: Path, most: int) -> None:
        self._url = url
        self._folder = folder
        self._most = most
        self._runs = 0

    def run(self) -> dict[str, Any]:
        """{"killed": {point: times}, "violations": [...]}: at most so many deaths at each point."""
        self._fresh()
        code, quiet = in_child(self._undisturbed)
        assert code == 0, "the scenario does not work undisturbed"
        killed: Counter[str] = Counter()
        violations = [f"undisturbed: {each}" for each in quiet["violations"]]
        for index, point in self._deaths(quiet["points"]):
            self._fresh()
            code, _ = in_child(lambda index=index: self._until_killed(index))
            if code != KILLED:
                violations.append(f"{index} {point}: not reached again (exit {code})")
            code, after = in_child(self._heir)
            if code:
                violations.append(f"{index} {point}: the heir ended with {code}")
                continue
            killed[point] += 1
            violations += [f"{index} {point}: {each}" for each in after["violations"]]
            if after["export"] != quiet["export"]:
                violations.append(f"{index} {point}: another outcome: {differences(quiet['export'], after['export'])}")
        return {"killed": killed, "violations": violations}

    def _deaths(self, points: list[tuple[str, str]]) -> list[tuple[int, str]]:
        """(how many points come before, the point) of each death to be died."""
        distinct: dict[str, dict[str, int]] = {}
        for index, (point, durable) in enumerate(points):
            distinct.setdefault(point, {}).setdefault(durable, index)
        deaths = []
        for point, found in distinct.items():
            indexes = list(found.values())
            step = max(1, -(-len(indexes) // self._most))
            deaths += [(index, point) for index in indexes[::step]]
        return sorted(deaths)

    def _fresh(self) -> None:
        self._runs += 1
        fresh_database(self._url)

    @property
    def _root(self) -> Path:
        return self._folder / str(self._runs)

    def _undisturbed(self) -> dict[str, Any]:
        points: list[tuple[str, str]] = []
        scenario = Scenario(open_world(self._url, self._root))
        with watched(self._url) as durable:
            fault_points.arm(lambda point: points.append((point, f"{durable()} {files(self._root)}")))
            scenario.run()
        fault_points.arm(None)
        return {"points": points, "violations": outcome(scenario), "export": scenario.world.export()}

    def _until_killed(self, index: int) -> None:
        scenario = Scenario(open_world(self._url, self._root))
        kill_at(index)
        scenario.run()

    def _heir(self) -> dict[str, Any]:
        scenario = Scenario(open_world(self._url, self._root, at=NOON + timedelta(hours=2)))
        scenario.world.site.clock.move(timedelta(minutes=1))
        scenario.run()
        return {"violations": outcome(scenario), "export": scenario.world.export()}


if __name__ == "__main__":
    url, folder, most = sys.argv[1:]
    warm_up(Path(folder))
    print(json.dumps(Sweep(url, Path(folder), int(most)).run()))
