"""A partner's profile: its mailbox, file names, publishing, envelopes, and the answers to expect.

Profiles are data that others read; here they are typed, every problem reported with its key path. Opens no connection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from clearinghouse.profile_fields import Fields, Problem, ProfileError
from clearinghouse.secret import REFERENCE

SAFE_CHARACTERS = "A-Za-z0-9_."
DEFAULT_NAME = "{tx}_{isa13}_{yyyymmddHHMMSS}.x12"
_TOKEN = re.compile(r"\{([A-Za-z0-9_]*)\}")
_KEY_TYPE = r"ssh-[a-z0-9-]+|ecdsa-sha2-nistp[0-9]+"
_DAY = timedelta(days=1)


class Publish(StrEnum):
    """How a file becomes visible: under its name from the first byte, or by a rename after the last one."""

    DIRECT = "direct"
    RENAME_SAME_DIRECTORY = "rename_same_dir"
    RENAME_FROM_DIRECTORY = "rename_from_dir"


class AfterDownload(StrEnum):
    """What happens to a partner's file once we hold its bytes."""

    LEAVE = "leave"
    REMOVE = "delete"
    ARCHIVE = "archive"


class DuplicateCheck(StrEnum):
    """Whether the partner refuses an interchange control number it has seen before."""

    ENFORCED = "enforced"
    UNKNOWN = "unknown"


class Referee(StrEnum):
    """Who judges a file beside our own check before it is frozen for this partner."""

    PYX12 = "pyx12"
    NONE = "none"


class Usage(StrEnum):
    """ISA15: production or test."""

    PRODUCTION = "P"
    TEST = "T"


class Expected(StrEnum):
    """When an acknowledgement is to be expected."""

    ALWAYS = "always"
    ON_ERROR = "on_error"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class HostKey:
    """One pinned host key as in a known_hosts line: type and base64. A second pin makes a planned rotation possible."""

    algorithm: str
    key: str
    not_after: date | None = None


@dataclass(frozen=True, slots=True)
class SftpAccess:
    """Where and as whom we log in. Secrets are references (`env:NAME`, `file:PATH`), never values."""

    host: str
    username: str
    host_keys: tuple[HostKey, ...]
    port: int = 22
    password_ref: str | None = None
    private_key_ref: str | None = None
    passphrase_ref: str | None = None
    allowed_networks: tuple[str, ...] = ()
    legacy_algorithms: tuple[str, ...] = ()
    connect_timeout_s: float = 20
    operation_timeout_s: float = 60
    total_timeout_s: float = 900


@dataclass(frozen=True, slots=True)
class FolderAccess:
    """A mailbox that is a folder on this machine: a share, or another product's pick-up directory."""

    path: Path


@dataclass(frozen=True, slots=True)
class UploadRules:
    """Where our files go, what they may be called and how they are published (connectivity of one partner)."""

    directory: str
    name: str = DEFAULT_NAME
    characters: str = SAFE_CHARACTERS
    max_name: int = 50
    publish: Publish = Publish.DIRECT
    temporary_suffix: str = ".part"
    temporary_directory: str | None = None
    probe_directories: tuple[str, ...] = ()
    probe_notification: str | None = None
    max_bytes: int = 10_000_000
    max_transactions: int = 1
    max_claims: int = 1000
    max_files_per_hour: int = 60


@dataclass(frozen=True, slots=True)
class DownloadSource:
    """One directory of the partner's and which of its names are for us (a shell pattern)."""

    path: str
    match: str = "*"


@dataclass(frozen=True, slots=True)
class DownloadRules:
    """Where answers appear, when a file counts as finished, and what becomes of it."""

    sources: tuple[DownloadSource, ...]
    after: AfterDownload = AfterDownload.LEAVE
    archive_directory: str | None = None
    settle_polls: int = 2
    settle_age: timedelta = timedelta(seconds=30)
    max_bytes: int = 100_000_000
    poll_every: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The separators we write with."""

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    segment: str = "~"
    newline: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """Our and the partner's identities in ISA and GS."""

    sender_qualifier: str
    sender_id: str
    receiver_qualifier: str
    receiver_id: str
    group_sender: str
    group_receiver: str
    usage: Usage
    acknowledgement_requested: bool = True
    delimiters: Delimiters = Delimiters()


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """Which acknowledgements this partner sends and how long each may take before silence is reported."""

    ta1: Expected = Expected.ON_ERROR
    ack_999: Expected = Expected.ALWAYS
    status_277ca: Expected = Expected.ALWAYS
    syntax_within: timedelta = timedelta(hours=4)
    first_277ca_within: timedelta = 2 * _DAY
    payer_277ca_within: timedelta = 5 * _DAY
    remittance_within: timedelta = 30 * _DAY


