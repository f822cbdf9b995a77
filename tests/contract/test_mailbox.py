"""Every mailbox keeps one contract: a folder, our SFTP client against the sandbox, and against OpenSSH's own server."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from clearinghouse.folder import FolderMailbox
from clearinghouse.mailbox import (
    ChangedWhileReading,
    Mailbox,
    NameRefused,
    NameTaken,
    RemoteFile,
    RemoteMissing,
    Step,
    TooLarge,
    UploadRefused,
    ignore_steps,
)
from clearinghouse.partner import FolderAccess, HostKey, Publish, SftpAccess, UploadRules
from clearinghouse.sandbox.sftp_server import SftpServer, User
from clearinghouse.sftp import SftpMailbox

CONTENT = b"ISA*00*" + bytes(range(256)) * 700
_names = itertools.count(1)


@dataclass(frozen=True)
class Partner:
    """A mailbox seen from both sides: `root` is its folder on the partner's disk, `prefix` its remote path."""

    kind: str
    root: Path
    prefix: str
    open: Callable[[UploadRules], Mailbox]

    def mailbox(self, publish: Publish = Publish.DIRECT, **rules: object) -> Mailbox:
        archives = tuple(f"{self.prefix}{each}" for each in ("archive",))
        given = {"probe_directories": archives, "temporary_directory": f"{self.prefix}archive", **rules}
        return self.open(UploadRules(directory=f"{self.prefix}upload", publish=publish, **given))  # type: ignore[arg-type]

    def remote(self, name: bytes, size: int, directory: str = "download") -> RemoteFile:
        return RemoteFile(f"{self.prefix}{directory}", name, size, None)

    def names(self, directory: str) -> list[str]:
        return sorted(path.name for path in (self.root / directory).iterdir())

    def put(self, path: str, content: bytes = CONTENT) -> Path:
        target = self.root / path
        target.write_bytes(content)
        return target


def _folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Partner]:
    for each in ("upload", "download", "archive"):
        (tmp_path / each).mkdir()
    yield Partner("folder", tmp_path, "", lambda rules: FolderMailbox(FolderAccess(tmp_path), rules))


def _sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Partner]:
    (tmp_path / "secret").write_text("sesame\n")
    with SftpServer(tmp_path / "mailboxes", (User("clinic", "sesame"),), tmp_path / "host_key") as server:
        algorithm, key = server.host_key_line.split()
        access = SftpAccess(
            host="127.0.0.1",
            port=server.port,
            username="clinic",
            password_ref="file:secret",
            host_keys=(HostKey(algorithm, key),),
        )
        root = tmp_path / "mailboxes" / "clinic"
        yield Partner("sandbox", root, "/", lambda rules: SftpMailbox(access, rules, secrets_beside=tmp_path))


def _openssh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Partner]:
    server = request.getfixturevalue("openssh_server")
    name = f"contract-{next(_names)}"
    _, algorithm, key = server.host_key_line.split()
    access = SftpAccess(
        host=server.host,
        port=server.port,
        username=server.user,
        private_key_ref=f"file:{server.key_file}",
        host_keys=(HostKey(algorithm, key),),
    )
    yield Partner("openssh", server.new_mailbox(name), f"{name}/", lambda rules: SftpMailbox(access, rules))


KINDS = {"folder": _folder, "sandbox": _sandbox, "openssh": _openssh}


@pytest.fixture(params=list(KINDS))
def partner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Partner]:
    yield from KINDS[request.param](request, tmp_path)


@pytest.mark.parametrize("publish", list(Publish))
def test_an_upload_arrives_byte_for_byte_and_says_so(partner: Partner, publish: Publish) -> None:
    steps: list[Step] = []
    with partner.mailbox(publish).session() as session:
        delivery = session.upload("837I_1.x12", CONTENT, lambda step, _: steps.append(step))
    assert CONTENT == (partner.root / "upload/837I_1.x12").read_bytes()
    assert (len(CONTENT), hashlib.sha256(CONTENT).hexdigest()) == (delivery.size, delivery.sha256)
    assert len(CONTENT) == delivery.seen_size
    assert ["837I_1.x12"] == partner.names("upload")
    whole = [Step.OPENED, Step.BYTES_DONE, Step.CLOSED, Step.RENAME_SENT, Step.RENAME_OK]
    assert whole[: 3 if publish is Publish.DIRECT else 5] == steps


