"""The MLLP listener: frames of all connections, in batches, to one writer; each answer only after its batch returned.

Knows limits and sockets. What a message means and where it is stored is the injected `receive`'s business.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ipaddress
import ssl
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from adapters.batching import BatchWriter
from adapters.hl7.ack import write_answer, write_failure
from adapters.hl7.framing import MAX_FRAME_BYTES, FrameDecoder
from adapters.hl7.room import Room
from adapters.hl7.triage import Triage, find_header
from gateway.errors import GatewayError

_CHUNK_BYTES = 64 * 1024
_LINGER_S = 2.0


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """What one listener bears. Times in seconds, sizes in bytes.

    `frame_s` runs from the first byte of any kind after the last frame, so neither a trickle nor noise holds a
    connection. Below `small_frame_bytes` a connection is read however much the others hold, so that large frames never
    stop a small sender.
    """

    connections: int = 256
    connections_per_host: int = 32
    idle_s: float = 60.0
    frame_s: float = 60.0
    end_grace_s: float = 1.0
    write_s: float = 30.0
    tls_handshake_s: float = 10.0
    stop_s: float = 10.0
    frame_bytes: int = MAX_FRAME_BYTES
    held_bytes: int = 64 * 1024 * 1024
    small_frame_bytes: int = 64 * 1024
    batch_frames: int = 256


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """One message as it came: bytes, the peer's address, when, and the hash of its TLS certificate if it showed one."""

    raw: bytes
    peer: str
    received_at: datetime
    certificate_sha256: str = ""


BatchReceive = Callable[[Sequence[ReceivedFrame]], Sequence[bytes]]
"""Commits a batch; for each frame the wire bytes to answer with (empty: nothing is to be said)."""


@dataclass(frozen=True, slots=True)
class ListenerEvent:
    """Something an operator should see: a stable name, the peer's address, a number; never content."""

    name: str
    peer: str
    count: int = 1
    detail: str = ""


class PlaintextRefused(GatewayError):
    """MLLP without TLS is served on loopback alone; give a TLS context, or allow plaintext for this listener."""


def _ignore(event: ListenerEvent) -> None:
    """Events go nowhere unless somebody listens."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MllpListener:
    """One listening address. `receive` is called in one thread, one batch at a time; if it raises, the answer is AE."""

    def __init__(
        self,
        receive: BatchReceive,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        allow_plaintext: bool = False,
        limits: ListenerLimits | None = None,
        report: Callable[[ListenerEvent], None] = _ignore,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if tls is None and not allow_plaintext and not _is_loopback(host):
            raise PlaintextRefused
        self.limits = limits or ListenerLimits()
        self.report = report
        self.now = now
        self.counted: Counter[str] = Counter()
        self.room = Room(self.limits.held_bytes, self.limits.small_frame_bytes)
        self.writer = BatchWriter(receive, self.limits.batch_frames, "hl7-writer")
        self.stopping = False
        self._host = host
        self._port = port
        self.tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self) -> None:
        """Listen. Raises OSError where the address cannot be had."""
        # TLS begins after a connection is counted: one that stalls in its handshake is under the limits too.
        self._server = await asyncio.start_server(self._accept, self._host, self._port, limit=_CHUNK_BYTES, backlog=256)

    @property
    def port(self) -> int:
        """The port listened on, known after `start`."""
        if self._server is None or not self._server.sockets:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Accept no more, answer what is being stored, close every connection; unfinished frames are never answered."""
        self.stopping = True
        if self._server is not None:
            self._server.close()
        tasks = [connection.task for connection in self._connections]
        for connection in self._connections:
            connection.stop_reading()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self.limits.stop_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.writer.stop()

    def counts(self) -> dict[str, int]:
        """Every counter by name, the open connections' included."""
        totals = self.counted.copy()
        for connection in self._connections:
            totals.update(connection.decoder_counts())
        totals.update(self.writer.counted)
        totals["connections_open"] = len(self._connections)
        totals["held_bytes"] = self.room.held
        return dict(totals)

    def failure_answers(self, frames: Sequence[ReceivedFrame], error: BaseException, peer: str) -> list[bytes]:
        """AE for every frame of a batch that could not be stored."""
        self.report(ListenerEvent("receive_failed", peer, len(frames), type(error).__name__))
        return [write_failure(f.raw, answered_at=self.now(), control_id=_new_control_id()) for f in frames]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peername = writer.get_extra_info("peername")
        host = str(peername[0]) if peername else "unknown"
        refusal = self._refusal(host)
        if refusal:
            self.counted[refusal] += 1
            self.report(ListenerEvent(refusal, host))
            writer.transport.abort()
            return
        self.counted["connections_accepted"] += 1
        connection = _Connection(self, reader, writer, host)
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)
            self.counted.update(connection.decoder_counts())

    def _refusal(self, host: str) -> str:
        if self.stopping or len(self._connections) >= self.limits.connections:
            return "connections_refused"
        if sum(connection.host == host for connection in self._connections) >= self.limits.connections_per_host:
            return "connections_refused_for_host"
        return ""


