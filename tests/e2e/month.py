"""The demo's month played by the installed command, and what a site exports of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

FEW_PATIENTS = ("--patients", "10")
_TIMEOUT_S = 280


def run_demo(command: str, folder: Path, *options: str) -> dict[str, Any]:
    """The demo's JSON, after it ended well."""
    ran = subprocess.run(
        [command, "demo", "--json", "--site", str(folder), *options],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def export_of(command: str, folder: Path) -> dict[str, Any]:
    """The canonical export of a site."""
    ran = subprocess.run(
        [command, "export", "--json", "--site", str(folder)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    result: dict[str, Any] = json.loads(ran.stdout)
    return result
