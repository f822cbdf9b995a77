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
from pathlib import Path
from typing import Any

from gateway.bench.rows import compared, unmeasured
from gateway.bench.sites import site_in, take_in
from gateway.bench.timing import sized
from gateway.bench.weeks import WEEK_IS_OVER, week_messages
from gateway.wiring.clock import RehearsalClock
from gateway.wiring.new_site import CLOCK, make_site
from gateway.wiring.site import Site

DATABASE = "CLEANCLAIM_BENCH_DATABASE"
_NAME = "two workers on PostgreSQL"
_WARM = 4
_LONGEST_S = 600.0


def share_a_week(scale: float) -> list[dict[str, Any]]:
    """Weekly claims a second by two workers, and by one; the database is an empty one of the user's own."""
    url = os.environ.get(DATABASE)
    if url is None:
        return [unmeasured(_NAME, f"needs an empty PostgreSQL database: name it in {DATABASE}").document()]
    claims = sized(300, scale, 2)
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as scratch:
        folder = Path(scratch) / "site"
        make_site(folder, demo=True, database=url, samples={})
        RehearsalClock(folder / CLOCK).turn(WEEK_IS_OVER)
        with site_in(folder) as site:
            take_in(site, week_messages(0, _WARM))
            site.settle()
            one = claims / _seconds(site, folder, _WARM, claims, workers=1)
            two = claims / _seconds(site, folder, _WARM + claims, claims, workers=2)
    row = compared(
        _NAME, two, "claims/s", "one worker", one, budget=">= 1.7x", at_least_ratio=1.7,
        note=f"{claims} weekly claims, stored messages to judged drafts; database on the same {os.cpu_count()} cores",
    )  # fmt: skip
    return [row.document()]


def _seconds(site: Site, folder: Path, first: int, claims: int, *, workers: int) -> float:
    """From the moment the workers, started and warm, may begin until nothing waits any more."""
    with _working(folder, workers) as processes:
        for each in processes:
            each.send_signal(signal.SIGSTOP)
        take_in(site, week_messages(first, claims))
        began = time.perf_counter()
        for each in processes:
            each.send_signal(signal.SIGCONT)
        while _waits(site):
            if time.perf_counter() - began > _LONGEST_S:
                raise TimeoutError(f"{workers} workers did not come to an end in {_LONGEST_S:.0f} s")
            time.sleep(0.02)
        return time.perf_counter() - began


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
