"""A lane: one pass of work, how often it runs, and how a pass that fails is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.errors import GatewayError, innermost_place

_LOG = structlog.get_logger("jobs")
_MOST_PATIENCE_S = 60.0


@dataclass(slots=True)
class Lane:
    """One pass and how often it runs; ``run`` returns how much it did, and 0 means nothing was left to do."""

    name: str
    run: Callable[[], int]
    every_s: float
    woken: bool = False
    """Runs at once when something arrives, and again while there is more. A lane that is not woken keeps its pace:
    what gathers in between is done together."""
    shared: bool = False
    """Several machines may run it at one time, each on rows of its own. Any other lane runs on one at a time."""
    most: int = 0
    """How much one pass does at most, where another follows a pass that did so much, whatever the lane's pace."""
    then: str = ""
    """The lane that lets this one go first while its passes do all they may, and runs at once when they do less."""
    everywhere: bool = False
    """Every machine runs it for itself, at its pace: what it does is done to the machine."""
    behind: bool = False
    """Whether its last pass did all it may."""
    failures: int = 0
    passes: int = 0
    last_error: str = ""

    def goes_on(self, done: int) -> bool:
        """True when a pass that did so much is followed by another at once."""
        return done > 0 and (self.woken or self._did_all_it_may(done))

    def caught_up(self, done: int) -> bool:
        """True when a pass that did so much is the first that had no more to do than it may; noted."""
        was_behind, self.behind = self.behind, self._did_all_it_may(done)
        return was_behind and not self.behind

    def _did_all_it_may(self, done: int) -> bool:
        return 0 < self.most <= done

    @property
    def patience_s(self) -> float:
        """How long it rests when nothing is left to do; longer after each failure in a row."""
        return min(self.every_s * 2.0 ** min(self.failures, 6), _MOST_PATIENCE_S)


def run_pass(lane: Lane) -> int:
    """Run the lane once; how much it did. Whatever goes wrong is noted with the lane, and none of it is raised."""
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
        _LOG.error("pass-broke", lane=lane.name, error=type(error).__name__, at=innermost_place(error))
        return 0
    lane.failures = 0
    lane.passes += 1
    return done
