"""Two worker processes on PostgreSQL against one: messages to judged drafts, by `serve --role work` itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.bench.processor_time import Watched, processor_s, watched
from gateway.bench.rows import Row, compared, unmeasured
from gateway.bench.sites import site_in, take_in
from gateway.bench.timing import sized
from gateway.bench.weeks import WEEK_IS_OVER, week_messages
from gateway.wiring.clock import RehearsalClock
from gateway.wiring.new_site import CLOCK, make_site
from gateway.wiring.site import Site

DATABASE = "CLEANCLAIM_BENCH_DATABASE"
_NAME = "two workers on PostgreSQL"
_KNOWN = 100
"""Claims that are there before: for tables that were empty when it looked, PostgreSQL plans to read them whole."""
_LONGEST_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What some workers did: claims a second by the clock, and milliseconds of processor time a claim."""

    per_second: float
    workers_ms: float
    database_ms: float

    @property
    def together_ms(self) -> float:
        """Of the workers and the database."""
        return self.workers_ms + self.database_ms


def share_a_week(scale: float) -> list[dict[str, Any]]:
    """Weekly claims a second by two workers, and by one, and the processor time of both; the database is an empty one
    of the user's own."""
    url = os.environ.get(DATABASE)
    if url is None:
        return [unmeasured(_NAME, f"needs an empty PostgreSQL database: name it in {DATABASE}").document()]
    claims, known = sized(600, scale, 2), sized(_KNOWN, scale, 4)
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as scratch:
        folder = Path(scratch) / "site"
        make_site(folder, demo=True, database=url, samples={})
        RehearsalClock(folder / CLOCK).turn(WEEK_IS_OVER)
        with site_in(folder) as site, watched(url) as database:
            take_in(site, week_messages(0, known))
            site.settle()
            database.analyze()
            one = _measured(site, database, known, claims, workers=1)
            two = _measured(site, database, known + claims, claims, workers=2)
    return [each.document() for each in _rows(claims, one, two)]


def _rows(claims: int, one: _Run, two: _Run) -> Iterator[Row]:
    cores = os.cpu_count() or 1
    yield compared(
        _NAME, two.per_second, "claims/s", "one worker", one.per_second, budget=">= 1.7x", at_least_ratio=1.7,
        note=f"{claims} weekly claims, stored messages to judged drafts; database on the same {cores} cores",
    )  # fmt: skip
    yield compared(
        "same, processor time", two.together_ms, "ms/claim", "one worker", one.together_ms,
        note=f"of it the workers {two.workers_ms:.1f} (one: {one.workers_ms:.1f}), the database {two.database_ms:.1f} "
        f"({one.database_ms:.1f}); {cores} cores can do {cores * 1000 / two.together_ms:.0f} claims/s, "
        f"{cores * one.together_ms / two.together_ms:.2f} times what one worker does that waits for its database alone",
    )  # fmt: skip


def _measured(site: Site, database: Watched, first: int, claims: int, *, workers: int) -> _Run:
    """From the moment the workers, started and warm, may begin until nothing waits any more."""
    with _working(site.settings.folder, workers) as processes:
        for each in processes:
            each.send_signal(signal.SIGSTOP)
        take_in(site, week_messages(first, claims))
        before = sum(processor_s(each.pid) for each in processes), database.processor_s()
        began = time.perf_counter()
        for each in processes:
            each.send_signal(signal.SIGCONT)
        while _waits(site):
            if time.perf_counter() - began > _LONGEST_S:
                raise TimeoutError(f"{workers} workers did not come to an end in {_LONGEST_S:.0f} s")
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        after = sum(processor_s(each.pid) for each in processes), database.processor_s()
    workers_s, database_s = (late - early for early, late in zip(before, after, strict=True))
    return _Run(
        per_second=claims / seconds, workers_ms=workers_s * 1000 / claims, database_ms=database_s * 1000 / claims
    )


def _waits(site: Site) -> bool:
    with site.store.read() as tx:
        return any(tx.work.count().values())


@contextmanager
def _working(folder: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "gateway.cli", "serve", "--site", str(folder), "--role", "work"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(count)
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
