"""A folder as a mailbox whose connection breaks where it is told to, with the errors that SFTP then gives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clearinghouse.folder import FolderMailbox, FolderSession
from clearinghouse.mailbox import Delivery, DeliveryUnknown, NotSent, OnStep, Step, Unreachable

STEPS = (*Step,)
BEFORE_RENAME = frozenset({Step.OPENED, Step.BYTES_DONE, Step.CLOSED})


class _Broken(Exception):
    """The connection is gone."""


class UnreliableMailbox:
    """Breaks once each time it is armed: ``(step, moment)``, the moment before or after the change, or cut half way."""

    def __init__(self, mailbox: FolderMailbox, *, renames: bool, root: Path) -> None:
        self._mailbox = mailbox
        self._renames = renames
        self._root = root
        self.broken_at: tuple[Step, str] | None = None
        self.is_away = False

    @contextlib.contextmanager
    def session(self) -> Iterator[UnreliableSession]:
        """As the folder's, unless the partner is away."""
        if self.is_away:
            raise Unreachable("the partner does not answer")
        with self._mailbox.session() as session:
            yield UnreliableSession(self, session)

    def upload(self, session: FolderSession, name: str, content: bytes, on_step: OnStep) -> Delivery:
        broken_at, self.broken_at = self.broken_at, None

        def step(marker: Step, detail: Mapping[str, str | int]) -> None:
            if broken_at is not None and marker is broken_at[0] and broken_at[1] != "after":
                raise _Broken
            on_step(marker, detail)
            if broken_at == (marker, "after"):
                raise _Broken

        try:
            delivery = session.upload(name, content, step)
            if broken_at is not None and broken_at[1] == "reply":
                raise _Broken
        except _Broken:
            assert broken_at is not None
            if broken_at[1] == "cut":
                for path in (self._root / "in").glob(f"{name}*"):
                    path.write_bytes(path.read_bytes()[: len(content) // 2])
            if self._renames and broken_at[1] != "reply" and broken_at[0] in BEFORE_RENAME:
                raise NotSent("the connection broke; the file was not yet renamed to its final name") from None
            raise DeliveryUnknown("the connection broke", broken_at[0]) from None
        return delivery


class UnreliableSession:
    """The folder's session, but for uploads."""

    def __init__(self, mailbox: UnreliableMailbox, session: FolderSession) -> None:
        self._mailbox = mailbox
        self._session = session

    def upload(self, name: str, content: bytes, on_step: OnStep) -> Delivery:
        """As the folder's, until it breaks."""
        return self._mailbox.upload(self._session, name, content, on_step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
