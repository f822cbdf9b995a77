"""Proves a connection step by step without sending a claim: what works, what was found there, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from clearinghouse.mailbox import (
    AddressNotAllowed,
    AlgorithmsRefused,
    AuthenticationFailed,
    HostKeyChanged,
    LoginInterrupted,
    Mailbox,
    MailboxError,
    MailboxSession,
    RemoteFile,
    RemoteRefused,
    ignore_steps,
)
from clearinghouse.partner import FolderAccess, PartnerProfile
from clearinghouse.pgp import KeyUnusable, Pgp
from clearinghouse.secret import SecretMissing

_SHOWN = 5
_REACH, _HOST_KEY, _LOGIN = "reach", "host-key", "login"
_STEPS = (_REACH, _HOST_KEY, _LOGIN)
_FAILURES: tuple[tuple[type[Exception], str, str], ...] = (
    (SecretMissing, _LOGIN, "put the secret where secret_ref or private_key_ref says"),
    (AuthenticationFailed, _LOGIN, "compare username and secret with the partner's letter; do not try often: it locks"),
    (
        LoginInterrupted,
        _LOGIN,
        "wait some minutes, run this again once; then ask the partner whether you are locked out",
    ),
    (HostKeyChanged, _HOST_KEY, "ask the partner for the fingerprint by telephone; pin the key only if it is theirs"),
    (AlgorithmsRefused, _HOST_KEY, "ask the partner for current algorithms; sftp.legacy_algorithms is a last resort"),
    (AddressNotAllowed, _REACH, "compare the address with the partner's letter, then sftp.allowed_ips"),
)
"""Which step a failure belongs to, and what to do next; every other failure is one of reaching the server."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One step of the test: whether it worked, what was seen, and what to do when it did not."""

    step: str
    ok: bool
    detail: str
    next: str = ""


def try_connection(profile: PartnerProfile, mailbox: Mailbox, pgp: Pgp) -> list[Tried]:
    """The keys, and every step up to the first that fails; a directory that fails hides no other one."""
    return [*_keys(pgp), *_conversation(profile, mailbox)]


def _keys(pgp: Pgp) -> Iterator[Tried]:
    if not pgp.seals and not pgp.opens:
        return
    try:
        yield Tried("keys", True, pgp.tried_keys())
    except (KeyUnusable, SecretMissing) as failure:
        yield Tried("keys", False, str(failure), "put the key where the profile's section pgp refers to")


def _conversation(profile: PartnerProfile, mailbox: Mailbox) -> list[Tried]:
    try:
        with mailbox.session() as session:
            return [*_connected(profile), *_directories(profile, session), *_probe_file(profile, session)]
    except (MailboxError, SecretMissing) as failure:
        return _not_connected(profile, failure)


def _connected(profile: PartnerProfile) -> list[Tried]:
    access = profile.access
    if isinstance(access, FolderAccess):
        return [Tried("folder", True, str(access.path))]
    return [
        Tried(_REACH, True, f"{access.host}, port {access.port}, answers"),
        Tried(_HOST_KEY, True, "the server showed a pinned key"),
        Tried(_LOGIN, True, f"logged in as {access.username}"),
    ]


def _not_connected(profile: PartnerProfile, failure: Exception) -> list[Tried]:
    if isinstance(profile.access, FolderAccess):
        return [Tried("folder", False, str(failure), "make the folder, or mount the share")]
    found = ((step, following) for kind, step, following in _FAILURES if isinstance(failure, kind))
    failed, following = next(found, (_REACH, "check sftp.host and sftp.port, and that your firewall lets us out there"))
    passed = _connected(profile)[: _STEPS.index(failed)]
    return [*passed, Tried(failed, False, str(failure), following)]


def _directories(profile: PartnerProfile, session: MailboxSession) -> Iterator[Tried]:
    upload, download = profile.upload, profile.download
    places = [upload.directory, *upload.probe_directories, *(source.path for source in download.sources)]
    if download.archive_directory:
        places.append(download.archive_directory)
    for place in dict.fromkeys(places):
        try:
            files = session.list(place)
        except RemoteRefused as refusal:
            yield Tried(f"directory {place}", False, str(refusal), "compare its name with the partner's guide")
        else:
            shown = ", ".join(file.shown_name for file in files[:_SHOWN])
            more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
            yield Tried(f"directory {place}", True, f"{len(files)} entries: {shown}{more}" if files else "empty")


def _probe_file(profile: PartnerProfile, session: MailboxSession) -> Iterator[Tried]:
    """Write, publish and remove a file, as an upload would, where the profile allows it."""
    if not profile.upload.probe_file:
        yield Tried("probe file", True, "not tried: upload.probe_file is not set, so no file of ours was written there")
        return
    name = f"CLEANCLAIM_PROBE_{datetime.now(UTC):%Y%m%d%H%M%S}.txt"
    content = b"A connection test of cleanclaim; it removes this file.\n"
    file = RemoteFile(profile.upload.directory, name.encode(), len(content), None)
    try:
        delivery = session.upload(name, content, ignore_steps)
        session.remove(file)
    except MailboxError as failure:
        yield Tried("probe file", False, str(failure), "ask the partner for the right to write in that directory")
    else:
        taken = "" if delivery.seen_size is not None else "; the partner took it at once"
        yield Tried("probe file", True, f"{name} was written, published and removed{taken}")
