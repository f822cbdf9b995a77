"""A partner's mailbox over SFTP: where it is, by which rules, and the way to a conversation with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clearinghouse.partner import SftpAccess, UploadRules
from clearinghouse.repeats import Repeats

if TYPE_CHECKING:
    from clearinghouse.sftp_session import SftpSession


_USUAL = Repeats()


def _now() -> datetime:
    return datetime.now(UTC)


class SftpMailbox:
    """One partner's SFTP server. `clock` dates pinned keys; `secrets_beside` is where relative `file:` secrets are."""

    def __init__(
        self,
        access: SftpAccess,
        upload: UploadRules,
        clock: Callable[[], datetime] = _now,
        secrets_beside: Path | None = None,
        repeats: Repeats = _USUAL,
    ) -> None:
        self._access = access
        self._upload = upload
        self._repeats = repeats
        self._clock = clock
        self._secrets_beside = secrets_beside

    @contextlib.contextmanager
    def session(self) -> Iterator[SftpSession]:
        """Connect and log in; the connection is dropped at the end of the block."""
        # Only who connects needs paramiko, which takes long to load.
        from clearinghouse.sftp_session import SftpSession
        from clearinghouse.ssh_link import open_link

        connect = partial(open_link, self._access, self._clock, self._secrets_beside)
        session = SftpSession(self._access, self._upload, connect, self._repeats)
        try:
            session.connect()
            yield session
        finally:
            session.close()
