"""One process of a site: HTTP, MLLP listeners and the work loop, as its role says, until it is asked to stop."""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from gateway.api.app import create_app
from gateway.cli.http_connections import BoundedConnection
from gateway.config import Listener, Settings, read_settings
from gateway.errors import ConfigurationError, Unavailable
from gateway.wiring.collector import settled
from gateway.wiring.feeds import mllp_listeners
from gateway.wiring.saved_mappings import SavedMappings
from gateway.wiring.site import Site, open_site
from gateway.workers import WorkLoop, work_loop

_LOG = structlog.get_logger("serve")
_HTTP_GRACE_S = 10
_LOOK_AGAIN_S = 0.01
_LOOK_FOR_MAPPINGS_S = 2.0

Announce = Callable[[str], None]


def serve(folder: Path, role: str, *, open_to_network: bool, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight is finished first.

    Mapping files saved meanwhile are taken over when they hold. When another mapping set is put in force the
    doors close, open again on the same ports, and go by the new one.
    On PostgreSQL any number of processes serve one site, and a lease found at the start may be of one that is alive.
    Raises ConfigurationError, Unavailable.
    """
    with _sole_process(read_settings(folder), role) as sole:
        ports: dict[str, int] = {}
        saved = SavedMappings(read_settings(folder))
        saved.begin()
        while True:
            site = open_site(folder)
            try:
                if sole:
                    for connection in site.exchanges:
                        site.sending.release_leases(connection)
                process = _Process(_on_ports(site, ports), saved, role, open_to_network, announce)
                with settled():
                    again = asyncio.run(process.run())
            finally:
                site.close()
            if not again:
                return
            ports = process.ports


def _on_ports(site: Site, ports: Mapping[str, int]) -> Site:
    """The site with its doors on the ports they had, for those that took any free one."""
    settings = site.settings
    sources = tuple(
        replace(each, mllp=replace(each.mllp, port=ports.get(f"mllp:{each.name}", each.mllp.port)))
        if each.mllp is not None
        else each
        for each in settings.sources
    )
    http = replace(settings.http, port=ports.get("http", settings.http.port))
    return replace(site, settings=replace(settings, http=http, sources=sources))


@contextmanager
def _sole_process(settings: Settings, role: str) -> Iterator[bool]:
    """True on SQLite, where one process works and a second one is refused; on PostgreSQL there may be others."""
    if role not in ("all", "work") or not settings.is_embedded:
        yield False
        return
    path = settings.folder / "run" / "sender.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable("another process serves this site already; stop it first") from None
        yield True


class _Process:
    """The doors of one role, opened, announced, and closed in order."""

    def __init__(self, site: Site, saved: SavedMappings, role: str, open_to_network: bool, announce: Announce) -> None:
        self._site = site
        self._saved = saved
        self._announce = announce
        self._open_to_network = open_to_network
        self.ports: dict[str, int] = {}
        """The doors' ports by name, known once they are open."""
        self._works = role in ("all", "work")
        self._answers = role in ("all", "api")
        self._listens = role in ("all", "mllp")
        name = "ports.json" if role == "all" else f"ports-{role}.json"
        self._ports_file = site.settings.folder / "run" / name

    async def run(self) -> bool:
        """Open, wait to be asked to stop, close. True when it should be run again, by another mapping set."""
        stopping = asyncio.Event()
        _stop_on_signals(stopping)
        passes = work_loop(self._site, works=self._works)
        notify = passes.wake if passes is not None else _nothing_to_wake
        listeners = mllp_listeners(self._site, notify) if self._listens else []
        http = self._http_server(notify) if self._answers else None
        started = []
        try:
            for name, listener in listeners:
                await _listen(name, listener)
                started.append(listener)
                self._opened(f"mllp:{name}", f"HL7 of {name} over MLLP", listener.port)
            if http is not None:
                await http.start()
                self._opened("http", "FHIR and API over HTTP", http.port)
            if passes is not None:
                await self._start(passes)
            if self.ports:
                self._write_ports()
            self._announce("ready; Ctrl-C or SIGTERM stops it when what is under way is done")
            await self._until(stopping, http)
        finally:
            self._ports_file.unlink(missing_ok=True)
            await asyncio.gather(*(listener.stop() for listener in started))
            if http is not None:
                await http.stop()
            if passes is not None:
                await asyncio.to_thread(passes.stop)
        self._announce("stopped" if stopping.is_set() else "another mapping set is in force; opening again")
        return not stopping.is_set()

    async def _until(self, stopping: asyncio.Event, http: _HttpServer | None) -> None:
        """Until somebody asks to stop, another mapping set is in force, or HTTP ends by itself, which it should not."""
        waits = [asyncio.create_task(stopping.wait()), asyncio.create_task(self._another_set())]
        if http is not None:
            waits.append(asyncio.create_task(http.ended()))
        done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in pending:
            each.cancel()
        if waits[2:] and waits[2] in done:
            raise Unavailable("the HTTP server ended by itself; start again, and look at its log")

    async def _another_set(self) -> bool:
        """Until the database names another mapping set than the one we go by, and the site can be opened with it."""
        ours = refused = self._site.policy.catalogue.content_hash
        while True:
            await asyncio.sleep(_LOOK_FOR_MAPPINGS_S)
            try:
                await asyncio.to_thread(self._saved.look, self._site.store)
                found = await asyncio.to_thread(self._set_in_force)
                if found in (ours, refused):
                    continue
                await asyncio.to_thread(self._try_to_open)
            except Unavailable:
                continue  # the database is away; whoever needs it says so
            except ConfigurationError as error:
                refused = found
                _LOG.error("mapping-set-not-taken-up", problems=len(error.problems), next="cleanclaim mappings check")
            else:
                return True

    def _set_in_force(self) -> str:
        with self._site.store.read() as tx:
            return tx.mapping_sets.in_force() or ""

    def _try_to_open(self) -> None:
        open_site(self._site.settings.folder).close()

    def _http_server(self, notify: Callable[[], None]) -> _HttpServer:
        where = self._site.settings.http
        if not (_is_loopback(where.host) or self._open_to_network):
            raise ConfigurationError(
                [f"http.host {where.host} is open to the network without TLS; put a TLS proxy in front, or serve with "
                 "--open-to-network where one is there already"]
            )  # fmt: skip
        return _HttpServer(create_app(self._site, notify), where)

    async def _start(self, passes: WorkLoop) -> None:
        await asyncio.to_thread(passes.start)
        if passes.lanes:
            self._announce(f"work: {', '.join(lane.name for lane in passes.lanes)}")

    def _opened(self, name: str, what: str, port: int) -> None:
        self.ports[name] = port
        host = self._site.settings.http.host if name == "http" else self._mllp_host(name.removeprefix("mllp:"))
        address = f"http://{host}:{port}" if name == "http" else f"{host}:{port}"
        self._announce(f"{what}: {address}")

    def _mllp_host(self, source: str) -> str:
        return next((each.mllp.host for each in self._site.settings.sources if each.name == source and each.mllp), "")

    def _write_ports(self) -> None:
        """Appears whole or not at all, so that a script that finds it can trust it."""
        self._ports_file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._ports_file.with_suffix(".tmp")
        unfinished.write_text(json.dumps({"pid": os.getpid(), "ports": self.ports}) + "\n")
        unfinished.replace(self._ports_file)


class _HttpServer:
    """uvicorn without its own ideas about signals and logs."""

    def __init__(self, app: Any, where: Listener) -> None:
        config = uvicorn.Config(
            app,
            http=BoundedConnection,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_HTTP_GRACE_S,
        )
        self._server = _QuietServer(config)
        self._socket = _bind(where)
        self.port: int = self._socket.getsockname()[1]
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer requests from now on."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def ended(self) -> bool:
        """Until it ends by itself, which it should not."""
        if self._serving is not None:
            await asyncio.wait([self._serving])
        return True

    async def stop(self) -> None:
        """Finish the requests that are being answered."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._socket.close()


class _QuietServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(where: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        return socket.create_server((where.host, where.port), family=family, backlog=2048)
    except OSError as error:
        raise _cannot_listen("http", where.host, where.port, error) from error


async def _listen(name: str, listener: Any) -> None:
    try:
        await listener.start()
    except OSError as error:
        raise _cannot_listen(f"the MLLP listener of {name}", "its address", listener.port, error) from error


def _cannot_listen(what: str, host: str, port: int, error: OSError) -> Unavailable:
    return Unavailable(f"{what} cannot listen on {host} port {port}: {error.strerror}; give another in site.yaml")


def _stop_on_signals(stopping: asyncio.Event) -> None:
    """The first signal asks to stop; a second one ends the process at once, which loses nothing committed."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def _nothing_to_wake() -> None:
    """Another process does the work, on SQLite: it looks by itself."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
