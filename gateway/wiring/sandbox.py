"""The sandbox for the doors: run until told to stop, its faults, its ledger."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clearinghouse.pgp import NotOpened, Pgp, PgpRules
from clearinghouse.sandbox.clearing import PLAIN, Sealing
from clearinghouse.sandbox.faults import FAULTS, Fault, UnknownFault
from clearinghouse.sandbox.ledger import read_ledger
from clearinghouse.sandbox.server import LEDGER, run_sandbox
from clearinghouse.sandbox.sftp_server import SftpServer, User
from clearinghouse.secret import resolve_secret
from gateway.config import read_settings
from gateway.errors import ConfigurationError, NotFound, Unavailable
from gateway.wiring.clock import clock_of

USER, PASSWORD = "clinic", "sandbox"
FOLDER, PASSWORD_FILE = "sandbox", "file:secrets/clearinghouse.password"

Announce = Callable[[Mapping[str, Any]], None]


def faults() -> tuple[Fault, ...]:
    """Every fault: its name, what may stand after it, what it does, what the operator should see."""
    return tuple(FAULTS.values())


def serve(
    root: Path,
    *,
    port: int,
    seed: int,
    user: str = USER,
    password: str = "",
    faults: Sequence[str] = (),
    clock: Callable[[], datetime] | None = None,
    sealing: Sealing = PLAIN,
    announce: Announce,
) -> None:
    """Run until SIGTERM or SIGINT. ``password`` is a reference; ``announce`` gets port, host_key, user, mailbox.
    Uploads are opened and answers sealed by ``sealing``.

    Raises ConfigurationError for an unknown fault, Unavailable where the port is taken.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    secret = resolve_secret(password).reveal() if password else PASSWORD
    running = run_sandbox(root, port, seed, (User(user, secret),), clock or _now, faults=faults, sealing=sealing)
    try:
        with running as sandbox:
            mailbox = str(root / "mailboxes" / user)
            announce({"port": sandbox.port, "host_key": sandbox.host_key_line, "user": user, "mailbox": mailbox})
            stopping.wait()
    except UnknownFault as error:
        raise ConfigurationError([str(error)]) from error
    except OSError as error:
        raise Unavailable(f"the sandbox cannot listen on port {port}: {error.strerror}; try --port 0") from error


def serve_for_site(
    folder: Path, *, port: int, seed: int, faults: Sequence[str], sealing: Sealing = PLAIN, announce: Announce
) -> None:
    """Run the sandbox that ``init --demo`` prepared in a site folder, by the site's clock."""
    settings = read_settings(folder)
    clock = clock_of(settings).now
    kind, _, path = PASSWORD_FILE.partition(":")
    reference = f"{kind}:{folder / path}"
    serve(
        folder / FOLDER,
        port=port,
        seed=seed,
        password=reference,
        faults=faults,
        clock=clock,
        sealing=sealing,
        announce=announce,
    )


def sealing_by(own: str, for_whom: str) -> Sealing:
    """Opens uploads with a private key and seals answers for a public one, both by reference; empty for neither."""
    pgp = Pgp(PgpRules(our_key_ref=own or None, their_key_ref=for_whom or None))
    return Sealing(
        open=(lambda upload: _opened(pgp, upload)) if pgp.opens else PLAIN.open,
        seal=pgp.seal if pgp.seals else PLAIN.seal,
    )


def _opened(pgp: Pgp, upload: bytes) -> bytes:
    try:
        return pgp.open(upload)
    except NotOpened:
        return b""


def host_key(root: Path) -> tuple[str, str]:
    """Type and base64 of the host key that the sandbox below ``root`` will show; made when there is none."""
    root.mkdir(parents=True, exist_ok=True)
    algorithm, key = SftpServer(root / "mailboxes", (), root / "host_key").host_key_line.split()[:2]
    return algorithm, key


def ledger(root: Path) -> dict[str, Any]:
    """Everything the sandbox below ``root`` received, answered and paid. Raises NotFound where none ever ran."""
    path = root / LEDGER
    if not path.is_file():
        raise NotFound(f"no sandbox ever ran below {root}; give --root as 'cleanclaim sandbox' had it")
    found: dict[str, Any] = json.loads(read_ledger(path))
    return found


def _now() -> datetime:
    return datetime.now(UTC)
