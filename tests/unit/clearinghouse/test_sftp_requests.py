"""Our SFTP requests against a server made of bytes: any order of answers, short reads, lies and nonsense."""

from __future__ import annotations

import contextlib
import random
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearinghouse.mailbox import RemoteMissing, RemoteRefused, TimedOut, TooLarge, Unreachable
from clearinghouse.remote_names import check_own_name, trace_pattern, why_refused
from clearinghouse.sftp_requests import CHUNK, SftpRequests

READ, STATUS, HANDLE, DATA, NAME, ATTRS = 5, 101, 102, 103, 104, 105


def packet(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", 1 + len(body), kind) + body


def text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


class Channel:
    """Stands in for paramiko's channel: hands each request to `answer`, gives back what it says."""

    def __init__(self, answer: Callable[[int, int, bytes], bytes]) -> None:
        self._answer = answer
        self._waiting = packet(2, struct.pack(">I", 3))
        self.sent: list[int] = []

    def settimeout(self, timeout: float) -> None:
        assert timeout > 0

    def sendall(self, data: bytes) -> None:
        kind = data[4]
        if kind != 1:
            self.sent.append(kind)
            self._waiting += self._answer(kind, struct.unpack_from(">I", data, 5)[0], data[9:])

    def recv(self, length: int) -> bytes:
        if not self._waiting:
            raise TimeoutError
        piece, self._waiting = self._waiting[: min(length, 7000)], self._waiting[min(length, 7000) :]
        return piece


def requests(answer: Callable[[int, int, bytes], bytes]) -> SftpRequests:
    channel: Any = Channel(answer)
    return SftpRequests(channel, operation_timeout_s=1)


class Shuffler:
    """A file served in any order and in short pieces: answers are held back and let go at random."""

    def __init__(self, content: bytes, seed: int) -> None:
        self.content = content
        self.chance = random.Random(seed)
        self.held: list[bytes] = []

    def __call__(self, kind: int, number: int, body: bytes) -> bytes:
        offset, length = struct.unpack(">QI", body[5:17])
        piece = self.content[offset : offset + length]
        if len(piece) > 1 and self.chance.random() < 0.3:
            piece = piece[: self.chance.randint(1, len(piece) - 1)]
        head = struct.pack(">I", number)
        answer = packet(DATA, head + text(piece)) if piece else packet(STATUS, head + struct.pack(">I", 1))
        self.held.append(answer)
        self.chance.shuffle(self.held)
        if len(self.held) < 4 and self.chance.random() < 0.7:
            return b""
        released, self.held = b"".join(self.held), []
        return released


class Flushing(Channel):
    """Lets held answers go when the client waits for one."""

    def recv(self, length: int) -> bytes:
        shuffler: Any = self._answer
        if not self._waiting:
            self._waiting, shuffler.held = b"".join(shuffler.held), []
        return super().recv(length)


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 12 * CHUNK), promised=st.integers(0, 20 * CHUNK), seed=st.integers(0, 10**6))
def test_a_stream_is_the_file_whatever_the_order_and_length_of_answers(size: int, promised: int, seed: int) -> None:
    content = random.Random(seed).randbytes(size)
    channel: Any = Flushing(Shuffler(content, seed))
    stream = SftpRequests(channel, 1).stream(b"h", promised)
    assert content == b"".join(stream)


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 12 * CHUNK), pieces=st.integers(0, 5), seed=st.integers(0, 10**6))
def test_a_stream_left_early_does_not_confuse_the_next_request(size: int, pieces: int, seed: int) -> None:
    content = random.Random(seed).randbytes(size)
    channel: Any = Flushing(Shuffler(content, seed))
    asking = SftpRequests(channel, 1)
    stream = asking.stream(b"h", size)
    for _ in range(pieces):
        next(stream, None)
    stream.close()
    assert content == b"".join(asking.stream(b"h", size))