@pytest.mark.parametrize("publish", list(Publish))
def test_each_marker_comes_before_the_change_it_announces(partner: Partner, publish: Publish) -> None:
    seen: dict[Step, list[str]] = {}

    def look(step: Step, detail: Mapping[str, str | int]) -> None:
        seen[step] = partner.names("upload")
        assert f"{partner.prefix}upload/837I_2.x12".lstrip("/") == str(detail["path"]).lstrip("/")

    with partner.mailbox(publish).session() as session:
        session.upload("837I_2.x12", CONTENT, look)
    assert [] == seen[Step.OPENED]
    if publish is Publish.RENAME_SAME_DIRECTORY:
        assert ["837I_2.x12.part"] == seen[Step.RENAME_SENT]
        assert ["837I_2.x12"] == seen[Step.RENAME_OK]


@pytest.mark.fault("F13")
@pytest.mark.parametrize("publish", list(Publish))
def test_a_name_that_is_taken_is_refused_and_the_file_there_untouched(partner: Partner, publish: Publish) -> None:
    theirs = partner.put("upload/837I_3.x12", b"theirs")
    with partner.mailbox(publish).session() as session, pytest.raises(NameTaken) as refused:
        session.upload("837I_3.x12", CONTENT, ignore_steps)
    assert b"theirs" == theirs.read_bytes()
    assert 6 == refused.value.seen_size
    assert not refused.value.retryable


@pytest.mark.fault("F13")
def test_a_name_taken_between_our_look_and_our_create_is_refused_too(partner: Partner) -> None:
    def take(step: Step, _: object) -> None:
        if step is Step.OPENED:
            partner.put("upload/837I_4.x12", b"theirs")

    with partner.mailbox().session() as session, pytest.raises(NameTaken):
        session.upload("837I_4.x12", CONTENT, take)
    assert b"theirs" == (partner.root / "upload/837I_4.x12").read_bytes()


def test_a_name_taken_just_before_the_rename_is_refused_and_our_temporary_file_removed(partner: Partner) -> None:
    def take(step: Step, _: object) -> None:
        if step is Step.RENAME_SENT:
            partner.put("upload/837I_5.x12", b"theirs")

    with partner.mailbox(Publish.RENAME_SAME_DIRECTORY).session() as session, pytest.raises(NameTaken):
        session.upload("837I_5.x12", CONTENT, take)
    assert b"theirs" == (partner.root / "upload/837I_5.x12").read_bytes()
    assert ["837I_5.x12"] == partner.names("upload")


@pytest.mark.fault("F12")
def test_a_missing_upload_directory_is_a_refusal_not_a_success(partner: Partner) -> None:
    (partner.root / "upload").rmdir()
    with partner.mailbox().session() as session, pytest.raises(UploadRefused):
        session.upload("837I_6.x12", CONTENT, ignore_steps)


def test_an_upload_stopped_by_its_caller_sends_nothing_more(partner: Partner) -> None:
    def fence(step: Step, _: object) -> None:
        if step is Step.RENAME_SENT:
            raise PermissionError("the lease is somebody else's now")

    with partner.mailbox(Publish.RENAME_SAME_DIRECTORY).session() as session:
        with pytest.raises(PermissionError):
            session.upload("837I_7.x12", CONTENT, fence)
        probe = session.probe("837I_7.x12")
    assert probe.final is None
    assert probe.temporary is not None and len(CONTENT) == probe.temporary.size
    assert not probe.shows_delivery(len(CONTENT))


@pytest.mark.parametrize("publish", [Publish.RENAME_SAME_DIRECTORY, Publish.RENAME_FROM_DIRECTORY])
def test_a_left_over_temporary_file_of_ours_is_replaced_by_the_same_bytes_whole(
    partner: Partner, publish: Publish
) -> None:
    left_over = {"rename_same_dir": "upload/837I_8.x12.part", "rename_from_dir": "archive/837I_8.x12"}[publish]
    partner.put(left_over, CONTENT[:100])
    with partner.mailbox(publish).session() as session:
        session.upload("837I_8.x12", CONTENT, ignore_steps)
    assert CONTENT == (partner.root / "upload/837I_8.x12").read_bytes()
    assert not (partner.root / left_over).exists()


