"""The whole way out and back: our SFTP client, a real SFTP server, and the sandbox's clearinghouse behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearinghouse.mailbox import DeliveryUnknown, RemoteMissing, ignore_steps
from clearinghouse.partner import HostKey, SftpAccess, UploadRules
from clearinghouse.sandbox.clearing import Clearing
from clearinghouse.sandbox.ledger import Ledger
from clearinghouse.sandbox.payer_table import read_payer_table
from clearinghouse.sandbox.server import Sandbox, run_sandbox
from clearinghouse.sandbox.sftp_server import User
from clearinghouse.sftp import SftpMailbox
from tests.servers import OpenSshServer
from tests.unit.sandbox.submissions import Claim, one

KINDS = ["277CA", "277CA", "835", "999", "TA1"]


def in_september() -> datetime:
    return datetime(2026, 9, 1, 12, tzinfo=UTC)


def mailbox_of(sandbox: Sandbox, folder: Path, user: str = "clinic") -> SftpMailbox:
    (folder / "secret").write_text("sandbox")
    algorithm, key = sandbox.host_key_line.split()
    access = SftpAccess(
        host="127.0.0.1",
        port=sandbox.port,
        username=user,
        password_ref="file:secret",
        host_keys=(HostKey(algorithm, key),),
    )
    return SftpMailbox(access, UploadRules("upload", probe_directories=("archive",)), secrets_beside=folder)


def collect(mailbox: SftpMailbox, count: int, directory: str = "download") -> dict[str, bytes]:
    """Every answer once there are `count`, removed from the partner as they are taken."""
    deadline = time.monotonic() + 20
    taken: dict[str, bytes] = {}
    with mailbox.session() as session:
        while len(taken) < count and time.monotonic() < deadline:
            for file in session.list(directory):
                taken[file.shown_name] = session.download(file, 10**6)
                session.remove(file)
            time.sleep(0.02)
        assert () == session.list(directory)
    return taken


def kinds(taken: dict[str, bytes]) -> list[str]:
    return sorted(name.split("_")[0] for name in taken)


def test_a_file_goes_out_over_sftp_and_its_answers_come_back(tmp_path: Path) -> None:
    with run_sandbox(tmp_path, clock=in_september) as sandbox:
        mailbox = mailbox_of(sandbox, tmp_path)
        with mailbox.session() as session:
            session.upload("837I_000000101.x12", one(Claim()).encode(), ignore_steps)
        assert KINDS == kinds(collect(mailbox, 5))
        with mailbox.session() as session:
            assert session.probe("837I_000000101.x12").shows_delivery(1)
        (claim,) = sandbox.ledger.as_json()["claims"]
        assert ("PCN0000000001", "decided") == (claim["claim_number"], claim["state"])


def test_the_same_clearinghouse_works_behind_opensshs_own_server(openssh_server: OpenSshServer, tmp_path: Path) -> None:
    name = "sandbox-behind-openssh"
    folder = openssh_server.new_mailbox(name)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    clearing = Clearing({name: folder}, ledger, read_payer_table(), 1, in_september)
    _, algorithm, key = openssh_server.host_key_line.split()
    access = SftpAccess(
        host=openssh_server.host,
        port=openssh_server.port,
        username=openssh_server.user,
        private_key_ref=f"file:{openssh_server.key_file}",
        host_keys=(HostKey(algorithm, key),),
    )
    mailbox = SftpMailbox(access, UploadRules(f"{name}/upload", probe_directories=(f"{name}/archive",)))
    with mailbox.session() as session:
        session.upload("837I_000000101.x12", one(Claim()).encode(), ignore_steps)
        assert clearing.run_once().did_something
        assert session.probe("837I_000000101.x12").shows_delivery(1)
    assert KINDS == kinds(collect(mailbox, 5, f"{name}/download"))
    ledger.close()


def test_a_restarted_sandbox_keeps_its_key_and_its_memory(tmp_path: Path) -> None:
    with run_sandbox(tmp_path, clock=in_september) as sandbox:
        key = sandbox.host_key_line
        with mailbox_of(sandbox, tmp_path).session() as session:
            session.upload("first.x12", one(Claim()).encode(), ignore_steps)
        collect(mailbox_of(sandbox, tmp_path), 5)
    with run_sandbox(tmp_path, clock=in_september) as sandbox:
        assert key == sandbox.host_key_line
        with mailbox_of(sandbox, tmp_path).session() as session:
            session.upload("again.x12", one(Claim()).encode(), ignore_steps)
        ((name, answer),) = collect(mailbox_of(sandbox, tmp_path), 1).items()
        assert name.startswith("TA1") and b"*R*025" in answer


def test_every_user_sees_only_their_own_folders(tmp_path: Path) -> None:
    users = (User("clinic", "sandbox"), User("other", "sandbox"))
    with run_sandbox(tmp_path, users=users, clock=in_september) as sandbox:
        with mailbox_of(sandbox, tmp_path).session() as session:
            session.upload("a.x12", one(Claim()).encode(), ignore_steps)
        collect(mailbox_of(sandbox, tmp_path), 5)
        with mailbox_of(sandbox, tmp_path, "other").session() as session:
            assert () == session.list("download")
            for path in ("../clinic/archive", "/../clinic/archive", "../../mailboxes/clinic/archive"):
                with pytest.raises(RemoteMissing):
                    session.list(path)


@pytest.mark.fault("F02")
def test_a_cut_upload_is_resolved_and_its_claims_are_taken_exactly_once(tmp_path: Path) -> None:
    content = one(Claim()).encode()
    with run_sandbox(tmp_path, clock=in_september, faults=["drop-upload=500"]) as sandbox:
        mailbox = mailbox_of(sandbox, tmp_path)
        with mailbox.session() as session:
            with pytest.raises(DeliveryUnknown):
                session.upload("a.x12", content, ignore_steps)
            assert not session.probe("a.x12").shows_delivery(len(content))
            assert session.remove_partial("a.x12", len(content))
            session.upload("a.x12", content, ignore_steps)
        collect(mailbox, 5)
        assert ["accepted"] == [each["outcome"] for each in sandbox.ledger.as_json()["interchanges"]]
        assert 1 == len(sandbox.ledger.as_json()["claims"])


def test_the_answers_follow_an_injected_clock(tmp_path: Path) -> None:
    now = [in_september()]
    clock: Callable[[], datetime] = lambda: now[0]  # noqa: E731
    with run_sandbox(tmp_path, clock=clock) as sandbox:
        mailbox = mailbox_of(sandbox, tmp_path)
        with mailbox.session() as session:
            session.upload("a.x12", one(Claim()).encode(), ignore_steps)
        taken = collect(mailbox, 5)
        assert all(b"*260901*1200*" in answer for answer in taken.values())
        now[0] += timedelta(days=1)
        with mailbox.session() as session:
            session.upload("b.x12", one(Claim("PCN0000000002"), isa13=102).encode(), ignore_steps)
        taken = collect(mailbox, 5)
        assert all(b"*260902*1200*" in answer for answer in taken.values())
