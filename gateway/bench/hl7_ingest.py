"""The ingest stage's HL7 half: frames over real MLLP sockets to committed rows to ACKs, beside hl7apy's parse alone."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from adapters.hl7.mllp import MllpListener
from gateway.bench.children import run_task
from gateway.bench.machine import titled
from gateway.bench.rows import compared
from gateway.bench.sites import folder_of_site, site_in
from gateway.bench.timing import on_processor, sized
from gateway.demo import hl7_feed
from gateway.demo.feed import Feed
from gateway.demo.month import clinic_month
from gateway.ports.work import WorkKind
from gateway.wiring.collector import settled
from gateway.wiring.feeds import hl7_receive
from gateway.wiring.site import Site

CONNECTIONS = 16
_PIPELINED = 50
_WARM = 100
_PARSED_BY_HL7APY = 30


def receive(scale: float) -> list[dict[str, Any]]:
    """Messages a second that are on disk before their ACK leaves, every message different."""
    count = sized(1_500, scale, CONNECTIONS)
    messages = month_of_hl7(_WARM + 2 * count)
    with folder_of_site() as folder, site_in(folder) as site, settled():
        _serve(site, messages[:_WARM], 1)
        in_turn = _serve(site, messages[_WARM : _WARM + count], 1)
        pipelined = _serve(site, messages[_WARM + count :], _PIPELINED)
        stored = _stored(site)
    if stored != len(messages):
        raise ValueError(f"of {len(messages)} messages {stored} are on disk")
    theirs = _hl7apy(messages[:: max(1, len(messages) // sized(_PARSED_BY_HL7APY, scale, 2))])
    note = f"{CONNECTIONS} connections, month of ADT, DFT and SIU, SQLite WAL synchronous=FULL"
    reference = f"{titled('hl7apy')}, parse alone"
    rows = [
        compared(
            name, per_second, "messages/s", reference, theirs,
            budget=">= 2,000 messages/s", at_least=2_000.0, note=note,
        )
        for name, per_second in (
            ("HL7 frame to ACK, pipelined", pipelined),
            ("HL7 frame to ACK, one message at a time a connection", in_turn),
        )
    ]  # fmt: skip
    return [row.document() for row in rows]


def month_of_hl7(count: int) -> list[bytes]:
    """That many HL7 messages of the demo's recovery center, in the order it sent them."""
    patients = 48
    while True:
        told = [each for each in clinic_month(patients=patients).tellings() if each.feed is Feed.HL7]
        if len(told) >= count:
            return [hl7_feed.render(each, f"H{number:07d}") for number, each in enumerate(told[:count])]
        patients *= 2


def _serve(site: Site, messages: list[bytes], window: int) -> float:
    """Messages a second of one sender's round; the sender is another process."""
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as folder:
        path = Path(folder) / "messages.json"
        path.write_text(json.dumps([each.decode("latin-1") for each in messages]))
        seconds: float = asyncio.run(_listen(site, path, window))
    return len(messages) / seconds


async def _listen(site: Site, path: Path, window: int) -> float:
    listener = MllpListener(hl7_receive(site, Feed.HL7, lambda: None), now=site.clock.now)
    await listener.start()
    try:
        sending = partial(
            run_task, "senders.send_hl7", connections=CONNECTIONS, port=listener.port, path=str(path), window=window
        )
        outcome = await asyncio.to_thread(sending)
    finally:
        await listener.stop()
    return float(outcome.result)


def _stored(site: Site) -> int:
    with site.store.read() as tx:
        return tx.work.count().get(WorkKind.INTERPRET_MESSAGE, 0)


# --- the reference ---------------------------------------------------------------------------------------------------


def _hl7apy(messages: list[bytes]) -> float:
    """Messages a second through hl7apy's parse, groups found, nothing validated or stored."""
    parse = import_module("hl7apy.parser").parse_message
    logging.getLogger("hl7apy").addHandler(logging.NullHandler())
    texts = [each.decode("latin-1") for each in messages]
    parse(texts[0])
    seconds, _ = on_processor(lambda: [parse(text) for text in texts])
    return len(texts) / seconds