def test_a_left_over_temporary_file_is_removed_on_request(partner: Partner) -> None:
    partner.put("upload/837I_8.x12.part", CONTENT[:100])
    with partner.mailbox(Publish.RENAME_SAME_DIRECTORY).session() as session:
        assert session.remove_partial("837I_8.x12", len(CONTENT))
        assert not session.remove_partial("837I_8.x12", len(CONTENT))
    assert [] == partner.names("upload")


def test_a_partial_final_file_is_removed_but_never_a_complete_one(partner: Partner) -> None:
    partner.put("upload/part.x12", CONTENT[:100])
    partner.put("upload/whole.x12", CONTENT)
    with partner.mailbox().session() as session:
        assert session.remove_partial("part.x12", len(CONTENT))
        assert not session.remove_partial("whole.x12", len(CONTENT))
        assert not session.remove_partial("never.x12", len(CONTENT))
    assert ["whole.x12"] == partner.names("upload")


def test_a_probe_finds_the_final_file_the_archived_one_and_the_notification(partner: Partner) -> None:
    with partner.mailbox(probe_notification="{name}-*-(success|FAILED)").session() as session:
        assert session.probe("a.x12").shows_nothing
        partner.put("upload/a.x12", b"12345")
        assert session.probe("a.x12").shows_delivery(5)
        assert not session.probe("a.x12").shows_delivery(6)
        partner.put("archive/HIPAA.T1.20260801.b.x12", b"")
        assert session.probe("b.x12").shows_delivery(5)
        partner.put("upload/c.x12-4711-success", b"")
        partner.put("upload/d.x12-4711-pending", b"")
        assert session.probe("c.x12").shows_delivery(5)
        assert session.probe("d.x12").shows_nothing


def test_a_probe_without_its_archive_directory_still_answers(partner: Partner) -> None:
    (partner.root / "archive").rmdir()
    with partner.mailbox().session() as session:
        assert session.probe("a.x12").shows_nothing


def test_files_are_listed_and_downloaded_byte_for_byte(partner: Partner) -> None:
    partner.put("download/one.835")
    partner.put("download/empty.999", b"")
    with partner.mailbox().session() as session:
        files = {file.name: file for file in session.list(f"{partner.prefix}download")}
        assert {b"one.835": len(CONTENT), b"empty.999": 0} == {name: file.size for name, file in files.items()}
        assert CONTENT == session.download(files[b"one.835"], max_bytes=len(CONTENT))
        assert b"" == session.download(files[b"empty.999"], max_bytes=10)
        modified_at = files[b"one.835"].modified_at
        assert modified_at is not None and modified_at.tzinfo is not None


@pytest.mark.fault("F37")
def test_hostile_entries_are_marked_refused_and_never_opened(partner: Partner) -> None:
    partner.put("download/good.835")
    partner.put("download/two\nlines.835")
    (partner.root / "download/folder.835").mkdir()
    (partner.root / "download/link.835").symlink_to("/etc/passwd")
    with partner.mailbox().session() as session:
        files = {file.name: file for file in session.list(f"{partner.prefix}download")}
        assert {b"good.835"} == {name for name, file in files.items() if file.refused is None}
        assert 4 == len(files)
        for name, file in files.items():
            if file.refused is not None:
                with pytest.raises(NameRefused):
                    session.download(file, 10**9)
                with pytest.raises(NameRefused):
                    session.remove(file)
                with pytest.raises(NameRefused):
                    session.move_to_archive(file, f"{partner.prefix}archive")
                assert "\n" not in file.shown_name, name
        assert CONTENT == session.download(files[b"good.835"], 10**9)


