"""Chooses the SNIP 3 to 5 checks of a transaction set by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from clearinghouse.x12.answers_check import AcknowledgementCheck, StatusCheck
from clearinghouse.x12.claims_837_check import ClaimsCheck
from clearinghouse.x12.code_sets import CodeSets
from clearinghouse.x12.findings import TransactionReport
from clearinghouse.x12.guide import Guide, SegmentNode
from clearinghouse.x12.remittance_check import RemittanceCheck
from clearinghouse.x12.walk import Handler


class Semantics(Protocol):
    """Checks across segments: handlers by guide node, and what to say when the transaction set ends."""

    handlers: Mapping[SegmentNode, Handler]

    def finish(self, position: int) -> None:
        """The transaction set has ended at this position."""
        ...


def semantics_for(guide: Guide, report: TransactionReport, code_sets: CodeSets) -> Semantics:
    """The checks of this kind."""
    if guide.kind in ("837I", "837P"):
        return ClaimsCheck(guide, report, code_sets)
    if guide.kind == "835":
        return RemittanceCheck(guide, report)
    if guide.kind == "277CA":
        return StatusCheck(guide, report)
    return AcknowledgementCheck(guide, report)
