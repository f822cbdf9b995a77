"""Every trap of SFTP twice: a client written straight down from paramiko's documentation falls into it, ours does not.

What a client says is held against what the partner really has. The faults are the sandbox's; the traps that need none
are set against OpenSSH's own server too.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko
import pytest

from clearinghouse.mailbox import DeliveryUnknown, NameTaken, NotSent, ignore_steps
from clearinghouse.partner import HostKey, Publish, SftpAccess, UploadRules
from clearinghouse.sftp import SftpMailbox
from tests.contract.test_mailbox_faults import CONTENT, QUICK, partner_with
from tests.servers import OpenSshServer

NAME = "a.x12"
_names = itertools.count(1)
DIRECT, RENAMED = Publish.DIRECT, Publish.RENAME_SAME_DIRECTORY


@dataclass(frozen=True)
class Server:
    """One partner's server: how to get in, its folder on the partner's disk, and its directory as a login sees it."""

    access: SftpAccess
    root: Path
    prefix: str
    connect: Callable[[], paramiko.SFTPClient]

    def path(self, name: str) -> Path:
        return self.root / "upload" / name

    def mailbox(self, publish: Publish, **access: float) -> SftpMailbox:
        rules = UploadRules(f"{self.prefix}upload", publish=publish, probe_directories=(f"{self.prefix}archive",))
        return SftpMailbox(replace(self.access, **access), rules, repeats=QUICK)  # type: ignore[arg-type]


def naive_upload(server: Server, publish: Publish, *, confirm: bool = True, replace: bool = False) -> str:
    """put, then rename: `delivered` or `failed` is all it can say."""
    try:
        with server.connect() as sftp:
            first = f"{server.prefix}upload/{NAME}" + ("" if publish is DIRECT else ".part")
            sftp.putfo(io.BytesIO(CONTENT), first, confirm=confirm)
            if publish is not DIRECT:
                (sftp.posix_rename if replace else sftp.rename)(first, f"{server.prefix}upload/{NAME}")
    except (OSError, EOFError, paramiko.SSHException):
        return "failed"
    return "delivered"


def our_upload(server: Server, publish: Publish) -> str:
    """`delivered`, `refused` (nothing of it is there), or `in doubt`, which the probe then settles."""
    with server.mailbox(publish).session() as session:
        try:
            session.upload(NAME, CONTENT, ignore_steps)
        except NotSent:
            return "refused"
        except DeliveryUnknown:
            settled = session.probe(NAME).shows_delivery(len(CONTENT))
            return "in doubt, then delivered" if settled else "in doubt"
    return "delivered"


@contextlib.contextmanager
def sandbox(folder: Path, *faults: str) -> Iterator[Server]:
    with partner_with(folder, *faults) as partner:
        secret = folder / "secret"
        access = replace(partner.access, password_ref=f"file:{secret}")

        def connect() -> paramiko.SFTPClient:
            transport = paramiko.Transport((access.host, access.port))
            transport.connect(username="clinic", password=secret.read_text())
            return as_client(transport)

        yield Server(access, partner.root, "", connect)


@contextlib.contextmanager
def openssh(server: OpenSshServer) -> Iterator[Server]:
    name = f"naive-{next(_names)}"
    _, algorithm, key = server.host_key_line.split()
    access = SftpAccess(
        host=server.host,
        port=server.port,
        username=server.user,
        private_key_ref=f"file:{server.key_file}",
        host_keys=(HostKey(algorithm, key),),
    )

    def connect() -> paramiko.SFTPClient:
        transport = paramiko.Transport((server.host, server.port))
        transport.connect(username=server.user, pkey=paramiko.Ed25519Key.from_private_key_file(str(server.key_file)))
        return as_client(transport)

    yield Server(access, server.new_mailbox(name), f"{name}/", connect)


def as_client(transport: paramiko.Transport) -> paramiko.SFTPClient:
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    return client


@pytest.fixture(params=["sandbox", "openssh"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server without faults, of both kinds."""
    if request.param == "sandbox":
        with sandbox(tmp_path) as found:
            yield found
    else:
        with openssh(request.getfixturevalue("openssh_server")) as found:
            yield found


FAULTS = [
    # trap, fault, publish, the naive client says, is the whole file there, ours says, is it there whole
    ("E1", "drop-upload=88000", DIRECT, "failed", False, "in doubt", False),
    ("E2", "lose-rename-reply", RENAMED, "failed", True, "in doubt, then delivered", True),
    ("E4", "disk-full=40000", DIRECT, "delivered", False, "refused", False),
    ("E5", "take-on-close", DIRECT, "failed", True, "delivered", True),
    ("E5b", "lose-close-reply", DIRECT, "failed", True, "in doubt, then delivered", True),
]


