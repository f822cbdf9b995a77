"""Lanes across machines, on a real PostgreSQL: who is free is woken, one at a time where it must be, none is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import psycopg
import pytest

from gateway.errors import Unavailable
from gateway.jobs import engine
from gateway.jobs.engine import EngineLoop
from gateway.jobs.lane import Lane
from gateway.jobs.loop import PassLoop
from gateway.store.database import Database
from tests.factories import CHAIN
from tests.servers import PostgresCluster

_SOON_S = 20.0


@pytest.fixture
def url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """An empty database of the test's own."""
    made = postgres_cluster.create_database()
    yield made
    postgres_cluster.drop_database(made)


@pytest.fixture
def machine(url: str) -> Iterator[Callable[..., EngineLoop]]:
    """Makes and starts loops, each with database connections of its own as on a machine of its own; all end stopped."""
    loops: list[EngineLoop] = []
    stores: list[Database] = []

    def start(*lanes: Lane, woken: tuple[str, ...] = (), sweep_s: float = 0.5) -> EngineLoop:
        store = Database(url, CHAIN)
        stores.append(store)
        loop = EngineLoop(lanes, woken, url, store.alone, sweep_s=sweep_s)
        loop.start()
        loops.append(loop)
        return loop

    yield start
    for loop in loops:
        loop.stop()
    for store in stores:
        store.close()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SOON_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


class Heap:
    """So much work; each pass takes one piece of it, and needs a moment for it."""

    def __init__(self, pieces: int) -> None:
        self._left = pieces
        self._lock = threading.Lock()
        self.done_by: list[str] = []
        self.at_once = self.most_at_once = 0

    def lane(self, machine: str, *, shared: bool) -> Lane:
        return Lane("heap", lambda: self._take(machine), 0.2, woken=True, shared=shared)

    def more(self, pieces: int) -> None:
        with self._lock:
            self._left += pieces

    def _take(self, machine: str) -> int:
        with self._lock:
            if not self._left:
                return 0
            self._left -= 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.1)
        with self._lock:
            self.at_once -= 1
            self.done_by.append(machine)
        return 1


def test_two_machines_share_a_lane_of_rows(machine: Callable[..., EngineLoop]) -> None:
    heap = Heap(30)
    machine(heap.lane("one", shared=True))
    machine(heap.lane("two", shared=True))
    wait_until(lambda: len(heap.done_by) == 30)
    assert {"one", "two"} == set(heap.done_by)
    assert 2 == heap.most_at_once


def test_two_machines_share_a_lane_that_keeps_its_pace_while_its_passes_do_all_they_may(
    machine: Callable[..., EngineLoop],
) -> None:
    heap = Heap(12)
    for name in ("one", "two"):
        lane = heap.lane(name, shared=True)
        machine(Lane("heap", lane.run, 3600.0, shared=True, most=1))
    wait_until(lambda: len(heap.done_by) == 12)
    assert {"one", "two"} == set(heap.done_by)


def test_what_lets_a_lane_go_first_runs_as_soon_as_that_has_caught_up(machine: Callable[..., EngineLoop]) -> None:
    heap, after = Heap(5), set[int]()
    machine(*first_and_second(heap, after), sweep_s=3600.0)
    wait_until(lambda: 5 in after)


def test_so_it_does_where_all_lanes_are_of_one_process() -> None:
    heap, after = Heap(5), set[int]()
    loop = PassLoop(first_and_second(heap, after))
    loop.start()
    try:
        wait_until(lambda: 5 in after)
    finally:
        loop.stop()


def first_and_second(heap: Heap, after: set[int]) -> tuple[Lane, Lane]:
    """A lane that works a heap off, and one that notes how much of it was done when it ran, and rests for an hour."""

    def note() -> int:
        after.add(len(heap.done_by))
        return 0

    first = heap.lane("one", shared=True)
    first.most, first.then = 1, "second"
    return first, Lane("second", note, 3600.0, shared=True)


def test_a_partners_lane_runs_on_one_machine_at_a_time(machine: Callable[..., EngineLoop]) -> None:
    heap = Heap(15)
    machine(heap.lane("one", shared=False))
    machine(heap.lane("two", shared=False))
    wait_until(lambda: len(heap.done_by) == 15)
    assert 1 == heap.most_at_once


def test_a_process_that_only_takes_in_wakes_the_others(machine: Callable[..., EngineLoop]) -> None:
    passes = threading.Semaphore(0)
    machine(Lane("interpret", lambda: passes.release() or 0, 3600.0, woken=True, shared=True), sweep_s=3600.0)
    door = machine(woken=("interpret",))
    assert passes.acquire(timeout=_SOON_S), "the sweep at the start did not run it"
    time.sleep(1.0)  # the next pass of its own is an hour away
    while passes.acquire(blocking=False):
        pass
    door.wake()
    assert passes.acquire(timeout=_SOON_S), "nobody was woken"


def test_lost_jobs_are_asked_for_again(machine: Callable[..., EngineLoop], url: str) -> None:
    passes = threading.Semaphore(0)
    machine(Lane("derive", lambda: passes.release() or 0, 3600.0, shared=True))
    assert passes.acquire(timeout=_SOON_S)
    with psycopg.connect(url, autocommit=True, options="-c search_path=cleanclaim_jobs") as connection:
        connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
    assert passes.acquire(timeout=_SOON_S), "nobody asked for the lane again"


def test_work_goes_on_when_the_database_comes_back(machine: Callable[..., EngineLoop], url: str) -> None:
    passes = threading.Semaphore(0)
    loop = machine(Lane("derive", lambda: passes.release() or 0, 0.2, woken=True, shared=True), woken=("derive",))
    assert passes.acquire(timeout=_SOON_S)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    while passes.acquire(blocking=False):
        pass
    loop.wake()
    assert passes.acquire(timeout=_SOON_S), "the lane never ran again"


