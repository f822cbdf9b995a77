"""Bulk imports over the store: committed part by part as they arrive, told of as far as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gateway.claim.identifiers import new_ulid
from gateway.ports import Clock
from gateway.ports.imports import ImportStatus, LineOutcome
from gateway.ports.storage import Store


class StoredImports:
    """Implements gateway.ports.imports.ImportDesk."""

    def __init__(self, store: Store, clock: Clock, notify: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._notify = notify

    def begin(self, source: str) -> str:
        """The id of a new import."""
        now = self._clock.now()
        import_id = new_ulid(now)
        with self._store.write() as tx:
            tx.imports.add(import_id, source, now)
        return import_id

    def add_part(self, import_id: str, number: int, lines: Sequence[tuple[int, bytes]]) -> None:
        """Commit some more lines."""
        with self._store.write() as tx:
            tx.imports.add_part(import_id, number, lines)

    def seal(self, import_id: str) -> None:
        """Nothing more comes."""
        with self._store.write() as tx:
            tx.imports.seal(import_id)
        self._notify()

    def status(self, source: str, import_id: str) -> ImportStatus | None:
        """How far it is."""
        with self._store.read() as tx:
            return tx.imports.status(source, import_id)

    def outcomes(self, source: str, import_id: str) -> Iterator[Sequence[LineOutcome]]:
        """What became of each line so far, a transaction a part: whoever reads slowly holds nobody up."""
        with self._store.read() as tx:
            numbers = list(tx.imports.parts_done(source, import_id))
        for number in numbers:
            with self._store.read() as tx:
                outcomes = tx.imports.outcomes(import_id, number)
            yield outcomes
