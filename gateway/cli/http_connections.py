"""HTTP connections that are not waited for without end, and not taken without number. Knows no address."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_HEAD_S = 20.0
"""A request's head that takes longer to arrive is given up: uvicorn itself would wait for ever."""
CONNECTIONS_MAX = 512


class BoundedConnection(H11Protocol):
    """One connection: uvicorn's own, given up when no request comes to stand in time, refused when there are many."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take the connection, or hang up."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next request has as long again."""
        super().on_response_complete()
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self.loop.call_later(REQUEST_HEAD_S, self._give_up)

    def _give_up(self) -> None:
        """Hang up, unless a request is being answered: how long its body may take is its address's business."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
