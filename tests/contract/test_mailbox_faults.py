"""What the SFTP mailbox makes of a partner that breaks, hangs, refuses or is somebody else: never a false success."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paramiko
import pytest

from clearinghouse import ssh_link
from clearinghouse.mailbox import (
    AddressNotAllowed,
    AlgorithmsRefused,
    AuthenticationFailed,
    DeliveryUnknown,
    HostKeyChanged,
    LoginInterrupted,
    NameTaken,
    NotSent,
    RemoteFile,
    Step,
    TimedOut,
    Unreachable,
    UploadRefused,
    ignore_steps,
)
from clearinghouse.partner import HostKey, Publish, SftpAccess, UploadRules
from clearinghouse.repeats import Repeats
from clearinghouse.sandbox import sftp_server
from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.sftp_server import SftpServer, User
from clearinghouse.secret import SecretMissing
from clearinghouse.sftp import SftpMailbox

CONTENT = bytes(range(256)) * 700
LAST = len(CONTENT) - 1
QUICK = Repeats(tries=3, first_wait_s=0.01, longest_wait_s=0.05)


class Partner:
    """A sandbox server with its faults, and the mailbox that talks to it."""

    def __init__(self, folder: Path, faults: tuple[str, ...] = (), user: User | None = None) -> None:
        self.folder = folder
        (folder / "secret").write_text("sesame")
        self.server = SftpServer(
            folder / "mailboxes", (user or User("clinic", "sesame"),), folder / "host_key", faults=Faults(faults)
        )
        self.root = folder / "mailboxes" / "clinic"

    @property
    def access(self) -> SftpAccess:
        algorithm, key = self.server.host_key_line.split()
        return SftpAccess(
            host="127.0.0.1",
            port=self.server.port,
            username="clinic",
            password_ref="file:secret",
            host_keys=(HostKey(algorithm, key),),
            connect_timeout_s=5,
            operation_timeout_s=5,
            total_timeout_s=20,
        )

    def mailbox(
        self, publish: Publish = Publish.DIRECT, clock: Any = None, temporary_directory: str = "archive", **access: Any
    ) -> SftpMailbox:
        rules = UploadRules(
            directory="upload",
            publish=publish,
            probe_directories=("archive",),
            temporary_directory=temporary_directory,
        )
        now = clock or (lambda: datetime.now(UTC))
        return SftpMailbox(replace(self.access, **access), rules, now, self.folder, QUICK)

    def names(self, directory: str = "upload") -> list[str]:
        return sorted(path.name for path in (self.root / directory).iterdir())


@contextlib.contextmanager
def partner_with(folder: Path, *faults: str, user: User | None = None) -> Iterator[Partner]:
    partner = Partner(folder, faults, user)
    with partner.server:
        yield partner


@pytest.mark.fault("F02")
@pytest.mark.parametrize("byte", [0, 1, len(CONTENT) // 2, LAST])
def test_a_connection_cut_while_uploading_directly_is_in_doubt_and_the_partial_file_probed(
    tmp_path: Path, byte: int
) -> None:
    steps: list[Step] = []
    with partner_with(tmp_path, f"drop-upload={byte}") as partner:
        with partner.mailbox().session() as session:
            with pytest.raises(DeliveryUnknown) as doubt:
                session.upload("a.x12", CONTENT, lambda step, _: steps.append(step))
            assert Step.OPENED is doubt.value.last_step
            assert [Step.OPENED] == steps
            probe = session.probe("a.x12")  # on a new connection, made by itself
            assert probe.final is not None and byte == probe.final.size
            assert not probe.shows_delivery(len(CONTENT))
            assert session.remove_partial("a.x12", len(CONTENT))
            session.upload("a.x12", CONTENT, ignore_steps)
        assert CONTENT == (partner.root / "upload/a.x12").read_bytes()
        assert ["a.x12"] == partner.names()


@pytest.mark.fault("F03")
@pytest.mark.parametrize("byte", [0, 1, len(CONTENT) // 2, LAST])
def test_a_connection_cut_before_the_rename_proves_that_nothing_was_published(tmp_path: Path, byte: int) -> None:
    with partner_with(tmp_path, f"drop-upload={byte}") as partner:
        with partner.mailbox(Publish.RENAME_SAME_DIRECTORY).session() as session:
            with pytest.raises(NotSent) as failed:
                session.upload("a.x12", CONTENT, ignore_steps)
            assert failed.value.retryable
            assert ["a.x12.part"] == partner.names()
            assert session.remove_partial("a.x12", len(CONTENT))
            session.upload("a.x12", CONTENT, ignore_steps)
        assert ["a.x12"] == partner.names()


@pytest.mark.fault("F05")
def test_a_lost_answer_to_the_close_is_in_doubt_and_the_probe_shows_the_delivery(tmp_path: Path) -> None:
    with partner_with(tmp_path, "lose-close-reply") as partner, partner.mailbox().session() as session:
        with pytest.raises(DeliveryUnknown) as doubt:
            session.upload("a.x12", CONTENT, ignore_steps)
        assert Step.BYTES_DONE is doubt.value.last_step
        assert session.probe("a.x12").shows_delivery(len(CONTENT))


@pytest.mark.fault("F04")
def test_a_lost_answer_to_the_rename_is_in_doubt_and_the_probe_shows_the_delivery(tmp_path: Path) -> None:
    with partner_with(tmp_path, "lose-rename-reply") as partner:
        with partner.mailbox(Publish.RENAME_SAME_DIRECTORY).session() as session:
            with pytest.raises(DeliveryUnknown) as doubt:
                session.upload("a.x12", CONTENT, ignore_steps)
            assert Step.RENAME_SENT is doubt.value.last_step
            assert session.probe("a.x12").shows_delivery(len(CONTENT))
        assert ["a.x12"] == partner.names()


@pytest.mark.fault("F06")
def test_a_file_taken_the_moment_it_is_closed_is_delivered_not_missing(tmp_path: Path) -> None:
    with partner_with(tmp_path, "take-on-close") as partner, partner.mailbox().session() as session:
        delivery = session.upload("a.x12", CONTENT, ignore_steps)
        assert delivery.seen_size is None
        probe = session.probe("a.x12")
        assert probe.final is None and probe.shows_delivery(len(CONTENT))
        assert CONTENT == (partner.root / "archive/a.x12").read_bytes()


@pytest.mark.fault("F07")
@pytest.mark.parametrize("publish", [Publish.DIRECT, Publish.RENAME_SAME_DIRECTORY])
@pytest.mark.parametrize("byte", [0, 40000, LAST])
def test_a_full_disk_is_never_a_success_and_leaves_nothing_behind(tmp_path: Path, publish: Publish, byte: int) -> None:
    with partner_with(tmp_path, f"disk-full={byte}") as partner, partner.mailbox(publish).session() as session:
        with pytest.raises(NotSent) as failed:
            session.upload("a.x12", CONTENT, ignore_steps)
        assert failed.value.retryable
        assert [] == partner.names()
        assert len(CONTENT) == session.upload("a.x12", CONTENT, ignore_steps).seen_size


def test_a_refused_rename_leaves_nothing_behind(tmp_path: Path) -> None:
    with partner_with(tmp_path, "refuse-rename") as partner:
        with partner.mailbox(Publish.RENAME_SAME_DIRECTORY).session() as session, pytest.raises(UploadRefused):
            session.upload("a.x12", CONTENT, ignore_steps)
        assert [] == partner.names()


@pytest.mark.fault("F08")
def test_a_server_that_hangs_while_we_write_costs_one_operation_timeout(tmp_path: Path) -> None:
    with partner_with(tmp_path, "hang-upload=70000") as partner:
        began_at = time.monotonic()
        with partner.mailbox(operation_timeout_s=0.5).session() as session:
            with pytest.raises(DeliveryUnknown):
                session.upload("a.x12", CONTENT, ignore_steps)
            assert time.monotonic() - began_at < 4
            probe = session.probe("a.x12")
        assert probe.final is not None and 70000 == probe.final.size


@pytest.mark.parametrize("fault", ["drop-download=100000", "hang-download=100000"])
def test_a_download_that_breaks_off_is_no_file_and_the_next_one_is_whole(tmp_path: Path, fault: str) -> None:
    with partner_with(tmp_path, fault) as partner, partner.mailbox(operation_timeout_s=0.5).session() as session:
        (partner.root / "download/a.835").write_bytes(CONTENT)
        (file,) = session.list("download")
        assert CONTENT == session.download(file, 10**6)
        assert (fault.partition("=")[0],) == partner.server.faults.struck


@pytest.mark.fault("F37")
def test_hostile_names_in_a_listing_are_refused_and_the_others_are_fetched(tmp_path: Path) -> None:
    with partner_with(tmp_path, "hostile-names") as partner, partner.mailbox().session() as session:
        (partner.root / "download/a.835").write_bytes(CONTENT)
        listed = session.list("download")
        assert [b"a.835"] == [each.name for each in listed if not each.refused and each.name.isascii()]
        assert 4 < len(listed)


def test_a_login_refused_although_the_password_is_right_is_not_tried_again(tmp_path: Path) -> None:
    with partner_with(tmp_path, "refuse-login") as partner:
        with pytest.raises(AuthenticationFailed) as refused, partner.mailbox().session():
            pass
        assert refused.value.pauses_partner
        assert [False] == partner.server.logins
        with partner.mailbox().session() as session:
            assert () == session.list("download")


@pytest.mark.fault("F11")
def test_a_changed_host_key_stops_everything_before_the_secret_is_sent(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        other = SftpServer(tmp_path / "other", (), tmp_path / "other_key")
        algorithm, key = other.host_key_line.split()
        began_at = time.monotonic()
        with pytest.raises(HostKeyChanged) as changed, partner.mailbox(host_keys=(HostKey(algorithm, key),)).session():
            pass
        assert "SHA256:" in str(changed.value)
        assert not changed.value.retryable and changed.value.pauses_partner
        assert [] == partner.server.logins
        assert time.monotonic() - began_at < 3


def test_a_host_key_of_a_kind_that_is_not_pinned_is_a_changed_key_too(tmp_path: Path) -> None:
    rsa = paramiko.RSAKey.generate(2048)
    with partner_with(tmp_path) as partner:
        pins = (HostKey(rsa.get_name(), rsa.get_base64()),)
        with pytest.raises(HostKeyChanged), partner.mailbox(host_keys=pins).session():
            pass
        assert [] == partner.server.logins


@pytest.mark.fault("F11")
def test_the_second_pinned_key_is_accepted_and_an_expired_pin_is_not(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        (current,) = partner.access.host_keys
        before = HostKey(current.algorithm, SftpServer(tmp_path, (), tmp_path / "old").host_key_line.split()[1])
        with partner.mailbox(host_keys=(before, current)).session():
            pass
        expiring = replace(current, not_after=datetime(2026, 8, 31, tzinfo=UTC).date())
        with partner.mailbox(host_keys=(expiring,), clock=lambda: datetime(2026, 8, 31, 23, tzinfo=UTC)).session():
            pass
        late = partner.mailbox(host_keys=(expiring,), clock=lambda: datetime(2026, 9, 1, tzinfo=UTC))
        with pytest.raises(HostKeyChanged), late.session():
            pass
        assert [True, True] == partner.server.logins


@pytest.mark.fault("F10")
def test_a_refused_login_is_tried_exactly_once(tmp_path: Path) -> None:
    with partner_with(tmp_path, user=User("clinic", "another")) as partner:
        with pytest.raises(AuthenticationFailed) as refused, partner.mailbox().session():
            pass
        assert [False] == partner.server.logins
        assert not refused.value.retryable and refused.value.pauses_partner
        assert "sesame" not in str(refused.value)


def test_a_connection_that_ends_during_login_is_not_tried_again_at_once(tmp_path: Path, monkeypatch: Any) -> None:
    tries: list[str] = []

    def hang_up(session: Any, username: str, password: str) -> int:
        tries.append(username)
        session.transport.sock.shutdown(socket.SHUT_RDWR)
        return int(paramiko.common.AUTH_FAILED)

    monkeypatch.setattr(sftp_server._Session, "check_auth_password", hang_up)
    with partner_with(tmp_path) as partner:
        with pytest.raises(LoginInterrupted) as failed, partner.mailbox().session():
            pass
        assert failed.value.retryable and not failed.value.pauses_partner
    assert ["clinic"] == tries


def test_a_login_that_is_never_answered_is_given_up_and_not_called_a_refusal(tmp_path: Path, monkeypatch: Any) -> None:
    def think(session: Any, username: str, password: str) -> int:
        session.stopping.wait()
        return int(paramiko.common.AUTH_FAILED)

    monkeypatch.setattr(sftp_server._Session, "check_auth_password", think)
    with partner_with(tmp_path) as partner:
        mailbox = partner.mailbox(operation_timeout_s=0.3)
        with pytest.raises(LoginInterrupted), mailbox.session():
            pass


def test_a_server_with_nothing_but_weak_algorithms_is_refused_before_the_secret(
    tmp_path: Path, monkeypatch: Any
) -> None:
    def weak_only(self: SftpServer, connected: socket.socket) -> paramiko.Transport:
        transport = paramiko.Transport(connected)
        transport.get_security_options().ciphers = ("aes128-cbc", "3des-cbc")
        return transport

    monkeypatch.setattr(SftpServer, "_transport", weak_only)
    with partner_with(tmp_path) as partner:
        with pytest.raises(AlgorithmsRefused) as refused, partner.mailbox().session():
            pass
        assert [] == partner.server.logins
        assert "legacy_algorithms" in str(refused.value) and not refused.value.retryable
        with partner.mailbox(legacy_algorithms=("aes128-cbc",)).session():
            pass


def test_no_weak_algorithm_is_offered_unless_the_profile_names_it(tmp_path: Path, monkeypatch: Any) -> None:
    offered: list[list[str]] = []
    handshake = ssh_link._handshake

    def look(transport: paramiko.Transport, access: SftpAccess) -> None:
        names = (*transport.preferred_ciphers, *transport.preferred_macs, *transport.preferred_kex)
        offered.append([*names, *transport.preferred_keys])
        handshake(transport, access)

    monkeypatch.setattr(ssh_link, "_handshake", look)
    with partner_with(tmp_path) as partner:
        for legacy in ((), ("hmac-sha1",)):
            with partner.mailbox(legacy_algorithms=legacy).session():
                pass
    weak = {name for names in ssh_link.WEAK_ALGORITHMS.values() for name in names}
    assert [set(), {"hmac-sha1"}] == [weak & set(names) for names in offered]


@pytest.mark.fault("F14")
def test_many_workers_racing_for_one_name_deliver_it_exactly_once(tmp_path: Path) -> None:
    outcomes: list[str] = []

    def send(mailbox: SftpMailbox, content: bytes) -> None:
        with mailbox.session() as session:
            start.wait()
            try:
                session.upload("a.x12", content, ignore_steps)
                outcomes.append("delivered")
            except NameTaken:
                outcomes.append("taken")

    with partner_with(tmp_path) as partner:
        for publish in (Publish.DIRECT, Publish.RENAME_FROM_DIRECTORY):
            outcomes.clear()
            start = threading.Barrier(8)
            mailboxes = [partner.mailbox(publish, temporary_directory=f"tmp{n}") for n in range(8)]
            for n in range(8):
                (partner.root / f"tmp{n}").mkdir(exist_ok=True)
            contents = [bytes([n]) * 100_000 for n in range(8)]
            threads = [threading.Thread(target=send, args=pair) for pair in zip(mailboxes, contents, strict=True)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert ["delivered"] + ["taken"] * 7 == sorted(outcomes)
            assert (partner.root / "upload/a.x12").read_bytes() in contents
            (partner.root / "upload/a.x12").unlink()


def test_a_public_key_logs_in_and_a_strange_one_is_tried_once(tmp_path: Path) -> None:
    ours, stranger = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
    ours.write_private_key_file(str(tmp_path / "ours"), password="open")
    stranger.write_private_key_file(str(tmp_path / "stranger"))
    (tmp_path / "passphrase").write_text("open\n")
    user = User("clinic", public_keys=(f"{ours.get_name()} {ours.get_base64()} clinic",))
    with partner_with(tmp_path, user=user) as partner:
        key = {"password_ref": None, "private_key_ref": "file:ours", "passphrase_ref": "file:passphrase"}
        with partner.mailbox(**key).session() as session:
            session.upload("a.x12", CONTENT, ignore_steps)
        refused = partner.mailbox(password_ref=None, private_key_ref="file:stranger")
        with pytest.raises(AuthenticationFailed), refused.session():
            pass
        assert 1 == partner.server.logins.count(False)


def test_a_secret_that_cannot_be_read_names_itself_and_nothing_is_sent(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        mailbox = partner.mailbox(password_ref="env:CLEANCLAIM_NO_SUCH")
        with pytest.raises(SecretMissing, match="CLEANCLAIM_NO_SUCH"), mailbox.session():
            pass
        assert [] == partner.server.logins


def test_an_address_outside_the_allowed_networks_is_never_connected_to(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        with pytest.raises(AddressNotAllowed), partner.mailbox(allowed_networks=("203.0.113.0/24",)).session():
            pass
        with partner.mailbox(allowed_networks=("203.0.113.0/24", "127.0.0.0/8")).session():
            pass


@pytest.mark.fault("F09")
def test_a_refused_connection_is_tried_a_bounded_number_of_times(tmp_path: Path, monkeypatch: Any) -> None:
    with partner_with(tmp_path) as partner:
        mailbox = partner.mailbox()
    tries: list[object] = []
    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: (tries.append(a), connect(*a, **k))[1])
    with pytest.raises(Unreachable) as failed, mailbox.session():
        pass
    assert failed.value.retryable
    assert QUICK.tries == len(tries)


def test_a_listing_survives_a_connection_that_broke_since_the_last_one(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        (partner.root / "download/a.999").write_bytes(b"ISA")
        with partner.mailbox().session() as session:
            before = session.list("download")
            for transport in list(partner.server._transports):
                transport.sock.shutdown(socket.SHUT_RDWR)
            assert before == session.list("download")


@pytest.mark.parametrize("byte", [0, 1, 100_000])
def test_a_download_cut_in_its_middle_is_repeated_whole(tmp_path: Path, byte: int) -> None:
    with partner_with(tmp_path, f"drop-download={byte}") as partner:
        (partner.root / "download/a.835").write_bytes(CONTENT)
        with partner.mailbox().session() as session, (tmp_path / "sink").open("w+b") as sink:
            sink.write(b"before")
            (file,) = session.list("download")
            assert len(CONTENT) == session.download_to(file, sink, 10**6)
            sink.seek(0)
            assert b"before" + CONTENT == sink.read()
        assert 2 == len(partner.server.logins)


@contextlib.contextmanager
def listening(answer: Any) -> Iterator[int]:
    """A server on loopback that treats each connection as `answer` says."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def serve() -> None:
            held = []
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    connected, _ = listener.accept()
                    held.append(connected)
                    threading.Thread(target=answer, args=(connected, stop), daemon=True).start()
            for connected in held:
                connected.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            thread.join()