@dataclass(frozen=True, slots=True)
class PartnerProfile:
    """Everything that differs between partners. `verified` stays false until a test exchange was signed off."""

    profile_id: str
    partner: str
    access: SftpAccess | FolderAccess
    upload: UploadRules
    download: DownloadRules
    envelope: Envelope
    answers: AnswerRules = AnswerRules()
    duplicate_check: DuplicateCheck = DuplicateCheck.UNKNOWN
    referee: Referee = Referee.PYX12
    verified: bool = False
    verified_on: date | None = None
    source: str = ""
    warnings: tuple[str, ...] = field(default=())


def read_profile(mapping: Mapping[str, object]) -> PartnerProfile:
    """The profile in a mapping read from YAML; raises ProfileError with every problem and its key path."""
    problems: list[Problem] = []
    top = Fields(mapping, "", problems)
    about = top.section("profile")
    access = _read_access(top)
    control = top.section("control")
    profile = PartnerProfile(
        profile_id=about.text("id", pattern=r"[a-z0-9][a-z0-9-]{0,62}", wanted="lower-case letters, digits, -"),
        partner=about.text("partner"),
        verified=about.boolean("verified", default=False),
        verified_on=about.day("verified_on"),
        source=about.text("source", default=""),
        access=access,
        upload=_read_upload(top.section("upload")),
        download=_read_download(top.section("download")),
        envelope=_read_envelope(top.section("envelope")),
        answers=_read_answers(top.section("acks")),
        duplicate_check=control.choice("dup_check", DuplicateCheck, DuplicateCheck.UNKNOWN),
        referee=top.choice("referee", Referee, Referee.PYX12),
        warnings=_warnings_about(access),
    )
    for level in (about, control, top):
        level.refuse_unknown()
    if problems:
        raise ProfileError(problems)
    return profile


def file_name(rules: UploadRules, transaction: str, control_number: int, usage: Usage, at: datetime) -> str:
    """The remote name of one interchange, by the partner's pattern.

    `transaction` is 837I or 837P, `control_number` is ISA13, `at` an aware time (written in UTC). Raises ValueError
    when the pattern gives a name outside the partner's characters or length, which `read_profile` checks beforehand.
    """
    words = {
        "tx": transaction,
        "isa13": f"{control_number:09d}",
        "usage": usage.value,
        "yyyymmddHHMMSS": at.astimezone(UTC).strftime("%Y%m%d%H%M%S"),
        "yyyymmdd": at.astimezone(UTC).strftime("%Y%m%d"),
    }
    name = _TOKEN.sub(lambda found: words[found[1]], rules.name)
    if len(name) > rules.max_name or not re.fullmatch(f"[{rules.characters}]+", name) or name.startswith("."):
        raise ValueError(f"the name pattern {rules.name!r} gives a name this partner would refuse")
    return name


def _read_access(top: Fields) -> SftpAccess | FolderAccess:
    if top.has("folder"):
        return _read_folder(top)
    if not top.has("sftp"):
        top.note("sftp", "is missing (or give folder.path)")
        return FolderAccess(Path())
    return _read_sftp(top.section("sftp"))


def _read_folder(top: Fields) -> FolderAccess:
    folder = top.section("folder")
    access = FolderAccess(Path(folder.text("path")))
    folder.refuse_unknown()
    if top.has("sftp"):
        top.note("folder", "a mailbox is either sftp or folder")
    return access