class _Connection:
    """One peer: reads, submits, answers in its own order, and reads no further until those answers are written."""

    def __init__(
        self, listener: MllpListener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.host = host
        self._listener = listener
        self._reader = reader
        self._writer = writer
        self._limits = listener.limits
        self._decoder = FrameDecoder(listener.limits.frame_bytes)
        self._certificate = ""
        self._reading = False
        self._noise_seen = False

    def decoder_counts(self) -> dict[str, int]:
        """What this connection's decoder met."""
        return asdict(self._decoder.counts)

    def stop_reading(self) -> None:
        """End the connection where it only waits for bytes; one that is being answered ends itself afterwards."""
        if self._reading:
            self.task.cancel()

    async def serve(self) -> None:
        """Run until the peer leaves, a limit is passed, or the listener stops."""
        try:
            await self._begin_tls()
            await self._serve()
        except (ConnectionError, ssl.SSLError):
            self._listener.counted["connections_lost"] += 1
        except asyncio.CancelledError:
            # Only the listener's own stop cancels a connection, and it waits for this task to end.
            if not self._listener.stopping:
                raise
        finally:
            self._listener.room.leave(self)
            await self._close()

    async def _begin_tls(self) -> None:
        context = self._listener.tls
        if context is None:
            return
        self._reading = True
        await self._writer.start_tls(context, ssl_handshake_timeout=self._limits.tls_handshake_s)
        self._reading = False
        self._certificate = _certificate_hash(self._writer)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        idle_until = loop.time() + self._limits.idle_s
        frame_until: float | None = None
        while not self._listener.stopping:
            was_inside = self._decoder.inside_frame
            chunk = await self._read(idle_until if frame_until is None else min(idle_until, frame_until))
            if chunk is None:
                self._count_timeout(frame_until is not None and loop.time() >= frame_until)
                return
            frames = self._decoder.end_of_input() if not chunk else self._decoder.feed(chunk)
            self._report_noise()
            await self._answer(frames)
            if self._decoder.overflow is not None:
                await self._refuse_large_frame(self._decoder.overflow)
                return
            if not chunk and not frames:
                return
            idle_until = loop.time() + self._limits.idle_s
            frame_until = self._frame_deadline(frame_until, bool(frames), was_inside, loop.time())
            if not chunk and self._reader.at_eof():
                return

    def _frame_deadline(self, until: float | None, finished_one: bool, was_inside: bool, now: float) -> float | None:
        inside = self._decoder.inside_frame
        if finished_one and not inside:
            return None
        if until is None or finished_one or (inside and not was_inside):
            return now + self._limits.frame_s
        return until

    async def _read(self, until: float) -> bytes | None:
        """The next bytes; b"" at the end of input or when the CR after EB does not come; None when time is up."""
        loop = asyncio.get_running_loop()
        grace = loop.time() + self._limits.end_grace_s if self._decoder.awaits_carriage_return else None
        self._reading = True
        try:
            async with asyncio.timeout_at(until if grace is None else min(until, grace)):
                await self._listener.room.wait_for(self, self._decoder.buffered_bytes)
                return await self._reader.read(_CHUNK_BYTES)
        except TimeoutError:
            return b"" if grace is not None and grace <= until else None
        finally:
            self._reading = False

    async def _answer(self, contents: list[bytes]) -> None:
        room = self._listener.room
        room.hold(self, self._decoder.buffered_bytes + sum(map(len, contents)))
        received_at = self._listener.now()
        size = self._limits.batch_frames
        for start in range(0, len(contents), size):
            frames = [
                ReceivedFrame(raw, self.host, received_at, self._certificate) for raw in contents[start : start + size]
            ]
            try:
                answers = await self._listener.writer.submit(frames)
            except Exception as error:  # Whatever kept the batch from being stored, the sender hears AE.
                answers = self._listener.failure_answers(frames, error, self.host)
            await self._write(b"".join(answers))
        room.hold(self, self._decoder.buffered_bytes)

    async def _write(self, answer: bytes) -> None:
        if not answer:
            return
        self._writer.write(answer)
        try:
            async with asyncio.timeout(self._limits.write_s):
                await self._writer.drain()
        except TimeoutError:
            self._listener.counted["answers_not_taken"] += 1
            self._writer.transport.abort()
            raise ConnectionAbortedError("the peer does not read its answers") from None

    async def _refuse_large_frame(self, beginning: bytes) -> None:
        self._listener.report(ListenerEvent("frame_too_large", self.host))
        header = find_header(beginning)
        if header is None:
            return
        text = f"the message is larger than {self._limits.frame_bytes} bytes"
        verdict = Triage("refuse", "AR", "too-large", text, header)
        await self._write(write_answer(verdict, answered_at=self._listener.now(), control_id=_new_control_id()))
        await self._drain_unread()

    async def _drain_unread(self) -> None:
        """Read on a little without keeping it: closing over unread bytes would take the answer back (TCP reset)."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LINGER_S):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                while await self._reader.read(_CHUNK_BYTES):
                    pass

    def _count_timeout(self, frame_took_too_long: bool) -> None:
        name = "frames_timed_out" if frame_took_too_long else "idle_closed"
        self._listener.counted[name] += 1
        if frame_took_too_long:
            self._listener.report(ListenerEvent(name, self.host))

    def _report_noise(self) -> None:
        if self._decoder.counts.noise_bytes and not self._noise_seen:
            self._noise_seen = True
            self._listener.report(ListenerEvent("noise", self.host, self._decoder.counts.noise_bytes))

    async def _close(self) -> None:
        self._writer.close()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
                return
        self._writer.transport.abort()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _certificate_hash(writer: asyncio.StreamWriter) -> str:
    tls = writer.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    return hashlib.sha256(certificate).hexdigest() if certificate else ""


def _new_control_id() -> str:
    return uuid.uuid4().hex[:20].upper()
