"""Which acknowledgment code a finding on an envelope would become: TA105, AK905 or IK502, by finding code and place.

The meanings are X12's; the choice where several would do is ours. Knows no finding.
"""

from __future__ import annotations

# TA105 by (finding code, element or segment).
INTERCHANGE = {
    ("envelope-value", "ISA01"): "010",
    ("envelope-value", "ISA03"): "012",
    ("envelope-value", "ISA05"): "005",
    ("envelope-value", "ISA06"): "006",
    ("envelope-value", "ISA07"): "007",
    ("envelope-value", "ISA08"): "008",
    ("envelope-value", "ISA09"): "014",
    ("envelope-value", "ISA10"): "015",
    ("delimiter-invalid", "ISA11"): "016",
    ("envelope-value", "ISA13"): "018",
    ("envelope-value", "ISA14"): "019",
    ("envelope-value", "ISA15"): "020",
    ("count-wrong", "IEA01"): "021",
    ("control-number-mismatch", "IEA02"): "001",
    ("trailer-missing", "IEA"): "023",
    ("interchange-cut", ""): "023",
    ("control-number-repeated", "ISA13"): "025",
    ("envelope-value", "GS"): "024",
    ("envelope-value", "GS02"): "024",
    ("envelope-value", "GS03"): "024",
    ("envelope-value", "GS04"): "024",
    ("envelope-value", "GS05"): "024",
    ("envelope-value", "GS07"): "024",
    ("envelope-value", "IEA"): "022",
    ("segment-misplaced", "GE"): "022",
    ("segment-misplaced", "ST"): "022",
}
# AK905 by (finding code, element or segment).
GROUP = {
    ("envelope-value", "GS01"): "1",
    ("envelope-value", "GS06"): "6",
    ("envelope-value", "GS08"): "2",
    ("trailer-missing", "GE"): "3",
    ("control-number-mismatch", "GE02"): "4",
    ("count-wrong", "GE01"): "5",
    ("control-number-repeated", "GS06"): "19",
}
# IK502 by (finding code, element or segment).
TRANSACTION = {
    ("version-unsupported", "ST03"): "I6",
    ("version-mismatch", "ST03"): "I6",
    ("trailer-missing", "SE"): "2",
    ("control-number-mismatch", "SE02"): "3",
    ("segment-count-wrong", "SE01"): "4",
    ("control-number-repeated", "ST02"): "23",
}
