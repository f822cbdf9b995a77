"""The TA1 interchange acknowledgment: values, bytes. Knows no delivery state of ours."""

from __future__ import annotations

from datetime import date, time

from msgspec import Struct

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.decoding import at
from clearinghouse.x12.encoding import SegmentWriter
from clearinghouse.x12.envelope import Envelope, interchange_header, join_segments
from clearinghouse.x12.tokens import Header, Source, read_segments


class InterchangeAcknowledgement(Struct, frozen=True, gc=False):
    """One TA1: the answered ISA13 (nine digits as written), its ISA09/ISA10, code, note.

    `code` TA104 is A accepted, E accepted with errors, R rejected; `note` TA105 is 000..031 (025 = duplicate ISA13).
    """

    control_number: str
    interchange_on: date
    interchange_time: time
    code: str
    note: str = "000"


def write_ta1(acknowledgement: InterchangeAcknowledgement, envelope: Envelope) -> bytes:
    """One interchange holding only the TA1: ISA, TA1, IEA with no group. Raises UnwritableValue."""
    out = SegmentWriter(envelope.delimiters)
    out.add(
        "TA1",
        acknowledgement.control_number,
        f"{acknowledgement.interchange_on:%y%m%d}",
        f"{acknowledgement.interchange_time:%H%M}",
        acknowledgement.code,
        acknowledgement.note,
    )
    trailer = envelope.delimiters.element.join(("IEA", "0", f"{envelope.interchange_control_number:09d}"))
    return join_segments([interchange_header(envelope), *out.segments, trailer], envelope.delimiters)


def read_ta1(source: Source) -> list[tuple[Header, InterchangeAcknowledgement]]:
    """Every TA1 of a file with the ISA it came in. Raises X12FormatError."""
    found: list[tuple[Header, InterchangeAcknowledgement]] = []
    position = 0
    for header, values in read_segments(source):
        position = 1 if values[0] == "ISA" else position + 1
        if values[0] == "TA1":
            answered = InterchangeAcknowledgement(
                control_number=at(values, 1),
                interchange_on=read.reading(read.short_day, values, 2, position),
                interchange_time=read.reading(read.clock, values, 3, position),
                code=at(values, 4),
                note=at(values, 5),
            )
            found.append((header, answered))
    return found
