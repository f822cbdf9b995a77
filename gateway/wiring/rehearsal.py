"""What a rehearsal needs of the edges: a clearinghouse on this machine, and an EHR's way of sending HL7."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.hl7.client import MllpClient, NoAcknowledgement
from clearinghouse.sandbox.server import run_sandbox
from clearinghouse.sandbox.sftp_server import User
from clearinghouse.secret import resolve_secret
from gateway.config import SETTINGS_FILE
from gateway.errors import Unavailable
from gateway.wiring.clock import RehearsalClock
from gateway.wiring.new_site import CLOCK, HTTP_PORT, MLLP_PORT, SANDBOX_PORT, make_site
from gateway.wiring.sandbox import FOLDER, PASSWORD_FILE, USER


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A demo site with its clearinghouse running and its clock in hand."""

    folder: Path
    clock: RehearsalClock
    clearinghouse_port: int

    def secret(self, name: str) -> str:
        """One of the site's tokens."""
        return resolve_secret(f"file:secrets/{name}.token", self.folder).reveal()


@contextmanager
def rehearsal(folder: Path, database: str, seed: int) -> Iterator[Rehearsal]:
    """Make a demo site on free ports and run its clearinghouse, over real SFTP, for as long as the block runs.

    Raises Conflict for a folder that is not empty.
    """
    make_site(folder, demo=True, database=database, samples={})
    clock = RehearsalClock(folder / CLOCK)
    password = resolve_secret(PASSWORD_FILE, folder).reveal()
    with run_sandbox(folder / FOLDER, seed=seed, users=(User(USER, password),), clock=clock.now) as sandbox:
        with (folder / SETTINGS_FILE).open("a") as settings:
            settings.write("settle_gap_s: 1                         # the partner is this machine\n")
        _say_port(folder / SETTINGS_FILE, HTTP_PORT, 0)
        _say_port(folder / SETTINGS_FILE, MLLP_PORT, 0)
        _say_port(folder / "mappings" / "clearinghouses" / "sandbox.yaml", SANDBOX_PORT, sandbox.port)
        yield Rehearsal(folder=folder, clock=clock, clearinghouse_port=sandbox.port)


def _say_port(path: Path, usual: int, port: int) -> None:
    """A rehearsal stands in nobody's way: free ports in place of the usual ones."""
    path.write_text(path.read_text().replace(f"port: {usual}", f"port: {port}"))


class Hl7Sender:
    """Sends messages over one MLLP connection, in order, each until it is answered."""

    def __init__(self, host: str, port: int) -> None:
        self._client = MllpClient(host, port)

    def send(self, messages: list[bytes]) -> int:
        """Send all; how many were answered with AA. Raises Unavailable when the listener is away: send them again."""
        try:
            answers = self._client.send_all(messages)
        except (NoAcknowledgement, OSError) as error:
            self._client.close()
            raise Unavailable("the listener did not answer; nothing is lost, send again") from error
        return sum(b"MSA|AA|" in answer or b"MSA|CA|" in answer for answer in answers)

    def close(self) -> None:
        """Hang up."""
        self._client.close()
