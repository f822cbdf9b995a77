"""The demo as its user runs it: the installed command, a real server, real feeds, a real clearinghouse."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

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


def assert_month_is_whole(result: dict[str, Any]) -> None:
    """What any run of the month must show."""
    assert result["doctor"]["ok"], [check for check in result["doctor"]["checks"] if not check["ok"]]
    assert sum(result["places"].values()) == result["encounters"]
    assert sum(result["states"].values()) == result["claims"]
    assert result["paid"] > 0
    assert result["denied"] > 0
    assert result["paid_cents"] > 0
    settled = ("paid", "contractual", "denied", "patient", "adjusted", "open", "suspense")
    assert result["billed_cents"] == sum(result[f"{each}_cents"] for each in settled)
    owners = {group["owner"] for group in result["held"]}
    assert {"clinician", "utilization-review", "front-desk", "credentialing"} <= owners
    assert len(result["story"]) == 3
    assert all(each["claims"] > 0 and each["cents"] > 0 for each in result["caught"])
    assert len(result["caught"]) == 5


def test_the_month_becomes_paid_and_denied_claims(cleanclaim_command: str, tmp_path: Path) -> None:
    result = run_demo(cleanclaim_command, tmp_path / "site")
    assert_month_is_whole(result)
    assert result["encounters"] > 1500
    assert result["sent"] > 100


def test_the_same_month_on_postgresql_gives_the_same_export(
    cleanclaim_command: str, tmp_path: Path, postgres_url: str
) -> None:
    few = ("--patients", "10")
    embedded, served = tmp_path / "embedded", tmp_path / "served"
    run_demo(cleanclaim_command, embedded, *few)
    run_demo(cleanclaim_command, served, *few, "--database", postgres_url)
    assert export_of(cleanclaim_command, embedded) == export_of(cleanclaim_command, served)
