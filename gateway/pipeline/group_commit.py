"""Callers in many threads share one commit: whoever's turn it is commits for all who came meanwhile. Knows no store."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gateway.errors import Unavailable

Asked = TypeVar("Asked")
Told = TypeVar("Told")


@dataclass(slots=True)
class _Waiting(Generic[Asked, Told]):
    asked: Asked
    told: Future[Told] = field(default_factory=Future)


class GroupCommit(Generic[Asked, Told]):
    """Calls ``commit`` with what has gathered while the last call ran, at most ``most`` at a time, in order."""

    def __init__(self, commit: Callable[[Sequence[Asked]], Sequence[Told]], most: int) -> None:
        self._commit = commit
        self._most = most
        self._queue: deque[_Waiting[Asked, Told]] = deque()
        self._turn = threading.Lock()

    def ask(self, asked: Asked) -> Told:
        """Wait until this is committed and return what ``commit`` said of it; raises what ``commit`` raised."""
        mine: _Waiting[Asked, Told] = _Waiting(asked)
        self._queue.append(mine)
        while not mine.told.done():
            with self._turn:
                if not mine.told.done():
                    self._settle([self._queue.popleft() for _ in range(min(self._most, len(self._queue)))])
        return mine.told.result()

    def _settle(self, group: Sequence[_Waiting[Asked, Told]]) -> None:
        """One commit for all; when that fails and the database is there, one each, so that only the culprit fails."""
        try:
            told = self._commit([each.asked for each in group])
        except Exception as error:
            if len(group) > 1 and not isinstance(error, Unavailable):
                for each in group:
                    self._settle([each])
                return
            for each in group:
                each.told.set_exception(error)
        except BaseException:
            for each in group:
                each.told.set_exception(Unavailable("the process is being stopped"))
            raise
        else:
            for each, one in zip(group, told, strict=True):
                each.told.set_result(one)
