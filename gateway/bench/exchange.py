"""The exchange stage: a full file frozen and uploaded over SFTP to the sandbox, its answers collected and applied."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from clearinghouse.x12.read_835 import stream_835
from clearinghouse.x12.read_837 import stream_837
from gateway.bench.children import peak_mb
from gateway.bench.rows import compared
from gateway.bench.sites import CONNECTION, claims_in, drain, folder_of_site, freeze_all, site_in, take_in
from gateway.bench.timing import on_own_core, on_processor, on_the_wall, sized
from gateway.bench.weeks import DATES, week_messages
from gateway.errors import Unavailable
from gateway.lifecycle import ClaimState
from gateway.wiring.collector import settled
from gateway.wiring.new_site import SANDBOX_PORT
from gateway.wiring.sandbox import FOLDER, USER, serve_for_site
from gateway.wiring.site import Site

_PATIENCE_S = 60.0
_ANSWERED = (ClaimState.PAID, ClaimState.DENIED, ClaimState.PARTIAL, ClaimState.ZERO_PAY)


def trade(scale: float) -> list[dict[str, Any]]:
    """Claims a second out of the door and back, with a clearinghouse in a process of its own at the other end."""
    claims = sized(400, scale, 2)
    with folder_of_site() as folder, _clearinghouse(folder), site_in(folder) as site:
        take_in(site, week_messages(0, claims, DATES[:1]))
        drain(site.interpreting.run)
        drain(site.deriving.run)
        before_mb = peak_mb()
        with settled():
            freezing_s, interchanges = on_own_core(partial(freeze_all, site))
            uploading_s, _ = on_the_wall(lambda: [site.sending.deliver(each) for each in interchanges])
            answers = _wait_for_answers(folder, len(interchanges))
            collecting_s, _ = on_the_wall(partial(site.collecting.run, CONNECTION))
        peak = peak_mb()
        _check(site, claims, interchanges)
        reading_s, _ = on_processor(partial(_read_alone, _frozen(site, interchanges), answers))
    theirs, reference = claims / reading_s, "the same 837 and 835 read to values alone"
    rows = [
        compared(
            "claims frozen", claims / freezing_s, "claims/s", reference, theirs,
            note=f"{freezing_s:.2f} s for {claims:,} claims of one date",
        ),
        compared(
            "frozen file uploaded over SFTP", claims / uploading_s, "claims/s", reference, theirs,
            note=f"{uploading_s:.2f} s for {claims:,} claims; connecting, four markers committed, delivery proven",
        ),
        compared(
            "answers collected and applied", claims / collecting_s, "claims/s", reference, theirs,
            note=f"{collecting_s:.2f} s for TA1, 999, 277CA and 835 of {claims:,} claims",
        ),
        compared(
            "exchange, peak memory", peak, "MB", "the same process before it", before_mb,
            budget="under 300 MB", at_most=300.0,
        ),
    ]  # fmt: skip
    return [row.document() for row in rows]


def _read_alone(frozen: list[bytes], answers: list[bytes]) -> None:
    for content in frozen:
        for _ in stream_837(content):
            pass
    for content in answers:
        for _ in stream_835(content):
            pass


def _frozen(site: Site, interchanges: list[str]) -> list[bytes]:
    with site.store.read() as tx:
        rows = [tx.exchanges.interchange(each) for each in interchanges]
        return [tx.exchanges.raw(row.sha256) for row in rows if row]


def _check(site: Site, claims: int, interchanges: list[str]) -> None:
    """A fast exchange that loses claims is no exchange."""
    with site.store.read() as tx:
        states = tx.claims.states()
    answered = sum(states.get(each, 0) for each in _ANSWERED)
    if claims_in(site, interchanges) != claims or answered != claims:
        raise ValueError(f"of {claims} claims {answered} were answered: {dict(states)}")


# --- the clearinghouse, in a process of its own ----------------------------------------------------------------------


@contextmanager
def _clearinghouse(folder: Path) -> Iterator[None]:
    """The sandbox of a site on a free port, which the site's mapping file is told, for as long as the block runs."""
    announced = folder / "announced.json"
    command = [sys.executable, "-m", "gateway.bench", "exchange.clear", json.dumps({"folder": str(folder)}), os.devnull]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(announced.is_file, "the sandbox of the bench did not start")
        file = folder / "mappings" / "clearinghouses" / "sandbox.yaml"
        port = json.loads(announced.read_text())["port"]
        file.write_text(file.read_text().replace(f"port: {SANDBOX_PORT}", f"port: {port}"))
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE_S)


def clear(folder: str) -> None:
    """Run the sandbox of the site in a folder until SIGTERM; its port is written beside the settings."""
    announced = Path(folder) / "announced.json"

    def announce(found: Any) -> None:
        written = announced.with_suffix(".new")
        written.write_text(json.dumps({"port": found["port"]}))
        written.replace(announced)

    serve_for_site(Path(folder), port=0, seed=2026, faults=(), announce=announce)


def _wait_for_answers(folder: Path, files: int) -> list[bytes]:
    """The 835s, once the clearinghouse has put out one for each file it took."""
    outbox = folder / FOLDER / "mailboxes" / USER / "download"
    _wait(lambda: len(list(outbox.glob("835_*"))) >= files, "the sandbox of the bench did not pay")
    return [path.read_bytes() for path in sorted(outbox.glob("835_*"))]


def _wait(ready: Any, otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not ready():
        if time.monotonic() > deadline:
            raise Unavailable(otherwise)
        time.sleep(0.02)