def test_a_lane_that_breaks_rests_and_leaves_the_others_alone(machine: Callable[..., EngineLoop]) -> None:
    def break_down() -> int:
        raise Unavailable("the partner does not answer")

    broken, fine = Lane("broken", break_down, 0.2), Lane("fine", lambda: 0, 0.2)
    machine(broken, fine)
    wait_until(lambda: fine.passes > 5 and broken.failures > 1)
    assert "the partner does not answer" == broken.last_error
    assert broken.patience_s > fine.patience_s


@pytest.mark.parametrize(
    "statement",
    [
        "DROP SCHEMA cleanclaim_jobs CASCADE",
        "DROP TABLE cleanclaim_jobs.procrastinate_jobs CASCADE",
        "DROP FUNCTION cleanclaim_jobs.procrastinate_fetch_job_v2 CASCADE",
    ],
)
def test_tables_that_somebody_took_away_are_made_anew_under_running_machines(
    url: str, machine: Callable[..., EngineLoop], monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    monkeypatch.setattr(engine, "_COME_BACK_S", 0.1)
    heap = Heap(2)
    for name in "ab":
        machine(heap.lane(name, shared=True))
    wait_until(lambda: len(heap.done_by) == 2)
    take_away(url, statement)
    heap.more(2)
    wait_until(lambda: len(heap.done_by) == 4)


def take_away(url: str, statement: str) -> None:
    """Whoever takes a table from running machines may be the one that PostgreSQL turns away; and tries again."""
    for _ in range(20):
        with suppress(psycopg.errors.DeadlockDetected), psycopg.connect(url) as connection:
            connection.execute(statement.encode())
            return
    raise AssertionError("the tables could not be taken away")


@pytest.mark.parametrize(("task", "arguments"), [("pass:nothing", "{}"), ("pass:heap", '{"x": 1}')])
def test_jobs_that_nobody_knows_keep_no_lane_waiting(
    url: str, machine: Callable[..., EngineLoop], task: str, arguments: str
) -> None:
    heap = Heap(2)
    machine(heap.lane("a", shared=True))
    wait_until(lambda: len(heap.done_by) == 2)
    job = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, priority) "
        "SELECT 'heap', %s, %s::jsonb, 100 FROM generate_series(1, 20)"
    )
    with psycopg.connect(url, options="-c search_path=cleanclaim_jobs") as connection:
        connection.execute(job, [task, arguments])
    heap.more(2)
    wait_until(lambda: len(heap.done_by) == 4)


def test_tables_of_another_version_are_made_anew_and_nothing_is_missed(
    machine: Callable[..., EngineLoop], url: str
) -> None:
    machine(Lane("derive", lambda: 0, 0.2)).stop()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("COMMENT ON SCHEMA cleanclaim_jobs IS '0.0.1'")
    passes = threading.Semaphore(0)
    machine(Lane("derive", lambda: passes.release() or 0, 0.2))
    assert passes.acquire(timeout=_SOON_S)


def test_a_machine_that_is_killed_within_a_pass_blocks_nobody(
    machine: Callable[..., EngineLoop], url: str, tmp_path: Path
) -> None:
    running = tmp_path / "running"
    program = tmp_path / "worker.py"
    program.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from gateway.jobs.engine import EngineLoop\n"
        "from gateway.jobs.lane import Lane\n"
        "from gateway.store.database import Database\n"
        "from tests.factories import CHAIN\n"
        "url, running = sys.argv[1:]\n"
        "def hang():\n"
        "    Path(running).touch()\n"
        "    time.sleep(600)\n"
        "    return 0\n"
        "EngineLoop([Lane('exchange', hang, 0.2)], (), url, Database(url, CHAIN).alone).start()\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, str(program), url, str(running)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."}) as child:
        try:
            wait_until(running.exists)
            passes = threading.Semaphore(0)
            machine(Lane("exchange", lambda: passes.release() or 0, 0.2))
            assert not passes.acquire(timeout=2.0), "two machines talked to one partner"
        finally:
            child.send_signal(signal.SIGKILL)
    assert passes.acquire(timeout=_SOON_S), "the dead machine still holds the lane"


def test_a_stop_waits_for_the_pass_that_is_under_way(machine: Callable[..., EngineLoop]) -> None:
    begun, ended = threading.Event(), threading.Event()

    def take_long() -> int:
        begun.set()
        time.sleep(0.5)
        ended.set()
        return 0

    loop = machine(Lane("derive", take_long, 0.2))
    assert begun.wait(_SOON_S)
    loop.stop()
    assert ended.is_set()


def test_a_stop_waits_for_no_further_pass_of_many(machine: Callable[..., EngineLoop]) -> None:
    passes = list[float]()

    def take_some() -> int:
        time.sleep(0.2)
        passes.append(time.monotonic())
        return 1

    loop = machine(Lane("derive", take_some, 0.2, woken=True, shared=True))
    wait_until(lambda: len(passes) > 1)
    before = len(passes)
    loop.stop()
    assert before + 1 >= len(passes)


def test_a_name_is_held_by_one_process_and_free_after_it(store: Database, store_url: str) -> None:
    other = Database(store_url, CHAIN)
    with store.alone("lane exchange"):
        held: AbstractContextManager[bool] = other.alone("lane exchange")
        with held as ours:
            assert store_url.startswith("sqlite") is ours
    with other.alone("lane exchange") as ours:
        assert ours
    other.close()
