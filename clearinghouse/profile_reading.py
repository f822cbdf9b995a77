"""Reads a partner profile from a mapping as YAML gives it: every problem with its key path. Opens no connection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clearinghouse.archive import ArchiveLimits
from clearinghouse.partner import (
    DEFAULT_NAME,
    NAME_TOKEN,
    SAFE_CHARACTERS,
    AfterDownload,
    AnswerRules,
    Delimiters,
    DownloadRules,
    DownloadSource,
    DuplicateCheck,
    Envelope,
    Expected,
    FolderAccess,
    HostKey,
    PartnerProfile,
    Publish,
    Referee,
    SftpAccess,
    UploadRules,
    Usage,
    file_name,
)
from clearinghouse.pgp import PgpRules
from clearinghouse.profile_fields import Fields, Problem, ProfileError
from clearinghouse.schedule import WEEKDAYS, Schedule, Within
from clearinghouse.secret import REFERENCE

_KEY_TYPE = r"ssh-[a-z0-9-]+|ecdsa-sha2-nistp[0-9]+"
_BLANK = re.compile(r"<(.+)>")
TEST_SECTIONS = ("sftp", "folder", "upload", "download", "envelope", "pgp")


def read_profile(mapping: Mapping[str, object]) -> PartnerProfile:
    """The profile in a mapping read from YAML; raises ProfileError with every problem and its key path."""
    problems = blanks(mapping)
    if problems:
        raise ProfileError(problems)
    profile = read_top(Fields(mapping, "", problems))
    if problems:
        raise ProfileError(problems)
    return profile


def read_top(top: Fields) -> PartnerProfile:
    """The profile as far as its fields can be read; what is wrong is noted with them."""
    test = top.section("test")
    for section in TEST_SECTIONS:
        test.section(section)  # what they hold is checked where they are laid over: `in_test`
    test.refuse_unknown()
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
        pgp=_read_pgp(top.section("pgp")),
        schedule=_read_schedule(top.section("schedule")),
        duplicate_check=control.choice("dup_check", DuplicateCheck, DuplicateCheck.UNKNOWN),
        referee=top.choice("referee", Referee, Referee.PYX12),
        warnings=_warnings_about(access),
    )
    for level in (about, control, top):
        level.refuse_unknown()
    return profile


def blanks(mapping: object, path: str = "") -> list[Problem]:
    """Every value that a template leaves open (`<the user name>`), outside its section `test`, with its key path."""
    if isinstance(mapping, Mapping):
        below = [(f"{path}.{key}" if path else str(key), value) for key, value in mapping.items()]
        return [found for where, value in below if where != "test" for found in blanks(value, where)]
    if isinstance(mapping, list):
        return [found for at, value in enumerate(mapping) for found in blanks(value, f"{path}[{at}]")]
    blank = _BLANK.fullmatch(mapping) if isinstance(mapping, str) else None
    return [Problem(path, f"is still to be filled in: {blank[1]}")] if blank else []


def in_test(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The same profile for test files: what its section `test` says laid over the rest, usage T."""
    laid_over = {"envelope": {"usage": "T"}, **(mapping.get("test") or {})}
    laid_over["envelope"] = {**(laid_over["envelope"] or {}), "usage": "T"}
    merged = {key: value for key, value in mapping.items() if key != "test"}
    for section, values in laid_over.items():
        merged[section] = {**(merged.get(section) or {}), **(values or {})}
    return merged


def _read_access(top: Fields) -> SftpAccess | FolderAccess:
    if top.has("folder"):
        return read_folder(top)
    if not top.has("sftp"):
        top.note("sftp", "is missing (or give folder.path)")
        return FolderAccess(Path())
    return _read_sftp(top.section("sftp"))


def read_folder(top: Fields) -> FolderAccess:
    """A mailbox that is a folder."""
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


