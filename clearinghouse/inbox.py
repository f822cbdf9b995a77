"""What waits at a partner's: which files have settled, fetched once each, let go of once their bytes are committed."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from clearinghouse import mailbox as box
from clearinghouse.partner import AfterDownload, DownloadRules
from gateway.ports import RemoteAnswer

_INTERCHANGE_END = re.compile(rb"IEA.[0-9]{1,5}.[0-9]{1,9}[^0-9A-Za-z]\s*\Z")
_END_LENGTH = 64
_PIECE = 1 << 16
_IN_MEMORY = 1 << 22
"""Bytes up to which a fetched file is not put on disk; there it has no name, and is gone with us."""
_STILL_FOR = timedelta(minutes=5)
"""A file the partner has not touched for so long has settled, though we see it for the first time."""
_UNFINISHED_POLLS = 12
"""So often a file without its end is left to grow; then its bytes are kept as they are, and so is the file."""

Key = tuple[str, bytes]
"""Directory and name."""


@dataclass(slots=True)
class Sighted:
    """One file as earlier listings showed it."""

    size: int
    modified_at: datetime | None
    first_at: datetime
    polls: int = 0
    """How often it was listed just so."""
    fetched: bool = False
    """Its bytes are committed, and the file stays at the partner's."""


class PartnerInbox:
    """Implements gateway.ports.RemoteInbox over one mailbox session. ``seen`` outlives it."""

    def __init__(
        self,
        session: box.MailboxSession,
        rules: DownloadRules,
        seen: dict[Key, Sighted],
        translated: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._session = session
        self._rules = rules
        self._seen = seen
        self._translated = translated

    def waiting(self) -> list[RemoteAnswer]:
        """Files that have settled and were not fetched yet; one that changed since counts as another."""
        now = datetime.now(UTC)
        with self._translated():
            listed = [(source, file) for source in self._rules.sources for file in self._session.list(source.path)]
        before = dict(self._seen)
        self._seen.clear()
        waiting = []
        for source, file in listed:
            if file.refused or not fnmatch.fnmatchcase(file.shown_name, source.match):
                continue
            key = (file.directory, file.name)
            sighted = before.get(key)
            if sighted is None or (sighted.size, sighted.modified_at) != (file.size, file.modified_at):
                sighted = Sighted(file.size, file.modified_at, now)
            sighted.polls += 1
            self._seen[key] = sighted
            if not sighted.fetched and self._has_settled(sighted, now):
                waiting.append(RemoteAnswer(name=file.name, directory=file.directory, size=file.size))
        return waiting

    @property
    def settling(self) -> int:
        """How many files were listed but have not settled."""
        now = datetime.now(UTC)
        return sum(not self._has_settled(each, now) for each in self._seen.values())

    def _has_settled(self, sighted: Sighted, now: datetime) -> bool:
        stood = sighted.polls >= self._rules.settle_polls and now - sighted.first_at >= self._rules.settle_age
        long_ago = max(self._rules.settle_age, _STILL_FOR)
        return stood or (sighted.modified_at is not None and now - sighted.modified_at >= long_ago)

    @contextmanager
    def download(self, answer: RemoteAnswer) -> Iterator[BinaryIO | None]:
        """One waiting file, on disk where it is large; None while it is empty, or an interchange whose IEA has not
        arrived yet."""
        with SpooledTemporaryFile(_IN_MEMORY) as spooled:
            file = cast(BinaryIO, spooled)
            with self._translated():
                self._session.download_to(_remote(answer), file, self._rules.max_bytes)
            yield file if _is_finished(file) or self._given_up(answer) else None

    def dispose(self, answer: RemoteAnswer) -> None:
        """Delete, move or leave the partner's copy, as the profile says; one without its end is always left."""
        if self._rules.after is AfterDownload.LEAVE or self._given_up(answer):
            sighted = self._seen[answer.directory, answer.name]
            sighted.fetched = sighted.modified_at is not None  # without a time, another file could look the same
            return
        with self._translated():
            if self._rules.after is AfterDownload.REMOVE:
                self._session.remove(_remote(answer))
            elif self._rules.archive_directory:
                self._session.move_to_archive(_remote(answer), self._rules.archive_directory)

    def _given_up(self, answer: RemoteAnswer) -> bool:
        return self._seen[answer.directory, answer.name].polls >= self._rules.settle_polls + _UNFINISHED_POLLS


def _is_finished(file: BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _END_LENGTH, 0))
    ended = _INTERCHANGE_END.search(file.read()) is not None
    file.seek(0)
    begins = b""
    while not begins and (piece := file.read(_PIECE)):
        begins = (piece.lstrip() + file.read(2))[:3] if piece.strip() else b""
    return ended or not b"ISA".startswith(begins)  # nothing yet, and the first letters, may become one still


def _remote(answer: RemoteAnswer) -> box.RemoteFile:
    return box.RemoteFile(directory=answer.directory, name=answer.name, size=answer.size, modified_at=None)
