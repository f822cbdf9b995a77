"""Lanes: each runs its pass again and again in a thread of its own, and is woken early when there is work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.errors import GatewayError

_LOG = structlog.get_logger("jobs")
_MOST_PATIENCE = 60.0
_GATHER_S = 0.1
"""What arrives within a tenth of a second is done together."""


@dataclass(slots=True)
class Lane:
    """One pass and how often it runs; ``run`` returns how much it did, and 0 means nothing was left to do."""

    name: str
    run: Callable[[], int]
    every_s: float
    woken: bool = False
    """Runs at once when something arrives, and again while there is more. A lane that is not woken keeps its pace:
    what gathers in between is done together."""
    failures: int = 0
    passes: int = 0
    last_error: str = ""
    wake: threading.Event = field(default_factory=threading.Event)


class PassLoop:
    """Runs lanes until it is stopped. A failing lane backs off and goes on; it never takes another one with it."""

    def __init__(self, lanes: list[Lane]) -> None:
        self.lanes = lanes
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
                lane.wake.set()

    def stop(self) -> None:
        """Let every lane finish the pass it is in, and wait for it."""
        self._stopping.set()
        for lane in self.lanes:
            lane.wake.set()
        for thread in self._threads:
            thread.join()

    def _run(self, lane: Lane) -> None:
        while not self._stopping.is_set():
            lane.wake.clear()
            done = self._pass(lane)
            if not (done and lane.woken) and not self._stopping.is_set():
                patience = min(lane.every_s * 2 ** min(lane.failures, 6), _MOST_PATIENCE)
                if lane.wake.wait(patience):
                    self._stopping.wait(_GATHER_S)

    def _pass(self, lane: Lane) -> int:
        try:
            done = lane.run()
        except GatewayError as error:
            lane.failures += 1
            lane.last_error = str(error)
            # Our own errors say what is wrong in words that hold no patient's data; without them nobody could help.
            _LOG.warning("pass-failed", lane=lane.name, error=type(error).__name__, reason=str(error),
                         failures=lane.failures)  # fmt: skip
            return 0
        except Exception as error:
            # A defect of ours must not stop the lane; its text may hold a patient's data, so only its place is logged.
            lane.failures += 1
            lane.last_error = type(error).__name__
            _LOG.error("pass-broke", lane=lane.name, error=type(error).__name__, at=_place(error))
            return 0
        lane.failures = 0
        lane.passes += 1
        return done


def _place(error: BaseException) -> str:
    """``file:line`` of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
