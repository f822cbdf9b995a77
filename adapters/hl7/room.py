"""How many bytes all connections of a listener may hold at once. Knows neither sockets nor frames."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable


class Room:
    """How many bytes all holders hold. Over the limit only small frames are read, and one large one at a time."""

    def __init__(self, limit: int, small: int) -> None:
        self.held = 0
        self._limit = limit
        self._small = small
        self._by_holder: dict[Hashable, int] = {}
        self._favoured: Hashable | None = None
        self._waiters: list[asyncio.Future[None]] = []

    def hold(self, holder: Hashable, count: int) -> None:
        """Say how many bytes this holder holds now."""
        before = self._by_holder.get(holder, 0)
        self._by_holder[holder] = count
        self.held += count - before
        if count < before:
            if holder is self._favoured and count <= self._small:
                self._favoured = None
            self._wake()

    def leave(self, holder: Hashable) -> None:
        """The holder is gone, and what it held."""
        self.held -= self._by_holder.pop(holder, 0)
        if self._favoured is holder:
            self._favoured = None
        self._wake()

    async def wait_for(self, holder: Hashable, buffered: int) -> None:
        """Wait until a holder with `buffered` bytes of an unfinished frame may take more."""
        while self.held > self._limit and buffered > self._small and holder is not self._favoured:
            if self._favoured is None:
                self._favoured = holder
                return
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
