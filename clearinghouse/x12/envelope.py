"""The interchange and group around one transaction set: ISA, GS, GE, IEA. Knows no transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from msgspec import Struct, field


class BadDelimitersError(ValueError):
    """Delimiters must be four distinct printable characters, none a letter, a digit or a space."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four separators announced by the ISA; `newline` writes a line feed after each segment (cosmetic, not
    counted).

    Raises BadDelimitersError.
    """

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    segment: str = "~"
    newline: bool = False

    def __post_init__(self) -> None:
        marks = (self.element, self.component, self.repetition, self.segment)
        if len(set(marks)) != len(marks) or not all(_is_mark(mark) for mark in marks):
            raise BadDelimitersError(BadDelimitersError.__doc__)


class Envelope(Struct, frozen=True, gc=False):
    """ISA and GS values of one interchange holding one group.

    `usage` is "T" or "P" (ISA15); control numbers are 1..999999999 (ISA13, GS06); `created_on`/`created_time` are the
    sender's local clock (ISA09/10 and GS04/05); `acknowledgment_requested` is ISA14.
    """

    sender_qualifier: str
    sender_id: str
    receiver_qualifier: str
    receiver_id: str
    application_sender_code: str
    application_receiver_code: str
    usage: str
    interchange_control_number: int
    group_control_number: int
    created_on: date
    created_time: time
    acknowledgment_requested: bool = True
    delimiters: Delimiters = field(default_factory=Delimiters)

    def __post_init__(self) -> None:
        if self.usage not in ("T", "P"):
            raise ValueError("ISA15 usage must be T (test) or P (production).")
        for number in (self.interchange_control_number, self.group_control_number):
            if not 1 <= number <= 999_999_999:
                raise ValueError("Control numbers must be 1 to 999999999.")


def write_interchange(envelope: Envelope, functional_code: str, guide: str, transaction: list[str]) -> bytes:
    """ISA, GS, the transaction's segments (ST first, without SE), SE, GE, IEA.

    `functional_code` is GS01 (HC, HP, FA, HN), `guide` GS08. Raises ValueError for an envelope value that does not fit.
    """
    marks = envelope.delimiters
    star = marks.element
    control_number = transaction[0].split(star)[2]
    group = (
        functional_code,
        envelope.application_sender_code,
        envelope.application_receiver_code,
        f"{envelope.created_on:%Y%m%d}",
        f"{envelope.created_time:%H%M}",
        str(envelope.group_control_number),
        "X",
        guide,
    )
    segments = [
        interchange_header(envelope),
        star.join(("GS", *(_envelope_value(value, marks) for value in group))),
        *transaction,
        star.join(("SE", str(len(transaction) + 1), control_number)),
        star.join(("GE", "1", str(envelope.group_control_number))),
        star.join(("IEA", "1", f"{envelope.interchange_control_number:09d}")),
    ]
    return join_segments(segments, marks)


def interchange_header(envelope: Envelope) -> str:
    """The ISA without its terminator: 105 characters."""
    marks = envelope.delimiters
    values = (
        "00",
        " " * 10,
        "00",
        " " * 10,
        _padded(envelope.sender_qualifier, 2, marks),
        _padded(envelope.sender_id, 15, marks),
        _padded(envelope.receiver_qualifier, 2, marks),
        _padded(envelope.receiver_id, 15, marks),
        f"{envelope.created_on:%y%m%d}",
        f"{envelope.created_time:%H%M}",
        marks.repetition,
        "00501",
        f"{envelope.interchange_control_number:09d}",
        "1" if envelope.acknowledgment_requested else "0",
        envelope.usage,
        marks.component,
    )
    return marks.element.join(("ISA", *values))


def join_segments(segments: list[str], marks: Delimiters) -> bytes:
    """Segments with their terminators, and a line feed after each where the delimiters ask for it."""
    end = marks.segment + ("\n" if marks.newline else "")
    return (end.join(segments) + end).encode("ascii")


def _padded(value: str, width: int, marks: Delimiters) -> str:
    value = _envelope_value(value, marks)
    if not value or len(value) > width:
        raise ValueError(f"An ISA qualifier or id must have 1 to {width} characters.")
    return value.ljust(width)


def _envelope_value(value: str, marks: Delimiters) -> str:
    bad = set(value) & {marks.element, marks.component, marks.repetition, marks.segment}
    if bad or not value.isascii() or not value.isprintable():
        raise ValueError("An envelope value holds a delimiter, a control or a non-ASCII character.")
    return value


def _is_mark(mark: str) -> bool:
    return len(mark) == 1 and "!" <= mark <= "~" and not mark.isalnum()
