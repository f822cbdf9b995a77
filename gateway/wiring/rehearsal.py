"""What a rehearsal needs of the edges: a clearinghouse on this machine, and an EHR's way of sending HL7."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.hl7.client import MllpClient, NoAcknowledgement
from clearinghouse.sandbox.server import run_sandbox
from clearinghouse.sandbox.sftp_server import User
from gateway.errors import Unavailable
from gateway.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearinghouse:
    """A running clearinghouse: where it listens, and the key it shows."""

    port: int
    host_key: tuple[str, str]
    """Type and base64."""
    root: Path


@contextmanager
def rehearsal_clearinghouse(root: Path, password: str, clock: Clock, seed: int) -> Iterator[Clearinghouse]:
    """The sandbox over real SFTP for as long as the block runs, its clock the rehearsal's."""
    with run_sandbox(root, seed=seed, users=(User("clinic", password),), clock=clock.now) as sandbox:
        algorithm, key = sandbox.host_key_line.split()[:2]
        yield Clearinghouse(port=sandbox.port, host_key=(algorithm, key), root=root)


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
