"""What each finding of the check means and what to do about it, from finding_codes.toml. Knows no segment."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from clearinghouse.x12.answer_codes import GROUP, INTERCHANGE, TRANSACTION


@dataclass(frozen=True, slots=True)
class FindingCode:
    """One code: SNIP types, severities, meaning, remedy, the IK304 codes (IK403 after a slash) a 999 would carry."""

    code: str
    snip: tuple[int, ...]
    severity: tuple[str, ...]
    means: str
    remedy: str
    answers: tuple[str, ...] = ()

    @property
    def answered(self) -> list[str]:
        """What an acknowledgment would carry, each with the element it stands in."""
        told = []
        for segment, _, element in (answer.partition("/") for answer in self.answers):
            told.append(f"IK304 {segment}" + (f" IK403 {element}" if element else ""))
        envelope = (("IK502", TRANSACTION), ("AK905", GROUP), ("TA105", INTERCHANGE))
        for name, table in envelope:
            told += sorted({f"{name} {answer}" for (code, _), answer in table.items() if code == self.code})
        return told


@cache
def finding_codes() -> dict[str, FindingCode]:
    """Every code the check can make, by name."""
    tables = tomllib.loads(files("clearinghouse.x12").joinpath("finding_codes.toml").read_text("utf-8"))
    found = {}
    for code, table in tables.items():
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
        }
        found[code] = FindingCode(code, **values)
    return found