@pytest.mark.fault("F37")
def test_one_name_that_is_not_utf8_does_not_hide_the_others(partner: Partner) -> None:
    strange = os.fsencode(partner.root / "download") + b"/r\xe9mise.835"
    Path(os.fsdecode(strange)).write_bytes(b"strange")
    partner.put("download/good.835")
    with partner.mailbox().session() as session:
        files = {file.name: file for file in session.list(f"{partner.prefix}download")}
        assert {b"good.835", b"r\xe9mise.835"} == set(files)
        assert CONTENT == session.download(files[b"good.835"], 10**9)
        assert "r\\\\xe9mise.835" == files[b"r\xe9mise.835"].shown_name
        if partner.kind != "sandbox":  # paramiko's server side takes only UTF-8 paths
            assert b"strange" == session.download(files[b"r\xe9mise.835"], 10**9)
            session.remove(files[b"r\xe9mise.835"])
            assert [b"good.835"] == [file.name for file in session.list(f"{partner.prefix}download")]


@pytest.mark.fault("F37")
def test_a_directory_of_thousands_is_listed_whole(partner: Partner) -> None:
    wanted = {f"{number:05}.999" for number in range(1200)}
    for name in wanted:
        partner.put(f"download/{name}", b"")
    with partner.mailbox().session() as session:
        assert wanted == {file.name.decode() for file in session.list(f"{partner.prefix}download")}


def test_a_file_larger_than_allowed_stays_where_it_is(partner: Partner) -> None:
    partner.put("download/large.835")
    with partner.mailbox().session() as session:
        (file,) = session.list(f"{partner.prefix}download")
        with pytest.raises(TooLarge):
            session.download(file, max_bytes=len(CONTENT) - 1)
        with pytest.raises(TooLarge):  # a listing that lies about the size
            session.download(partner.remote(b"large.835", 10), max_bytes=1000)
    assert (partner.root / "download/large.835").exists()


def test_a_session_goes_on_after_a_download_that_was_broken_off(partner: Partner) -> None:
    partner.put("download/liar.835", CONTENT * 10)
    partner.put("download/good.835")
    with partner.mailbox().session() as session:
        with pytest.raises(TooLarge):
            session.download(partner.remote(b"liar.835", len(CONTENT)), max_bytes=len(CONTENT) // 2 * 2)
        (good,) = (file for file in session.list(f"{partner.prefix}download") if file.name == b"good.835")
        assert CONTENT == session.download(good, 10**9)


def test_a_file_that_grew_since_it_was_listed_is_not_taken(partner: Partner) -> None:
    partner.put("download/growing.835", b"ISA*")
    with partner.mailbox().session() as session:
        (file,) = session.list(f"{partner.prefix}download")
        partner.put("download/growing.835", b"ISA*00*")
        with pytest.raises(ChangedWhileReading) as early:
            session.download(file, 10**6)
        assert early.value.retryable


def test_a_file_that_vanished_is_missing_and_removing_it_again_is_no_error(partner: Partner) -> None:
    with partner.mailbox().session() as session:
        gone = partner.remote(b"gone.835", 3)
        with pytest.raises(RemoteMissing):
            session.download(gone, 100)
        session.remove(gone)
        session.move_to_archive(gone, f"{partner.prefix}archive")
        with pytest.raises(RemoteMissing):
            session.list(f"{partner.prefix}nowhere")


def test_a_downloaded_file_is_removed_or_archived_but_never_over_another(partner: Partner) -> None:
    for name in ("one", "two", "three"):
        partner.put(f"download/{name}", name.encode())
    partner.put("archive/three", b"older")
    with partner.mailbox().session() as session:
        one, three, two = sorted(session.list(f"{partner.prefix}download"), key=lambda file: file.name)
        session.remove(one)
        session.move_to_archive(two, f"{partner.prefix}archive")
        with pytest.raises(NameTaken):
            session.move_to_archive(three, f"{partner.prefix}archive")
    assert ["three"] == partner.names("download")
    assert b"two" == (partner.root / "archive/two").read_bytes()
    assert b"older" == (partner.root / "archive/three").read_bytes()


@pytest.mark.parametrize("name", ["../up.x12", "a/b.x12", "", ".hidden", "two\nlines", "caf\u00e9.x12", "x" * 300])
def test_an_upload_name_that_is_no_plain_name_never_leaves(partner: Partner, name: str) -> None:
    with partner.mailbox().session() as session, pytest.raises(NameRefused):
        session.upload(name, CONTENT, ignore_steps)
