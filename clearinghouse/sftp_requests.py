"""The dozen SFTP version 3 requests we use, one at a time over an open SSH channel (draft-ietf-secsh-filexfer-02).

Why not paramiko's own file objects: they drop the server's answer to a close, decode names, and know no deadline. Here
every answer is read before the next request, names stay bytes, and every wait ends. Knows nothing of mailboxes' rules.
"""

from __future__ import annotations

import stat
import struct
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import paramiko

from clearinghouse.mailbox import RemoteMissing, RemoteRefused, TimedOut, TooLarge, Unreachable

CHUNK = 32768
READS_AHEAD = 16
_LARGEST_PACKET = 1 << 19
_MOST_ENTRIES = 200_000

_INIT, _VERSION = 1, 2
_OPEN, _CLOSE, _READ, _WRITE, _LSTAT, _FSTAT = 3, 4, 5, 6, 7, 8
_OPENDIR, _READDIR, _REMOVE, _RENAME = 11, 12, 13, 18
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS = 101, 102, 103, 104, 105

_FLAG_READ, _FLAG_WRITE, _FLAG_CREATE, _FLAG_EXCLUSIVE = 0x01, 0x02, 0x08, 0x20
_HAS_SIZE, _HAS_OWNER, _HAS_PERMISSIONS, _HAS_TIMES, _HAS_EXTENDED = 0x1, 0x2, 0x4, 0x8, 0x80000000

_OK, _END, _MISSING, _DENIED = 0, 1, 2, 3
_UNSUPPORTED = 8
_REASONS = {_DENIED: "permission denied", 4: "failure", 5: "bad message", _UNSUPPORTED: "not supported"}


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the server says of one file; None where it does not say."""

    size: int | None
    permissions: int | None
    modified_at: datetime | None

    @property
    def is_file(self) -> bool:
        """Whether this is a plain file; a server that gives no type is believed to list plain files."""
        return self.permissions is None or stat.S_IFMT(self.permissions) == 0 or stat.S_ISREG(self.permissions)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a directory."""

    name: bytes
    attributes: Attributes


