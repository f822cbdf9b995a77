"""The stages by name, each measured by tasks in processes of their own, and the one function that runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.bench.children import LONG_S, USUAL_S, ChildFailed, run_task
from gateway.bench.machine import describe_machine
from gateway.bench.rows import unmeasured
from gateway.errors import NotFound

STAGES: Mapping[str, tuple[str, ...]] = {
    "x12": ("x12.check", "x12.read", "x12.memory"),
    "ingest": ("hl7_ingest.receive", "fhir_ingest.receive"),
    "gate": ("gate.judge_month", "score.measure"),
    "pipeline": ("pipeline.bill",),
    "exchange": ("exchange.trade",),
    "workers": ("workers.share_a_week",),
    "mappings": ("mapping_files.check_large_site", "what_if.foretell"),
    "long": ("long.day", "long.remittance", "long.answers"),
}
"""The tasks of each stage, as ``module.function`` of this package; each returns the stage's rows."""
ON_REQUEST = frozenset({"long"})
"""Stages that take the better part of an hour: measured when they are named."""


def run(names: Sequence[str] = (), *, scale: float = 1.0) -> dict[str, Any]:
    """Measure the stages named; without a name all but the long one: ``bench --json``. Raises NotFound.

    ``scale`` makes every sample smaller or larger; the budgets are for 1.
    """
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        raise NotFound(f"there is no stage named {unknown[0]!r}; the stages are {', '.join(STAGES)}")
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(names or (each for each in STAGES if each not in ON_REQUEST)):
        for task in STAGES[name]:
            rows += _rows_of(task, scale, LONG_S if name in ON_REQUEST else USUAL_S)
    return {"machine": describe_machine(), "rows": rows}


def _rows_of(task: str, scale: float, patience_s: float) -> list[dict[str, Any]]:
    """A task that breaks takes none of the other figures with it."""
    try:
        found: list[dict[str, Any]] = run_task(task, patience_s, scale=scale).result
    except ChildFailed as error:
        return [unmeasured(task, str(error)).document()]
    return found
