"""A 999 as facts: what became of each transaction set of ours. Errors as sentences without values."""

from __future__ import annotations

from clearinghouse.x12.acknowledgement_999 import SegmentError, read_999
from clearinghouse.x12.tokens import Source
from gateway.claim.answer import TransactionAnswer


def transaction_answers(source: Source) -> tuple[TransactionAnswer, ...]:
    """One answer per AK2, or one for the whole group when it names none. Raises X12FormatError."""
    found: list[TransactionAnswer] = []
    for _, acknowledgement in read_999(source):
        group = int(acknowledgement.group_control_number)
        if not acknowledgement.responses:
            found.append(TransactionAnswer(gs06=group, st02="", code=acknowledgement.group_code))
        for response in acknowledgement.responses:
            errors = tuple(_sentence(error) for error in response.segment_errors)
            found.append(TransactionAnswer(gs06=group, st02=response.control_number, code=response.code, errors=errors))
    return tuple(found)


def _sentence(error: SegmentError) -> str:
    place = f"segment {error.segment_id} at {error.segment_position} (loop {error.loop_id or '?'})"
    elements = ", ".join(f"element {each.element_position} code {each.code}" for each in error.elements)
    return f"{place}: code {error.code}" + (f"; {elements}" if elements else "")
