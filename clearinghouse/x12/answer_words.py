"""What the codes of a TA1, a 999 and a 277CA say, in our own words. A code that is not here is shown as it came."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "A": "accepted",
        "E": "accepted, with errors",
        "P": "accepted in part",
        "R": "refused",
        "M": "refused: its authentication failed",
        "W": "refused: its assurance failed",
        "X": "refused: it could not be decrypted",
    }
)
"""TA104, IK501 and AK901."""

INTERCHANGE_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "000": "",
        "001": "the control number of its trailer is another than its header's",
        "002": "the standard it names is not known there",
        "003": "the version it names is not known there",
        "004": "its segment terminator is not valid",
        "005": "the qualifier of its sender is not valid",
        "006": "its sender is not known there",
        "007": "the qualifier of its receiver is not valid",
        "008": "its receiver is not known there",
        "009": "its receiver is nobody they take files for",
        "010": "the qualifier of its authorization is not valid",
        "011": "its authorization is not valid",
        "012": "the qualifier of its security is not valid",
        "013": "its security is not valid",
        "014": "its date is not valid",
        "015": "its time is not valid",
        "016": "its repetition separator or standard is not valid",
        "017": "its version is not valid",
        "018": "its control number is not valid",
        "019": "it does not say rightly whether it wants an acknowledgment",
        "020": "its usage is not test or production as they expect",
        "021": "its count of groups is wrong",
        "022": "something in its structure is not valid",
        "023": "it ended before its end",
        "024": "something in it is not valid",
        "025": "they have had this control number before",
        "026": "its data element separator is not valid",
        "027": "its component separator is not valid",
        "028": "its date of delivery is not valid",
        "029": "its time of delivery is not valid",
        "030": "its code for the time of delivery is not valid",
        "031": "its grade of service is not valid",
    }
)
"""TA105."""

SEGMENT_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "1": "is not a segment they know",
        "2": "is not expected here",
        "3": "is missing",
        "4": "begins a loop that comes too often",
        "5": "comes too often",
        "6": "is not in this transaction set",
        "7": "is out of order",
        "8": "has errors in its elements",
        "I4": "is not used by the guide",
        "I6": "is missing where another asks for it",
        "I7": "begins a loop that comes too seldom",
        "I8": "misses what the guide asks for",
        "I9": "has an error that the guide describes",
    }
)
"""IK304."""

ELEMENT_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "1": "is missing",
        "2": "is missing where another asks for it",
        "3": "is one too many",
        "4": "is too short",
        "5": "is too long",
        "6": "has a character that is not allowed",
        "7": "holds a code that is not valid",
        "8": "is not a date",
        "9": "is not a time",
        "10": "stands beside another that excludes it",
        "12": "is repeated too often",
        "13": "has too many components",
        "I6": "holds a code the guide does not allow",
        "I9": "is missing where the guide asks for it",
        "I10": "is not used by the guide",
        "I11": "is not of the form the guide asks for",
        "I12": "is not a value the guide allows here",
        "I13": "depends on another that is not there",
    }
)
"""IK403."""

CLAIM_CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        "A0": "passed on",
        "A1": "received",
        "A2": "accepted for adjudication",
        "A3": "cannot be processed",
        "A4": "not found",
        "A5": "split",
        "A6": "something is missing",
        "A7": "something is not valid",
        "A8": "two things in it do not agree",
    }
)
"""STC01-1."""
REFUSING_CATEGORIES = frozenset({"A3", "A4", "A6", "A7", "A8"})
