"""The listener over real sockets: what a peer sees, with the receiver in its own thread as in production."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.hl7.ack import prepare_receipt
from adapters.hl7.client import MllpClient, NoAcknowledgement
from adapters.hl7.er7 import read_message
from adapters.hl7.framing import FrameDecoder, frame
from adapters.hl7.mllp import ListenerEvent, ListenerLimits, MllpListener, PlaintextRefused, ReceivedFrame
from tests.unit.hl7.samples import ADT, message

NOW = datetime.datetime(2026, 8, 3, tzinfo=datetime.UTC)


class Store:
    """Keeps what it is given, as a database would, and answers as the owner of the listener does."""

    def __init__(self, wait: threading.Event | None = None) -> None:
        self.raws: list[bytes] = []
        self.batches: list[int] = []
        self.threads: set[str] = set()
        self.peers: list[ReceivedFrame] = []
        self.failure: Exception | None = None
        self.entered = threading.Event()
        self._wait = wait

    def receive(self, frames: Sequence[ReceivedFrame]) -> list[bytes]:
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        if self._wait is not None:
            self._wait.wait(10)
        if self.failure is not None:
            raise self.failure
        self.batches.append(len(frames))
        self.peers.extend(frames)
        self.raws.extend(one.raw for one in frames)
        return [prepare_receipt(one.raw, answered_at=NOW, control_id="ACK").answer for one in frames]


def codes(answers: Sequence[bytes]) -> list[tuple[str, str]]:
    found = [read_message(answer).segments_named("MSA")[0] for answer in answers]
    return [(segment.value(1), segment.value(2)) for segment in found]


async def read_answers(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    decoder, answers = FrameDecoder(), list[bytes]()
    while len(answers) < count:
        chunk = await asyncio.wait_for(reader.read(65536), 5)
        if not chunk:
            break
        answers += decoder.feed(chunk)
    return answers


def serve(
    store: Store,
    scenario: Callable[[MllpListener], Awaitable[None]],
    limits: ListenerLimits | None = None,
    tls: ssl.SSLContext | None = None,
) -> tuple[dict[str, int], list[ListenerEvent]]:
    """Run a scenario against a listener, stop it, and return its counters and events."""
    events: list[ListenerEvent] = []

    async def run() -> dict[str, int]:
        listener = MllpListener(store.receive, limits=limits, tls=tls, report=events.append)
        await listener.start()
        try:
            await asyncio.wait_for(scenario(listener), 20)
        finally:
            await listener.stop()
        return listener.counts()

    return asyncio.run(run()), events


async def connect(listener: MllpListener) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", listener.port)


async def closed_by_peer(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(65536), 5) == b""
    except ConnectionError:
        return True


def test_a_message_is_answered_after_it_was_received_and_by_its_own_id() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        with MllpClient("127.0.0.1", listener.port) as client:
            answer = await asyncio.to_thread(client.send, ADT.encode())
        assert codes([answer]) == [("AA", "MSG1")]

    counts, events = serve(store, scenario)
    assert store.raws == [ADT.encode()]
    assert store.peers[0].peer == "127.0.0.1"
    assert (counts["frames"], counts["batches"], counts["connections_accepted"]) == (1, 1, 1)
    assert (counts["connections_open"], counts["held_bytes"]) == (0, 0)
    assert events == []


@pytest.mark.fault("F42")
def test_no_answer_leaves_before_the_receiver_returned() -> None:
    wait = threading.Event()
    store = Store(wait)

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        writer.write(frame(ADT.encode()))
        await asyncio.to_thread(store.entered.wait, 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        wait.set()
        assert codes(await read_answers(reader, 1)) == [("AA", "MSG1")]
        writer.close()

    serve(store, scenario)


@pytest.mark.fault("F41")
def test_pipelined_messages_are_answered_in_their_own_order() -> None:
    store = Store()
    ids = [f"M{number}" for number in range(500)]

    async def scenario(listener: MllpListener) -> None:
        with MllpClient("127.0.0.1", listener.port) as client:
            answers = await asyncio.to_thread(client.send_all, [message(msh_10=one) for one in ids])
        assert codes(answers) == [("AA", one) for one in ids]

    serve(store, scenario)
    assert store.raws == [message(msh_10=one) for one in ids]
    assert len(store.batches) < len(ids)
    assert max(store.batches) <= 256
    assert len(store.threads) == 1


def test_many_connections_share_batches_and_each_hears_only_its_own_answers() -> None:
    wait = threading.Event()
    store = Store(wait)

    async def one_sender(listener: MllpListener, number: int) -> None:
        reader, writer = await connect(listener)
        writer.write(frame(message(msh_10=f"A{number}")) + frame(message(msh_10=f"B{number}")))
        assert codes(await read_answers(reader, 2)) == [("AA", f"A{number}"), ("AA", f"B{number}")]
        writer.close()
        await writer.wait_closed()

    async def scenario(listener: MllpListener) -> None:
        senders = [asyncio.create_task(one_sender(listener, number)) for number in range(100)]
        await asyncio.to_thread(store.entered.wait, 5)
        await asyncio.sleep(0.2)
        wait.set()
        await asyncio.gather(*senders)

    serve(store, scenario, ListenerLimits(connections_per_host=200))
    assert sum(store.batches) == 200
    assert len(store.batches) <= 5


@pytest.mark.fault("F41")
def test_bytes_one_at_a_time_and_noise_between_frames_are_understood_and_counted() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        for octet in b"noise" + frame(ADT.encode()) + b"\n":
            writer.write(bytes([octet]))
            await writer.drain()
        assert codes(await read_answers(reader, 1)) == [("AA", "MSG1")]
        writer.write(frame(ADT.encode()))
        assert codes(await read_answers(reader, 1)) == [("AA", "MSG1")]
        writer.close()

    counts, events = serve(store, scenario)
    assert (counts["frames"], counts["noise_bytes"], counts["tail_bytes"]) == (2, 5, 1)
    assert [event.name for event in events] == ["noise"]


@pytest.mark.fault("F41")
def test_a_sender_that_leaves_out_the_last_cr_is_answered() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        writer.write(frame(ADT.encode())[:-1])
        assert codes(await read_answers(reader, 1)) == [("AA", "MSG1")]
        writer.write(frame(message(msh_10="NEXT")))
        assert codes(await read_answers(reader, 1)) == [("AA", "NEXT")]
        writer.close()

    counts, _ = serve(store, scenario, ListenerLimits(end_grace_s=0.05))
    assert counts["ends_without_carriage_return"] == 1


def test_a_sender_that_closes_its_side_after_sending_still_hears_the_answer() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        writer.write(frame(ADT.encode()) + b"\x0bMSH|half")
        writer.write_eof()
        assert codes(await read_answers(reader, 2)) == [("AA", "MSG1")]
        writer.close()

    counts, _ = serve(store, scenario)
    assert counts["frames_cut_off"] == 1
    assert store.raws == [ADT.encode()]


def test_a_receiver_that_fails_is_told_as_ae_and_the_connection_lives_on() -> None:
    store = Store()
    store.failure = OSError("disk full of JANE DOE")

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        writer.write(frame(ADT.encode()) + frame(message(msh_10="ENH", msh_15="AL")) + frame(b"junk"))
        assert codes(await read_answers(reader, 3)) == [("AE", "MSG1"), ("CE", "ENH"), ("AE", "")]
        store.failure = None
        writer.write(frame(ADT.encode()))
        assert codes(await read_answers(reader, 1)) == [("AA", "MSG1")]
        writer.close()

    counts, events = serve(store, scenario)
    assert counts["batches_failed"] == 1
    assert events == [ListenerEvent("receive_failed", "127.0.0.1", 3, "OSError")]


def test_a_receiver_that_loses_count_of_its_answers_gives_no_positive_one() -> None:
    class Forgetful(Store):
        def receive(self, frames: Sequence[ReceivedFrame]) -> list[bytes]:
            return super().receive(frames)[:-1]

    async def scenario(listener: MllpListener) -> None:
        with MllpClient("127.0.0.1", listener.port) as client:
            answers = await asyncio.to_thread(client.send_all, [ADT.encode(), message(msh_10="B")])
        assert [code for code, _ in codes(answers)] == ["AE", "AE"]

    _, events = serve(Forgetful(), scenario)
    assert [event.detail for event in events] == ["AnswersMissing"] * len(events)


def test_an_empty_answer_says_nothing() -> None:
    class Silent(Store):
        def receive(self, frames: Sequence[ReceivedFrame]) -> list[bytes]:
            return [
                b"" if b"QUIET" in one.raw else answer
                for one, answer in zip(frames, super().receive(frames), strict=True)
            ]

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        writer.write(frame(message(msh_10="QUIET")) + frame(message(msh_10="LOUD")))
        assert codes(await read_answers(reader, 1)) == [("AA", "LOUD")]
        writer.close()

    serve(Silent(), scenario)


@pytest.mark.fault("F43")
def test_a_frame_over_the_limit_is_refused_by_its_id_and_the_connection_closed() -> None:
    store = Store()
    large = message(msh_10="BIG") + b"OBX|1|TX|||" + b"x" * 200_000

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        writer.write(frame(ADT.encode()) + frame(large))
        answers = await read_answers(reader, 3)
        assert codes(answers) == [("AA", "MSG1"), ("AR", "BIG")]
        writer.close()

    counts, events = serve(store, scenario, ListenerLimits(frame_bytes=100_000))
    assert store.raws == [ADT.encode()]
    assert counts["frames_too_large"] == 1
    assert [event.name for event in events] == ["frame_too_large"]


@pytest.mark.fault("F43")
def test_an_endless_frame_is_cut_off_without_being_kept() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        _, writer = await connect(listener)
        writer.write(b"\x0bMSH|^~\\&|")
        with pytest.raises((ConnectionError, TimeoutError)):
            async with asyncio.timeout(15):
                while True:
                    writer.write(b"x" * 65536)
                    await writer.drain()
        assert listener.counts()["held_bytes"] <= 400_000
        writer.close()

    serve(store, scenario, ListenerLimits(frame_bytes=300_000))
    assert store.raws == []


@pytest.mark.fault("F43")
def test_a_trickle_and_an_idle_connection_are_closed_and_a_working_one_is_not() -> None:
    store = Store()

    async def trickle(listener: MllpListener, beginning: bytes) -> None:
        reader, writer = await connect(listener)
        writer.write(beginning)
        started = time.monotonic()
        while time.monotonic() < started + 5 and not reader.at_eof():
            try:
                writer.write(b"x")
                await writer.drain()
                await asyncio.wait_for(reader.read(10), 0.05)
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert time.monotonic() - started < 3
        writer.close()

    async def idle(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        assert await closed_by_peer(reader)
        writer.close()

    async def working(listener: MllpListener) -> None:
        with MllpClient("127.0.0.1", listener.port) as client:
            for number in range(8):
                await asyncio.to_thread(client.send, message(msh_10=f"W{number}"))
                await asyncio.sleep(0.2)

    async def scenario(listener: MllpListener) -> None:
        await asyncio.gather(
            trickle(listener, b""), trickle(listener, b"\x0bMSH|^~\\&|"), idle(listener), working(listener)
        )

    counts, _ = serve(store, scenario, ListenerLimits(idle_s=0.8, frame_s=0.6))
    assert (counts["frames_timed_out"], counts["idle_closed"]) == (2, 1)
    assert len(store.raws) == 8


@pytest.mark.fault("F43")
def test_connections_are_limited_by_host_and_in_all_and_another_host_is_served() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        held = [await connect(listener) for _ in range(4)]
        await asyncio.sleep(0.05)
        refused = await connect(listener)
        assert await closed_by_peer(refused[0])
        with MllpClient("127.0.0.1", listener.port, source_address="127.0.0.2") as client:
            assert codes([await asyncio.to_thread(client.send, ADT.encode())]) == [("AA", "MSG1")]
            beyond = MllpClient("127.0.0.1", listener.port, source_address="127.0.0.3", timeout_s=2)
            with pytest.raises(NoAcknowledgement):
                await asyncio.to_thread(beyond.send, ADT.encode())
        for _, writer in [*held, refused]:
            writer.close()

    counts, events = serve(store, scenario, ListenerLimits(connections=5, connections_per_host=4))
    assert (counts["connections_refused_for_host"], counts["connections_refused"]) == (1, 1)
    assert {event.name for event in events} == {"connections_refused_for_host", "connections_refused"}


@pytest.mark.fault("F43")
def test_large_frames_over_the_bound_wait_while_small_senders_are_served() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        hogs = [await connect(listener) for _ in range(4)]
        for _, writer in hogs:
            writer.write(b"\x0b" + ADT.encode() + b"x" * 150_000)
        await asyncio.sleep(0.3)
        assert listener.counts()["held_bytes"] <= 400_000
        with MllpClient("127.0.0.1", listener.port) as client:
            started = time.monotonic()
            await asyncio.to_thread(client.send, ADT.encode())
            assert time.monotonic() - started < 1
        for _, writer in hogs:
            writer.write(b"\x1c\r")
        for reader, writer in hogs:
            assert codes(await read_answers(reader, 1)) == [("AA", "MSG1")]
            writer.close()

    serve(store, scenario, ListenerLimits(held_bytes=100_000, small_frame_bytes=10_000))
    assert len(store.raws) == 5


@pytest.mark.fault("F43")
def test_a_peer_that_never_reads_its_answers_is_dropped_and_others_are_served() -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", listener.port))
        deaf.setblocking(False)
        chunk = frame(message(msh_3="E" * 200, msh_4="F" * 200)) * 50
        loop = asyncio.get_running_loop()
        with pytest.raises((ConnectionError, TimeoutError)):
            async with asyncio.timeout(10):
                while True:
                    await loop.sock_sendall(deaf, chunk)
        deaf.close()
        with MllpClient("127.0.0.1", listener.port) as client:
            assert codes([await asyncio.to_thread(client.send, ADT.encode())]) == [("AA", "MSG1")]

    counts, _ = serve(store, scenario, ListenerLimits(write_s=0.3))
    assert counts["answers_not_taken"] == 1


def test_stopping_answers_what_is_being_stored_and_closes_the_rest() -> None:
    wait = threading.Event()
    store = Store(wait)

    async def run() -> None:
        listener = MllpListener(store.receive)
        await listener.start()
        port = listener.port
        reader, writer = await connect(listener)
        idle_reader, idle_writer = await connect(listener)
        writer.write(frame(ADT.encode()) + b"\x0bMSH|unfinished")
        await asyncio.to_thread(store.entered.wait, 5)
        stopping = asyncio.create_task(listener.stop())
        assert await closed_by_peer(idle_reader)
        assert not stopping.done()
        wait.set()
        assert codes(await read_answers(reader, 2)) == [("AA", "MSG1")]
        await asyncio.wait_for(stopping, 5)
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        idle_writer.close()

    asyncio.run(run())
    assert store.raws == [ADT.encode()]
    assert "hl7-writer" not in {thread.name[:10] for thread in threading.enumerate()}


def test_a_receiver_that_hangs_does_not_keep_the_listener_from_closing_its_connections() -> None:
    wait = threading.Event()
    store = Store(wait)

    async def run() -> None:
        listener = MllpListener(store.receive, limits=ListenerLimits(stop_s=0.2))
        await listener.start()
        reader, writer = await connect(listener)
        writer.write(frame(ADT.encode()))
        await asyncio.to_thread(store.entered.wait, 5)
        stopping = asyncio.create_task(listener.stop())
        assert await closed_by_peer(reader)
        wait.set()
        await asyncio.wait_for(stopping, 5)
        writer.close()

    asyncio.run(run())


def test_plaintext_is_refused_beyond_loopback_unless_it_is_allowed() -> None:
    store = Store()
    for host in ("0.0.0.0", "::", "10.1.2.3", "example.org", ""):
        with pytest.raises(PlaintextRefused):
            MllpListener(store.receive, host=host)
        MllpListener(store.receive, host=host, allow_plaintext=True)
    for host in ("127.0.0.1", "::1", "localhost"):
        MllpListener(store.receive, host=host)


def test_the_client_drops_answers_to_other_messages_and_gives_up_in_time() -> None:
    class Late(Store):
        def receive(self, frames: Sequence[ReceivedFrame]) -> list[bytes]:
            late = prepare_receipt(message(msh_10="OLD"), answered_at=NOW, control_id="X").answer
            return [
                late if b"LOST" in one.raw else late + own
                for one, own in zip(frames, super().receive(frames), strict=True)
            ]

    async def scenario(listener: MllpListener) -> None:
        with MllpClient("127.0.0.1", listener.port, timeout_s=0.5) as client:
            assert codes([await asyncio.to_thread(client.send, ADT.encode())]) == [("AA", "MSG1")]
            assert client.unmatched == 1
            with pytest.raises(NoAcknowledgement):
                await asyncio.to_thread(client.send, message(msh_10="LOST"))
            assert codes([await asyncio.to_thread(client.send, ADT.encode())]) == [("AA", "MSG1")]

    serve(Late(), scenario)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def client_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.load_cert_chain(certificate)
    return context


def test_over_tls_the_sender_is_answered_and_known_by_its_certificate(certificate: Path) -> None:
    store = Store()
    context = server_tls(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate)

    async def scenario(listener: MllpListener) -> None:
        with MllpClient("localhost", listener.port, tls=client_tls(certificate)) as client:
            assert codes([await asyncio.to_thread(client.send, ADT.encode())]) == [("AA", "MSG1")]
            many = [message(msh_10=f"M{number}") for number in range(200)]
            assert len(await asyncio.to_thread(client.send_all, many)) == 200

    serve(store, scenario, tls=context)
    assert len(store.peers[0].certificate_sha256) == 64


@pytest.mark.fault("F43")
def test_a_stalled_handshake_counts_against_the_limits_and_is_given_up(certificate: Path) -> None:
    store = Store()

    async def scenario(listener: MllpListener) -> None:
        reader, writer = await connect(listener)
        plain_reader, plain_writer = await connect(listener)
        plain_writer.write(frame(ADT.encode()))
        await asyncio.sleep(0.1)
        assert listener.counts()["connections_accepted"] == 2
        with MllpClient("localhost", listener.port, tls=client_tls(certificate)) as client:
            started = time.monotonic()
            assert codes([await asyncio.to_thread(client.send, ADT.encode())]) == [("AA", "MSG1")]
            assert time.monotonic() - started < 1
        assert await closed_by_peer(reader)
        writer.close()
        plain_writer.close()
        del plain_reader

    counts, _ = serve(store, scenario, ListenerLimits(tls_handshake_s=0.4), server_tls(certificate))
    assert counts["connections_lost"] == 2
    assert store.raws == [ADT.encode()]
