"""A partner profile is typed, every mistake is named by its key, and secrets never appear in it."""

from __future__ import annotations

import copy
import re
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from clearinghouse.partner import (
    AfterDownload,
    DuplicateCheck,
    Expected,
    FolderAccess,
    PartnerProfile,
    Publish,
    Referee,
    SftpAccess,
    UploadRules,
    Usage,
    file_name,
)
from clearinghouse.profile_fields import ProfileError
from clearinghouse.profile_reading import in_test, read_profile
from clearinghouse.schedule import Schedule, Within
from clearinghouse.secret import Secret, SecretMissing, resolve_secret

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ8vOnx1l0Yc0Wm9w1kCw3m8s0m7cY5m8i0h0iQ0aZ1b"
AT = datetime(2026, 8, 31, 23, 59, 58, tzinfo=timezone(timedelta(hours=-5)))

# As YAML gives it: every scalar is text.
FULL: dict[str, Any] = {
    "profile": {
        "id": "acme-prod",
        "partner": "acme",
        "verified": "true",
        "verified_on": "2026-05-01",
        "source": "https://example.org/guide",
    },
    "sftp": {
        "host": "sftp.example.org",
        "port": "2222",
        "username": "clinic",
        "secret_ref": "env:ACME_PASSWORD",
        "host_keys": [
            {"alg": "ssh-ed25519", "key": KEY},
            {"alg": "ssh-ed25519", "key": KEY, "not_after": "2026-12-31"},
        ],
        "allowed_ips": ["203.0.113.0/24"],
        "connect_timeout_s": "20",
        "op_timeout_s": "1m",
        "total_timeout_s": "15m",
    },
    "upload": {
        "dir": "to-acme",
        "name": "{tx}_{isa13}_{yyyymmddHHMMSS}.x12",
        "charset": "[A-Za-z0-9_.]",
        "max_name": "60",
        "publish": "rename_same_dir",
        "probe_dirs": ["archive", "error"],
        "probe_notify": "{name}-*-(success|FAILED)",
        "max_bytes": "10MB",
        "max_clm_per_st": "500",
    },
    "download": {
        "dirs": [{"path": "from-acme", "match": "*.x12"}, {"path": "reports"}],
        "after": "archive",
        "archive_dir": "done",
        "settle": {"polls": "3", "min_age_s": "1m"},
        "max_bytes": "100MB",
        "poll_s": "5m",
    },
    "envelope": {"isa06": "CLINIC", "isa08": "ACME", "gs03": "ACMEGS", "isa14": "0", "usage": "P"},
    "control": {"dup_check": "enforced"},
    "acks": {"ta1": "always", "n999": "always", "n277ca": "never", "sla": {"ta1_999": "4h", "payer_277ca": "5bd"}},
    "schedule": {"time_zone": "America/Chicago", "holidays": ["2026-12-25"], "cutoff": "17:00"},
}


def changed(path: str, value: object) -> dict[str, Any]:
    """FULL with one key set, or taken away where the value is Ellipsis."""
    profile = copy.deepcopy(FULL)
    *above, last = path.split(".")
    level: Any = profile
    for name in above:
        level = level[int(name)] if name.isdecimal() else level[name]
    if value is ...:
        del level[last]
    else:
        level[last] = value
    return profile


def problems_of(profile: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ProfileError) as wrong:
        read_profile(profile)
    found: dict[str, str] = {}
    for problem in wrong.value.found:
        found[problem.path] = found.get(problem.path, "") + problem.message
    return found


def test_a_full_profile_is_read_with_every_value_typed() -> None:
    profile = read_profile(FULL)
    access = profile.access
    assert isinstance(access, SftpAccess)
    assert (2222, 20, 60, 900) == (
        access.port,
        access.connect_timeout_s,
        access.operation_timeout_s,
        access.total_timeout_s,
    )
    assert [None, date(2026, 12, 31)] == [key.not_after for key in access.host_keys]
    assert (Publish.RENAME_SAME_DIRECTORY, 10_000_000, 500) == (
        profile.upload.publish,
        profile.upload.max_bytes,
        profile.upload.max_claims,
    )
    assert (AfterDownload.ARCHIVE, 3, timedelta(minutes=1)) == (
        profile.download.after,
        profile.download.settle_polls,
        profile.download.settle_age,
    )
    assert ["*.x12", "*"] == [source.match for source in profile.download.sources]
    assert (Usage.PRODUCTION, False, "CLINIC", "ACMEGS") == (
        profile.envelope.usage,
        profile.envelope.acknowledgement_requested,
        profile.envelope.group_sender,
        profile.envelope.group_receiver,
    )
    assert (DuplicateCheck.ENFORCED, Expected.NEVER) == (profile.duplicate_check, profile.answers.status_277ca)
    assert (Within(elapsed=timedelta(hours=4)), Within(business_days=2), Within(business_days=5)) == (
        profile.answers.syntax_within,
        profile.answers.first_277ca_within,
        profile.answers.payer_277ca_within,
    )
    assert {date(2026, 12, 25)} == profile.schedule.holidays
    assert (time(17), None, 5) == (profile.schedule.cutoff, profile.schedule.opens_at, len(profile.schedule.workdays))
    assert profile.verified and date(2026, 5, 1) == profile.verified_on
    assert () == profile.warnings


