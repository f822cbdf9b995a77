"""A real SFTP server on this machine: one folder per user, faults on request. It moves bytes and knows no X12."""

from __future__ import annotations

import base64
import contextlib
import errno
import hmac
import logging
import os
import socket
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_FAILURE, SFTP_NO_SUCH_FILE, SFTP_OK, SFTP_PERMISSION_DENIED

from clearinghouse.sandbox.faults import Faults

FOLDERS = ("upload", "download", "archive")
_LOOK_AGAIN_S = 0.2
_STOP_WAIT_S = 5.0
_HOSTILE_NAMES = (b"../../835_elsewhere.x12", b"835_\n.x12", b"835_\xff\xfe.x12", b"/835_absolute.x12")

logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in: with a password, with an OpenSSH public key (`ssh-ed25519 AAAA...`), or either."""

    name: str
    password: str | None = None
    public_keys: tuple[str, ...] = ()


class SftpServer:
    """Serves `root/<user>/{upload,download,archive}` on a loopback port; `start` returns once it listens."""

    def __init__(
        self,
        root: Path,
        users: tuple[User, ...],
        host_key_file: Path,
        port: int = 0,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._root = root
        self._users = {user.name: user for user in users}
        self._host_key = _host_key(host_key_file)
        self.faults = faults or Faults()
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._transports: set[paramiko.Transport] = set()
        self.port = port
        self.logins: list[bool] = []
        """Every login tried since the start: whether it was let in."""

    @property
    def host_key_line(self) -> str:
        """Type and base64 of the host key, as a known_hosts line ends."""
        return f"{self._host_key.get_name()} {self._host_key.get_base64()}"

    def start(self) -> None:
        """Listen and serve in threads of its own."""
        for name in self._users:
            for folder in FOLDERS:
                (self._root / name / folder).mkdir(parents=True, exist_ok=True)
        self._listener = socket.create_server(self._address)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """Stop listening, end every session, wait for the threads."""
        self._stopping.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for the next connection
        for transport in list(self._transports):
            _cut(transport)
        for thread in list(self._threads):
            thread.join(_STOP_WAIT_S)
        if self._listener is not None:
            self._listener.close()

    def __enter__(self) -> SftpServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, work: Callable[[socket.socket], None], connected: socket.socket) -> None:
        def run() -> None:
            try:
                work(connected)
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, daemon=True, name="sandbox-sftp")
        self._threads.add(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._spawn(self._serve, connected)

    def _transport(self, connected: socket.socket) -> paramiko.Transport:
        return paramiko.Transport(connected)

    def _serve(self, connected: socket.socket) -> None:
        transport = self._transport(connected)
        transport.daemon = True
        self._transports.add(transport)
        try:
            transport.add_server_key(self._host_key)
            session = _Session(self._root, self._users, transport, self.faults, self._stopping, self.logins)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files)
            transport.start_server(server=session)
            while transport.is_active() and not self._stopping.is_set():
                transport.join(_LOOK_AGAIN_S)
        except (paramiko.SSHException, OSError, EOFError):
            pass  # a client that went away or never spoke SSH is no concern of the others
        finally:
            _cut(transport)
            self._transports.discard(transport)


class _Session(paramiko.ServerInterface):
    """Who is logged in on one connection."""

    def __init__(
        self,
        root: Path,
        users: dict[str, User],
        transport: paramiko.Transport,
        faults: Faults,
        stopping: threading.Event,
        logins: list[bool],
    ) -> None:
        self._users = users
        self._logins = logins
        self._root = root
        self.transport = transport
        self.faults = faults
        self.stopping = stopping
        self.home = root

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        user = self._users.get(username)
        expected = user.password if user is not None else None
        return self._enter(username, expected is not None and hmac.compare_digest(expected.encode(), password.encode()))

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        user = self._users.get(username)
        offered = base64.b64encode(key.asbytes()).decode()
        return self._enter(username, user is not None and offered in {line.split()[1] for line in user.public_keys})

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def _enter(self, username: str, known: bool) -> int:
        known = known and not self.faults.strikes("refuse-login")
        self._logins.append(known)
        if not known:
            return AUTH_FAILED
        self.home = self._root / username
        return AUTH_SUCCESSFUL


class _Files(paramiko.SFTPServerInterface):
    """One user's folder. Nothing outside it can be named, links are not followed, nothing is ever replaced."""

    def __init__(self, server: _Session) -> None:
        super().__init__(server)
        self._session = server

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        try:
            folder = self._at(path)
            if folder.is_symlink():
                return SFTP_NO_SUCH_FILE
            entries = os.scandir(os.fsencode(folder))
            listed = [_attributes(entry.stat(follow_symlinks=False), entry.name) for entry in entries]
            if self._session.faults.strikes("hostile-names"):
                listed += [_attributes(folder.stat(), name) for name in _HOSTILE_NAMES]
            return listed
        except OSError as failure:
            return _code(failure)

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        return self.lstat(path)

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return _attributes(self._at(path).lstat())
        except OSError as failure:
            return _code(failure)

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:  # noqa: ARG002
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR))
        try:
            target = self._at(path)
            if writes and not self._may_write(target):
                return SFTP_PERMISSION_DENIED
            handle = os.open(target, flags | os.O_NOFOLLOW, 0o660)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                return SFTP_FAILURE
        except OSError as failure:
            return _code(failure)
        return _Handle(handle, target, flags, self._session, writes)

    def remove(self, path: str) -> int:
        return self._change(lambda: self._at(path).unlink())

    def rename(self, oldpath: str, newpath: str) -> int:
        faults = self._session.faults
        if faults.strikes("refuse-rename"):
            return SFTP_FAILURE

        def move() -> None:
            source, target = self._at(oldpath), self._at(newpath)
            target.hardlink_to(source)  # refuses an existing name, which rename(2) would replace
            source.unlink()

        outcome = self._change(move)
        if faults.strikes("lose-rename-reply"):
            _cut(self._session.transport)
        return outcome

    def _at(self, path: str) -> Path:
        """The place on disk; `canonicalize` has taken every `..` out. A path through a link leads nowhere."""
        place = self._session.home
        for part in PurePosixPath(self.canonicalize(path)).parts[1:]:
            if place.is_symlink():
                raise FileNotFoundError(errno.ENOENT, "not here")
            place /= part
        return place

    def _may_write(self, target: Path) -> bool:
        inside = target.relative_to(self._session.home).parts
        return len(inside) > 1

    def _change(self, change: Callable[[], None]) -> int:
        try:
            change()
        except OSError as failure:
            return _code(failure)
        return SFTP_OK