def _says_nothing(connected: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def _drips(connected: socket.socket, stop: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while not stop.wait(0.05):
            connected.sendall(b"x")


@pytest.mark.parametrize("answer", [_says_nothing, _drips])
def test_a_server_that_never_finishes_its_greeting_is_given_up_on_time(tmp_path: Path, answer: Any) -> None:
    partner = Partner(tmp_path)
    with listening(answer) as port:
        once = SftpMailbox(
            replace(partner.access, port=port, connect_timeout_s=0.5, operation_timeout_s=0.3),
            UploadRules(directory="upload"),
            secrets_beside=tmp_path,
            repeats=Repeats(tries=1),
        )
        began_at = time.monotonic()
        with pytest.raises(Unreachable), once.session():
            pass
        assert time.monotonic() - began_at < 4


class _DrippingFiles(paramiko.SFTPServerInterface):
    """Answers every read with one byte, slowly: each answer is in time, the whole never is."""

    def open(self, path: str, flags: int, attr: Any) -> Any:
        handle = paramiko.SFTPHandle(flags)
        handle.read = lambda offset, length: (time.sleep(0.05), b"x")[1]  # type: ignore[method-assign]
        return handle


@pytest.mark.fault("F08")
def test_a_server_that_answers_slowly_for_ever_meets_the_total_deadline(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sftp_server, "_Files", _DrippingFiles)
    with partner_with(tmp_path) as partner:
        mailbox = partner.mailbox(total_timeout_s=0.6)
        with mailbox.session() as session:
            began_at = time.monotonic()
            with pytest.raises(TimedOut):
                session.download(RemoteFile("download", b"slow.835", 100_000, None), 10**6)
            assert time.monotonic() - began_at < 3


def test_no_error_of_an_upload_carries_the_files_content(tmp_path: Path) -> None:
    with partner_with(tmp_path, "drop-upload=10") as partner, partner.mailbox().session() as session:
        seen: list[Mapping[str, str | int]] = []
        with pytest.raises(DeliveryUnknown) as doubt:
            session.upload("a.x12", b"CANARY" * 10_000, lambda _, detail: seen.append(detail))
        assert "CANARY" not in repr(doubt.value) + repr(seen)
