"""Group commit: what many connections bring, gathered into one call of the one writer thread, answers handed back.

The call returns when what it was given is safe; no answer leaves before. Knows neither sockets nor what is brought.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.errors import GatewayError

Brought = TypeVar("Brought")
Answer = TypeVar("Answer")


class AnswersMissing(GatewayError):
    """The receiver returned another number of answers than it was given things to answer."""


class WriterStopped(GatewayError):
    """The door is closing and takes no more."""


@dataclass(slots=True)
class _Submission(Generic[Brought, Answer]):
    brought: Sequence[Brought]
    answers: asyncio.Future[list[Answer]]


class BatchWriter(Generic[Brought, Answer]):
    """Calls ``receive`` with what has gathered while the last call ran, at most about ``most`` at a time, in order.

    ``receive`` commits a batch and returns an answer for each, in one thread, one call at a time. If it raises, nothing
    of the batch counts as stored.
    """

    def __init__(self, receive: Callable[[Sequence[Brought]], Sequence[Answer]], most: int, name: str) -> None:
        self.counted: Counter[str] = Counter()
        self._receive = receive
        self._most = most
        self._name = name
        self._queue: deque[_Submission[Brought, Answer]] = deque()
        self._stopping = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._draining: asyncio.Task[None] | None = None

    async def submit(self, brought: Sequence[Brought]) -> list[Answer]:
        """Wait until these are safe and return their answers; raises what ``receive`` raised, or WriterStopped."""
        if self._stopping:
            raise WriterStopped
        loop = asyncio.get_running_loop()
        submission = _Submission[Brought, Answer](brought, loop.create_future())
        self._queue.append(submission)
        if self._draining is None or self._draining.done():
            self._draining = loop.create_task(self._drain(), name=self._name)
        return await submission.answers

    async def stop(self) -> None:
        """Finish what was submitted, then end the thread."""
        self._stopping = True
        if self._draining is not None:
            await self._draining
        await asyncio.to_thread(self._thread.shutdown, wait=True)

    async def _drain(self) -> None:
        while self._queue:
            await self._store(self._next_batch())

    def _next_batch(self) -> list[_Submission[Brought, Answer]]:
        batch = [self._queue.popleft()]
        size = len(batch[0].brought)
        while self._queue and size + len(self._queue[0].brought) <= self._most:
            batch.append(self._queue.popleft())
            size += len(batch[-1].brought)
        return batch

    async def _store(self, batch: list[_Submission[Brought, Answer]]) -> None:
        brought = [one for submission in batch for one in submission.brought]
        self.counted["batches"] += 1
        self.counted["submitted"] += len(brought)
        loop = asyncio.get_running_loop()
        try:
            answers = list(await loop.run_in_executor(self._thread, self._receive, brought))
            if len(answers) != len(brought):
                raise AnswersMissing
        except Exception as error:  # Everything the receiver can raise becomes a negative answer, never a silent loss.
            self.counted["batches_failed"] += 1
            for submission in batch:
                if not submission.answers.done():
                    submission.answers.set_exception(error)
            return
        start = 0
        for submission in batch:
            end = start + len(submission.brought)
            if not submission.answers.done():
                submission.answers.set_result(answers[start:end])
            start = end
