"""The garbage collector, told what our processes are like: what was loaded stays, a batch comes and goes whole."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 100)
"""A batch makes objects by the ten thousand, has no cycles, and lets them go at its end: looking through them every
700 objects, which is Python's own habit, finds nothing and costs a tenth of the work."""


@contextmanager
def settled() -> Iterator[None]:
    """What is loaded by now (settings, maps, rules, code lists) is left out of collection while the block runs."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
