"""The EHRs' side of the ingest stage, in processes of their own: they import little, so that they start at once."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from adapters.hl7.framing import FrameDecoder, frame
from gateway.ports import FHIR_CONTENT


def send_hl7(port: int, path: str, connections: int, window: int) -> float:
    """Send messages over several connections at once, ``window`` of them before each waits for its answers.

    Seconds from the first byte to the last acknowledgement.
    """
    messages = [each.encode("latin-1") for each in json.loads(Path(path).read_text())]
    return asyncio.run(_send_all(port, [messages[start::connections] for start in range(connections)], window))


async def _send_all(port: int, shares: list[list[bytes]], window: int) -> float:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in shares]
    began = time.perf_counter()
    await asyncio.gather(*(_send(*streams, share, window) for streams, share in zip(opened, shares, strict=True)))
    seconds = time.perf_counter() - began
    for _, writer in opened:
        writer.close()
    return seconds


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, share: list[bytes], window: int) -> None:
    decoder = FrameDecoder()
    for start in range(0, len(share), window):
        sent = share[start : start + window]
        writer.write(b"".join(map(frame, sent)))
        await writer.drain()
        answered = 0
        while answered < len(sent):
            chunk = await reader.read(65_536)
            if not chunk:
                raise ConnectionError("the listener hung up")
            for answer in decoder.feed(chunk):
                if b"MSA|AA|" not in answer:
                    raise ValueError("a message was not accepted")
                answered += 1


def post_bundles(port: int, token: str, path: str, connections: int) -> float:
    """Post Bundles over several kept connections; seconds from the first request to the last answer."""
    bundles = [each.encode() for each in json.loads(Path(path).read_text())]
    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        shares = (bundles[start::connections] for start in range(connections))
        for done in [pool.submit(_post, port, token, share) for share in shares]:
            done.result()
    return time.perf_counter() - began


def _post(port: int, token: str, share: list[bytes]) -> None:
    headers = {"Content-Type": FHIR_CONTENT, "Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        for bundle in share:
            connection.request("POST", "/fhir", body=bundle, headers=headers)
            response = connection.getresponse()
            response.read()
            if response.status >= 300:
                raise ValueError(f"a Bundle was answered {response.status}")
    finally:
        connection.close()