def test_what_is_left_out_takes_the_careful_default() -> None:
    small = {
        "profile": {"id": "small", "partner": "acme"},
        "folder": {"path": "/srv/acme"},
        "upload": {"dir": "in"},
        "download": {"dirs": [{"path": "out"}]},
        "envelope": {"isa06": "CLINIC", "isa08": "ACME", "usage": "T"},
    }
    profile: PartnerProfile = read_profile(small)
    assert FolderAccess(Path("/srv/acme")) == profile.access
    assert (Publish.DIRECT, 1000, None, False) == (
        profile.upload.publish,
        profile.upload.max_claims,
        profile.upload.max_files_per_hour,
        profile.upload.probe_file,
    )
    assert Schedule() == profile.schedule
    assert AfterDownload.LEAVE is profile.download.after
    assert DuplicateCheck.UNKNOWN is profile.duplicate_check
    assert Referee.PYX12 is profile.referee
    assert not profile.verified


@pytest.mark.parametrize(
    ("path", "value", "at", "says"),
    [
        ("profile.id", "Acme Prod", "profile.id", "lower-case"),
        ("profile.id", ..., "profile.id", "missing"),
        ("profile.verfied", "true", "profile.verfied", "not a key"),
        ("profile.verified_on", "01.05.2026", "profile.verified_on", "YYYY-MM-DD"),
        ("sftp.port", "70000", "sftp.port", "65535"),
        ("sftp.secret_ref", "hunter2", "sftp.secret_ref", "env:NAME"),
        ("sftp.secret_ref", ..., "sftp.secret_ref", "private_key_ref"),
        ("sftp.host_keys", [], "sftp.host_keys", "never learned"),
        ("sftp.host_keys.1.key", "short", "sftp.host_keys[1].key", "known_hosts"),
        ("sftp.host_keys.0.alg", "blowfish", "sftp.host_keys[0].alg", "ssh-ed25519"),
        ("sftp.allowed_ips", ["example.org"], "sftp.allowed_ips", "networks"),
        ("sftp.op_timeout_s", "soon", "sftp.op_timeout_s", "30s"),
        ("sftp", ..., "sftp", "folder.path"),
        ("folder", {"path": "/srv"}, "folder", "either"),
        ("referee", "x12sdk", "referee", "pyx12, none"),
        ("upload.publish", "rename", "upload.publish", "rename_same_dir"),
        ("upload.publish", "rename_from_dir", "upload.temp_dir", "rename from"),
        ("upload.name", "{tx}.x12", "upload.name", "{isa13}"),
        ("upload.name", "{isa13}_{hour}.x12", "upload.name", "may hold only"),
        ("upload.name", "{isa13}-{tx}.x12", "upload.name", "outside"),
        ("upload.name", "{isa13}/{tx}.x12", "upload.name", "outside"),
        ("upload.max_name", "20", "upload.name", "longer than 20"),
        ("upload.max_interchanges", "2", "upload.max_interchanges", "not a key"),
        ("upload.max_files_per_hour", "0", "upload.max_files_per_hour", "from 1"),
        ("upload.max_bytes", "ten", "upload.max_bytes", "10MB"),
        ("download.dirs", [], "download.dirs", "at least one"),
        ("download.dirs", "from-acme", "download.dirs", "list"),
        ("download.archive_dir", ..., "download.archive_dir", "missing"),
        ("download.settle", "slowly", "download.settle", "mapping"),
        ("envelope.usage", ..., "envelope.usage", "never guessed"),
        ("envelope.usage", "X", "envelope.usage", "P, T"),
        ("envelope.isa06", "A SENDER ID TOO LONG", "envelope.isa06", "15"),
        ("envelope.delimiters", {"elem": ":"}, "envelope.delimiters", "differ"),
        ("envelope.delimiters", {"elem": "A"}, "envelope.delimiters.elem", "should be"),
        ("acks.sla.ta1_999", "4 hours", "acks.sla.ta1_999", "4h"),
        ("acks.sla.first_277ca", "2 bd", "acks.sla.first_277ca", "3bd"),
        ("schedule.time_zone", "Chicago", "schedule.time_zone", "America/Chicago"),
        ("schedule.holidays", ["Christmas"], "schedule.holidays", "YYYY-MM-DD"),
        ("schedule.workdays", ["monday"], "schedule.workdays", "mon, tue"),
        ("schedule.cutoff", "5pm", "schedule.cutoff", "HH:MM"),
        ("schedule.opens", "06:00", "schedule.closes", "together"),
        ("test", {"acks": {}}, "test.acks", "not a key"),
        ("pgp", {"cipher": "aes"}, "pgp.cipher", "not a key"),
        ("pgp", {"their_key_ref": "-----BEGIN"}, "pgp.their_key_ref", "never the secret itself"),
        ("pgp", {"their_key_ref": "env:THEIRS", "sign": "true"}, "pgp.sign", "our_key_ref"),
        ("pgp", {"our_key_ref": "env:OURS", "verify": "true"}, "pgp.verify", "their_key_ref"),
    ],
)
def test_a_mistake_is_named_by_its_key_with_what_to_write(path: str, value: object, at: str, says: str) -> None:
    found = problems_of(changed(path, value))
    assert at in found
    assert says in found[at]