class SftpRequests:
    """One request, one answer. A no is RemoteMissing or RemoteRefused; silence is Unreachable or TimedOut."""

    def __init__(self, channel: paramiko.Channel, operation_timeout_s: float) -> None:
        self._channel = channel
        self._timeout_s = operation_timeout_s
        self._last_id = 0
        self._abandoned: set[int] = set()
        self.deadline = float("inf")
        """Monotonic time after which no request is sent and no answer is waited for."""
        self._start()

    def open_new(self, path: bytes) -> bytes:
        """The handle of a file that did not exist before (exclusive create)."""
        return self._handle(_OPEN, _string(path) + struct.pack(">II", _FLAG_WRITE | _FLAG_CREATE | _FLAG_EXCLUSIVE, 0))

    def open_existing(self, path: bytes) -> bytes:
        """The handle of a file to read."""
        return self._handle(_OPEN, _string(path) + struct.pack(">II", _FLAG_READ, 0))

    def write(self, handle: bytes, offset: int, content: bytes) -> None:
        """Write at most CHUNK bytes and wait for the server's answer."""
        self._done(_WRITE, _string(handle) + struct.pack(">Q", offset) + _string(content))

    def stream(self, handle: bytes, expected_size: int) -> Generator[bytes]:
        """The whole file in order, up to READS_AHEAD reads on their way at once: a distant partner is slow one by one.

        Only reads are ever sent ahead; they change nothing. `expected_size` bounds how far ahead they go.
        """
        asked: dict[int, tuple[int, int]] = {}
        arrived: dict[int, bytes] = {}
        position, ahead, ended = 0, 0, False
        try:
            while True:
                while not ended and len(asked) < (READS_AHEAD if ahead < expected_size else 1):
                    asked[self._send_read(handle, ahead, CHUNK)] = (ahead, CHUNK)
                    ahead += CHUNK
                if not asked:
                    return
                offset, length, piece = self._take_read(asked)
                ended = ended or not piece
                if piece:
                    arrived[offset] = piece
                if 0 < len(piece) < length:
                    rest = (offset + len(piece), length - len(piece))
                    asked[self._send_read(handle, *rest)] = rest
                while position in arrived:
                    piece = arrived.pop(position)
                    position += len(piece)
                    yield piece
        finally:
            self._abandoned.update(asked)

    def close(self, handle: bytes) -> None:
        """Close and wait for the server's answer: a full disk may show only here."""
        self._done(_CLOSE, _string(handle))

    def rename(self, source: bytes, target: bytes) -> None:
        """Plain rename. Never posix-rename@openssh.com, which silently replaces the target."""
        self._done(_RENAME, _string(source) + _string(target))

    def remove(self, path: bytes) -> None:
        """Remove one file."""
        self._done(_REMOVE, _string(path))

    def attributes(self, path: bytes) -> Attributes | None:
        """What the server says of the path itself (links are not followed), or None when there is nothing."""
        try:
            kind, body = self._ask(_LSTAT, _string(path))
            if kind == _STATUS:
                _raise_unless(body)
        except RemoteMissing:
            return None
        return _Body(_expect(kind, _ATTRS, body)).attributes()

    def entries(self, directory: bytes) -> list[Entry]:
        """Every name in the directory, in the server's order, without `.` and `..`. Raises TooLarge beyond 200,000."""
        handle = self._handle(_OPENDIR, _string(directory))
        found: list[Entry] = []
        for batch in self._batches(handle):
            found.extend(entry for entry in batch if entry.name not in (b".", b".."))
            if len(found) > _MOST_ENTRIES:
                raise TooLarge(
                    f"a directory lists more than {_MOST_ENTRIES} files; ask the partner to archive old ones"
                )
        self.close(handle)
        return found

    def _batches(self, handle: bytes) -> Iterator[list[Entry]]:
        while True:
            kind, body = self._ask(_READDIR, _string(handle))
            if kind == _STATUS:
                _raise_unless(body, _END)
                return
            yield _Body(_expect(kind, _NAME, body)).entries()

    def _start(self) -> None:
        self._send(struct.pack(">IBI", 5, _INIT, 3))
        kind, _ = self._packet(self._wait_until())
        if kind != _VERSION:
            raise Unreachable("the partner's server answered with something other than SFTP")

    def _handle(self, kind: int, payload: bytes) -> bytes:
        answer, body = self._ask(kind, payload)
        if answer == _STATUS:
            _raise_unless(body)
        return _Body(_expect(answer, _HANDLE, body)).string()

    def _done(self, kind: int, payload: bytes) -> None:
        answer, body = self._ask(kind, payload)
        _raise_unless(_expect(answer, _STATUS, body), _OK)

    def _ask(self, kind: int, payload: bytes) -> tuple[int, bytes]:
        wanted = self._request(kind, payload)
        answered, answer, body = self._answer()
        if answered != wanted:
            raise Unreachable("the partner's server answered out of turn")
        return answer, body

    def _request(self, kind: int, payload: bytes) -> int:
        self._last_id = (self._last_id + 1) & 0xFFFFFFFF
        self._send(struct.pack(">IBI", 5 + len(payload), kind, self._last_id) + payload)
        return self._last_id

    def _answer(self) -> tuple[int, int, bytes]:
        """The next answer that anybody still waits for: its request, its kind, its body."""
        until = self._wait_until()
        while True:
            kind, packet = self._packet(until)
            body = _Body(packet)
            answered = body.number()
            if answered not in self._abandoned:
                return answered, kind, packet[4:]
            self._abandoned.discard(answered)

    def _send_read(self, handle: bytes, offset: int, length: int) -> int:
        return self._request(_READ, _string(handle) + struct.pack(">QI", offset, length))

    def _take_read(self, asked: dict[int, tuple[int, int]]) -> tuple[int, int, bytes]:
        """One of the reads on their way, in whichever order the server answers: offset, length asked, what came."""
        answered, kind, body = self._answer()
        if answered not in asked:
            raise Unreachable("the partner's server answered out of turn")
        offset, length = asked.pop(answered)
        if kind == _STATUS:
            _raise_unless(body, _END)
            return offset, length, b""
        piece = _Body(_expect(kind, _DATA, body)).string()
        if not 0 < len(piece) <= length:
            raise Unreachable("the partner's server sent a malformed answer")
        return offset, length, piece

    def _wait_until(self) -> float:
        return min(time.monotonic() + self._timeout_s, self.deadline)

    def _send(self, packet: bytes) -> None:
        try:
            self._channel.settimeout(_left(self._wait_until()))
            self._channel.sendall(packet)
        except TimeoutError:
            raise TimedOut from None
        except (OSError, EOFError, paramiko.SSHException) as failure:
            raise Unreachable(f"the connection broke while sending ({type(failure).__name__})") from None

    def _packet(self, until: float) -> tuple[int, bytes]:
        (length,) = struct.unpack(">I", self._receive(4, until))
        if not 1 <= length <= _LARGEST_PACKET:
            raise Unreachable("the partner's server answered with something other than SFTP")
        packet = self._receive(length, until)
        return packet[0], packet[1:]

    def _receive(self, wanted: int, until: float) -> bytes:
        pieces = bytearray()
        while len(pieces) < wanted:
            try:
                self._channel.settimeout(_left(until))
                piece = self._channel.recv(wanted - len(pieces))
            except TimeoutError:
                raise TimedOut from None
            except (OSError, EOFError, paramiko.SSHException) as failure:
                raise Unreachable(f"the connection broke while waiting ({type(failure).__name__})") from None
            if not piece:
                raise Unreachable("the connection broke while waiting for an answer")
            pieces += piece
        return bytes(pieces)


