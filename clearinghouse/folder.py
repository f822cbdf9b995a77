"""A partner's mailbox that is a folder on this machine: the same contract as over SFTP, without a network."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from clearinghouse.mailbox import (
    ChangedWhileReading,
    Delivery,
    DeliveryUnknown,
    NameRefused,
    NameTaken,
    NotSent,
    OnStep,
    Probe,
    RemoteFile,
    RemoteMissing,
    RemoteRefused,
    Sighting,
    Step,
    TooLarge,
    Unreachable,
    UploadRefused,
)
from clearinghouse.partner import FolderAccess, Publish, UploadRules
from clearinghouse.remote_names import check_own_name, trace_pattern, why_refused

_PIECE = 1 << 20


class FolderMailbox:
    """The folder `access.path`, holding the profile's upload and download directories."""

    def __init__(self, access: FolderAccess, upload: UploadRules) -> None:
        self._root = access.path
        self._rules = upload

    @contextlib.contextmanager
    def session(self) -> Iterator[FolderSession]:
        """Raises Unreachable when the folder is not there (a share that is not mounted)."""
        if not self._root.is_dir():
            raise Unreachable("the mailbox folder is not there; is the share mounted?")
        yield FolderSession(self._root, self._rules)


class FolderSession:
    """The operations of MailboxSession on local files."""

    def __init__(self, root: Path, rules: UploadRules) -> None:
        self._root = root
        self._rules = rules

    def upload(self, name: str, content: bytes, on_step: OnStep) -> Delivery:
        """Put `content` under a new name, once, synced to disk before it counts."""
        check_own_name(name)
        final = self._path(self._rules.directory, name.encode())
        renames = self._rules.publish is not Publish.DIRECT
        first = self._temporary(name) if renames else final
        detail: dict[str, str | int] = {"path": f"{self._rules.directory}/{name}", "size": len(content)}
        taken = _sighting(final)
        if taken is not None:
            raise NameTaken(seen_size=taken.size)
        on_step(Step.OPENED, detail)
        try:
            opened = _create(first, renames)
        except NotSent:
            on_step(Step.REFUSED, detail)
            raise
        with os.fdopen(opened, "wb", buffering=0) as handle:
            try:
                _write_all(handle.fileno(), content)
            except OSError as failure:
                raise _taken_back(first, failure) from None
            on_step(Step.BYTES_DONE, detail)
        on_step(Step.CLOSED, detail)
        if renames:
            on_step(Step.RENAME_SENT, detail)
            _publish(first, final)
            on_step(Step.RENAME_OK, detail)
        _sync_folder(final.parent)
        seen = _sighting(final)
        digest = hashlib.sha256(content).hexdigest()
        return Delivery(str(detail["path"]), len(content), digest, seen.size if seen else None)

    def probe(self, name: str) -> Probe:
        """Look for an upload under its final and temporary names, in archives and as a notification."""
        check_own_name(name)
        ours = name.encode()
        pattern = trace_pattern(self._rules.probe_notification, name) if self._rules.probe_notification else None
        archives = self._rules.probe_directories
        return Probe(
            name=name,
            final=_sighting(self._path(self._rules.directory, ours)),
            temporary=_sighting(self._temporary(name)) if self._rules.publish is not Publish.DIRECT else None,
            archived=tuple(seen for place in archives for seen in self._sightings(place, lambda each: ours in each)),
            notifications=self._sightings(self._rules.directory, lambda each: pattern.fullmatch(each) is not None)
            if pattern
            else (),
        )

    def remove_partial(self, name: str, smaller_than: int) -> bool:
        """Remove our own unfinished upload: its temporary file; the final one only while below `smaller_than` bytes."""
        check_own_name(name)
        if self._rules.publish is not Publish.DIRECT:
            return _removed(self._temporary(name))
        path = self._path(self._rules.directory, name.encode())
        seen = _sighting(path)
        return seen is not None and seen.size is not None and seen.size < smaller_than and _removed(path)

    def list(self, directory: str) -> tuple[RemoteFile, ...]:
        """Every entry of a directory by name, hostile ones marked as refused."""
        try:
            entries = sorted(os.scandir(os.fsencode(self._path(directory))), key=lambda entry: entry.name)
        except FileNotFoundError:
            raise RemoteMissing from None
        except OSError as failure:
            raise RemoteRefused(f"the directory cannot be listed ({type(failure).__name__})") from None
        return tuple(_remote_file(directory, entry) for entry in entries)

    def download(self, file: RemoteFile, max_bytes: int) -> bytes:
        """The whole file. Raises TooLarge, ChangedWhileReading, NameRefused."""
        sink = io.BytesIO()
        self.download_to(file, sink, max_bytes)
        return sink.getvalue()

    def download_to(self, file: RemoteFile, sink: BinaryIO, max_bytes: int) -> int:
        """As `download`, piece by piece; returns the bytes written."""
        path = self._theirs(file)
        if file.size > max_bytes:
            raise TooLarge(f"a file of {file.size} bytes waits, {max_bytes} are allowed")
        try:
            # O_NOFOLLOW: the entry may have become a link since it was listed.
            source = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
        except FileNotFoundError:
            raise RemoteMissing from None
        except OSError as failure:
            raise RemoteRefused(f"the file cannot be read ({type(failure).__name__})") from None
        received = 0
        with source:
            while piece := source.read(_PIECE):
                received += len(piece)
                if received > max_bytes:
                    raise TooLarge(f"more than {max_bytes} bytes came; the listing had promised {file.size}")
                sink.write(piece)
        if received != file.size:
            raise ChangedWhileReading(f"{received} bytes came, {file.size} were listed")
        return received

    def remove(self, file: RemoteFile) -> None:
        """Remove a file; one already gone is no error."""
        _removed(self._theirs(file))

    def move_to_archive(self, file: RemoteFile, directory: str) -> None:
        """Move a file elsewhere, never over another; one already gone is no error."""
        path = self._theirs(file)
        target = self._path(directory, file.name)
        try:
            target.hardlink_to(path)
        except FileExistsError:
            raise NameTaken("the archive already holds a file of that name; the download stays where it is") from None
        except FileNotFoundError:
            if _sighting(path) is not None:
                raise RemoteMissing("the archive directory is not there") from None
            return
        _removed(path)

    def _theirs(self, file: RemoteFile) -> Path:
        if file.refused is not None:
            raise NameRefused(f"a remote file is left alone: {file.refused}")
        return self._path(file.directory, file.name)

    def _path(self, directory: str, name: bytes = b"") -> Path:
        return self._root / directory.lstrip("/") / os.fsdecode(name)

    def _temporary(self, name: str) -> Path:
        if self._rules.publish is Publish.RENAME_FROM_DIRECTORY and self._rules.temporary_directory:
            return self._path(self._rules.temporary_directory, name.encode())
        return self._path(self._rules.directory, (name + self._rules.temporary_suffix).encode())

    def _sightings(self, directory: str, wanted: Callable[[bytes], bool]) -> tuple[Sighting, ...]:
        try:
            paths = sorted(self._path(directory).iterdir())
        except FileNotFoundError:
            return ()
        found = (_sighting(path) for path in paths if wanted(os.fsencode(path.name)))
        return tuple(seen for seen in found if seen is not None)


