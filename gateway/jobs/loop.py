"""Lanes in this process: each runs its pass again and again in a thread of its own, and is woken early for work."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from gateway.jobs.lane import Lane, run_pass

_GATHER_S = 0.1
"""What arrives within a tenth of a second is done together."""


class PassLoop:
    """Runs lanes until it is stopped. A failing lane backs off and goes on; it never takes another one with it."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.lanes = tuple(lanes)
        self._wakes = {lane.name: threading.Event() for lane in lanes}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start every lane."""
        for lane in self.lanes:
            thread = threading.Thread(target=self._run, args=(lane,), name=f"lane-{lane.name}")
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that there is new work."""
        for lane in self.lanes:
            if lane.woken:
                self._wakes[lane.name].set()

    def stop(self) -> None:
        """Let every lane finish the pass it is in, and wait for it."""
        self._stopping.set()
        for wake in self._wakes.values():
            wake.set()
        for thread in self._threads:
            thread.join()

    def _run(self, lane: Lane) -> None:
        wake = self._wakes[lane.name]
        while not self._stopping.is_set():
            wake.clear()
            done = run_pass(lane)
            if lane.caught_up(done) and lane.then:
                self._wakes[lane.then].set()
            if not lane.goes_on(done) and not self._stopping.is_set() and wake.wait(lane.patience_s):
                self._stopping.wait(_GATHER_S)
