"""The faults a partner can show, by name, for rehearsals and tests: `cleanclaim sandbox --fault NAME[=ARGUMENT]`."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Argument(StrEnum):
    """What may stand after `=`. A fault that takes a byte or a turn strikes once, any other for as long as it is on."""

    NOTHING = ""
    BYTE = "BYTE"
    """The byte it strikes at; drawn from the seed where none is given."""
    TURN = "TURN"
    """Which occasion it strikes at, from 1, which is the default."""
    KIND = "KIND"
    """TA1, 999, 277CA or 835; every kind where none is given."""


KINDS = ("TA1", "999", "277CA", "835")
_BYTE_BELOW = 1000
"""A drawn byte lies in the first claim of a file, however short the file is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what the partner does, and what the operator should then see."""

    name: str
    argument: Argument
    does: str
    sees: str


_TABLE = (
    Fault(
        "refuse-login",
        Argument.TURN,
        "a login is refused, though the password is right",
        "the connection is paused; nothing is tried again until somebody looks",
    ),
    Fault(
        "drop-upload",
        Argument.BYTE,
        "the connection breaks after BYTE bytes of an upload",
        "the file is in doubt, is asked after, and goes out again with the same bytes; one interchange is accepted",
    ),
    Fault(
        "hang-upload",
        Argument.BYTE,
        "the server stops answering after BYTE bytes of an upload",
        "the same as drop-upload, once the deadline of one operation has passed; other partners are not held up",
    ),
    Fault(
        "disk-full",
        Argument.BYTE,
        "writing beyond BYTE bytes of an upload is refused",
        "the file is not sent; the partial file is removed and the same bytes go out in a later pass",
    ),
    Fault(
        "lose-close-reply",
        Argument.TURN,
        "an uploaded file is closed, but the answer never arrives",
        "a file under its temporary name is no file yet: the same bytes go out in a later pass; one under its "
        "final name is in doubt and is found delivered by looking",
    ),
    Fault(
        "lose-rename-reply",
        Argument.TURN,
        "a rename is done, but the answer never arrives",
        "the file is in doubt and is found delivered by looking; it does not go out again",
    ),
    Fault(
        "refuse-rename",
        Argument.TURN,
        "a rename is refused",
        "the file is not sent; the same bytes go out in a later pass",
    ),
    Fault(
        "take-on-close",
        Argument.NOTHING,
        "every uploaded file is moved to the archive the moment it is closed",
        "the file is delivered: it is found in the archive",
    ),
    Fault(
        "drop-download",
        Argument.BYTE,
        "the connection breaks after BYTE bytes of a download",
        "a problem of that pass; the next one fetches the file whole",
    ),
    Fault(
        "hang-download",
        Argument.BYTE,
        "the server stops answering after BYTE bytes of a download",
        "the same as drop-download, once the deadline of one operation has passed",
    ),
    Fault(
        "hostile-names",
        Argument.NOTHING,
        "every listing also shows names that lead elsewhere, hold a newline, or are no UTF-8",
        "nothing: those names are passed over and every answer is fetched",
    ),
    Fault(
        "refuse-interchange",
        Argument.TURN,
        "an interchange is refused by a TA1",
        "the interchange is rejected; its claims, released again, go out in a new one with a new number",
    ),
    Fault(
        "refuse-transaction",
        Argument.TURN,
        "a group is refused by a 999 that names no error",
        "the interchange is rejected; its claims, released again, go out in a new one with a new number",
    ),
    Fault(
        "never-answer",
        Argument.KIND,
        "files are taken, and no answer of this kind ever comes",
        "once its clock has run out, the answer is listed by `exchange silences`, and one event is logged",
    ),
    Fault(
        "duplicate-answers",
        Argument.NOTHING,
        "every answer comes twice, under another name",
        "each file counts once; the second is a duplicate",
    ),
    Fault(
        "re-enveloped-answers",
        Argument.NOTHING,
        "every answer comes a second time in a new interchange with new control numbers",
        "money is posted once; the second remittance is a duplicate",
    ),
    Fault(
        "out-of-order",
        Argument.NOTHING,
        "remittances and claim statuses are written before the 999 and the TA1",
        "the same states and the same money as in order",
    ),
    Fault(
        "truncated-answer",
        Argument.TURN,
        "an answer file ends somewhere before its end",
        "the file is left where it is; after twelve more looks its bytes are quarantined, and the file stays",
    ),
    Fault(
        "growing-answer",
        Argument.TURN,
        "an answer file is written in two halves, a minute apart",
        "nothing of the first half is used; the answer is applied once it is whole",
    ),
    Fault(
        "zipped-answers",
        Argument.NOTHING,
        "every answer comes in a ZIP archive",
        "the same as without: the files inside are read, each by itself",
    ),
    Fault(
        "zip-bomb",
        Argument.TURN,
        "a small ZIP archive that unpacks to 64 MB lies beside an answer",
        "the archive is refused: kept and listed by `exchange reports` with the reason; the answer is applied",
    ),
    Fault(
        "report",
        Argument.TURN,
        "a report in the partner's own format lies beside an answer",
        "the report is kept and listed by `exchange reports`; the answer is applied",
    ),
    Fault(
        "wrong-receiver",
        Argument.TURN,
        "an answer is addressed to somebody else",
        "it is quarantined: it may be somebody else's data; nothing of it is applied",
    ),
    Fault(
        "wrong-usage",
        Argument.TURN,
        "an answer says test where the claims said production, or the other way",
        "it is quarantined; nothing of it is applied",
    ),
    Fault(
        "unbalanced-835",
        Argument.TURN,
        "a remittance pays one cent more than its claims add up to",
        "it is set aside as unbalanced; nothing of it is posted",
    ),
    Fault(
        "changed-835",
        Argument.TURN,
        "a remittance comes a second time with the same trace and other amounts",
        "the second is quarantined; the first stays posted",
    ),
    Fault(
        "stranger-835",
        Argument.TURN,
        "a remittance also pays a claim that this submitter never sent",
        "the claim's money waits in suspense; the others are posted",
    ),
    Fault(
        "other-payee-835",
        Argument.TURN,
        "a remittance is for another provider",
        "it is quarantined: it may be another tenant's; nothing of it is posted",
    ),
)
FAULTS = MappingProxyType({fault.name: fault for fault in _TABLE})


class UnknownFault(ValueError):
    """There is no fault of that name, or it takes no such argument."""


class Faults:
    """The faults switched on; safe to share between threads, and to change while a sandbox runs.

    `specifications` are `NAME` or `NAME=ARGUMENT`. What is left to chance is drawn from `seed`: the same seed and the
    same course of events give the same faults.
    """

    def __init__(self, specifications: Iterable[str] = (), seed: int = 1) -> None:
        self._on: dict[str, str] = {}
        self._left: dict[str, int] = {}
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - a rehearsal, not a secret
        self._struck: list[str] = []
        for specification in specifications:
            self.switch_on(specification)

    @property
    def struck(self) -> tuple[str, ...]:
        """The faults that happened so far, in order."""
        with self._lock:
            return tuple(self._struck)

    def switch_on(self, specification: str) -> None:
        """Let a fault strike from now on; one that is spent, again. Raises UnknownFault."""
        name, _, argument = specification.partition("=")
        fault = FAULTS.get(name)
        if fault is None:
            raise UnknownFault(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
        _check_argument(fault, argument)
        with self._lock:
            if fault.argument is Argument.BYTE:
                self._left[name] = int(argument) if argument else self._random.randrange(_BYTE_BELOW)
            elif fault.argument is Argument.TURN:
                self._left[name] = int(argument or 1)
            self._on[name] = argument

    def switch_off(self, name: str) -> None:
        """Let a fault strike no more."""
        with self._lock:
            self._on.pop(name, None)

    def at_byte(self, name: str) -> int | None:
        """The byte a fault waits for while it is on and not spent, else None."""
        with self._lock:
            return self._left[name] if name in self._on else None

    def strikes(self, name: str, kind: str = "") -> bool:
        """Whether the fault happens now, to an answer of this kind; one that strikes once is spent by this."""
        with self._lock:
            if name not in self._on:
                return False
            argument = FAULTS[name].argument
            if argument is Argument.KIND and self._on[name] not in ("", kind):
                return False
            if argument is Argument.TURN:
                self._left[name] -= 1
                if self._left[name] > 0:
                    return False
            if argument in (Argument.BYTE, Argument.TURN):
                del self._on[name]
            self._struck.append(name)
            return True

    def draw(self, below: int) -> int:
        """A number from 0 to `below` - 1, by the seed."""
        with self._lock:
            return self._random.randrange(below)


def _check_argument(fault: Fault, argument: str) -> None:
    if not argument:
        return
    if fault.argument is Argument.NOTHING:
        raise UnknownFault(f"the fault {fault.name!r} takes nothing after '='")
    if fault.argument is Argument.KIND:
        if argument not in KINDS:
            raise UnknownFault(f"the fault {fault.name!r} takes {', '.join(KINDS)} after '='")
    elif not (argument.isascii() and argument.isdecimal() and int(argument) >= (fault.argument is Argument.TURN)):
        wanted = "a number of bytes" if fault.argument is Argument.BYTE else "a number from 1"
        raise UnknownFault(f"the fault {fault.name!r} takes {wanted} after '='")
