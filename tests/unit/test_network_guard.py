"""Tests cannot leave this machine by accident."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

# Addresses that documentation may use and nobody answers at (RFC 5737, RFC 3849), and a name nobody owns (RFC 2606).
ELSEWHERE_V4, ELSEWHERE_V6, ELSEWHERE = "192.0.2.1", "2001:db8::1", "clearinghouse.example"


def _send_datagram(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"hello", (host, 9))


def _open_stream(host: str) -> None:
    async def open_it() -> None:
        await asyncio.open_connection(host, 22)

    asyncio.run(open_it())


@pytest.mark.parametrize(
    "leave",
    [
        lambda: socket.create_connection((ELSEWHERE_V4, 22), timeout=1),
        lambda: socket.create_connection((ELSEWHERE_V6, 22), timeout=1),
        lambda: socket.getaddrinfo(ELSEWHERE, 22),
        lambda: _send_datagram(ELSEWHERE_V4),
        lambda: _open_stream(ELSEWHERE_V4),
    ],
    ids=["IPv4", "IPv6", "a name", "a datagram", "asyncio"],
)
def test_an_address_beyond_loopback_fails_the_test(leave: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match="tests stay on loopback"):
        leave()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_is_open(host: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.2" if host == "127.0.0.2" else "127.0.0.1", 0))
        listener.listen()
        socket.create_connection((host, listener.getsockname()[1]), timeout=5).close()