CALLS: list[Callable[[SftpRequests], object]] = [
    lambda asking: asking.entries(b"download"),
    lambda asking: asking.attributes(b"a"),
    lambda asking: asking.open_new(b"a"),
    lambda asking: asking.write(b"h", 0, b"x"),
    lambda asking: b"".join(asking.stream(b"h", 100)),
    lambda asking: asking.rename(b"a", b"b"),
]


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([STATUS, HANDLE, DATA, NAME, ATTRS, 7]),
    body=st.binary(max_size=60),
    call=st.sampled_from(CALLS),
    numbered=st.booleans(),
)
def test_no_answer_of_a_server_raises_anything_but_the_mailboxs_own_errors(
    kind: int, body: bytes, call: Callable[[SftpRequests], object], numbered: bool
) -> None:
    asking = requests(lambda _, number, __: packet(kind, (struct.pack(">I", number) if numbered else b"") + body))
    asking.deadline = time.monotonic() + 0.2  # one that serves bytes for ever meets its deadline
    with contextlib.suppress(Unreachable, RemoteRefused, TooLarge):
        call(asking)


def test_a_length_no_packet_has_is_something_other_than_sftp() -> None:
    asking = requests(lambda *_: b"Welcome to our server!\r\n")
    with pytest.raises(Unreachable, match="other than SFTP"):
        asking.attributes(b"a")


def test_a_status_is_told_apart() -> None:
    def saying(code: int) -> SftpRequests:
        return requests(lambda _, number, __: packet(STATUS, struct.pack(">II", number, code) + text(b"no")))

    with pytest.raises(RemoteMissing):
        saying(2).remove(b"a")
    with pytest.raises(RemoteRefused, match="permission") as refused:
        saying(3).remove(b"a")
    assert 3 == refused.value.code
    saying(0).remove(b"a")
    assert saying(2).attributes(b"a") is None


def test_silence_ends_at_the_deadline() -> None:
    asking = requests(lambda *_: b"")
    with pytest.raises(TimedOut):
        asking.attributes(b"a")
    asking.deadline = 0
    with pytest.raises(TimedOut):
        asking.attributes(b"a")


def test_a_listing_without_end_is_given_up() -> None:
    entry = text(b"a") + text(b"") + struct.pack(">I", 0)

    def answer(kind: int, number: int, _: bytes) -> bytes:
        head = struct.pack(">I", number)
        if kind == 12:
            return packet(NAME, head + struct.pack(">I", 5000) + entry * 5000)
        return packet(HANDLE, head + text(b"h"))

    with pytest.raises(TooLarge, match="archive"):
        requests(answer).entries(b"download")


def test_every_field_of_attributes_is_read_past() -> None:
    fields = (
        struct.pack(">IQIIIII", 0x8000000F, 7, 1, 2, 0o100644, 10, 20) + struct.pack(">I", 1) + text(b"k") + text(b"v")
    )
    seen = requests(lambda _, number, __: packet(ATTRS, struct.pack(">I", number) + fields)).attributes(b"a")
    assert seen is not None and seen.is_file
    assert (7, 20) == (seen.size, int(seen.modified_at.timestamp()) if seen.modified_at else 0)


@pytest.mark.parametrize("name", [b"../a", b"a/b", b"a\\b", b"a\nb", b"a\x00b", b"\x7f", b"", b"x" * 256, b".."])
def test_a_hostile_name_is_refused(name: bytes) -> None:
    assert why_refused(name, is_file=True)


@pytest.mark.parametrize("name", [b"a.835", b"r\xe9mise.835", "résumé".encode(), b"..a", b"-rf", b"x" * 255])
def test_a_strange_name_is_still_a_name(name: bytes) -> None:
    assert why_refused(name, is_file=True) is None
    assert why_refused(name, is_file=False) == "not a plain file"


def test_a_notification_pattern_means_what_it_says() -> None:
    check_own_name("a_1.x12")
    pattern = trace_pattern("{name}-*-(success|FAILED)", "a_1.x12")
    assert pattern.fullmatch(b"a_1.x12-4711-success") and pattern.fullmatch(b"a_1.x12-4711-FAILED")
    for other in (
        b"a_1.x12-4711-pending",
        b"a_1xx12-4711-success",
        b"b_1.x12-4711-success",
        b"a_1.x12-4711-success.tmp",
    ):
        assert not pattern.fullmatch(other)
    assert trace_pattern("done(1).+{name}", "a.x12").fullmatch(b"done1.+a.x12")
