"""A code list as one sorted text: found by binary search, so that two million edit pairs cost their bytes and no more.

Knows no owner's layout. A row is ``KEY<tab>FROM<tab>UNTIL<tab>name=value;name=value``; keys sort as bytes do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class ListedCode:
    """One row of a list: what it is about, the days it holds, and what the list says of it."""

    key: str
    """A code, or two with a space between them where the list is of pairs."""
    start_on: date | None = None
    end_on: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def holds_on(self, on: date) -> bool:
        """True on the days of the row; a side that the list leaves open is open."""
        return (self.start_on is None or self.start_on <= on) and (self.end_on is None or on <= self.end_on)

    def line(self) -> str:
        """The row as text."""
        said = ";".join(f"{name}={value}" for name, value in sorted(self.facts.items()))
        return "\t".join((self.key, _text(self.start_on), _text(self.end_on), said))


def _text(on: date | None) -> str:
    return on.isoformat() if on else ""


def _row(line: str) -> ListedCode:
    key, start_on, end_on, said = line.split("\t")
    facts = dict(each.split("=", 1) for each in said.split(";")) if said else {}
    return ListedCode(key, _date(start_on), _date(end_on), facts)


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def write_table(rows: Iterable[ListedCode]) -> bytes:
    """The rows as one table, sorted, each once."""
    return "".join(f"{line}\n" for line in sorted({row.line() for row in rows})).encode()


class CodeTable:
    """Answers by key; every answer is remembered, because a program bills few codes many times."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._found: dict[str, tuple[ListedCode, ...]] = {}

    def rows(self, first: str) -> tuple[ListedCode, ...]:
        """The rows whose key is the code, or begins with it where the table is of pairs."""
        found = self._found.get(first)
        if found is None:
            found = self._found[first] = tuple(self._search(first.encode()))
        return found

    def row(self, key: str, on: date) -> ListedCode | None:
        """The row of exactly that key on a day; None when the list has none."""
        return next((row for row in self.rows(key.partition(" ")[0]) if row.key == key and row.holds_on(on)), None)

    def lines(self) -> list[str]:
        """Every row as text, in order."""
        return self._content.decode().splitlines()

    def _search(self, first: bytes) -> Iterable[ListedCode]:
        content, low, high = self._content, 0, len(self._content)
        while low < high:
            start = content.rfind(b"\n", 0, (low + high) // 2) + 1
            end = content.find(b"\n", start) + 1
            if content[start:end] < first:
                low = end
            else:
                high = start
        while content.startswith(first, low):
            end = content.find(b"\n", low)
            if content[low + len(first) : low + len(first) + 1] in (b"\t", b" "):
                yield _row(content[low:end].decode())
            low = end + 1


@dataclass(frozen=True, slots=True)
class TableChange:
    """What one key says in two releases; empty where a release has it not."""

    key: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        return "added" if not self.before else "removed" if not self.after else "changed"


def compare_tables(before: CodeTable, after: CodeTable) -> list[TableChange]:
    """Every key whose rows differ, in order of key."""
    earlier, later = set(before.lines()), set(after.lines())
    gone, come = _by_key(earlier - later), _by_key(later - earlier)
    return [TableChange(key, gone.get(key, ()), come.get(key, ())) for key in sorted({*gone, *come})]


def _by_key(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in sorted(lines):
        key, _, rest = line.partition("\t")
        found[key] = (*found.get(key, ()), rest.replace("\t", " ").strip())
    return found
