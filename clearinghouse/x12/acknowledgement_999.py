"""The 999 implementation acknowledgment (005010X231A1): values, bytes. Knows no delivery state of ours."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.encoding import SegmentWriter, Text
from clearinghouse.x12.envelope import Envelope, write_interchange
from clearinghouse.x12.tokens import Source
from clearinghouse.x12.transactions import Enclosure, read_lines

GUIDE = "005010X231A1"


class Context(Struct, frozen=True, gc=False):
    """CTX: where the trouble is, in business or segment terms.

    `name` CTX01-1 (CLM01 for the claim's number, SITUATIONAL TRIGGER ...), `value` CTX01-2; the segment trigger is
    CTX02-06: segment id, its position in the transaction, the loop, element, component and repeat position, data
    element number.
    """

    name: str = ""
    value: str = ""
    segment_id: str = ""
    segment_position: int | None = None
    loop_id: str = ""
    element_position: int | None = None
    component_position: int | None = None
    repeat_position: int | None = None
    data_element: str = ""


class ElementError(Struct, frozen=True, gc=False):
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


class SegmentError(Struct, frozen=True, gc=False):
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


class TransactionResponse(Struct, frozen=True, gc=False):
    """AK2..IK5: one transaction set of the acknowledged group.

    `code` is IK501: A accepted, E accepted with errors, R rejected (M, W, X security). `error_codes` are IK502-06.
    """

    transaction_type: str
    control_number: str
    code: str
    guide: str = ""
    segment_errors: tuple[SegmentError, ...] = ()
    error_codes: tuple[str, ...] = ()


class Acknowledgement(Struct, frozen=True, gc=False):
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
        place = (context.element_position, context.component_position, context.repeat_position)
        out.add(
            "CTX",
            (context.name, context.value),
            context.segment_id,
            _position(context.segment_position),
            context.loop_id,
            tuple(map(_position, place)),
            context.data_element,
        )


def _position(value: int | None) -> str:
    return "" if value is None else str(value)


def read_999(source: Source) -> list[tuple[Enclosure, Acknowledgement]]:
    """Every 999 transaction set of a file with the envelope it came in. Raises X12FormatError."""
    found: list[tuple[Enclosure, Acknowledgement]] = []
    reader: _Reader | None = None
    for enclosure, values, position in read_lines(source, "999"):
        if position == 1:
            reader = _Reader(enclosure)
            continue
        assert reader is not None
        if values[0] == "SE":
            found.append((enclosure, reader.finish(position)))
        else:
            reader.take(values, position)
    return found


class _Reader:
    """The state of one 999: responses done, the response, segment error and element error in hand."""

    def __init__(self, enclosure: Enclosure) -> None:
        self.component = enclosure.component
        self.control_number = enclosure.control_number
        self.group: list[str] = []
        self.totals: tuple[list[str], int] | None = None
        self.responses: list[TransactionResponse] = []
        self.response: list[str] = []
        self.errors: list[SegmentError] = []

    def take(self, values: list[str], position: int) -> None:
        name = values[0]
        if name == "AK1":
            self.group = values
        elif name == "AK2":
            self.response, self.errors = values, []
        elif name == "IK3":
            self.errors.append(
                SegmentError(
                    segment_id=at(values, 1),
                    segment_position=read.reading(read.whole, values, 2, position),
                    code=at(values, 4),
                    loop_id=at(values, 3),
                )
            )
        elif name == "IK4":
            self._element(values, position)
        elif name == "CTX":
            self._context(values, position)
        elif name == "IK5":
            self._response(values)
        elif name == "AK9":
            self.totals = (values, position)

    def finish(self, position: int) -> Acknowledgement:
        if not self.group or self.totals is None:
            raise X12FormatError("AK1 or AK9 is missing.", position)
        totals, line = self.totals
        included, received, accepted = (read.reading(read.whole, totals, place, line) for place in (2, 3, 4))
        return Acknowledgement(
            functional_code=at(self.group, 1),
            group_control_number=at(self.group, 2),
            group_guide=at(self.group, 3),
            responses=tuple(self.responses),
            group_code=at(totals, 1),
            included_count=included,
            received_count=received,
            accepted_count=accepted,
            error_codes=tuple(code for code in totals[5:10] if code),
            control_number=self.control_number,
        )

    def _response(self, values: list[str]) -> None:
        self.responses.append(
            TransactionResponse(
                transaction_type=at(self.response, 1),
                control_number=at(self.response, 2),
                code=at(values, 1),
                guide=at(self.response, 3),
                segment_errors=tuple(self.errors),
                error_codes=tuple(code for code in values[2:7] if code),
            )
        )
        self.errors = []

    def _element(self, values: list[str], position: int) -> None:
        if not self.errors:
            raise X12FormatError("IK4 stands before any IK3.", position)
        place = [*at(values, 1).split(self.component), "", ""]
        error = ElementError(
            element_position=self._place(place[0], position) or 0,
            code=at(values, 3),
            component_position=self._place(place[1], position),
            repeat_position=self._place(place[2], position),
            data_element=at(values, 2),
            bad_value=at(values, 4),
        )
        last = self.errors[-1]
        self.errors[-1] = replace(last, elements=(*last.elements, error))

    def _context(self, values: list[str], position: int) -> None:
        if not self.errors:
            return
        named = [*at(values, 1).split(self.component), ""]
        place = [*at(values, 5).split(self.component), "", ""]
        context = Context(
            name=named[0],
            value=named[1],
            segment_id=at(values, 2),
            segment_position=self._place(at(values, 3), position),
            loop_id=at(values, 4),
            element_position=self._place(place[0], position),
            component_position=self._place(place[1], position),
            repeat_position=self._place(place[2], position),
            data_element=at(values, 6),
        )
        last = self.errors[-1]
        if last.elements:
            element = replace(last.elements[-1], contexts=(*last.elements[-1].contexts, context))
            self.errors[-1] = replace(last, elements=(*last.elements[:-1], element))
        else:
            self.errors[-1] = replace(last, contexts=(*last.contexts, context))

    def _place(self, text: str, position: int) -> int | None:
        if not text:
            return None
        try:
            return read.whole(text)
        except ValueError:
            raise X12FormatError("a position is no number.", position) from None
