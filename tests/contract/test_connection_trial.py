"""'exchange test' says step by step what works at a partner's, and what to do about the first thing that does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.connection_trial import Tried, try_connection
from clearinghouse.partner import DownloadRules, DownloadSource, HostKey, PartnerProfile
from clearinghouse.pgp import Pgp
from clearinghouse.profile_reading import read_profile
from clearinghouse.sandbox.sftp_server import User
from clearinghouse.sftp import SftpMailbox
from tests.contract.test_mailbox_faults import QUICK, Partner, partner_with
from tests.unit.clearinghouse.test_partner import FULL


def profile_of(partner: Partner, *, probe_file: bool = True, **access: Any) -> PartnerProfile:
    full = read_profile(FULL)
    upload = replace(full.upload, directory="upload", probe_directories=("archive",), probe_file=probe_file)
    download = DownloadRules(sources=(DownloadSource("download"),))
    return replace(full, access=replace(partner.access, **access), upload=upload, download=download)


def tried(partner: Partner, profile: PartnerProfile) -> list[Tried]:
    assert not isinstance(profile.access, Path)
    mailbox = SftpMailbox(profile.access, profile.upload, secrets_beside=partner.folder, repeats=QUICK)  # type: ignore[arg-type]
    return try_connection(profile, mailbox, Pgp(profile.pgp))


def test_a_good_connection_passes_every_step_and_its_probe_file_is_gone_again(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        (partner.root / "download/one.835").write_bytes(b"ISA")
        steps = tried(partner, profile_of(partner))
        assert [("reach", True), ("host-key", True), ("login", True)] == [(each.step, each.ok) for each in steps[:3]]
        directories = {each.step: each.detail for each in steps[3:-1]}
        assert {
            "directory upload": "empty",
            "directory archive": "empty",
            "directory download": "1 entries: one.835",
        } == directories
        assert steps[-1].ok and "written, published and removed" in steps[-1].detail
        assert [] == partner.names()


def test_no_file_is_written_unless_the_profile_allows_it(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        last = tried(partner, profile_of(partner, probe_file=False))[-1]
        assert last.ok and "not tried" in last.detail


@pytest.mark.fault("F12")
def test_a_directory_that_is_not_there_hides_no_other_one(tmp_path: Path) -> None:
    with partner_with(tmp_path) as partner:
        (partner.root / "archive").rmdir()
        failed = [each for each in tried(partner, profile_of(partner)) if not each.ok]
        assert [("directory archive", "compare its name with the partner's guide")] == [
            (each.step, each.next) for each in failed
        ]


@pytest.mark.parametrize(
    ("access", "step", "passed", "following"),
    [
        ({"port": 1}, "reach", 0, "firewall"),
        ({"allowed_networks": ("203.0.113.0/24",)}, "reach", 0, "allowed_ips"),
        ({"host_keys": (HostKey("ssh-ed25519", "A" * 68),)}, "host-key", 1, "by telephone"),
        ({"password_ref": "env:CLEANCLAIM_NO_SUCH_SECRET"}, "login", 2, "secret_ref"),
    ],
)
def test_the_first_step_that_fails_says_what_to_do_next(
    tmp_path: Path, access: dict[str, Any], step: str, passed: int, following: str
) -> None:
    with partner_with(tmp_path) as partner:
        steps = tried(partner, profile_of(partner, **access))
        assert passed == sum(each.ok for each in steps)
        assert step == steps[-1].step and following in steps[-1].next


def test_a_refused_login_is_tried_once(tmp_path: Path) -> None:
    with partner_with(tmp_path, user=User("clinic", "another")) as partner:
        assert "login" == tried(partner, profile_of(partner))[-1].step
        assert [False] == partner.server.logins


def test_a_probe_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with partner_with(tmp_path, "disk-full=0") as partner:
        last = tried(partner, profile_of(partner))[-1]
        assert not last.ok and "right to write" in last.next
