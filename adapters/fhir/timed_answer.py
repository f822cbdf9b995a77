"""An HTTP answer that is whole by a moment or not waited for: no head and no body can be trickled. Knows no FHIR."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from typing import Any


def wait_until(connection: http.client.HTTPConnection, until: float, quiet_s: float) -> None:
    """Have the connection's reads raise TimeoutError from ``until`` (of ``time.monotonic``) on, or after a silence."""
    answer: Callable[..., Any] = http.client.HTTPResponse

    def timed(sock: socket.socket, *given: Any, **named: Any) -> http.client.HTTPResponse:
        response: http.client.HTTPResponse = answer(sock, *given, **named)
        response.fp.close()
        response.fp = io.BufferedReader(_Timed(sock, until, quiet_s))
        return response

    connection.response_class = timed  # type: ignore[assignment]  # it is only called


class _Timed(io.RawIOBase):
    """What a socket gives until a moment. A time limit of the socket's own is that of each read alone."""

    def __init__(self, sock: socket.socket, until: float, quiet_s: float) -> None:
        self._socket = sock
        self._stream = sock.makefile("rb", buffering=0)
        self._until, self._quiet_s = until, quiet_s

    def readable(self) -> bool:
        """It is for nothing else."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As of any raw stream. Raises TimeoutError."""
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer did not come to an end in time")
        self._socket.settimeout(min(left_s, self._quiet_s))
        return self._stream.readinto(buffer)

    def close(self) -> None:
        """Let the socket go too."""
        self._stream.close()
        super().close()
