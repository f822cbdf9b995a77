"""The interchange and group around one transaction set: ISA, GS, GE, IEA. Knows no transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time


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


@dataclass(frozen=True, slots=True)
class Envelope:
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


def _is_mark(mark: str) -> bool:
    return len(mark) == 1 and "!" <= mark <= "~" and not mark.isalnum()
