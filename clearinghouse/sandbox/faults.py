"""The faults a partner can show, by name, for rehearsals and tests: `cleanclaim sandbox --fault NAME[:BYTE]`."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import MappingProxyType

FAULTS = MappingProxyType(
    {
        "drop-upload": "the connection breaks after BYTE bytes of the first upload",
        "hang-upload": "the server stops answering after BYTE bytes of the first upload",
        "disk-full": "writing beyond BYTE bytes of the first upload is refused",
        "lose-close-reply": "the first uploaded file is closed, but the answer never arrives",
        "lose-rename-reply": "the first rename is done, but the answer never arrives",
        "refuse-rename": "the first rename is refused",
        "drop-download": "the connection breaks after BYTE bytes of the first download",
        "take-on-close": "every uploaded file is moved to the archive the moment it is closed",
        "never-answer": "files are taken and never answered",
        "duplicate-answers": "every answer comes twice, under another name",
        "re-enveloped-answers": "every answer comes a second time in a new interchange with new control numbers",
        "out-of-order": "remittances and claim statuses are written before the 999 and the TA1",
        "truncated-answer": "the first answer file ends in its middle",
        "wrong-receiver": "the first answer is addressed to somebody else",
        "unbalanced-835": "the first remittance pays one cent more than its claims add up to",
        "stranger-835": "the first remittance also pays a claim that this submitter never sent",
    }
)
_FIRST_ONLY = frozenset(FAULTS) - {
    "take-on-close",
    "never-answer",
    "duplicate-answers",
    "re-enveloped-answers",
    "out-of-order",
}


class UnknownFault(ValueError):
    """There is no fault of that name."""


class Faults:
    """The faults switched on. Those that strike first only are spent by `strikes`; safe to share between threads."""

    def __init__(self, specifications: Iterable[str] = ()) -> None:
        self._bytes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._spent: set[str] = set()
        for specification in specifications:
            name, _, number = specification.partition(":")
            if name not in FAULTS:
                raise UnknownFault(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
            if number and not number.isdecimal():
                raise UnknownFault(f"the fault {name!r} takes a number of bytes after the colon")
            self._bytes[name] = int(number or 0)

    def at_byte(self, name: str) -> int | None:
        """The byte a fault waits for while it is on and not spent, else None."""
        with self._lock:
            return None if name in self._spent else self._bytes.get(name)

    def strikes(self, name: str) -> bool:
        """Whether the fault happens now; a fault that strikes first only is spent by this."""
        with self._lock:
            if name not in self._bytes or name in self._spent:
                return False
            if name in _FIRST_ONLY:
                self._spent.add(name)
            return True
