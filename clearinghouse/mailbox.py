"""What a partner's mailbox is: values, operations and how each may fail. Knows no protocol, no claim, no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, ClassVar, Protocol

from gateway.errors import GatewayError, Unavailable


class Step(StrEnum):
    """How far one upload got; the caller commits each marker before the next request leaves.

    `opened`, `bytes_done` and `rename_sent` come *before* the request they announce (open, close, rename). `closed`
    and `rename_ok` come after the partner's own answer. So a crash with `opened` as last marker may have left part of
    the file, with `bytes_done` the whole file, with `rename_sent` the published file. `refused` follows an `opened`
    that the partner said no to: no byte left. `already_there` is all there is of an upload that found its very bytes.
    """

    OPENED = "opened"
    BYTES_DONE = "bytes_done"
    CLOSED = "closed"
    RENAME_SENT = "rename_sent"
    RENAME_OK = "rename_ok"
    REFUSED = "refused"
    ALREADY_THERE = "already_there"


OnStep = Callable[[Step, Mapping[str, str | int]], None]
"""Called with the marker and its detail (remote path, size). What it raises stops the upload before the next step."""


def ignore_steps(step: Step, detail: Mapping[str, str | int]) -> None:
    """For uploads that nobody has to recover, such as a connection test."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An upload the partner confirmed: where, how many bytes, their SHA-256, and the size seen there afterwards.

    `seen_size` is None when the file was gone by the time we looked: many partners take files as they are closed.
    """

    path: str
    size: int
    sha256: str
    seen_size: int | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One remote file seen by a probe; `size` is None where the partner does not say."""

    path: bytes
    size: int | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Probe:
    """What can be seen of one upload: under its final name, its temporary name, in archives, and as a notification."""

    name: str
    final: Sighting | None
    temporary: Sighting | None
    archived: tuple[Sighting, ...]
    notifications: tuple[Sighting, ...]

    def shows_delivery(self, size: int) -> bool:
        """Whether a complete file of `size` bytes, or the partner's own trace of having taken it, is in sight."""
        complete = self.final is not None and self.final.size == size
        return complete or bool(self.archived) or bool(self.notifications)

    @property
    def shows_nothing(self) -> bool:
        """Whether no trace is in sight at all: never sent, or already picked up. A probe cannot tell which."""
        return not (self.final or self.temporary or self.archived or self.notifications)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One entry of a partner's directory, its name as the bytes the partner sent.

    `refused` says why we will not touch the entry (a name with a path in it, a directory, a link); it is None for a
    file that may be read. A refused name is never shortened to a harmless one: that could read or remove another file.
    """

    directory: str
    name: bytes
    size: int
    modified_at: datetime | None
    refused: str | None = None

    @property
    def shown_name(self) -> str:
        """The name with everything unprintable escaped; for people, never for opening the file."""
        return self.name.decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii")


class MailboxSession(Protocol):
    """One open conversation with a partner. Not for sharing between threads."""

    def upload(self, name: str, content: bytes, on_step: OnStep) -> Delivery:
        """Put `content` under a name that must not exist yet, once.

        Raises NotSent (or its kinds NameTaken, UploadRefused) when provably nothing of it can be read under its name,
        and DeliveryUnknown when that cannot be known. The errors of connecting prove that nothing was sent, too.
        """
        ...

    def probe(self, name: str) -> Probe:
        """Look for an upload of ours everywhere the profile says it may be seen; changes nothing."""
        ...

    def remove_partial(self, name: str, smaller_than: int) -> bool:
        """Remove our own unfinished upload: its temporary file; the final one only while below `smaller_than` bytes.

        Returns whether something was removed. Removing before sending the same bytes again is the caller's decision.
        """
        ...

    def list(self, directory: str) -> tuple[RemoteFile, ...]:
        """Every entry of a directory, hostile ones marked as refused, in the partner's order."""
        ...

    def download(self, file: RemoteFile, max_bytes: int) -> bytes:
        """The whole file, or TooLarge, or ChangedWhileReading when it is not the size it was listed with."""
        ...

    def download_to(self, file: RemoteFile, sink: BinaryIO, max_bytes: int) -> int:
        """As `download`, piece by piece; returns the bytes written. After a failure the sink holds a part: drop it."""
        ...

    def remove(self, file: RemoteFile) -> None:
        """Remove a file of the partner's; a file already gone is no error."""
        ...

    def move_to_archive(self, file: RemoteFile, directory: str) -> None:
        """Move a file of the partner's elsewhere, never over an existing one; a file already gone is no error."""
        ...


class Mailbox(Protocol):
    """A partner's mailbox: `with mailbox.session() as session: ...`."""

    def session(self) -> AbstractContextManager[MailboxSession]:
        """Connect and prove both sides' identity; raises Unreachable, AuthenticationFailed, HostKeyChanged."""
        ...


class MailboxError(GatewayError):
    """The exchange with the partner's mailbox failed."""

    pauses_partner: ClassVar[bool] = False
    """Whether nothing more may be tried with this partner before a person looked."""


class NotSent(MailboxError):
    """Nothing of the file can be read under its name; the same bytes may be sent again under the same name."""

    retryable = True


class NameTaken(NotSent):
    """The partner already holds a file of that name; it was not touched."""

    retryable = False

    def __init__(self, detail: str = "", seen_size: int | None = None) -> None:
        super().__init__(detail)
        self.seen_size = seen_size


class UploadRefused(NotSent):
    """The partner refused the upload and keeps nothing of it."""

    retryable = False


class DeliveryUnknown(MailboxError):
    """The file may or may not have reached the partner; probe before anything else."""

    def __init__(self, detail: str = "", last_step: Step | None = None) -> None:
        super().__init__(detail)
        self.last_step = last_step


class Unreachable(MailboxError, Unavailable):
    """The partner's server cannot be reached, or the connection broke."""


class TimedOut(Unreachable):
    """The partner's server did not answer in time."""


class LoginInterrupted(Unreachable):
    """The connection ended during login; it may have counted as a failed login, so it is tried again only later."""


class AuthenticationFailed(MailboxError):
    """The partner refused our login. It was tried once: more tries lock the account."""

    pauses_partner = True


class HostKeyChanged(MailboxError):
    """The partner's server showed a host key that is not pinned; our secret was not sent. Ask the partner."""

    pauses_partner = True


class AlgorithmsRefused(MailboxError):
    """The partner's server offers only algorithms we refuse; naming one in sftp.legacy_algorithms is a last resort."""


class AddressNotAllowed(MailboxError):
    """The partner's host name leads to an address outside the allowed networks."""

    pauses_partner = True


class RemoteRefused(MailboxError):
    """The partner's server refused an operation."""

    def __init__(self, detail: str = "", code: int | None = None) -> None:
        super().__init__(detail)
        self.code = code


class RemoteMissing(RemoteRefused):
    """The partner's server has no such file or directory."""


class TooLarge(MailboxError):
    """The partner's file is larger than the profile allows; it stays where it is."""


class ChangedWhileReading(MailboxError):
    """The partner's file is not the size it was listed with; it is probably still being written."""

    retryable = True


class NameRefused(MailboxError):
    """A remote name that we will not use: it holds a path or control characters, or is no plain file."""
