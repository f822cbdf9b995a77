"""The ingest stage's FHIR half: Bundles over real HTTP to committed and answered, beside validation alone."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import uvicorn

from clearinghouse.secret import resolve_secret
from gateway.api.app import create_app
from gateway.bench.children import run_task
from gateway.bench.machine import titled
from gateway.bench.rows import compared
from gateway.bench.sites import folder_of_site, site_in
from gateway.bench.timing import on_processor, sized
from gateway.bench.weeks import week_messages
from gateway.demo.feed import Feed
from gateway.errors import Unavailable
from gateway.wiring.collector import settled
from gateway.wiring.site import Site

CONNECTIONS = 16
_WARM, _OF_WEEK = 20, 6
_START_S = 20.0


def receive(scale: float) -> list[dict[str, Any]]:
    """Bundles a second that are validated and on disk before their answer leaves, every Bundle different."""
    patients = sized(60, scale, 2)
    bundles = [each.content for each in week_messages(0, 2 * patients) if each.feed is Feed.FHIR]
    warm, timed = bundles[:_WARM], bundles[_WARM:] or bundles
    with folder_of_site() as folder, site_in(folder) as site:
        token = resolve_secret(f"file:secrets/{Feed.FHIR}.token", folder).reveal()
        with _served(site) as port, settled():
            _post(port, token, warm)
            per_second = len(timed) / _post(port, token, timed)
    theirs = _validated(warm, timed)
    average = sum(map(len, timed)) / len(timed) / 1024
    row = compared(
        "FHIR Bundle to answer", per_second, "bundles/s", f"{titled('fhir.resources')} R4B, validation alone", theirs,
        budget=">= 0.67x validation alone", at_least_ratio=0.67,
        note=f"{CONNECTIONS} connections, {average:.1f} KB a Bundle, SQLite WAL synchronous=FULL",
    )  # fmt: skip
    return [row.document()]


@contextmanager
def _served(site: Site) -> Iterator[int]:
    """A site's whole HTTP application on a free port, for as long as the block runs."""
    app = create_app(site, lambda: None)
    settings = uvicorn.Config(
        app, http="h11", host="127.0.0.1", port=0, log_level="critical", access_log=False, lifespan="off"
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, name="bench-http", daemon=True)
    thread.start()
    try:
        yield _port_of(server)
    finally:
        server.should_exit = True
        thread.join(_START_S)


def _port_of(server: uvicorn.Server) -> int:
    deadline = time.monotonic() + _START_S
    while not server.started:
        if time.monotonic() > deadline:
            raise Unavailable("the HTTP server of the bench did not start")
        time.sleep(0.01)
    return int(server.servers[0].sockets[0].getsockname()[1])


def _post(port: int, token: str, bundles: list[bytes]) -> float:
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as folder:
        path = Path(folder) / "bundles.json"
        path.write_text(json.dumps([each.decode() for each in bundles]))
        return float(
            run_task("senders.post_bundles", connections=CONNECTIONS, port=port, token=token, path=str(path)).result
        )


# --- the reference ---------------------------------------------------------------------------------------------------


def _validated(warm: list[bytes], bundles: list[bytes]) -> float:
    """Bundles a second through fhir.resources' model alone; nothing is stored or answered."""
    model = import_module("fhir.resources.R4B.bundle").Bundle

    def validate(documents: list[bytes]) -> None:
        for document in documents:
            model.model_validate(orjson.loads(document))

    validate(warm)
    seconds, _ = on_processor(lambda: validate(bundles))
    return len(bundles) / seconds
