"""The sandbox's SFTP server keeps everybody in their own folder and never replaces a file, whatever a client asks."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from clearinghouse.sandbox.sftp_server import SftpServer, User


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(
        tmp_path / "mailboxes", (User("clinic", "sesame"), User("other", "sesame")), tmp_path / "key"
    ) as one:
        (tmp_path / "outside.txt").write_text("outside")
        yield one


@contextlib.contextmanager
def logged_in(server: SftpServer, name: str = "clinic") -> Iterator[paramiko.SFTPClient]:
    """A client as others write them: paramiko's own."""
    with paramiko.Transport(("127.0.0.1", server.port)) as transport:
        transport.connect(username=name, password="sesame")
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        yield client


def test_paramikos_own_client_finds_the_three_folders(server: SftpServer) -> None:
    with logged_in(server) as client:
        assert ["archive", "download", "upload"] == sorted(client.listdir("."))
        with client.open("upload/a.x12", "wx") as file:
            file.write(b"ISA")
        assert 3 == client.stat("/upload/a.x12").st_size


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/../outside.txt", "../../outside.txt", "upload/../../other/upload"]
)
def test_no_path_leads_out(server: SftpServer, path: str) -> None:
    with logged_in(server) as client:
        with pytest.raises(OSError):
            client.stat(path)
        with pytest.raises(OSError):
            client.open(path, "r")


def test_a_link_is_listed_but_not_followed(server: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "mailboxes/clinic/download/link").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "mailboxes/clinic/download/folder").symlink_to(tmp_path)
    with logged_in(server) as client:
        assert {"link", "folder"} == set(client.listdir("download"))
        with pytest.raises(OSError):
            client.open("download/link", "r")
        with pytest.raises(OSError):
            client.open("download/folder/outside.txt", "r")
        with pytest.raises(OSError):
            client.listdir("download/folder")


def test_nothing_is_ever_replaced(server: SftpServer) -> None:
    with logged_in(server) as client:
        for name in ("a", "b"):
            with client.open(f"upload/{name}", "wx") as file:
                file.write(name.encode())
        with pytest.raises(OSError):
            client.open("upload/a", "wx")
        with pytest.raises(OSError):
            client.rename("upload/a", "upload/b")
        with pytest.raises(OSError):
            client.posix_rename("upload/a", "upload/b")
        with client.open("upload/b", "r") as file:
            assert b"b" == file.read()


def test_files_belong_into_the_folders_and_folders_cannot_be_made(server: SftpServer) -> None:
    with logged_in(server) as client:
        for forbidden in (
            lambda: client.open("a.x12", "wx"),
            lambda: client.mkdir("upload/new"),
            lambda: client.rmdir("upload"),
            lambda: client.symlink("/etc", "upload/etc"),
            lambda: client.open("upload", "r"),
        ):
            with pytest.raises(OSError):
                forbidden()


def test_the_key_is_kept_private_and_over_restarts(server: SftpServer, tmp_path: Path) -> None:
    assert 0o600 == (tmp_path / "key").stat().st_mode & 0o777
    assert server.host_key_line == SftpServer(tmp_path, (), tmp_path / "key").host_key_line


def test_a_client_that_is_no_ssh_client_does_not_disturb_the_others(server: SftpServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        with logged_in(server) as client:
            assert client.listdir("upload") == []


def test_a_shell_is_not_to_be_had(server: SftpServer) -> None:
    with paramiko.Transport(("127.0.0.1", server.port)) as transport:
        transport.connect(username="clinic", password="sesame")
        channel = transport.open_session()
        with pytest.raises(paramiko.SSHException):
            channel.exec_command("id")


def test_stopping_ends_sessions_and_frees_the_port(server: SftpServer) -> None:
    with logged_in(server) as client:
        server.stop()
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            client.listdir("upload")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
