"""The long stage, on request alone: memory over a day of 100,000 encounters and over answers of 1,000,000 claims."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.bench.children import LONG_S, run_task
from gateway.bench.rows import Row
from gateway.bench.sites import claims_in, drain, folder_of_site, freeze_all, site_in, take_in
from gateway.bench.timing import sized
from gateway.bench.weeks import DATES, ENCOUNTERS, week_messages
from gateway.bench.x12 import flat_memory, memory_row
from gateway.wiring.collector import settled

_SESSIONS = ENCOUNTERS // len(DATES)
_AT_ONCE = 500
"""Patients whose messages the bench makes at a time, so that it holds no day of them itself."""


def day(scale: float) -> list[dict[str, Any]]:
    """The most memory a process holds that takes in a day, interprets, derives and freezes it: a small and a large."""
    few, many = (sized(count, scale, _SESSIONS) // _SESSIONS for count in (5_000, 100_000))
    peaks = [run_task("long.hold_day", LONG_S, patients=patients).peak_mb for patients in (few, many)]
    names = (f"{count * _SESSIONS:,} encounters of one day" for count in (many, few))
    return [flat_memory("messages to frozen 837, peak memory at " + next(names), peaks, next(names)).document()]


def hold_day(patients: int) -> None:
    """One day of so many patients, from messages to frozen interchanges."""
    with folder_of_site() as folder, site_in(folder) as site, settled():
        for first in range(0, patients, _AT_ONCE):
            take_in(site, week_messages(first, min(_AT_ONCE, patients - first), DATES[:1]))
        drain(site.interpreting.run)
        drain(site.deriving.run)
        frozen = claims_in(site, freeze_all(site))
    if frozen != patients:
        raise ValueError(f"of {patients} claims {frozen} were frozen")


def answers(scale: float) -> list[dict[str, Any]]:
    """The most memory a process holds that applies a 277CA and an 835: of few claims, and of many."""
    few, many = sized(10_000, scale, 2), sized(1_000_000, scale, 4)
    done = [run_task("applied.apply_answers", LONG_S, claims=claims) for claims in (few, many)]
    row = flat_memory(
        f"277CA and 835 applied, peak memory at {many:,} claims", [each.peak_mb for each in done], f"{few:,}"
    )
    spent = ", ".join(
        f"{1000 * seconds / many:.2f} ms a claim for the {name}" for name, seconds in done[-1].result.items()
    )
    return [replace(row, note=f"processor time {spent}").document()]


def remittance(scale: float) -> list[dict[str, Any]]:
    """The most memory a process holds that reads one 835 to values which balance."""
    row: Row = memory_row("835 read, peak memory", "hold_835", sized(5_000, scale, 2), sized(1_000_000, scale, 4))
    return [row.document()]
