"""One HI code of an 837 claim to its value: diagnosis, procedure, occurrence, value, condition and the rest."""

from __future__ import annotations

from typing import Any

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.claims_837 import (
    Diagnosis,
    InpatientProcedure,
    Occurrence,
    OccurrenceSpan,
    OtherCode,
    ValueCode,
)
from clearinghouse.x12.decoding import X12FormatError

_DIAGNOSES = ("ABK", "BK", "ABF", "BF", "ABJ", "BJ", "APR", "PR", "ABN", "BN")
_PROCEDURES = ("BBR", "BR", "CAH", "BBQ", "BQ")
_OTHERS = ("DR", "TC", "BP", "BO")
_LISTS = {
    **dict.fromkeys(_DIAGNOSES, "diagnoses"),
    **dict.fromkeys(_PROCEDURES, "procedures"),
    **dict.fromkeys(_OTHERS, "other_codes"),
    "BG": "condition_codes",
    "BH": "occurrences",
    "BI": "occurrence_spans",
    "BE": "value_codes",
}
# The components of a code of each list that its value holds.
_FIELDS = {
    "diagnoses": (0, 1, 8),
    "procedures": (0, 1, 2, 3),
    "other_codes": (0, 1),
    "condition_codes": (0, 1),
    "occurrences": (0, 1, 2, 3),
    "occurrence_spans": (0, 1, 2, 3),
    "value_codes": (0, 1, 4),
}
_COMPONENTS = 9


def read_code(claim: dict[str, Any], values: list[str], index: int, component: str, position: int) -> bool:
    """Add one element of an HI to the parts of a claim; False when it says more than its value, or nothing known.

    Raises X12FormatError.
    """
    parts = values[index].split(component)
    parts += [""] * (_COMPONENTS - len(parts))
    field = _LISTS.get(parts[0])
    if field is None:
        return False
    try:
        claim.setdefault(field, []).append(_code(field, parts))
    except ValueError as problem:
        raise X12FormatError(f"{problem}.", position, f"{values[0]}{index:02d}") from None
    return not any(part and place not in _FIELDS[field] for place, part in enumerate(parts))


def _code(field: str, parts: list[str]) -> Any:
    qualifier, code = parts[0], parts[1]
    if field == "diagnoses":
        return Diagnosis(qualifier, code, parts[8])
    if field == "condition_codes":
        return code
    if field == "occurrences":
        return Occurrence(code, read.day(parts[3]))
    if field == "occurrence_spans":
        dates = read.span(parts[2], parts[3])
        return OccurrenceSpan(code, dates.from_on, dates.last_on)
    if field == "value_codes":
        return ValueCode(code, read.decimal(parts[4]))
    if field == "procedures":
        return InpatientProcedure(qualifier, code, read.day(parts[3]))
    return OtherCode(qualifier, code)