def _read_sftp(sftp: Fields) -> SftpAccess:
    access = SftpAccess(
        host=sftp.text("host"),
        port=sftp.integer("port", default=22, minimum=1, maximum=65535),
        username=sftp.text("username"),
        password_ref=_secret_reference(sftp, "secret_ref"),
        private_key_ref=_secret_reference(sftp, "private_key_ref"),
        passphrase_ref=_secret_reference(sftp, "passphrase_ref"),
        host_keys=tuple(_read_host_key(each) for each in sftp.sections("host_keys")),
        allowed_networks=tuple(_network(sftp, each) for each in sftp.texts("allowed_ips")),
        legacy_algorithms=sftp.texts("legacy_algorithms"),
        connect_timeout_s=sftp.duration("connect_timeout_s", timedelta(seconds=20)).total_seconds(),
        operation_timeout_s=sftp.duration("op_timeout_s", timedelta(seconds=60)).total_seconds(),
        total_timeout_s=sftp.duration("total_timeout_s", timedelta(seconds=900)).total_seconds(),
    )
    if not access.host_keys:
        sftp.note("host_keys", "pin the partner's host key as its known_hosts line has it: keys are never learned")
    if not sftp.has("secret_ref") and not sftp.has("private_key_ref"):
        sftp.note("secret_ref", "is missing (or give private_key_ref)")
    sftp.refuse_unknown()
    return access


def _read_host_key(fields: Fields) -> HostKey:
    key = HostKey(
        algorithm=fields.text("alg", pattern=_KEY_TYPE, wanted="a key type such as ssh-ed25519"),
        key=fields.text("key", pattern=r"[A-Za-z0-9+/]{32,}={0,2}", wanted="the base64 part of the known_hosts line"),
        not_after=fields.day("not_after"),
    )
    fields.refuse_unknown()
    return key


def _secret_reference(fields: Fields, key: str) -> str | None:
    if not fields.has(key):
        return None
    return fields.text(key, pattern=REFERENCE, wanted="env:NAME or file:PATH, never the secret itself")


