"""Runs a task of the bench in a process of its own, so that memory, caches and collector are its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.errors import GatewayError

USUAL_S, LONG_S = 300.0, 4 * 3600.0
"""How long a task may take, and a task of a long stage."""


class ChildFailed(GatewayError):
    """A task of the bench did not come to its end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task returned, and the most memory its process ever held."""

    result: Any
    peak_mb: float


def run_task(task: str, patience_s: float = USUAL_S, **arguments: Any) -> Outcome:
    """Run ``module.function`` of this package in a new process. Raises ChildFailed, after ``patience_s`` too.

    Arguments and result are what JSON can say.
    """
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "gateway.bench", task, json.dumps(arguments), str(answer)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=patience_s, check=False)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"{task} was stopped after {patience_s:.0f} s") from None
        if done.returncode or not answer.is_file():
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ChildFailed(f"{task} broke: {said[-1]}")
        found = json.loads(answer.read_bytes())
    return Outcome(found["result"], found["peak_mb"])


def serve_task(task: str, arguments: str, answer: Path) -> None:
    """In the child: run the task and leave its answer."""
    module, _, function = task.rpartition(".")
    result = getattr(import_module(f"gateway.bench.{module}"), function)(**json.loads(arguments))
    answer.write_text(json.dumps({"result": result, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """The most memory this process held, in MB of 2**20 bytes.

    Linux counts the parent's memory into ru_maxrss across a fork, so the kernel's own high-water mark comes first.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)
