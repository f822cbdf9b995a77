"""What the check asks of code sets owned by others, and the shapes it can judge without them."""

from __future__ import annotations

import re
from datetime import date
from typing import Protocol

_TAXONOMY = re.compile(r"[0-9A-Z]{9}X")
_REVENUE = re.compile(r"\d{4}")
_HCPCS = re.compile(r"[A-Z]\d{4}|\d{4}[0-9A-Z]")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
_DIAGNOSIS = re.compile(r"[A-Z]\d[0-9A-Z][0-9A-Z]{0,4}")


class CodeSets(Protocol):
    """Code lists by date. Each answer is True, False, or None where the list is not at hand."""

    def diagnosis(self, code: str, on: date) -> bool | None:
        """Whether an ICD-10-CM code (no dot) may be billed on a day."""
        ...

    def procedure(self, code: str, on: date) -> bool | None:
        """Whether a HCPCS or CPT code exists on a day."""
        ...

    def revenue(self, code: str, on: date) -> bool | None:
        """Whether a revenue code exists on a day."""
        ...


class _NoCodeSets:
    """Code sets that know nothing: only shapes are judged, and nobody expected more."""

    def diagnosis(self, code: str, on: date) -> bool | None:  # noqa: ARG002
        """Unknown."""
        return None

    def procedure(self, code: str, on: date) -> bool | None:  # noqa: ARG002
        """Unknown."""
        return None

    def revenue(self, code: str, on: date) -> bool | None:  # noqa: ARG002
        """Unknown."""
        return None


NO_CODE_SETS = _NoCodeSets()


def is_npi(value: str) -> bool:
    """Ten digits, the first 1 or 2, Luhn check over 80840 and the number (CMS NPI check digit rule)."""
    if len(value) != 10 or not (value.isascii() and value.isdigit()) or value[0] not in "12":
        return False
    total = 24  # the prefix 80840 contributes 24
    for index, mark in enumerate(value):
        digit = ord(mark) - 48
        total += digit if index % 2 else (digit * 2 - 9 if digit > 4 else digit * 2)
    return total % 10 == 0


def is_taxonomy(value: str) -> bool:
    """Ten characters ending in X."""
    return _TAXONOMY.fullmatch(value) is not None


def is_revenue_shape(value: str) -> bool:
    """Four digits."""
    return _REVENUE.fullmatch(value) is not None


def is_procedure_shape(value: str) -> bool:
    """HCPCS level II (a letter and four digits) or five characters of the CPT shape."""
    return _HCPCS.fullmatch(value) is not None


def is_modifier_shape(value: str) -> bool:
    """Two letters or digits."""
    return _MODIFIER.fullmatch(value) is not None


def is_diagnosis_shape(value: str) -> bool:
    """An ICD-10-CM code without its dot: three to seven characters."""
    return _DIAGNOSIS.fullmatch(value) is not None
