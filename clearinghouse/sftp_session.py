"""One conversation with a partner's SFTP server: what is safe to repeat, what is in doubt, what a server's no means.

Connecting, listing, probing and downloading are repeated within bounds; nothing that changes the partner's side is.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from clearinghouse.mailbox import (
    ChangedWhileReading,
    Delivery,
    NameRefused,
    NameTaken,
    OnStep,
    Probe,
    RemoteFile,
    RemoteMissing,
    RemoteRefused,
    Sighting,
    TooLarge,
)
from clearinghouse.partner import Publish, SftpAccess, UploadRules
from clearinghouse.remote_names import check_own_name, remote_path, temporary_path, trace_pattern, why_refused
from clearinghouse.repeats import Repeats
from clearinghouse.sftp_requests import SftpRequests
from clearinghouse.sftp_upload import Upload, removed
from clearinghouse.ssh_link import SshLink

Answer = TypeVar("Answer")

_DENIED = 3


class SftpSession:
    """One conversation; after a broken connection the next safe operation makes a new one."""

    def __init__(
        self, access: SftpAccess, upload: UploadRules, connect: Callable[[], SshLink], repeats: Repeats
    ) -> None:
        self._access = access
        self._repeats = repeats
        self._rules = upload
        self._connect = connect
        self._link: SshLink | None = None

    def connect(self) -> None:
        """Make sure of a live connection, with bounded repeats."""
        self._repeats(self._live)

    def close(self) -> None:
        """Drop the connection."""
        if self._link is not None:
            self._link.abort()

    def upload(self, name: str, content: bytes, on_step: OnStep) -> Delivery:
        """Put `content` under a new name, once. See MailboxSession for what each failure proves."""
        check_own_name(name)
        self.connect()
        link = self._live()
        with link.until(self._deadline()) as requests:
            try:
                return Upload(requests, self._rules, name, content, on_step).run()
            except BaseException:
                link.abort()  # an answer still on its way must not be taken for a later one
                raise

    def probe(self, name: str) -> Probe:
        """Look for an upload under its final and temporary names, in archives and as a notification."""
        check_own_name(name)
        return self._repeat(lambda requests: _probe(requests, self._rules, name))

    def remove_partial(self, name: str, smaller_than: int) -> bool:
        """Remove our own unfinished upload: its temporary file; the final one only while below `smaller_than` bytes."""
        check_own_name(name)
        with self._one_try() as requests:
            if self._rules.publish is not Publish.DIRECT:
                return removed(requests, temporary_path(self._rules, name))
            path = remote_path(self._rules.directory, name.encode())
            seen = requests.attributes(path)
            partial = seen is not None and seen.size is not None and seen.size < smaller_than
            return partial and removed(requests, path)

    def list(self, directory: str) -> tuple[RemoteFile, ...]:
        """Every entry of a directory, hostile ones marked as refused."""
        entries = self._repeat(lambda requests: requests.entries(directory.encode()))
        return tuple(
            RemoteFile(
                directory=directory,
                name=entry.name,
                size=entry.attributes.size or 0,
                modified_at=entry.attributes.modified_at,
                refused=why_refused(entry.name, entry.attributes.is_file),
            )
            for entry in entries
        )

    def download(self, file: RemoteFile, max_bytes: int) -> bytes:
        """The whole file. Raises TooLarge, ChangedWhileReading, NameRefused."""
        sink = io.BytesIO()
        self.download_to(file, sink, max_bytes)
        return sink.getvalue()

    def download_to(self, file: RemoteFile, sink: BinaryIO, max_bytes: int) -> int:
        """As `download`, piece by piece into a seekable sink; a repeated try starts over where the sink stood."""
        start = sink.tell()

        def fetch(requests: SftpRequests) -> int:
            sink.seek(start)
            sink.truncate()
            return _fetch(requests, file, sink, max_bytes)

        return self._repeat(fetch)

    def remove(self, file: RemoteFile) -> None:
        """Remove a file of the partner's; one already gone is no error."""
        path = _theirs(file)
        with self._one_try() as requests:
            removed(requests, path)

    def move_to_archive(self, file: RemoteFile, directory: str) -> None:
        """Move a file of the partner's elsewhere, never over another; one already gone is no error."""
        path = _theirs(file)
        with self._one_try() as requests:
            target = remote_path(directory, file.name)
            if requests.attributes(path) is None:
                return
            if requests.attributes(target) is not None:
                raise NameTaken("the archive already holds a file of that name; the download stays where it is")
            with contextlib.suppress(RemoteMissing):
                requests.rename(path, target)

    def _live(self) -> SshLink:
        if self._link is None or not self._link.is_open:
            self._link = self._connect()
        return self._link

    def _deadline(self) -> float:
        return time.monotonic() + self._access.total_timeout_s

    def _repeat(self, ask: Callable[[SftpRequests], Answer]) -> Answer:
        deadline = self._deadline()

        def once() -> Answer:
            with self._live().until(deadline) as requests:
                return ask(requests)

        return self._repeats(once)

    @contextlib.contextmanager
    def _one_try(self) -> Iterator[SftpRequests]:
        self.connect()
        with self._live().until(self._deadline()) as requests:
            yield requests


def _probe(requests: SftpRequests, rules: UploadRules, name: str) -> Probe:
    pattern = trace_pattern(rules.probe_notification, name) if rules.probe_notification else None
    ours = name.encode()
    return Probe(
        name=name,
        final=_sighting(requests, remote_path(rules.directory, ours)),
        temporary=_sighting(requests, temporary_path(rules, name)) if rules.publish is not Publish.DIRECT else None,
        archived=tuple(
            seen for place in rules.probe_directories for seen in _sightings(requests, place, lambda each: ours in each)
        ),
        notifications=_sightings(requests, rules.directory, lambda each: pattern.fullmatch(each) is not None)
        if pattern
        else (),
    )


def _sighting(requests: SftpRequests, path: bytes) -> Sighting | None:
    seen = requests.attributes(path)
    return None if seen is None else Sighting(path, seen.size, seen.modified_at)


def _sightings(requests: SftpRequests, directory: str, wanted: Callable[[bytes], bool]) -> tuple[Sighting, ...]:
    try:
        entries = requests.entries(directory.encode())
    except RemoteMissing:
        return ()
    return tuple(
        Sighting(remote_path(directory, entry.name), entry.attributes.size, entry.attributes.modified_at)
        for entry in entries
        if wanted(entry.name)
    )


def _fetch(requests: SftpRequests, file: RemoteFile, sink: BinaryIO, max_bytes: int) -> int:
    path = _theirs(file)
    if file.size > max_bytes:
        raise TooLarge(f"a file of {file.size} bytes waits, {max_bytes} are allowed")
    handle = requests.open_existing(path)
    received = 0
    with contextlib.closing(requests.stream(handle, file.size)) as pieces:
        for piece in pieces:
            received += len(piece)
            if received > max_bytes:
                raise TooLarge(f"more than {max_bytes} bytes came; the listing had promised {file.size}")
            sink.write(piece)
    with contextlib.suppress(RemoteRefused):
        requests.close(handle)
    if received != file.size:
        raise ChangedWhileReading(f"{received} bytes came, {file.size} were listed")
    return received


def _theirs(file: RemoteFile) -> bytes:
    if file.refused is not None:
        raise NameRefused(f"a remote file is left alone: {file.refused}")
    return remote_path(file.directory, file.name)
