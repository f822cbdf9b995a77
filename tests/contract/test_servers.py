"""The throw-away servers are the real thing and leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import paramiko
import psycopg
import pytest

from tests.servers import OpenSshServer, PostgresCluster, remove_leftovers


def _log_in(server: OpenSshServer) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    name, kind, _ = server.host_key_line.split()
    entry = paramiko.hostkeys.HostKeyEntry.from_line(server.host_key_line)
    assert entry is not None and entry.key is not None
    client.get_host_keys().add(name, kind, entry.key)
    client.connect(
        server.host,
        server.port,
        username=server.user,
        key_filename=str(server.key_file),
        allow_agent=False,
        look_for_keys=False,
    )
    return client


def test_each_test_gets_an_empty_postgresql_database(postgres_cluster: PostgresCluster) -> None:
    first = postgres_cluster.create_database()
    with psycopg.connect(first) as connection:
        connection.execute("create table visit (id integer)")
    second = postgres_cluster.create_database()
    with psycopg.connect(second) as connection:
        assert connection.execute("select to_regclass('visit')").fetchone() == (None,)
    postgres_cluster.drop_database(first)
    postgres_cluster.drop_database(second)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first)


def test_postgresql_refuses_a_wrong_password(postgres_url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_url, password="wrong")


def test_openssh_takes_a_file_into_the_upload_folder(openssh_server: OpenSshServer) -> None:
    with _log_in(openssh_server) as client, client.open_sftp() as sftp:
        assert set(sftp.listdir(".")) >= {"archive", "download", "upload"}
        with sftp.open("upload/claim.837", "wx") as remote:
            remote.write(b"ISA*00*")
        assert b"ISA*00*" == (openssh_server.root / "upload/claim.837").read_bytes()
        sftp.remove("upload/claim.837")


def test_openssh_refuses_a_key_it_does_not_know(openssh_server: OpenSshServer, tmp_path: Path) -> None:
    stranger = paramiko.RSAKey.generate(2048)
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        with pytest.raises(paramiko.AuthenticationException):
            client.connect(
                openssh_server.host,
                openssh_server.port,
                username=openssh_server.user,
                pkey=stranger,
                allow_agent=False,
                look_for_keys=False,
            )


def test_openssh_mailbox_is_a_tests_own(openssh_server: OpenSshServer) -> None:
    mailbox = openssh_server.new_mailbox("a-test")
    (mailbox / "download/answer.999").write_bytes(b"ISA")
    with _log_in(openssh_server) as client, client.open_sftp() as sftp:
        assert sftp.listdir("a-test/download") == ["answer.999"]
        sftp.rename("a-test/download/answer.999", "a-test/archive/answer.999")
    assert not list((mailbox / "download").iterdir())


def test_servers_die_with_the_tests_even_when_those_are_killed(tmp_path: Path) -> None:
    script = """
        import time
        from tests.servers import PostgresCluster, running_openssh
        with PostgresCluster() as postgres, running_openssh() as openssh:
            print(postgres.port, openssh.port, flush=True)
            time.sleep(60)
    """
    repository = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, cwd=repository
    )
    assert parent.stdout is not None
    with parent.stdout:
        ports = [int(word) for word in parent.stdout.readline().split()]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert len(ports) == 2
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and any(map(_listens, ports)):
        time.sleep(0.05)
    assert [_listens(port) for port in ports] == [False, False]
    remove_leftovers()
    assert list(Path(tempfile.gettempdir()).glob(f"cleanclaim-server-*-{parent.pid}-*")) == []


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
