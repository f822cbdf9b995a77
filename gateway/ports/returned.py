"""A partner's transaction on its way in: read piece by piece, because it may be larger than what one wants to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gateway.claim.answer import AnswerTransaction, Entry


class Readable(Protocol):
    """Bytes that come in pieces; an empty piece is the end."""

    def read(self, size: int, /) -> bytes:
        """The next piece."""


class Returned(Protocol):
    """One transaction of a returned file."""

    def open(self) -> Readable:
        """Its own bytes: ISA or ST to SE as received, in an envelope of its own."""

    def read(self) -> Iterator[Entry | AnswerTransaction]:
        """What it says of claims one by one, and at the end the transaction; with problems, what came first is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A transaction whose bytes and entries are stored; they count once its answer says so."""

    transaction: AnswerTransaction
    digest: str
    """Equal for transactions that say the same, whatever their envelope."""
    raw_sha256: str
