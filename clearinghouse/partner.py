"""A partner's profile: its mailbox, file names, publishing, envelopes, hours, and the answers to expect.

Profiles are data that others read (`profile_reading`); these are the typed values. Opens no connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from clearinghouse.archive import ArchiveLimits
from clearinghouse.pgp import PgpRules
from clearinghouse.schedule import Schedule, Within

SAFE_CHARACTERS = "A-Za-z0-9_."
DEFAULT_NAME = "{tx}_{isa13}_{yyyymmddHHMMSS}.x12"
_USUAL_ARCHIVES = ArchiveLimits()
_PLAIN = PgpRules()
_FOUR_HOURS, _THIRTY_DAYS = Within(elapsed=timedelta(hours=4)), Within(elapsed=timedelta(days=30))
_TWO_BUSINESS_DAYS, _FIVE_BUSINESS_DAYS = Within(business_days=2), Within(business_days=5)
_ANY_HOUR = Schedule()
NAME_TOKEN = re.compile(r"\{([A-Za-z0-9_]*)\}")


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
    max_claims: int = 1000
    max_files_per_hour: int | None = None
    probe_file: bool = False
    """Whether a connection test may write, rename and remove a small file of its own here."""


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
    archives: ArchiveLimits = _USUAL_ARCHIVES
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
    """Which acknowledgements this partner sends and how long each may take, from the sending, before it is overdue."""

    ta1: Expected = Expected.ON_ERROR
    ack_999: Expected = Expected.ALWAYS
    status_277ca: Expected = Expected.ALWAYS
    syntax_within: Within = _FOUR_HOURS
    first_277ca_within: Within = _TWO_BUSINESS_DAYS
    payer_277ca_within: Within = _FIVE_BUSINESS_DAYS
    remittance_within: Within = _THIRTY_DAYS


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
    pgp: PgpRules = _PLAIN
    schedule: Schedule = _ANY_HOUR
    duplicate_check: DuplicateCheck = DuplicateCheck.UNKNOWN
    referee: Referee = Referee.PYX12
    verified: bool = False
    verified_on: date | None = None
    source: str = ""
    warnings: tuple[str, ...] = field(default=())


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
    name = NAME_TOKEN.sub(lambda found: words[found[1]], rules.name)
    if len(name) > rules.max_name or not re.fullmatch(f"[{rules.characters}]+", name) or name.startswith("."):
        raise ValueError(f"the name pattern {rules.name!r} gives a name this partner would refuse")
    return name


def number_in(rules: UploadRules, name: bytes) -> int:
    """The control number in a name that our pattern gave, also within a longer one the partner made of it; 0 for none.

    A partner may put words before and after our name; a number that only looks like ours errs on the safe side.
    """
    shapes = {
        "tx": "837[IP]",
        "isa13": "([0-9]{9})",
        "usage": "[PT]",
        "yyyymmddHHMMSS": "[0-9]{14}",
        "yyyymmdd": "[0-9]{8}",
    }
    pieces, at = [], 0
    for token in NAME_TOKEN.finditer(rules.name):
        pieces += [re.escape(rules.name[at : token.start()]), shapes[token[1]]]
        at = token.end()
    found = re.search("".join([*pieces, re.escape(rules.name[at:])]).encode(), name)
    return int(found[1]) if found else 0
