"""The clearinghouse's work on its folders: take uploads in, acknowledge, decide, pay. It knows no network.

Each step is one transaction in the ledger, and each pass is safe to repeat after a kill at any point.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from itertools import groupby
from pathlib import Path

from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.intake import Intake
from clearinghouse.sandbox.ledger import Answer, Ledger
from clearinghouse.sandbox.outbox import Outbox, Timing
from clearinghouse.sandbox.payer_table import PayerTable
from clearinghouse.sandbox.payment_run import PaymentRun
from clearinghouse.sandbox.submission import read_interchanges

IGNORED_SUFFIXES = (".part", ".tmp", ".filepart")
_GROWS_FOR = timedelta(minutes=1)
_TRAILER = 20
"""No IEA is longer: whatever is cut before it has none."""
_REPORT = b"DATE|BATCH|RECEIVED|REJECTED\n20260901|1|1|0\n"
_BOMB = 64_000_000
_PRIORITY_OUT_OF_ORDER = {"835": 0, "277CA": 1, "999": 2, "TA1": 3}


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did."""

    files_taken: int = 0
    remittances: int = 0
    answers_written: int = 0

    @property
    def did_something(self) -> bool:
        """Whether another pass may find more to do."""
        return bool(self.files_taken or self.remittances or self.answers_written)


@dataclass(frozen=True, slots=True)
class Sealing:
    """How uploads are opened and answers sealed where files are encrypted: bytes in, bytes out.

    An upload that cannot be opened comes out as bytes that are no interchange.
    """

    open: Callable[[bytes], bytes]
    seal: Callable[[bytes], bytes]


PLAIN = Sealing(bytes, bytes)


class Clearing:
    """One clearinghouse over `mailboxes` (each a folder with upload, download and archive), with its ledger."""

    def __init__(
        self,
        mailboxes: dict[str, Path],
        ledger: Ledger,
        table: PayerTable,
        seed: int,
        clock: Callable[[], datetime],
        timing: Timing | None = None,
        faults: Faults | None = None,
        sealing: Sealing = PLAIN,
    ) -> None:
        self._mailboxes = mailboxes
        self._ledger = ledger
        self._clock = clock
        self._timing = timing or Timing()
        self._faults = faults or Faults()
        self._sealing = sealing
        outbox = Outbox(ledger, clock, self._faults)
        self._intake = Intake(ledger, outbox, table, seed, clock, self._timing, self._faults)
        self._payments = PaymentRun(ledger, outbox, table, seed, clock, self._faults)
        self._lock = threading.Lock()
        self._half_written: dict[int, datetime] = {}
        """Answers whose second half is still to come, with the time from which it may."""

    def run_once(self) -> Pass:
        """Take every complete upload, pay what is due, write what is due."""
        with self._lock:
            taken = sum(self._take(name, path) for name, path in self._uploads())
            paid = self._pay()
            return Pass(taken, paid, self._write_answers())

    def serve_forever(self, stop: threading.Event, poll_s: float = 0.2) -> None:
        """Pass after pass until told to stop."""
        while not stop.is_set():
            if not self.run_once().did_something:
                stop.wait(poll_s)

    def _uploads(self) -> Iterator[tuple[str, Path]]:
        for name, folder in self._mailboxes.items():
            for path in sorted((folder / "upload").iterdir()):
                if path.is_file() and not path.is_symlink() and not path.name.endswith(IGNORED_SUFFIXES):
                    yield name, path

    def _take(self, mailbox: str, path: Path) -> int:
        """Take one upload in, in one transaction, then archive it. A file still growing is left for a later pass."""
        try:
            content = path.read_bytes()
            still_s = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return 0
        digest, content = hashlib.sha256(content).hexdigest(), self._sealing.open(content)
        interchanges = read_interchanges(content)
        whole = bool(interchanges) and all(each.complete for each in interchanges)
        if not whole and still_s < self._timing.partial_after_s:
            return 0
        taken = self._ledger.unarchived(mailbox, path.name, digest)
        if not taken:
            with self._ledger.transaction():
                taken = self._intake.take(mailbox, path.name, content, digest, interchanges)
        _move_aside(path, self._mailboxes[mailbox] / "archive")
        with self._ledger.transaction():
            for row_id in taken:
                self._ledger.change("interchange", row_id, archived=1)
        return 1

    def _pay(self) -> int:
        """One remittance for each payer, payee and envelope with decisions due."""
        due = sorted(self._ledger.due_claims(self._clock()), key=_payee_of)
        paid = 0
        for _, rows in groupby(due, key=_payee_of):
            with self._ledger.transaction():
                paid += self._payments.pay(list(rows))
        return paid

    def _write_answers(self) -> int:
        written = 0
        for answer in self._in_order(self._ledger.due_answers(self._clock())):
            folder = self._mailboxes[answer.mailbox] / "download"
            if self._is_half_written(answer, folder):
                continue
            name, content = self._as_sent(answer)
            _write_new(folder, name, content)
            self._write_beside(folder, answer)
            with self._ledger.transaction():
                self._ledger.change("answer", answer.id, written=1)
            written += 1
        return written

    def _is_half_written(self, answer: Answer, folder: Path) -> bool:
        """Whether an answer's second half is still to come; the first one is there."""
        if answer.id not in self._half_written:
            if not self._faults.strikes("growing-answer"):
                return False
            _write_new(folder, answer.file_name, answer.content[: len(answer.content) // 2])
            self._half_written[answer.id] = self._clock() + _GROWS_FOR
        return self._clock() < self._half_written[answer.id]

    def _as_sent(self, answer: Answer) -> tuple[str, bytes]:
        """Name and bytes of an answer's file."""
        name, content = answer.file_name, answer.content
        if self._faults.strikes("truncated-answer"):
            content = content[: 1 + self._faults.draw(len(content) - _TRAILER)]
        if self._faults.strikes("zipped-answers"):
            name, content = Path(name).with_suffix(".zip").name, zipped({name: content})
        return name, self._sealing.seal(content)

    def _write_beside(self, folder: Path, answer: Answer) -> None:
        """What a partner leaves that is no answer."""
        if self._faults.strikes("report"):
            _write_new(folder, f"REPORT_{answer.id:09d}.txt", _REPORT)
        if self._faults.strikes("zip-bomb"):
            _write_new(folder, f"REPORT_{answer.id:09d}.zip", zipped({"report.txt": bytes(_BOMB)}))

    def _in_order(self, answers: list[Answer]) -> list[Answer]:
        if not self._faults.strikes("out-of-order"):
            return answers
        ordered = sorted(answers, key=lambda answer: _PRIORITY_OUT_OF_ORDER[answer.kind])
        first = ordered[:1]
        return [answer for answer in ordered if answer.kind == first[0].kind] if first else []


def _payee_of(row: sqlite3.Row) -> tuple[str, str, str, str]:
    return row["mailbox"], row["payer_id"], row["payee_npi"], row["reply"]


def _move_aside(path: Path, archive: Path) -> None:
    """Move to the archive, under another name where that one was used before."""
    target, copies = archive / path.name, 1
    while target.exists():
        copies += 1
        target = archive / f"{path.name}.{copies}"
    path.rename(target)


def _write_new(folder: Path, name: str, content: bytes) -> None:
    """Make a file appear whole. One already there is our own from before a kill."""
    unfinished = folder.parent / f".{name}.tmp"
    unfinished.write_bytes(content)
    unfinished.rename(folder / name)


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP archive of these files: the same bytes for the same files."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as unfinished:
        for name, content in files.items():
            unfinished.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue()
