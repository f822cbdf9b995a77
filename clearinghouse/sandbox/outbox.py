"""Answers on their way out: numbered, dated and kept in the ledger until they are written. Some faults strike here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.ledger import Ledger, stamp

_ISA08, _ISA15 = slice(54, 69), slice(102, 103)
"""The receiver's and the usage's place in an ISA, which has fixed widths."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long after the upload each answer comes; all at once by default.

    A file without its IEA is refused once it has been still for `partial_after_s` seconds of real time.
    """

    acknowledge_after: timedelta = timedelta(0)
    status_after: timedelta = timedelta(0)
    pay_after: timedelta = timedelta(0)
    partial_after_s: float = 30.0


class Outbox:
    """Where the steps put their answers, inside their own transaction."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime], faults: Faults) -> None:
        self._ledger = ledger
        self._clock = clock
        self._faults = faults

    def post(
        self, mailbox: str, interchange_id: int | None, kind: str, write: Callable[[int], bytes], after: timedelta
    ) -> None:
        """Put one answer in; `write` makes its bytes from its interchange control number."""
        if self._faults.strikes("never-answer", kind):
            return
        for _ in range(2 if self._faults.strikes("re-enveloped-answers") else 1):
            number = self._ledger.next_number("interchange")
            content = write(number)
            if self._faults.strikes("wrong-receiver"):
                content = content[: _ISA08.start] + b"SOMEBODY ELSE  " + content[_ISA08.stop :]
            if self._faults.strikes("wrong-usage"):
                other = b"P" if content[_ISA15] == b"T" else b"T"
                content = content[: _ISA15.start] + other + content[_ISA15.stop :]
            names = [f"{kind}_{number:09d}.x12"]
            if self._faults.strikes("duplicate-answers"):
                names.append(f"{kind}_{number:09d}_again.x12")
            for name in names:
                self._ledger.add(
                    "answer",
                    mailbox=mailbox,
                    interchange_id=interchange_id,
                    kind=kind,
                    file_name=name,
                    content=content,
                    due_at=stamp(self._clock() + after),
                )
