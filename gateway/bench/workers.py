"""Two worker processes on PostgreSQL against one: messages to judged drafts, by `serve --role work` itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

from gateway.bench.processor_time import Watched, processor_s, watched
from gateway.bench.rows import Row, compared, unmeasured
from gateway.bench.sites import site_in, take_in
from gateway.bench.timing import sized
from gateway.bench.weeks import WEEK_IS_OVER, week_messages
from gateway.ports.work import WorkKind
from gateway.wiring.clock import RehearsalClock
from gateway.wiring.new_site import CLOCK, make_site
from gateway.wiring.site import Site
from gateway.workers import work_loop

DATABASE = "CLEANCLAIM_BENCH_DATABASE"
_NAME = "two workers on PostgreSQL"
_KNOWN = 100
"""Claims that are there before: for tables that were empty when it looked, PostgreSQL plans to read them whole."""
_IN_TURNS = (1, 2, 2, 1)
"""How many workers each round has: what is there grows from round to round, and the speed of a machine drifts."""
_LONGEST_S = 600.0
_LOOK_EVERY_S = 0.1
"""How often the bench asks whether all is done: what it takes of the cores is not the workers'."""


class _Run(NamedTuple):
    """What some workers did: claims, seconds by the clock, seconds of processor time of theirs and of the database."""

    claims: int
    seconds: float
    workers_s: float
    database_s: float

    @property
    def per_second(self) -> float:
        """Claims a second."""
        return self.claims / self.seconds

    def ms(self, processor_s: float) -> float:
        """Milliseconds a claim."""
        return processor_s * 1000 / self.claims

    @property
    def together_ms(self) -> float:
        """Of the workers and the database, a claim."""
        return self.ms(self.workers_s + self.database_s)


def _sum(runs: Iterable[_Run]) -> _Run:
    return _Run(*map(sum, zip(*runs, strict=True)))


def share_a_week(scale: float) -> list[dict[str, Any]]:
    """Weekly claims a second by two workers, and by one, and the processor time of both; the database is an empty one
    of the user's own."""
    url = os.environ.get(DATABASE)
    if url is None:
        return [unmeasured(_NAME, f"needs an empty PostgreSQL database: name it in {DATABASE}").document()]
    claims, known = sized(2400, scale, 2), sized(_KNOWN, scale, 4)
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as scratch:
        folder = Path(scratch) / "site"
        make_site(folder, demo=True, database=url, samples={})
        RehearsalClock(folder / CLOCK).turn(WEEK_IS_OVER)
        with site_in(folder) as site, watched(url) as database, _door(site) as wake:
            take_in(site, week_messages(0, known))
            site.settle()
            numbers = count(known)
            runs = [_measured(site, database, numbers, (known, claims), workers, wake) for workers in _IN_TURNS]
    one, two = (_sum(each for each, of in zip(runs, _IN_TURNS, strict=True) if of == workers) for workers in (1, 2))
    return [each.document() for each in _rows(one, two)]


def _rows(one: _Run, two: _Run) -> Iterator[Row]:
    cores = os.cpu_count() or 1
    yield compared(
        _NAME, two.per_second, "claims/s", "one worker", one.per_second, budget=">= 1.7x", at_least_ratio=1.7,
        note=f"{two.claims} weekly claims, stored messages to judged drafts; database on the same {cores} cores",
    )  # fmt: skip
    yield compared(
        "same, processor time", two.together_ms, "ms/claim", "one worker", one.together_ms,
        note=f"of it the workers {two.ms(two.workers_s):.1f} (one: {one.ms(one.workers_s):.1f}), the database "
        f"{two.ms(two.database_s):.1f} ({one.ms(one.database_s):.1f}); "
        f"{cores} cores can do {cores * 1000 / two.together_ms:.0f} claims/s",
    )  # fmt: skip


@contextmanager
def _door(site: Site) -> Iterator[Callable[[], None]]:
    """What a process that takes messages in wakes the workers with."""
    loop = work_loop(site, works=False)
    assert loop is not None, "on PostgreSQL there are others to wake"
    loop.start()
    try:
        yield loop.wake
    finally:
        loop.stop()


def _measured(
    site: Site,
    database: Watched,
    numbers: Iterator[int],
    sizes: tuple[int, int],
    workers: int,
    wake: Callable[[], None],
) -> _Run:
    """From the moment the workers, which did some claims already, may begin until nothing waits any more."""
    warm, claims = sizes
    with _working(site.settings.folder, workers) as processes:
        _take_in(site, numbers, warm)
        wake()
        _wait(site)
        for each in processes:
            each.send_signal(signal.SIGSTOP)
        _take_in(site, numbers, claims)
        database.analyze()
        before = sum(processor_s(each.pid) for each in processes), database.processor_s()
        began = time.perf_counter()
        for each in processes:
            each.send_signal(signal.SIGCONT)
        wake()
        _wait(site)
        seconds = time.perf_counter() - began
        after = sum(processor_s(each.pid) for each in processes), database.processor_s()
    workers_s, database_s = (late - early for early, late in zip(before, after, strict=True))
    return _Run(claims, seconds, workers_s, database_s)


def _take_in(site: Site, numbers: Iterator[int], claims: int) -> None:
    first, *_ = islice(numbers, claims)
    take_in(site, week_messages(first, claims))


def _wait(site: Site) -> None:
    """Until the workers have done everything. Raises TimeoutError."""
    until = time.perf_counter() + _LONGEST_S
    while _waits(site):
        if time.perf_counter() > until:
            raise TimeoutError(f"the workers did not come to an end in {_LONGEST_S:.0f} s")
        time.sleep(_LOOK_EVERY_S)


def _waits(site: Site) -> bool:
    with site.store.read() as tx:
        return any(tx.work.more_than(0, kind) for kind in WorkKind)


@contextmanager
def _working(folder: Path, workers: int) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "gateway.cli", "serve", "--site", str(folder), "--role", "work"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(workers)
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            if not any(line.startswith("ready") for line in each.stdout):
                raise ChildProcessError("a worker ended before it was ready")
        yield processes
    finally:
        for each in processes:
            each.kill()
            each.communicate()
