"""How often a partner is asked again where the connection broke. Knows no transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from clearinghouse.mailbox import LoginInterrupted, Unreachable

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Repeats:
    """The port's one retry policy: how often, and how long between, for broken connections only."""

    tries: int = 3
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0

    def __call__(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until it answers or the tries are used up; the last failure is raised as it is."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.tries),
            wait=tenacity.wait_exponential_jitter(
                multiplier=self.first_wait_s, max=self.longest_wait_s, jitter=self.first_wait_s
            ),
            retry=tenacity.retry_if_exception(_is_safe_to_repeat),
            reraise=True,
        )
        return retrying(ask)


def _is_safe_to_repeat(failure: BaseException) -> bool:
    return isinstance(failure, Unreachable) and not isinstance(failure, LoginInterrupted)
