"""Credential rosters as CSV: every bad row reported with its line, loaded only when all are good."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from gateway.claim.identifiers import npi_is_valid
from gateway.claim.record import CredentialRecord
from gateway.errors import ConfigurationError

_REQUIRED = ("npi", "payer", "role", "start_on")
_KNOWN = (*_REQUIRED, "end_on", "taxonomy", "location_npi")
_ROLES = ("rendering", "attending", "billing")


def read_credentials(content: bytes, name: str = "roster.csv") -> list[CredentialRecord]:
    """The rows of a roster. Raises ConfigurationError listing ``file:line: what`` of every bad row."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError([f"{name}:1: the file is not UTF-8 text; save it as CSV UTF-8"]) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    problems = _header_problems(name, reader.fieldnames or ())
    rows: list[CredentialRecord] = []
    for row in reader if not problems else ():
        found, wrong = _read(row)
        problems += [f"{name}:{reader.line_num}: {each}" for each in wrong]
        if found is not None:
            rows.append(found)
    if problems:
        raise ConfigurationError(problems)
    return rows


def _header_problems(name: str, header: Sequence[str]) -> list[str]:
    missing = [each for each in _REQUIRED if each not in header]
    unknown = [each for each in header if each not in _KNOWN]
    problems = [f"{name}:1: the column {each!r} is missing" for each in missing]
    return problems + [f"{name}:1: unknown column {each!r}; known are {', '.join(_KNOWN)}" for each in unknown]


def _read(row: dict[str, str | None]) -> tuple[CredentialRecord | None, list[str]]:
    value = {key: (text or "").strip() for key, text in row.items() if key is not None}
    wrong = [f"{key} is empty" for key in _REQUIRED if not value[key]]
    if value["npi"] and not npi_is_valid(value["npi"]):
        wrong.append("npi is not a valid NPI")
    if value["role"] and value["role"] not in _ROLES:
        wrong.append(f"role is one of {', '.join(_ROLES)}")
    dates: dict[str, date | None] = {}
    for key in ("start_on", "end_on"):
        try:
            dates[key] = date.fromisoformat(value[key]) if value.get(key) else None
        except ValueError:
            wrong.append(f"{key} is a date such as 2026-01-01")
    start_on = dates.get("start_on")
    if wrong or start_on is None:
        return None, wrong
    return CredentialRecord(
        npi=value["npi"],
        payer=value["payer"],
        role=value["role"],
        start_on=start_on,
        end_on=dates.get("end_on"),
        taxonomy=value.get("taxonomy", ""),
        location_npi=value.get("location_npi", ""),
    ), []
