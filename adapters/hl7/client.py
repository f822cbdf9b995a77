"""A plain MLLP sender: one message out, its own acknowledgement back, within a deadline. For feeds and tests."""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

from adapters.hl7.er7 import peek_header, read_message
from adapters.hl7.errors import Hl7FormatError
from adapters.hl7.framing import FrameDecoder, frame
from gateway.errors import GatewayError

_CHUNK_BYTES = 64 * 1024
# A receiver that is waiting for its answers to be read takes no more, so no more is sent than its buffers surely hold.
_MESSAGES_AT_ONCE = 100


class NoAcknowledgement(GatewayError):
    """The receiver did not acknowledge in time, or closed the connection; whether it stored the message is unknown."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.__doc__} {detail}".strip())


class MllpClient:
    """One connection, opened on first use and kept. `timeout_s` bounds connecting, and each message's answer."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout_s: float = 10.0,
        tls: ssl.SSLContext | None = None,
        source_address: str | None = None,
    ) -> None:
        self._address = (host, port)
        self._timeout_s = timeout_s
        self._tls = tls
        self._source = (source_address, 0) if source_address else None
        self._socket: socket.socket | None = None
        self._decoder = FrameDecoder()
        self._waiting: deque[bytes] = deque()
        self.unmatched = 0

    def __enter__(self) -> MllpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next send opens a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._decoder = FrameDecoder()
        self._waiting.clear()

    def send(self, message: bytes) -> bytes:
        """Send one message and return the acknowledgement whose MSA-2 is its MSH-10; others are counted and dropped.

        Raises NoAcknowledgement, or OSError where no connection can be made.
        """
        return self.send_all([message])[0]

    def send_all(self, messages: Sequence[bytes]) -> list[bytes]:
        """Send many, a hundred at once, and return their acknowledgements in order, all within `timeout_s`."""
        deadline = time.monotonic() + self._timeout_s
        try:
            connection = self._connect()
            connection.settimeout(self._timeout_s)
            answers: list[bytes] = []
            for start in range(0, len(messages), _MESSAGES_AT_ONCE):
                window = messages[start : start + _MESSAGES_AT_ONCE]
                connection.sendall(b"".join(map(frame, window)))
                answers += [self._acknowledgement_of(message, connection, deadline) for message in window]
            return answers
        except TimeoutError:
            self.close()
            raise NoAcknowledgement from None
        except ConnectionError as error:
            self.close()
            raise NoAcknowledgement(type(error).__name__) from None

    def _connect(self) -> socket.socket:
        if self._socket is None:
            plain = socket.create_connection(self._address, self._timeout_s, self._source)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = self._tls.wrap_socket(plain, server_hostname=self._address[0]) if self._tls else plain
        return self._socket

    def _acknowledgement_of(self, message: bytes, connection: socket.socket, deadline: float) -> bytes:
        wanted = _control_id_of(message)
        while True:
            while not self._waiting:
                self._receive(connection, deadline)
            answer = self._waiting.popleft()
            if wanted is None or _acknowledged_id(answer) in (wanted, ""):
                return answer
            self.unmatched += 1

    def _receive(self, connection: socket.socket, deadline: float) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        connection.settimeout(left_s)
        chunk = connection.recv(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionResetError("closed by the receiver")
        self._waiting.extend(self._decoder.feed(chunk))


def _control_id_of(message: bytes) -> str | None:
    try:
        return peek_header(message).control_id
    except Hl7FormatError:
        return None


def _acknowledged_id(answer: bytes) -> str | None:
    try:
        segments = read_message(answer).segments_named("MSA")
    except Hl7FormatError:
        return None
    return segments[0].message.unescape(segments[0].field(2)) if segments else None
