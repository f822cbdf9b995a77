"""A 277CA as facts: each claim accepted or rejected, by the clearinghouse or by the payer."""

from __future__ import annotations

from collections.abc import Iterator

from clearinghouse.x12.read_277ca import stream_277ca
from clearinghouse.x12.status_277ca import Status
from clearinghouse.x12.tokens import Source
from gateway.claim.answer import ClaimAnswer

_REJECTING = frozenset({"A3", "A4", "A6", "A7", "A8"})
_PAYER = "PR"


def claim_answers(source: Source) -> Iterator[ClaimAnswer]:
    """One answer per claim of every level. Raises X12FormatError."""
    for role, batch_reference, claim in stream_277ca(source):
        charge = next((each.charge_cents for each in claim.statuses if each.charge_cents is not None), None)
        lines = [status for line in claim.lines for status in line.statuses]
        yield ClaimAnswer(
            batch_reference=batch_reference,
            claim_number=claim.trace_number,
            accepted=not any(_rejects(each) for each in claim.statuses),
            by_payer=role == _PAYER,
            statuses=tuple(_codes(each) for each in (*claim.statuses, *lines)),
            payer_claim_number=claim.payer_claim_number,
            clearinghouse_number=claim.clearinghouse_trace,
            charge_cents=charge,
        )


def _rejects(status: Status) -> bool:
    """STC03 says it (X12 RFI 2203: WQ accepts, U rejects); where a sender leaves it out, the category does."""
    if status.action in ("WQ", "U"):
        return status.action == "U"
    return any(code.category in _REJECTING for code in status.codes)


def _codes(status: Status) -> str:
    return " ".join(":".join(filter(None, (each.category, each.status, each.entity))) for each in status.codes)
