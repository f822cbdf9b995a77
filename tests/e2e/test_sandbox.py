"""The sandbox as a process: it comes up, keeps its host key, stops when asked, and shows its ledger."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from tests.e2e.command import Cleanclaim


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_serves_sftp_until_it_is_asked_to_stop(cleanclaim: Cleanclaim, number: int) -> None:
    with cleanclaim.started("sandbox", "--root", "box", "--port", "0", "--json", until="}") as box:
        said = json.loads("\n".join(box.said))
        assert {"port", "host_key", "user", "mailbox"} == set(said)
        with socket.create_connection(("127.0.0.1", said["port"]), timeout=30) as link:
            assert link.recv(64).startswith(b"SSH-2.0")
        ended = box.stop(number)
    assert ended.code == 0, ended.err
    with cleanclaim.started("sandbox", "--root", "box", "--port", "0", "--json", until="}") as box:
        assert said["host_key"] == json.loads("\n".join(box.said))["host_key"]
    ledger = cleanclaim.json("sandbox", "ledger", "--root", "box")
    assert {"interchanges": [], "claims": [], "remittances": [], "payments": [], "answers": []} == ledger


def test_a_taken_port_is_said_plainly(cleanclaim: Cleanclaim) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cleanclaim.run("sandbox", "--root", "box", "--port", str(port))
    assert done.code == 1
    assert str(port) in done.err


def test_faults_are_listed_by_name(cleanclaim: Cleanclaim) -> None:
    faults = cleanclaim.json("sandbox", "--list-faults")["faults"]
    assert "drop-upload" in {each["name"] for each in faults}
    assert all(each["does"] and each["sees"] for each in faults)