class _Handle(paramiko.SFTPHandle):
    """One open file."""

    def __init__(self, handle: int, path: Path, flags: int, session: _Session, writes: bool) -> None:
        super().__init__(flags)
        self._handle = handle
        self._path = path
        self._session = session
        self._writes = writes
        self._is_open = True

    def read(self, offset: int, length: int) -> bytes | int:
        cut = self._fault_before(offset + length, "drop-download", "hang-download")
        if cut is not None:
            return self._strike(cut)
        try:
            return os.pread(self._handle, length, offset)
        except OSError as failure:
            return _code(failure)

    def write(self, offset: int, data: bytes) -> int:  # type: ignore[override]  # only bytes come
        cut = self._fault_before(offset + len(data), "drop-upload", "hang-upload", "disk-full")
        try:
            if cut is None:
                os.pwrite(self._handle, data, offset)
                return SFTP_OK
            os.pwrite(self._handle, data[: max(0, self._fault_byte(cut) - offset)], offset)
        except OSError as failure:
            return _code(failure)
        return self._strike(cut)

    def stat(self) -> paramiko.SFTPAttributes | int:
        return _attributes(os.fstat(self._handle))

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        os.close(self._handle)
        if not self._writes:
            return
        faults = self._session.faults
        if faults.strikes("take-on-close"):
            with contextlib.suppress(OSError):
                self._path.rename(self._session.home / "archive" / self._path.name)
        if faults.strikes("lose-close-reply"):
            _cut(self._session.transport)

    def _fault_before(self, end: int, *names: str) -> str | None:
        for name in names:
            byte = self._session.faults.at_byte(name)
            if byte is not None and end > byte:
                return name
        return None

    def _fault_byte(self, name: str) -> int:
        return self._session.faults.at_byte(name) or 0

    def _strike(self, name: str) -> int:
        self._session.faults.strikes(name)
        if name.startswith("drop-"):
            _cut(self._session.transport)
        if name.startswith("hang-"):
            self._session.stopping.wait()
        return SFTP_FAILURE


def _attributes(seen: os.stat_result, name: bytes | None = None) -> paramiko.SFTPAttributes:
    attributes = paramiko.SFTPAttributes.from_stat(seen)
    if name is not None:
        attributes.filename = name  # type: ignore[assignment]  # bytes reach the client as they are on disk
    return attributes


def _code(failure: OSError) -> int:
    if failure.errno in (errno.ENOENT, errno.ENOTDIR):
        return SFTP_NO_SUCH_FILE
    return SFTP_PERMISSION_DENIED if failure.errno in (errno.EACCES, errno.EPERM) else SFTP_FAILURE


def _cut(transport: paramiko.Transport) -> None:
    with contextlib.suppress(OSError):
        transport.sock.shutdown(socket.SHUT_RDWR)
    transport.close()


def _host_key(path: Path) -> paramiko.PKey:
    """The server's key, made on first use and kept, so that a pinned key stays right over restarts."""
    if not path.exists():
        private = ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(private)
        fresh.rename(path)
    return paramiko.Ed25519Key.from_private_key_file(str(path))