def _read_pgp(fields: Fields) -> PgpRules:
    rules = PgpRules(
        their_key_ref=_secret_reference(fields, "their_key_ref"),
        our_key_ref=_secret_reference(fields, "our_key_ref"),
        passphrase_ref=_secret_reference(fields, "passphrase_ref"),
        sign=fields.boolean("sign", default=False),
        verify=fields.boolean("verify", default=False),
    )
    if rules.sign and not (fields.has("their_key_ref") and fields.has("our_key_ref")):
        fields.note("sign", "needs their_key_ref, for which uploads are encrypted, and our_key_ref, which signs")
    if rules.verify and not (fields.has("their_key_ref") and fields.has("our_key_ref")):
        fields.note("verify", "needs our_key_ref, which opens answers, and their_key_ref, which signed them")
    fields.refuse_unknown()
    return rules


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
        max_claims=fields.integer("max_clm_per_st", default=1000, minimum=1, maximum=5000),
        max_files_per_hour=fields.integer("max_files_per_hour", minimum=1)
        if fields.has("max_files_per_hour")
        else None,
        probe_file=fields.boolean("probe_file", default=False),
    )
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
    unknown = sorted(set(NAME_TOKEN.findall(rules.name)) - known)
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
        archives=_read_archives(fields.section("unzip")),
        poll_every=fields.duration("poll_s", timedelta(minutes=5)),
    )
    if not sources:
        fields.note("dirs", "name at least one directory to collect answers from")
    if rules.after is AfterDownload.ARCHIVE and not rules.archive_directory:
        fields.note("archive_dir", "is missing: after archive needs it")
    settle.refuse_unknown()
    fields.refuse_unknown()
    return rules


def _read_archives(fields: Fields) -> ArchiveLimits:
    usual = ArchiveLimits()
    limits = ArchiveLimits(
        max_bytes=fields.octets("max_bytes", usual.max_bytes),
        max_files=fields.integer("max_files", default=usual.max_files, minimum=1),
        max_ratio=fields.integer("max_ratio", default=usual.max_ratio, minimum=1),
    )
    fields.refuse_unknown()
    return limits


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
        syntax_within=_within(clocks, "ta1_999", usual.syntax_within),
        first_277ca_within=_within(clocks, "first_277ca", usual.first_277ca_within),
        payer_277ca_within=_within(clocks, "payer_277ca", usual.payer_277ca_within),
        remittance_within=_within(clocks, "remittance", usual.remittance_within),
    )
    clocks.refuse_unknown()
    fields.refuse_unknown()
    return rules


def _within(fields: Fields, key: str, default: Within) -> Within:
    if not fields.has(key):
        return default
    text = fields.text(key)
    if text.endswith("bd") and text[:-2].isdecimal() and len(text) < 5:
        return Within(business_days=int(text[:-2]))
    return Within(
        elapsed=fields.duration(key, default.elapsed, "a duration such as 30m, 4h, 2d or, in business days, 3bd")
    )


def _read_schedule(fields: Fields) -> Schedule:
    usual = Schedule()
    days = fields.texts("workdays") or tuple(WEEKDAYS[day] for day in sorted(usual.workdays))
    strange = [day for day in days if day not in WEEKDAYS]
    if strange:
        fields.note("workdays", "should be some of " + ", ".join(WEEKDAYS))
    schedule = Schedule(
        time_zone=fields.time_zone("time_zone", usual.time_zone),
        workdays=frozenset(WEEKDAYS.index(day) for day in days if day in WEEKDAYS),
        holidays=frozenset(fields.days("holidays")),
        opens_at=fields.time_of_day("opens"),
        closes_at=fields.time_of_day("closes"),
        cutoff=fields.time_of_day("cutoff"),
    )
    if not schedule.workdays:
        fields.note("workdays", "name at least one day")
    if (schedule.opens_at is None) is not (schedule.closes_at is None):
        fields.note("closes", "opens and closes belong together")
    fields.refuse_unknown()
    return schedule


def _warnings_about(access: SftpAccess | FolderAccess) -> tuple[str, ...]:
    if isinstance(access, SftpAccess) and access.legacy_algorithms:
        return ("sftp.legacy_algorithms weakens this connection; ask the partner for a date when it can go",)
    return ()