def _create(path: Path, renames: bool) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
    except FileExistsError:
        if not renames:
            raise NameTaken from None
        # A temporary file of this name can only be ours, from an upload that was cut off before its rename.
        _removed(path)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
    except OSError as failure:
        raise UploadRefused(f"the upload directory cannot be written ({type(failure).__name__})") from None


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
    os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    """A new name survives a power loss only once its folder is on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _taken_back(path: Path, failure: OSError) -> NotSent | DeliveryUnknown:
    with contextlib.suppress(OSError):
        if _removed(path):
            return NotSent(f"writing failed ({type(failure).__name__}); what had arrived was removed")
    return DeliveryUnknown(f"writing failed ({type(failure).__name__}); what had arrived is gone", Step.OPENED)


def _publish(first: Path, final: Path) -> None:
    # A link never replaces; rename(2) would.
    try:
        final.hardlink_to(first)
    except FileExistsError:
        _removed(first)
        raise NameTaken from None
    except OSError as failure:
        _removed(first)
        raise UploadRefused(f"the file cannot be published ({type(failure).__name__})") from None
    _removed(first)


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _sighting(path: Path) -> Sighting | None:
    try:
        seen = path.lstat()
    except FileNotFoundError:
        return None
    return Sighting(os.fsencode(path), seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC))


def _remote_file(directory: str, entry: os.DirEntry[bytes]) -> RemoteFile:
    seen = entry.stat(follow_symlinks=False)
    return RemoteFile(
        directory=directory,
        name=entry.name,
        size=seen.st_size,
        modified_at=datetime.fromtimestamp(seen.st_mtime, UTC),
        refused=why_refused(entry.name, stat.S_ISREG(seen.st_mode)),
    )
