"""The whole sandbox: a real SFTP server, and beside it the clearinghouse that works on the same folders.

The two are separate objects: `Clearing` also works on folders that another SFTP server (OpenSSH's) serves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clearinghouse.sandbox.clearing import PLAIN, Clearing, Sealing
from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.ledger import Ledger
from clearinghouse.sandbox.outbox import Timing
from clearinghouse.sandbox.payer_table import PayerTable, read_payer_table
from clearinghouse.sandbox.sftp_server import SftpServer, User

LEDGER = "ledger.sqlite"
_STOP_WAIT_S = 10.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox. `host_key_line` is type and base64, for `sftp.host_keys` of a partner profile."""

    server: SftpServer
    clearing: Clearing
    ledger: Ledger

    @property
    def port(self) -> int:
        """The port the server listens on."""
        return self.server.port

    @property
    def host_key_line(self) -> str:
        """Type and base64 of the server's host key."""
        return self.server.host_key_line


@contextmanager
def run_sandbox(
    root: Path,
    port: int = 0,
    seed: int = 1,
    users: Iterable[User] = (User("clinic", "sandbox"),),
    clock: Callable[[], datetime] = _now,
    timing: Timing | None = None,
    faults: Iterable[str] | Faults = (),
    payers: PayerTable | None = None,
    sealing: Sealing = PLAIN,
) -> Iterator[Sandbox]:
    """A clearinghouse on this machine for as long as the block runs: `with run_sandbox(root) as sandbox`.

    Everything it keeps is below `root`: host key, ledger, `mailboxes/<user>/{upload,download,archive}`. Port 0 takes a
    free one. `faults` are specifications of clearinghouse.sandbox.faults, or the caller's own `Faults`, which may be
    switched on and off while the sandbox runs. `sealing` opens uploads and seals answers.
    """
    people = tuple(users)
    switched_on = faults if isinstance(faults, Faults) else Faults(faults, seed)
    server = SftpServer(root / "mailboxes", people, root / "host_key", port, switched_on)
    ledger = Ledger(root / LEDGER)
    folders = {user.name: root / "mailboxes" / user.name for user in people}
    table = payers or read_payer_table()
    clearing = Clearing(folders, ledger, table, seed, clock, timing, switched_on, sealing)
    stop = threading.Event()
    worker = threading.Thread(target=clearing.serve_forever, args=(stop,), name="sandbox-clearing", daemon=True)
    try:
        server.start()
        worker.start()
        yield Sandbox(server, clearing, ledger)
    finally:
        stop.set()
        if worker.is_alive():
            worker.join(_STOP_WAIT_S)
        server.stop()
        ledger.close()
