"""The TA1 interchange acknowledgment: values, bytes. Knows no delivery state of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time


@dataclass(frozen=True, slots=True)
class InterchangeAcknowledgement:
    """One TA1: the answered ISA13 (nine digits as written), its ISA09/ISA10, code, note.

    `code` TA104 is A accepted, E accepted with errors, R rejected; `note` TA105 is 000..031 (025 = duplicate ISA13).
    """

    control_number: str
    interchange_on: date
    interchange_time: time
    code: str
    note: str = "000"
