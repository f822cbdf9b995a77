"""What every test may ask for: fresh databases on both engines, a real OpenSSH server.

And what none may do: connect to another machine.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.results import pytest_addoption, pytest_configure  # noqa: F401 - pytest finds hooks by name
from tests.servers import OpenSshServer, PostgresCluster, running_openssh


class LeftThisMachine(AssertionError):
    """A test tried to reach an address beyond loopback."""


def _check_loopback(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in {"", "localhost"}:
        return
    try:
        if ipaddress.ip_address(name.partition("%")[0]).is_loopback:
            return
    except ValueError:
        pass
    raise LeftThisMachine(f"tests stay on loopback, but one asked for {name!r}")


@pytest.fixture(scope="session", autouse=True)
def _stay_on_loopback() -> Iterator[None]:
    """Connections and name look-ups beyond loopback fail the test that makes them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded_method(getattr(socket.socket, name)))
        look_up = socket.getaddrinfo

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            if host is not None:
                _check_loopback(host)
            return look_up(host, *args, **kwargs)

        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


def _guarded_method(original: Any) -> Any:
    def guarded(self: socket.socket, *args: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _check_loopback(args[-1][0])
        return original(self, *args)

    return guarded


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """One PostgreSQL cluster for the whole run."""
    with PostgresCluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own, as `postgresql://user:password@host:port/name`."""
    url = postgres_cluster.create_database()
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite file of this test's own that does not exist yet."""
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of this test's own, once on each engine: contract tests of the store ask for this one."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def openssh_server() -> Iterator[OpenSshServer]:
    """OpenSSH's own server for the whole run; `new_mailbox(name)` gives a test folders of its own."""
    with running_openssh() as server:
        yield server


@pytest.fixture(scope="session")
def cleanclaim_command() -> str:
    """Path of the installed command: this environment's, or the one CLEANCLAIM_COMMAND names (an installed wheel)."""
    command = Path(os.environ.get("CLEANCLAIM_COMMAND") or Path(sys.executable).with_name("cleanclaim"))
    assert command.is_file(), f"{command} is missing: run `make test`, which installs it"
    return str(command)
