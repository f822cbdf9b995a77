"""One upload over SFTP, request by request, each failure turned into what it proves. Knows no session and no retry."""

from __future__ import annotations

import contextlib
import hashlib

from clearinghouse.mailbox import (
    Delivery,
    DeliveryUnknown,
    MailboxError,
    NameTaken,
    NotSent,
    OnStep,
    RemoteMissing,
    RemoteRefused,
    Step,
    Unreachable,
    UploadRefused,
)
from clearinghouse.partner import Publish, UploadRules
from clearinghouse.remote_names import remote_path, temporary_path
from clearinghouse.sftp_requests import CHUNK, Attributes, SftpRequests

_DENIED = 3
"""SSH_FX_PERMISSION_DENIED: trying again changes nothing."""


class Upload:
    """One upload from its first request to its last, every failure turned into what it proves."""

    def __init__(self, requests: SftpRequests, rules: UploadRules, name: str, content: bytes, on_step: OnStep) -> None:
        self._requests = requests
        self._content = content
        self._on_step = on_step
        self._renames = rules.publish is not Publish.DIRECT
        self._final = remote_path(rules.directory, name.encode())
        self._first = temporary_path(rules, name) if self._renames else self._final
        self._last_step: Step | None = None

    def run(self) -> Delivery:
        """Send everything. Raises NotSent and its kinds, DeliveryUnknown, or what `on_step` raises."""
        self._refuse_taken_name()
        handle = self._open()
        self._write(handle)
        self._close(handle)
        if self._renames:
            self._rename()
        return self._delivery()

    def _mark(self, step: Step) -> None:
        self._on_step(step, {"path": self._final.decode(), "size": len(self._content)})
        self._last_step = step

    def _refuse_taken_name(self) -> None:
        # The exclusive create below decides; this look first is for servers that do not honour it.
        with contextlib.suppress(RemoteRefused):
            seen = self._requests.attributes(self._final)
            if seen is not None:
                raise NameTaken(seen_size=seen.size)

    def _open(self) -> bytes:
        self._mark(Step.OPENED)
        try:
            try:
                return self._requests.open_new(self._first)
            except RemoteRefused as refusal:
                # A temporary file of this name can only be ours, from an upload that was cut off before its rename.
                if not self._renames or not removed(self._requests, self._first):
                    raise self._refused_at_open(refusal) from None
                return self._requests.open_new(self._first)
        except RemoteRefused as refusal:
            raise self._refused_at_open(refusal) from None
        except Unreachable as failure:
            raise self._broken(failure) from None

    def _refused_at_open(self, refusal: RemoteRefused) -> NotSent:
        self._mark(Step.REFUSED)
        with contextlib.suppress(MailboxError):
            seen = self._requests.attributes(self._final)
            if seen is not None:
                return NameTaken(seen_size=seen.size)
        return UploadRefused(f"{refusal}; check that the upload directory exists and that we may write there")

    def _write(self, handle: bytes) -> None:
        view = memoryview(self._content)
        try:
            for offset in range(0, len(view), CHUNK):
                self._requests.write(handle, offset, bytes(view[offset : offset + CHUNK]))
        except RemoteRefused as refusal:
            with contextlib.suppress(RemoteRefused):
                self._requests.close(handle)
            raise self._taken_back(refusal) from None
        except Unreachable as failure:
            raise self._broken(failure) from None

    def _close(self, handle: bytes) -> None:
        self._mark(Step.BYTES_DONE)
        try:
            self._requests.close(handle)
        except RemoteRefused as refusal:
            if self._renames:
                raise self._taken_back(refusal) from None
            raise DeliveryUnknown(f"all bytes are out, but closing failed: {refusal}", self._last_step) from None
        except Unreachable as failure:
            raise self._broken(failure) from None
        self._mark(Step.CLOSED)

    def _rename(self) -> None:
        self._mark(Step.RENAME_SENT)
        try:
            self._requests.rename(self._first, self._final)
        except RemoteRefused as refusal:
            raise self._refused_at_rename(refusal) from None
        except Unreachable as failure:
            raise DeliveryUnknown(f"the rename was sent: {failure}", self._last_step) from None
        self._mark(Step.RENAME_OK)

    def _refused_at_rename(self, refusal: RemoteRefused) -> MailboxError:
        with contextlib.suppress(MailboxError):
            seen = self._requests.attributes(self._final)
            if removed(self._requests, self._first):  # it was still there: so it was not renamed
                return NameTaken(seen_size=seen.size) if seen is not None else UploadRefused(str(refusal))
        return DeliveryUnknown(f"the rename was refused, but the temporary file is gone: {refusal}", self._last_step)

    def _taken_back(self, refusal: RemoteRefused) -> MailboxError:
        """After a definite refusal: remove what is there of ours. Only a confirmed removal proves anything."""
        with contextlib.suppress(MailboxError):
            if removed(self._requests, self._first):
                kind = UploadRefused if refusal.code == _DENIED else NotSent
                return kind(f"{refusal}; what had arrived was removed")
        if self._renames:
            return NotSent(f"{refusal}; the file was not yet renamed to its final name")
        return DeliveryUnknown(f"{refusal}; what had arrived could not be removed", self._last_step)

    def _broken(self, failure: Unreachable) -> MailboxError:
        if self._renames:
            return NotSent(f"{failure}; the file was not yet renamed to its final name")
        return DeliveryUnknown(str(failure), self._last_step)

    def _delivery(self) -> Delivery:
        seen: Attributes | None = None
        with contextlib.suppress(MailboxError):
            seen = self._requests.attributes(self._final)
        size = len(self._content)
        if seen is not None and seen.size is not None and seen.size != size:
            raise DeliveryUnknown(f"{size} bytes were confirmed, {seen.size} are there", self._last_step)
        digest = hashlib.sha256(self._content).hexdigest()
        return Delivery(self._final.decode(), size, digest, seen.size if seen is not None else None)


def removed(requests: SftpRequests, path: bytes) -> bool:
    """Remove a file; whether it was there."""
    try:
        requests.remove(path)
    except RemoteMissing:
        return False
    return True
