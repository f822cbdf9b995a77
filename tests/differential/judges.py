"""What each judge says of a file, in one shape: remarks at a place."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.findings import ERROR, Finding
from clearinghouse.x12.referee import Complaint, Kind, ask_referee

_MISSING = frozenset(("segment-missing", "loop-missing", "trailer-missing"))
_STRUCTURE = frozenset(
    (
        "unreadable", "segment-misplaced", "segment-unknown", "segment-unexpected", "segment-out-of-order",
        "segment-empty", "segment-too-many", "loop-too-many", "hierarchy-wrong", "line-number-wrong", "count-wrong",
        "segment-count-wrong", "control-number-mismatch", "control-number-repeated", "text-outside-interchange",
        "interchange-cut", "version-unsupported", "version-mismatch",
    )
)  # fmt: skip
_ENVELOPE = frozenset(("", "ISA", "GS", "GE", "IEA", "TA1"))


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing a judge says is wrong. `position` counts from ST = 1 in the `transaction`-th set; 0 is the envelope."""

    guide: str
    transaction: int
    position: int
    segment: str
    element: str
    code: str
    loop: str = ""
    kind: Kind = Kind.ELEMENT

    def __str__(self) -> str:
        where = f"set {self.transaction} segment {self.position}" if self.transaction else "envelope"
        return f"{where}: {self.segment} {self.element} [{self.code}] loop {self.loop or '-'}"


def ours(content: bytes) -> list[Remark]:
    """Our check, SNIP 1 and 2 (a list of codes that both judges hold is our SNIP 5)."""
    report = check_bytes(content, deep=False)
    if not report.readable:
        return [Remark("", 0, 0, "", "", "unreadable", kind=Kind.STRUCTURE)]
    remarks = [_ours(found, "", 0) for found in report.findings]
    number = 0
    for interchange in report.interchanges:
        remarks += [_ours(found, "", 0) for found in interchange.findings]
        for group in interchange.groups:
            remarks += [_ours(found, "", 0) for found in group.findings if found.severity == ERROR]
            for transaction in group.transactions:
                if transaction.type == "TA1":
                    remarks += [_ours(found, "TA1", 0) for found in transaction.findings]
                    continue
                number += 1
                remarks += [_ours(found, transaction.type, number) for found in transaction.findings]
    return remarks


def _ours(found: Finding, guide: str, transaction: int) -> Remark:
    enveloped = found.segment in _ENVELOPE and found.code != "segment-empty"
    place = (0, 0) if enveloped else (transaction, found.position or 0)
    kind = Kind.MISSING if found.code in _MISSING else Kind.STRUCTURE if found.code in _STRUCTURE else Kind.ELEMENT
    return Remark(guide, *place, found.segment, found.element, found.code, found.loop, kind)


def guides(content: bytes) -> list[str]:
    """The guide of each transaction set, as our check names it."""
    sets = [
        transaction.type
        for interchange in check_bytes(content, deep=False).interchanges
        for group in interchange.groups
        for transaction in group.transactions
    ]
    return [guide for guide in sets if guide != "TA1"]


def pyx12(content: bytes) -> list[Remark]:
    """pyx12, as the product asks it."""
    known = guides(content)
    return [_theirs(each, known) for each in ask_referee(content)]


def _theirs(each: Complaint, known: list[str]) -> Remark:
    guide = known[each.transaction - 1] if 0 < each.transaction <= len(known) else ""
    loop = next((part for part in reversed(each.path.split("/")) if part[:1].isdigit()), "")
    return Remark(guide, each.transaction, each.position, each.segment, each.element, each.code, loop, each.kind)
