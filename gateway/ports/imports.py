"""What bulk imports need of the database, and the door that takes them of us: parts of lines, each done once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStatus:
    """How far one import is."""

    asked_at: datetime
    lines: int
    done: int
    """Lines that were tried; the import is finished when all were."""
    stored: int
    duplicate: int
    refused: int

    @property
    def finished(self) -> bool:
        """True when nothing is left to try."""
        return self.done == self.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPart:
    """Some lines of one import, in order; empty lines are counted and left out."""

    import_id: str
    number: int
    source: str
    lines: tuple[tuple[int, bytes], ...]
    """(number in the file from 1, bytes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOutcome:
    """What became of one line."""

    line: int
    outcome: str
    """``stored``, ``duplicate`` or ``refused``."""
    references: tuple[str, ...] = ()
    """``Type/id`` of what it told of."""
    issues: tuple[str, ...] = ()
    """Where it is wrong and what to do; no values."""


class ImportDesk(Protocol):
    """Takes an import as it arrives; what is sealed is worked on by whoever works."""

    def begin(self, source: str) -> str:
        """The id of a new import. Raises Unavailable, as the others do."""

    def add_part(self, import_id: str, number: int, lines: Sequence[tuple[int, bytes]]) -> None:
        """Commit some more lines."""

    def seal(self, import_id: str) -> None:
        """Nothing more comes: it may be worked on."""

    def status(self, source: str, import_id: str) -> ImportStatus | None:
        """How far it is; None where the source has no such import."""

    def outcomes(self, source: str, import_id: str) -> Iterator[Sequence[LineOutcome]]:
        """What became of each line so far, part by part."""


class Imports(Protocol):
    """The rows behind it."""

    def add(self, import_id: str, source: str, asked_at: datetime) -> None:
        """A new import, open."""

    def add_part(self, import_id: str, number: int, lines: Sequence[tuple[int, bytes]]) -> None:
        """Some of its lines."""

    def seal(self, import_id: str) -> None:
        """Close it; its parts may be taken."""

    def next_part(self, after: str) -> ImportPart | None:
        """The oldest part that is not done, of the source whose turn follows that of ``after``; of sealed imports."""

    def finish_part(self, part: ImportPart, outcomes: Sequence[LineOutcome]) -> None:
        """Note what became of its lines; of two workers that did it the first one counts."""

    def status(self, source: str, import_id: str) -> ImportStatus | None:
        """How far a sealed import is."""

    def parts_done(self, source: str, import_id: str) -> Iterable[int]:
        """Numbers of the parts that are done, in order."""

    def outcomes(self, import_id: str, number: int) -> tuple[LineOutcome, ...]:
        """What became of the lines of one part."""