@pytest.mark.parametrize(("trap", "fault", "publish", "says", "there", "ours", "ours_there"), FAULTS)
def test_the_naive_client_says_what_is_not_so_and_ours_says_what_is(
    tmp_path: Path, trap: str, fault: str, publish: Publish, says: str, there: bool, ours: str, ours_there: bool
) -> None:
    def is_there(server: Server) -> bool:
        places = (server.path(NAME), server.root / "archive" / NAME)
        return any(place.exists() and place.read_bytes() == CONTENT for place in places)

    for folder in ("naive", "ours"):
        (tmp_path / folder).mkdir()
    with sandbox(tmp_path / "naive", fault) as server:
        assert says == naive_upload(server, publish, confirm=trap != "E4"), trap
        assert there == is_there(server), trap
        if trap == "E1":  # and what it left, perhaps with a hole in it, is under the final name for the partner to take
            assert server.path(NAME).stat().st_size > 0
    with sandbox(tmp_path / "ours", fault) as server:
        assert ours == our_upload(server, publish), trap
        assert ours_there == is_there(server), trap


def test_e1_what_a_cut_left_is_removed_and_the_same_bytes_follow_whole(tmp_path: Path) -> None:
    with sandbox(tmp_path, "drop-upload=88000") as server:
        assert "in doubt" == our_upload(server, DIRECT)
        with server.mailbox(DIRECT).session() as session:
            assert session.remove_partial(NAME, len(CONTENT))
            session.upload(NAME, CONTENT, ignore_steps)
        assert CONTENT == server.path(NAME).read_bytes()


def test_e3_a_rename_onto_a_file_of_the_partners_replaces_it_for_the_naive_client_alone(
    openssh_server: OpenSshServer,
) -> None:
    with openssh(openssh_server) as server:
        replaced_by_the_naive_client_alone(server, RENAMED)


def test_e3b_opening_a_file_of_the_partners_empties_it_for_the_naive_client_alone(server: Server) -> None:
    replaced_by_the_naive_client_alone(server, DIRECT)


def replaced_by_the_naive_client_alone(server: Server, publish: Publish) -> None:
    server.path(NAME).write_bytes(b"theirs")
    with pytest.raises(NameTaken), server.mailbox(publish).session() as session:
        session.upload(NAME, CONTENT, ignore_steps)
    assert b"theirs" == server.path(NAME).read_bytes()
    server.path(NAME).chmod(0o666)
    assert "delivered" == naive_upload(server, publish, replace=True)
    assert CONTENT == server.path(NAME).read_bytes()  # theirs is gone, and nobody was told


def test_e7_names_that_hold_more_than_a_name_reach_the_naive_client_as_they_are(server: Server) -> None:
    for name in ("good.835", "two\nlines.835"):
        (server.root / "download" / name).write_bytes(b"ISA")
    with server.connect() as sftp:
        assert "two\nlines.835" in sftp.listdir(f"{server.prefix}download")
    with server.mailbox(DIRECT).session() as session:
        files = session.list(f"{server.prefix}download")
    assert {b"good.835": None, b"two\nlines.835": "the name holds control characters"} == {
        file.name: file.refused for file in files
    }


def test_e7b_one_name_that_is_not_utf8_hides_every_file_from_the_naive_client(server: Server) -> None:
    (server.root / "download/good.835").write_bytes(b"ISA")
    Path(os.fsdecode(os.fsencode(server.root / "download") + b"/r\xe9mise.835")).write_bytes(b"ISA")
    with server.connect() as sftp, pytest.raises(UnicodeDecodeError):
        sftp.listdir(f"{server.prefix}download")
    with server.mailbox(DIRECT).session() as session:
        names = {file.name for file in session.list(f"{server.prefix}download") if file.refused is None}
    assert {b"good.835", b"r\xe9mise.835"} == names


def test_e8_a_server_that_hangs_holds_the_naive_client_for_as_long_as_it_likes(tmp_path: Path) -> None:
    with sandbox(tmp_path, "hang-upload=70000") as server:
        said: list[str] = []
        naive = threading.Thread(target=lambda: said.append(naive_upload(server, DIRECT)), daemon=True)
        naive.start()
        naive.join(timeout=2)
        assert naive.is_alive() and [] == said
    (tmp_path / "ours").mkdir()
    with sandbox(tmp_path / "ours", "hang-upload=70000") as server:
        mailbox = server.mailbox(DIRECT, operation_timeout_s=0.5)
        with mailbox.session() as session, pytest.raises(DeliveryUnknown):
            session.upload(NAME, CONTENT, ignore_steps)
