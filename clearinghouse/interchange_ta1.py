"""A TA1 as facts: what became of one interchange of ours."""

from __future__ import annotations

from clearinghouse.x12.interchange_ta1 import read_ta1
from clearinghouse.x12.tokens import Source
from gateway.claim.answer import InterchangeAnswer


def interchange_answers(source: Source) -> tuple[InterchangeAnswer, ...]:
    """One answer per TA1. Raises X12FormatError, ValueError when TA101 is no number."""
    return tuple(
        InterchangeAnswer(
            isa13=int(answered.control_number),
            code=answered.code,
            note=answered.note,
            created_on=answered.interchange_on,
            created_at=answered.interchange_time,
        )
        for _, answered in read_ta1(source)
    )
