"""Several threads at once, and one thread that waits for another: for tests of what happens side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")
LONG_S = 30.0


def at_once(times: int, act: Callable[[int], T]) -> list[T]:
    """What each of so many threads returned after they all started together; raises what any of them raised."""
    barrier = Barrier(times)

    def run(number: int) -> T:
        barrier.wait(LONG_S)
        return act(number)

    with ThreadPoolExecutor(times) as pool:
        return [each.result(LONG_S) for each in [pool.submit(run, number) for number in range(times)]]


def beside(act: Callable[[], T]) -> Future[T]:
    """Start something in a thread of its own; ask the answer for its result once it may go on."""
    pool = ThreadPoolExecutor(1)
    started = pool.submit(act)
    pool.shutdown(wait=False)
    return started
