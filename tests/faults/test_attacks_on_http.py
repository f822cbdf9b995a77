"""Peers that hold connections open, or open many: hung up on, while whoever behaves is answered."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from starlette.exceptions import HTTPException

from gateway.api import access
from gateway.cli import http_connections
from gateway.cli.http_connections import BoundedConnection

HEAD_S, PATIENCE_S = 0.4, 10.0
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def answer_all(scope: Any, receive: Any, send: Any) -> None:
    body = b"slow" if scope["path"] == "/slow" else b"ok"
    if body == b"slow":
        await asyncio.sleep(HEAD_S * 2)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        pass


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(http_connections, "REQUEST_HEAD_S", HEAD_S)
    monkeypatch.setattr(http_connections, "CONNECTIONS_MAX", 5)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(answer_all, http=BoundedConnection, lifespan="off", log_config=None)
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE_S)
    listening.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def answer_of(connection: socket.socket) -> bytes:
    """All of an answer: head and body may come one by one."""
    heard = b""
    while not heard.endswith((b"\r\n\r\nok", b"\r\n\r\nslow")):
        chunk = connection.recv(4096)
        assert chunk, heard
        heard += chunk
    return heard


def hung_up(connection: socket.socket) -> bool:
    """Whether the server closes it, within our patience."""
    with suppress(ConnectionError):
        while connection.recv(4096):
            pass
    return True


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost: here\r\n", REQUEST + b"GET /again HTTP/1.1\r\n"])
def test_a_request_that_never_comes_to_its_end_is_given_up(port: int, beginning: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(beginning)
        assert hung_up(connection)


def test_a_head_that_trickles_is_given_up_however_often_a_byte_comes(port: int) -> None:
    with connect(port) as connection:
        until = time.monotonic() + HEAD_S * 5
        with pytest.raises(ConnectionError):
            while time.monotonic() < until:
                connection.sendall(b"G")
                time.sleep(HEAD_S / 8)
        assert time.monotonic() < until


def test_an_answer_that_takes_longer_than_a_head_may_is_waited_for(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(REQUEST.replace(b" / ", b" /slow "))
        assert answer_of(connection).endswith(b"slow")


def test_more_connections_than_are_taken_are_refused_and_the_others_are_answered(port: int) -> None:
    taken = [connect(port) for _ in range(5)]
    try:
        time.sleep(0.05)
        with connect(port) as one_more:
            assert hung_up(one_more)
        for each in taken:
            each.sendall(REQUEST)
            assert answer_of(each).endswith(b"ok")
    finally:
        for each in taken:
            each.close()


def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "BODY_S", 0.05)

    async def never() -> Any:
        await asyncio.sleep(PATIENCE_S)

    async def read() -> None:
        await access._limited(never)()

    with pytest.raises(HTTPException) as refused:
        asyncio.run(read())
    assert refused.value.status_code == 408
