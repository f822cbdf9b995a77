"""The demo as its user runs it: the installed command, a real server, real feeds, a real clearinghouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.month import FEW_PATIENTS, export_of, run_demo


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
    cleanclaim_command: str, tmp_path: Path, postgres_url: str, undisturbed_month: dict[str, Any]
) -> None:
    served = tmp_path / "served"
    run_demo(cleanclaim_command, served, *FEW_PATIENTS, "--database", postgres_url)
    assert undisturbed_month == export_of(cleanclaim_command, served)
