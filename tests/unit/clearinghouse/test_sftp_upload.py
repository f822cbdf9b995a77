"""What an upload claims after a failure is true of the partner's disk: at every request, of every kind, either way."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from clearinghouse.mailbox import (
    Delivery,
    DeliveryUnknown,
    MailboxError,
    NotSent,
    RemoteMissing,
    RemoteRefused,
    Unreachable,
    ignore_steps,
)
from clearinghouse.partner import Publish, UploadRules
from clearinghouse.sftp_requests import CHUNK, Attributes
from clearinghouse.sftp_upload import Upload

FINAL, TEMPORARY = b"in/a.x12", b"in/a.x12.part"
CONTENT = bytes(2 * CHUNK + 10)
REQUESTS = ("attributes", "open_new", "write", "close", "rename", "remove")


@dataclass
class Partner:
    """A server's disk. `fault` is (request, how often it goes well before, how it fails).

    `refused`: the server says no and does nothing. `cut`: it does nothing and the connection is gone. `lost`: it does
    the work, and the connection is gone before the answer.
    """

    fault: tuple[str, int, str] = ("", 0, "")
    also_refused: str = ""
    files: dict[bytes, bytes] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    gone: bool = False

    def _begin(self, request: str) -> bool:
        """Count the request; whether it is the one whose answer gets lost."""
        if self.gone:
            raise Unreachable
        self.calls[request] = self.calls.get(request, 0) + 1
        name, before, how = self.fault
        if request == self.also_refused:
            raise RemoteRefused("no", code=4)
        if request != name or self.calls[request] != before + 1:
            return False
        if how == "refused":
            raise RemoteRefused("no", code=4)
        self.gone = True
        if how == "cut":
            raise Unreachable
        return True

    def _end(self, lost: bool) -> None:
        if lost:
            raise Unreachable

    def attributes(self, path: bytes) -> Attributes | None:
        self._end(self._begin("attributes"))
        return Attributes(len(self.files[path]), None, None) if path in self.files else None

    def open_new(self, path: bytes) -> bytes:
        lost = self._begin("open_new")
        if path in self.files:
            raise RemoteRefused("exists", code=4)
        self.files[path] = b""
        self._end(lost)
        return path

    def write(self, handle: bytes, offset: int, content: bytes) -> None:
        lost = self._begin("write")
        assert offset == len(self.files[handle])
        self.files[handle] += content
        self._end(lost)

    def close(self, handle: bytes) -> None:
        self._end(self._begin("close"))

    def rename(self, source: bytes, target: bytes) -> None:
        lost = self._begin("rename")
        if target in self.files:
            raise RemoteRefused("exists", code=4)
        self.files[target] = self.files.pop(source)
        self._end(lost)

    def remove(self, path: bytes) -> None:
        lost = self._begin("remove")
        if path not in self.files:
            raise RemoteMissing
        del self.files[path]
        self._end(lost)


def upload(partner: Partner, publish: Publish) -> Delivery | MailboxError:
    server: Any = partner
    try:
        return Upload(server, UploadRules("in", publish=publish), "a.x12", CONTENT, ignore_steps).run()
    except MailboxError as failure:
        return failure


FAULTS = list(itertools.product(REQUESTS, (0, 1, 2), ("refused", "cut", "lost")))


@pytest.mark.parametrize("publish", [Publish.DIRECT, Publish.RENAME_SAME_DIRECTORY])
@pytest.mark.parametrize("also_refused", ["", "remove"])
@pytest.mark.parametrize("left_over", [False, True])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault)))
def test_whatever_is_claimed_is_true(
    publish: Publish, also_refused: str, left_over: bool, fault: tuple[str, int, str]
) -> None:
    partner = Partner(fault, also_refused, {TEMPORARY: b"old"} if left_over else {})
    outcome = upload(partner, publish)
    if isinstance(outcome, Delivery):
        assert CONTENT == partner.files[FINAL]
    elif isinstance(outcome, NotSent):
        assert FINAL not in partner.files
    else:
        # In doubt only once the file could be seen; before that, the connection's own error says it was not sent.
        assert isinstance(outcome, DeliveryUnknown) or "open_new" not in partner.calls
        assert isinstance(outcome, DeliveryUnknown | Unreachable)


@pytest.mark.parametrize(
    ("publish", "fault", "wanted"),
    [
        (Publish.DIRECT, ("close", 0, "refused"), DeliveryUnknown),  # all bytes are there: they may have been taken
        (Publish.DIRECT, ("close", 0, "lost"), DeliveryUnknown),
        (Publish.DIRECT, ("write", 1, "cut"), DeliveryUnknown),
        (Publish.DIRECT, ("write", 1, "refused"), NotSent),
        (Publish.DIRECT, ("open_new", 0, "refused"), NotSent),
        (Publish.DIRECT, ("open_new", 0, "lost"), DeliveryUnknown),
        (Publish.DIRECT, ("attributes", 1, "cut"), Delivery),  # the look afterwards is evidence, not a condition
        (Publish.RENAME_SAME_DIRECTORY, ("close", 0, "refused"), NotSent),
        (Publish.RENAME_SAME_DIRECTORY, ("close", 0, "lost"), NotSent),
        (Publish.RENAME_SAME_DIRECTORY, ("write", 2, "cut"), NotSent),
        (Publish.RENAME_SAME_DIRECTORY, ("rename", 0, "refused"), NotSent),
        (Publish.RENAME_SAME_DIRECTORY, ("rename", 0, "cut"), DeliveryUnknown),
        (Publish.RENAME_SAME_DIRECTORY, ("rename", 0, "lost"), DeliveryUnknown),
    ],
    ids=str,
)
def test_doubt_is_claimed_where_there_is_doubt_and_nowhere_else(
    publish: Publish, fault: tuple[str, int, str], wanted: type
) -> None:
    assert isinstance(upload(Partner(fault), publish), wanted)


def test_a_refused_close_leaves_nothing_of_a_hidden_upload_behind() -> None:
    partner = Partner(("close", 0, "refused"))
    upload(partner, Publish.RENAME_SAME_DIRECTORY)
    assert {} == partner.files