class _Body:
    """Reads the fields of one answer; a short or lying one is a broken connection, never an index error."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def number(self, layout: str = ">I") -> int:
        try:
            (value,) = struct.unpack_from(layout, self._body, self._at)
        except struct.error:
            raise Unreachable("the partner's server sent a malformed answer") from None
        self._at += struct.calcsize(layout)
        return int(value)

    def string(self) -> bytes:
        length = self.number()
        value = self._body[self._at : self._at + length]
        if len(value) != length:
            raise Unreachable("the partner's server sent a malformed answer")
        self._at += length
        return value

    def attributes(self) -> Attributes:
        flags = self.number()
        size = self.number(">Q") if flags & _HAS_SIZE else None
        if flags & _HAS_OWNER:
            self.number(">Q")
        permissions = self.number() if flags & _HAS_PERMISSIONS else None
        modified_at = None
        if flags & _HAS_TIMES:
            self.number()
            modified_at = datetime.fromtimestamp(self.number(), UTC)
        if flags & _HAS_EXTENDED:
            for _ in range(2 * self.number()):
                self.string()
        return Attributes(size, permissions, modified_at)

    def entries(self) -> list[Entry]:
        return [self._entry() for _ in range(self.number())]

    def _entry(self) -> Entry:
        name = self.string()
        self.string()  # the "ls -l" line: made for eyes, never parsed
        return Entry(name, self.attributes())


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _expect(kind: int, wanted: int, body: bytes) -> bytes:
    if kind != wanted:
        raise Unreachable("the partner's server sent an answer of the wrong kind")
    return body


def _raise_unless(body: bytes, wanted: int | None = None) -> None:
    """Raise what a status answer says unless it is the wanted one; with no wanted one, any status is a refusal."""
    code = _Body(body).number()
    if code == wanted:
        return
    if code == _MISSING:
        raise RemoteMissing(code=code)
    raise RemoteRefused(f"the partner's server refused: {_REASONS.get(code, f'status {code}')}", code=code)