def test_all_mistakes_are_told_at_once() -> None:
    profile = changed("sftp.port", "0")
    profile["upload"]["publish"] = "push"
    profile["envelope"]["isa08"] = ""
    assert {"sftp.port", "upload.publish", "envelope.isa08"} == set(problems_of(profile))


def test_for_test_files_the_section_test_is_laid_over_the_rest_and_the_usage_is_t() -> None:
    profile = changed("test", {"sftp": {"username": "clinic-test"}, "envelope": {"isa08": "ACMETEST"}})
    real, test = read_profile(profile), read_profile(in_test(profile))
    assert isinstance(real.access, SftpAccess) and isinstance(test.access, SftpAccess)
    assert ("clinic", "clinic-test") == (real.access.username, test.access.username)
    assert real.access.host_keys == test.access.host_keys
    assert (Usage.PRODUCTION, "ACME") == (real.envelope.usage, real.envelope.receiver_id)
    assert (Usage.TEST, "ACMETEST") == (test.envelope.usage, test.envelope.receiver_id)
    assert Usage.TEST is read_profile(in_test(FULL)).envelope.usage


def test_a_legacy_algorithm_is_a_warning_for_as_long_as_it_is_there() -> None:
    (warning,) = read_profile(changed("sftp.legacy_algorithms", ["ssh-rsa"])).warnings
    assert "legacy_algorithms" in warning


def test_a_file_is_named_by_transaction_number_and_time_in_utc() -> None:
    rules = UploadRules(directory="in")
    assert "837I_000000042_20260901045958.x12" == file_name(rules, "837I", 42, Usage.PRODUCTION, AT)


def test_a_partners_own_words_may_stand_in_the_name() -> None:
    rules = UploadRules(directory="in", name="OATEST_{usage}_{yyyymmdd}_{isa13}.txt")
    assert "OATEST_T_20260901_000000042.txt" == file_name(rules, "837P", 42, Usage.TEST, AT)


def test_every_name_stays_within_the_partners_characters() -> None:
    name = file_name(UploadRules(directory="in"), "837P", 999_999_999, Usage.PRODUCTION, AT)
    assert re.fullmatch(r"[A-Za-z0-9_.]{1,50}", name)
    with pytest.raises(ValueError, match="refuse"):
        file_name(UploadRules(directory="in"), "837 P", 1, Usage.PRODUCTION, AT)


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_PASSWORD", "sesame")
    (tmp_path / "secret").write_text("open\nsesame\n")
    assert "sesame" == resolve_secret("env:ACME_PASSWORD").reveal()
    assert "open\nsesame" == resolve_secret("file:secret", tmp_path).reveal()
    assert "open\nsesame" == resolve_secret(f"file:{tmp_path}/secret").reveal()


@pytest.mark.parametrize(
    "reference", ["env:CLEANCLAIM_NO_SUCH", "file:/no/such/file", "file:empty", "sesame", "vault:x"]
)
def test_a_secret_that_is_not_there_is_an_error_without_a_value(tmp_path: Path, reference: str) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SecretMissing) as missing:
        resolve_secret(reference, tmp_path)
    assert "sesame" not in str(missing.value)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("sesame")
    assert "sesame" not in f"{secret} {secret!r} {[secret]}"


def test_the_sandboxs_own_profile_is_whole() -> None:
    text = Path(__file__).parents[3].joinpath("mappings/clearinghouses/sandbox.yaml").read_text()
    profile = read_profile(YAML(typ="safe").load(text))
    assert (Usage.TEST, Referee.NONE) == (profile.envelope.usage, profile.referee)
    assert isinstance(profile.access, SftpAccess)
