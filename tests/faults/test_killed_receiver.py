"""kill -9 of `cleanclaim serve` around the commit of an HL7 message: the sender sends again, it is stored once."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.command import Cleanclaim
from tests.e2e.examples import admission
from tests.servers import gone_with_us

SITE = ("--site", "clinic")
SOURCE = "riverbend-hl7"
PATIENCE_S = 60.0
DYING = """\
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from gateway.pipeline.receive import Receiver
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def note(connection, cursor, statement, *_):
    if statement.lower().startswith("insert into inbound_message"):
        connection.info["stores"] = True
def about_to_commit(connection):
    if connection.info.get("stores"):
        die()
receive = Receiver.receive
if sys.argv[1] == "before":
    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "commit", about_to_commit)
else:
    Receiver.receive = lambda *given: die(receive(*given))
from gateway.cli import main
sys.argv = ["cleanclaim", *sys.argv[2:]]
main()
"""
"""The command, killed when all is written and nothing committed, or after the commit and before its answer."""


@pytest.fixture
def site(cleanclaim_command: str, tmp_path: Path) -> Cleanclaim:
    """The demo clinic's site on free ports."""
    cleanclaim = Cleanclaim(cleanclaim_command, tmp_path)
    cleanclaim.json("init", "clinic", "--demo")
    settings = tmp_path / "clinic" / "site.yaml"
    settings.write_text(settings.read_text().replace("port: 8080", "port: 0").replace("port: 2575", "port: 0"))
    return cleanclaim


def mllp_port(folder: Path, pid: int) -> int:
    """The HL7 port that this very process wrote."""
    path = folder / "clinic" / "run" / "ports.json"
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            written = json.loads(path.read_text())
        except (OSError, ValueError):
            written = {}
        if written.get("pid") == pid:
            return int(written["ports"][f"mllp:{SOURCE}"])
        time.sleep(0.05)
    raise AssertionError("the server did not come up")


def exchange(port: int, message: bytes) -> bytes:
    """Send one framed message; what came back until the answer was whole, or the connection broke."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as link:
        link.sendall(b"\x0b" + message + b"\x1c\r")
        while not answer.endswith(b"\x1c\r"):
            try:
                chunk = link.recv(4096)
            except ConnectionResetError:
                break
            if not chunk:
                break
            answer += chunk
    return answer


@contextmanager
def dying_server(site: Cleanclaim, command: str, when: str) -> Iterator[subprocess.Popen[bytes]]:
    """`cleanclaim serve` that is killed -9 by its first HL7 message."""
    python = Path(command).with_name("python")
    arguments = gone_with_us([str(python), "-c", DYING, when, "serve", *SITE])
    process = subprocess.Popen(
        arguments, cwd=site.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def stored(site: Cleanclaim) -> list[dict[str, object]]:
    found: list[dict[str, object]] = site.json("messages", "list", *SITE)["messages"]
    return found


@pytest.mark.fault("F42")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_message_sent_again_after_a_kill_around_its_commit_is_stored_once(
    site: Cleanclaim, cleanclaim_command: str, when: str
) -> None:
    message = admission(f"KILLED-{when}")
    with dying_server(site, cleanclaim_command, when) as process:
        assert exchange(mllp_port(site.folder, process.pid), message) == b"", "no answer left before it died"
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    assert len(stored(site)) == {"before": 0, "after": 1}[when]
    with site.started("serve", *SITE) as server:
        port = mllp_port(site.folder, server.process.pid)
        answers = [exchange(port, message) for _ in range(3)]
        assert b"MSA|AA|KILLED-" in answers[0]
        assert len(set(answers)) == 1, "every sending of one message has the same answer"
        assert server.stop().code == 0
    (kept,) = stored(site)
    assert kept["outcome"] in ("stored", "with-findings")
    doctor = site.run("doctor", *SITE, "--json")
    assert doctor.code == 0, doctor.out


@pytest.mark.fault("F42")
def test_every_answered_message_survives_a_kill_in_the_middle_of_a_stream(site: Cleanclaim) -> None:
    """A sender that sends on from the first message nobody answered: all are there, each once."""
    messages = [admission(f"STREAM{number:03}") for number in range(600)]
    answered = 0
    for is_killed in (True, True, False):
        with site.started("serve", *SITE) as server:
            port = mllp_port(site.folder, server.process.pid)
            victim = server.process.pid if is_killed else None
            answered += answers_until_the_end(port, messages[answered:], victim)
            if is_killed:
                assert server.process.wait(PATIENCE_S) == -signal.SIGKILL
            else:
                server.stop()
    assert answered == len(messages)
    assert len(stored(site)) == len(messages)


def answers_until_the_end(port: int, messages: list[bytes], victim: int | None) -> int:
    """Send all at once; how many were answered. With a victim, it is killed when its first answer begins to arrive."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as link:
        link.sendall(b"".join(b"\x0b" + each + b"\x1c\r" for each in messages))
        while received.count(b"\x1c\r") < len(messages):
            try:
                chunk = link.recv(1 if victim else 65536)
            except ConnectionResetError:
                break
            if not chunk:
                break
            received += chunk
            if victim:
                os.kill(victim, signal.SIGKILL)
                victim = None
    answers = received.count(b"\x1c\r")
    assert received.count(b"MSA|AA|") >= answers
    return answers
