"""Group commit: frames of many connections gathered into one call of the one writer thread, answers handed back.

The call returns when its frames are safe; no answer leaves before. Knows neither sockets nor HL7.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """One message as it came: bytes, the peer's address, when, and the hash of its TLS certificate if it showed one."""

    raw: bytes
    peer: str
    received_at: datetime
    certificate_sha256: str = ""


# Takes a batch, commits it, returns for each frame the wire bytes to answer with (empty: nothing is to be said).
# It runs in one thread, one call at a time. If it raises, nothing of the batch counts as stored.
BatchReceive = Callable[[Sequence[ReceivedFrame]], Sequence[bytes]]


class AnswersMissing(GatewayError):
    """The receiver returned another number of answers than it was given frames."""


class WriterStopped(GatewayError):
    """The listener is stopping and takes no more frames."""


@dataclass(slots=True)
class _Submission:
    frames: list[ReceivedFrame]
    answers: asyncio.Future[list[bytes]]


class BatchWriter:
    """Calls `receive` with what has gathered while the last call ran, at most about `batch_frames` at a time."""

    def __init__(self, receive: BatchReceive, batch_frames: int, gather_s: float = 0.0) -> None:
        self.counted: Counter[str] = Counter()
        self._receive = receive
        self._batch_frames = batch_frames
        self._gather_s = gather_s
        self._queue: deque[_Submission] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hl7-writer")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to take submissions; call inside the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="hl7-writer")

    async def submit(self, frames: list[ReceivedFrame]) -> list[bytes]:
        """Wait until these frames are safe and return their answers; raises what `receive` raised, or WriterStopped."""
        if self._stopping:
            raise WriterStopped
        answers: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Submission(frames, answers))
        self._wake.set()
        return await answers

    async def stop(self) -> None:
        """Finish what was submitted, then end the thread."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await asyncio.to_thread(self._thread.shutdown, wait=True)

    async def _run(self) -> None:
        while self._queue or not self._stopping:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                if self._gather_s:
                    await asyncio.sleep(self._gather_s)
                continue
            await self._store(self._next_batch())

    def _next_batch(self) -> list[_Submission]:
        batch = [self._queue.popleft()]
        size = len(batch[0].frames)
        while self._queue and size + len(self._queue[0].frames) <= self._batch_frames:
            batch.append(self._queue.popleft())
            size += len(batch[-1].frames)
        return batch

    async def _store(self, batch: list[_Submission]) -> None:
        frames = [one for submission in batch for one in submission.frames]
        self.counted["batches"] += 1
        self.counted["frames_submitted"] += len(frames)
        loop = asyncio.get_running_loop()
        try:
            answers = list(await loop.run_in_executor(self._thread, self._receive, frames))
            if len(answers) != len(frames):
                raise AnswersMissing
        except Exception as error:  # Everything the receiver can raise becomes a negative answer, never a silent loss.
            self.counted["batches_failed"] += 1
            for submission in batch:
                if not submission.answers.done():
                    submission.answers.set_exception(error)
            return
        start = 0
        for submission in batch:
            end = start + len(submission.frames)
            if not submission.answers.done():
                submission.answers.set_result(answers[start:end])
            start = end
