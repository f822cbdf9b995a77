"""The HI segments of an 837 claim: diagnoses, procedures, occurrences, values, conditions, in the guide's order."""

from __future__ import annotations

from clearinghouse.x12.claims_837 import Claim
from clearinghouse.x12.encoding import SegmentWriter, UnwritableValue, day, number

_PER_SEGMENT = 12
# Qualifiers that share a segment (the later ones are ICD-9), segments in the order of the guide.
_INSTITUTIONAL = (
    ("ABK", "BK"),
    ("ABJ", "BJ"),
    ("APR", "PR"),
    ("ABN", "BN"),
    ("DR",),
    ("ABF", "BF"),
    ("BBR", "BR", "CAH"),
    ("BBQ", "BQ"),
    ("BI",),
    ("BH",),
    ("BE",),
    ("BG",),
    ("TC",),
)
_PROFESSIONAL = (("ABK", "BK", "ABF", "BF"), ("BP", "BO"), ("BG",))


def write_codes(out: SegmentWriter, claim: Claim, institutional: bool) -> None:
    """Every HI of a claim. Raises UnwritableValue for a code whose qualifier the guide has no place for."""
    order = _INSTITUTIONAL if institutional else _PROFESSIONAL
    codes = _composites(claim)
    known = {qualifier for together in order for qualifier in together}
    if any(code[0] not in known for code in codes):
        raise UnwritableValue("2300", "HI01-1", "this guide has no place for a code of this qualifier.")
    for together in order:
        out.add_repeated("HI", [code for code in codes if code[0] in together], _PER_SEGMENT)


def _composites(claim: Claim) -> list[tuple[str, ...]]:
    codes: list[tuple[str, ...]] = [
        (entry.qualifier, entry.code, *_present(entry.present_on_admission)) for entry in claim.diagnoses
    ]
    codes += [(entry.qualifier, entry.code) for entry in claim.other_codes]
    codes += [(entry.qualifier, entry.code, "D8", day(entry.performed_on)) for entry in claim.procedures]
    codes += [
        ("BI", entry.code, "RD8", f"{day(entry.from_on)}-{day(entry.through_on)}") for entry in claim.occurrence_spans
    ]
    codes += [("BH", entry.code, "D8", day(entry.occurred_on)) for entry in claim.occurrences]
    codes += [("BE", entry.code, "", "", number(entry.value)) for entry in claim.value_codes]
    codes += [("BG", code) for code in claim.condition_codes]
    return codes


def _present(on_admission: str) -> tuple[str, ...]:
    return (*[""] * 6, on_admission) if on_admission else ()
