"""Timing two things against each other: in turns, so that a neighbour's load falls on both, and each at its best."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


def on_processor(work: Callable[[], Result]) -> tuple[float, Result]:
    """Processor seconds of one call, and what it returned, with nothing of an earlier one left to collect.

    Processor time of a single thread is what the wall clock says on an idle core, and stays it on a busy one.
    """
    return _timed(work, time.process_time)


def on_own_core(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of one call of this thread, waiting for the disk included, and the result.

    What the kernel says this thread stood in line for a core behind other programs is taken off.
    """
    return _timed(work, _own_clock)


def on_the_wall(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds by the clock on the wall, and the result: for work that waits for another process."""
    return _timed(work, time.perf_counter)


def _own_clock() -> float:
    return time.perf_counter() - _stood_in_line_s()


def _stood_in_line_s() -> float:
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _timed(work: Callable[[], Result], clock: Callable[[], float]) -> tuple[float, Result]:
    gc.collect()
    began = clock()
    result = work()
    return clock() - began, result


class Best:
    """The best rate of several rounds: what the machine can do when left alone."""

    def __init__(self) -> None:
        self.per_second = 0.0

    def take(self, count: float, seconds: float) -> None:
        """One round: so many things in so many seconds."""
        self.per_second = max(self.per_second, count / max(seconds, 1e-9))


def sized(usual: int, scale: float, least: int = 1) -> int:
    """A sample's size at a scale."""
    return max(least, round(usual * scale))