def _network(fields: Fields, text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        fields.note("allowed_ips", "should be addresses or networks such as 203.0.113.0/24")
        return ""


def _read_upload(fields: Fields) -> UploadRules:
    rules = UploadRules(
        directory=fields.text("dir"),
        name=fields.text("name", default=DEFAULT_NAME),
        characters=_characters(fields),
        max_name=fields.integer("max_name", default=50, minimum=12, maximum=255),
        publish=fields.choice("publish", Publish, Publish.DIRECT),
        temporary_suffix=fields.text("temp_suffix", default=".part", pattern=r"[A-Za-z0-9_.]+"),
        temporary_directory=fields.text("temp_dir", default="") or None,
        probe_directories=fields.texts("probe_dirs"),
        probe_notification=fields.text("probe_notify", default="") or None,
        max_bytes=fields.octets("max_bytes", 10_000_000),
        max_transactions=fields.integer("max_st", default=1, minimum=1),
        max_claims=fields.integer("max_clm_per_st", default=1000, minimum=1, maximum=5000),
        max_files_per_hour=fields.integer("max_files_per_hour", default=60, minimum=1),
    )
    if fields.integer("max_interchanges", default=1) != 1:
        fields.note("max_interchanges", "must be 1: a cut between two interchanges would submit the first one alone")
    if rules.publish is Publish.RENAME_FROM_DIRECTORY and not rules.temporary_directory:
        fields.note("temp_dir", "is missing: publish rename_from_dir needs the directory to rename from")
    _check_name_pattern(fields, rules)
    fields.refuse_unknown()
    return rules


def _characters(fields: Fields) -> str:
    given = fields.text("charset", default=f"[{SAFE_CHARACTERS}]", pattern=r"\[[A-Za-z0-9_.-]+\]")
    return given[1:-1] or SAFE_CHARACTERS


def _check_name_pattern(fields: Fields, rules: UploadRules) -> None:
    known = {"tx", "isa13", "usage", "yyyymmddHHMMSS", "yyyymmdd"}
    unknown = sorted(set(_TOKEN.findall(rules.name)) - known)
    if unknown:
        fields.note("name", "may hold only {" + "}, {".join(sorted(known)) + "}")
    elif "{isa13}" not in rules.name:
        fields.note("name", "must hold {isa13}: two files must never share a name")
    else:
        try:
            file_name(rules, "837I", 999_999_999, Usage.PRODUCTION, datetime(2026, 8, 1, tzinfo=UTC))
        except ValueError:
            fields.note("name", f"gives a name longer than {rules.max_name} or outside [{rules.characters}]")


def _read_download(fields: Fields) -> DownloadRules:
    sources = tuple(
        DownloadSource(path=each.text("path"), match=each.text("match", default="*"))
        for each in fields.sections("dirs")
    )
    settle = fields.section("settle")
    rules = DownloadRules(
        sources=sources,
        after=fields.choice("after", AfterDownload, AfterDownload.LEAVE),
        archive_directory=fields.text("archive_dir", default="") or None,
        settle_polls=settle.integer("polls", default=2, minimum=1, maximum=10),
        settle_age=settle.duration("min_age_s", timedelta(seconds=30)),
        max_bytes=fields.octets("max_bytes", 100_000_000),
        poll_every=fields.duration("poll_s", timedelta(minutes=5)),
    )
    if not sources:
        fields.note("dirs", "name at least one directory to collect answers from")
    if rules.after is AfterDownload.ARCHIVE and not rules.archive_directory:
        fields.note("archive_dir", "is missing: after archive needs it")
    settle.refuse_unknown()
    fields.refuse_unknown()
    return rules


def _read_envelope(fields: Fields) -> Envelope:
    sender = fields.text("isa06", pattern=r"[ -~]{1,15}", wanted="1 to 15 printable characters")
    receiver = fields.text("isa08", pattern=r"[ -~]{1,15}", wanted="1 to 15 printable characters")
    delimiters = fields.section("delimiters")
    envelope = Envelope(
        sender_qualifier=fields.text("isa05", default="ZZ", pattern=r"[A-Z0-9]{2}"),
        sender_id=sender,
        receiver_qualifier=fields.text("isa07", default="ZZ", pattern=r"[A-Z0-9]{2}"),
        receiver_id=receiver,
        group_sender=fields.text("gs02", default=sender, pattern=r"[ -~]{2,15}", wanted="2 to 15 printable characters"),
        group_receiver=fields.text(
            "gs03", default=receiver, pattern=r"[ -~]{2,15}", wanted="2 to 15 printable characters"
        ),
        usage=_usage(fields),
        acknowledgement_requested=fields.text("isa14", default="1", pattern="[01]", wanted="0 or 1") == "1",
        delimiters=_read_delimiters(delimiters),
    )
    delimiters.refuse_unknown()
    fields.refuse_unknown()
    return envelope


def _usage(fields: Fields) -> Usage:
    if not fields.has("usage"):
        fields.note("usage", "is missing: P for production or T for test is never guessed")
    return fields.choice("usage", Usage, Usage.TEST)


def _read_delimiters(fields: Fields) -> Delimiters:
    one = r"[!-/:-@\[-`{-~]"
    found = Delimiters(
        element=fields.text("elem", default="*", pattern=one),
        component=fields.text("comp", default=":", pattern=one),
        repetition=fields.text("rep", default="^", pattern=one),
        segment=fields.text("seg", default="~", pattern=one),
        newline=fields.boolean("newline", default=False),
    )
    if len({found.element, found.component, found.repetition, found.segment}) < 4:
        fields.note("", "the four delimiters must differ")
    return found


def _read_answers(fields: Fields) -> AnswerRules:
    clocks = fields.section("sla")
    usual = AnswerRules()
    rules = AnswerRules(
        ta1=fields.choice("ta1", Expected, Expected.ON_ERROR),
        ack_999=fields.choice("n999", Expected, Expected.ALWAYS),
        status_277ca=fields.choice("n277ca", Expected, Expected.ALWAYS),
        syntax_within=clocks.duration("ta1_999", usual.syntax_within),
        first_277ca_within=clocks.duration("first_277ca", usual.first_277ca_within),
        payer_277ca_within=clocks.duration("payer_277ca", usual.payer_277ca_within),
        remittance_within=clocks.duration("remittance", usual.remittance_within),
    )
    clocks.refuse_unknown()
    fields.refuse_unknown()
    return rules


def _warnings_about(access: SftpAccess | FolderAccess) -> tuple[str, ...]:
    if isinstance(access, SftpAccess) and access.legacy_algorithms:
        return ("sftp.legacy_algorithms weakens this connection; ask the partner for a date when it can go",)
    return ()
