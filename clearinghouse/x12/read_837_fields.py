"""Which elements of each 837 segment the typed values hold; a segment that says more is kept whole beside them."""

from __future__ import annotations

# Segment id to (elements counted with the id, those among them no value holds).
_FIELDS: dict[str, tuple[int, tuple[int, ...]]] = {
    "BHT": (7, ()),
    "NM1": (10, (6,)),
    "N3": (3, ()),
    "N4": (8, (5, 6)),
    "DMG": (4, ()),
    "REF": (3, ()),
    "PER": (9, ()),
    "PRV": (4, ()),
    "SBR": (10, (6, 7, 8)),
    "PAT": (7, (2, 3, 4)),
    "CLM": (21, (3, 4, *range(11, 20))),
    "DTP": (4, ()),
    "CL1": (4, ()),
    "PWK": (7, (3, 4)),
    "AMT": (3, ()),
    "K3": (2, ()),
    "NTE": (3, ()),
    "CAS": (20, ()),
    "OI": (7, (1, 2, 5)),
    "MOA": (10, ()),
    "LX": (2, ()),
    "SV1": (10, (6, 8)),
    "SV2": (8, (6,)),
    "SVD": (7, ()),
}
_WHOLE = (1 << 16, ())


def says_more(values: list[str]) -> bool:
    """Whether a segment fills an element no value holds."""
    known, holes = _FIELDS.get(values[0], _WHOLE)
    size = len(values)
    if size > known and any(values[known:]):
        return True
    return bool(holes) and any(values[hole] for hole in holes if hole < size)
