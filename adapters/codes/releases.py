"""Imported releases by day: which one counts, its table read when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from adapters.codes.table import CodeTable
from gateway.claim.calendar import Span


@dataclass(slots=True)
class CodeRelease:
    """One release of one kind, for the dates of service in its span."""

    kind: str
    span: Span
    read: Callable[[], bytes]
    sha256: str = ""
    """Of the table: two releases of one hash say the same."""
    _table: CodeTable | None = field(default=None, init=False)

    @property
    def table(self) -> CodeTable:
        """Its rows."""
        if self._table is None:
            self._table = CodeTable(self.read())
        return self._table


class CodeReleases:
    """What was imported. Of two releases that hold for a day, the one that began later counts, then the later one."""

    def __init__(self, releases: Iterable[CodeRelease] = ()) -> None:
        """``releases`` in the order they were imported."""
        self._by_kind: dict[str, list[CodeRelease]] = {}
        known = list(releases)
        self.version = " ".join(f"{each.kind}@{each.span.start_on}={each.sha256[:12]}" for each in known)
        """Names everything imported, so that whoever went by other lists can be asked again."""
        for each in sorted(known, key=lambda one: one.span.start_on):  # stable: a later import stays behind
            self._by_kind.setdefault(each.kind, []).insert(0, each)

    def table(self, kind: str, on: date) -> CodeTable | None:
        """The table of a kind for a date of service; None when no release holds then."""
        for each in self._by_kind.get(kind, ()):
            if each.span.covers(on):
                return each.table
        return None

    def listed(self, kind: str, code: str, on: date) -> bool | None:
        """True when the code is in the list on the day; None when no release holds then."""
        table = self.table(kind, on)
        return None if table is None else table.row(code, on) is not None
