"""Values of the 999 implementation acknowledgment (005010X231A1). Knows no delivery state of ours."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.x12.encoding import SegmentWriter, Text
from clearinghouse.x12.envelope import Envelope, write_interchange

GUIDE = "005010X231A1"


@dataclass(frozen=True, slots=True)
class Context:
    """CTX: where the trouble is, in business or segment terms.

    `name` CTX01-1 (CLM01 for the claim's number, SITUATIONAL TRIGGER ...), `value` CTX01-2; the segment trigger is
    CTX02-06: segment id, its position in the transaction, the loop, element position and component position.
    """

    name: str = ""
    value: str = ""
    segment_id: str = ""
    segment_position: int | None = None
    loop_id: str = ""
    element_position: int | None = None
    component_position: int | None = None


@dataclass(frozen=True, slots=True)
class ElementError:
    """IK4: element position in the segment, component and repeat where they apply, data element number, code, bad
    value.

    `code` is IK403 (1 missing, 2 conditional missing, 4 short, 5 long, 6 character, 7 code value, 8 date, 9 time,
    10 exclusion, 12 repeats, 13 components, I6 value not allowed, I9, I10 not used, I11, I12, I13).
    """

    element_position: int
    code: str
    component_position: int | None = None
    repeat_position: int | None = None
    data_element: str = ""
    bad_value: str = ""
    contexts: tuple[Context, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentError:
    """IK3: segment id, its position counted from ST = 1, loop, code, with its element errors.

    `code` is IK304 (1 unrecognized, 2 unexpected, 3 required missing, 4 loop too often, 5 too many, 6 not in set,
    7 wrong order, 8 has element errors, I4 not used, I6 dependent missing, I7 loop missing below minimum, I8, I9).
    """

    segment_id: str
    segment_position: int
    code: str
    loop_id: str = ""
    contexts: tuple[Context, ...] = ()
    elements: tuple[ElementError, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionResponse:
    """AK2..IK5: one transaction set of the acknowledged group.

    `code` is IK501: A accepted, E accepted with errors, R rejected (M, W, X security). `error_codes` are IK502-06.
    """

    transaction_type: str
    control_number: str
    code: str
    guide: str = ""
    segment_errors: tuple[SegmentError, ...] = ()
    error_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One ST of a 999: answers one functional group.

    `group_control_number` AK102 = their GS06 as written, `group_code` AK901 A, E, P or R, counts AK902-04,
    `error_codes` AK905-09.
    """

    functional_code: str
    group_control_number: str
    group_guide: str
    responses: tuple[TransactionResponse, ...]
    group_code: str
    included_count: int
    received_count: int
    accepted_count: int
    error_codes: tuple[str, ...] = ()
    control_number: str = "0001"


def write_999(acknowledgement: Acknowledgement, envelope: Envelope) -> bytes:
    """One interchange with one ST. Raises UnwritableValue naming loop and element."""
    out = SegmentWriter(envelope.delimiters)
    out.add("ST", "999", acknowledgement.control_number, GUIDE)
    answered = (acknowledgement.functional_code, acknowledgement.group_control_number, acknowledgement.group_guide)
    out.add("AK1", *answered)
    for response in acknowledgement.responses:
        with out.within("2000"):
            out.add("AK2", response.transaction_type, response.control_number, response.guide)
        for error in response.segment_errors:
            _write_segment_error(out, error)
        with out.within("2000"):
            out.add("IK5", response.code, *response.error_codes[:5])
    counts = (acknowledgement.included_count, acknowledgement.received_count, acknowledgement.accepted_count)
    out.add("AK9", acknowledgement.group_code, *map(str, counts), *acknowledgement.error_codes[:5])
    return write_interchange(envelope, "FA", GUIDE, out.segments)


def _write_segment_error(out: SegmentWriter, error: SegmentError) -> None:
    with out.within("2100"):
        out.add("IK3", error.segment_id, str(error.segment_position), error.loop_id, error.code)
        _write_contexts(out, error.contexts)
    for element in error.elements:
        with out.within("2110"):
            place = (element.element_position, element.component_position, element.repeat_position)
            out.add("IK4", tuple(map(_position, place)), element.data_element, element.code, Text(element.bad_value))
            _write_contexts(out, element.contexts)


def _write_contexts(out: SegmentWriter, contexts: tuple[Context, ...]) -> None:
    for context in contexts:
        place = (_position(context.element_position), _position(context.component_position))
        segment_position = _position(context.segment_position)
        named = (context.name, context.value)
        out.add("CTX", named, context.segment_id, segment_position, context.loop_id, place)


def _position(value: int | None) -> str:
    return "" if value is None else str(value)
