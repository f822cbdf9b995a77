"""The one place that writes to people and programs: JSON, tables, sentences, progress. Knows no command.

Colour and boxes only where a person looks on; a pipe gets plain columns. Standard output is the answer alone.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

OK, FOUND, MISUSE, INTERRUPTED = 0, 1, 2, 130
_PLAIN_PROGRESS_EVERY_S = 5.0
_PROSE_NARROWEST = 24

Entry = TypeVar("Entry")
Advance = Callable[[int], None]
"""Called with how many more were done."""


def show(answer: Mapping[str, Any], *, as_json: bool, render: Callable[[Any], None]) -> None:
    """Write an answer: as its documented JSON, or as ``render`` puts it for people."""
    if as_json:
        write_json(answer)
    else:
        render(answer)


def write_json(answer: Mapping[str, Any]) -> None:
    """One JSON document on standard output."""
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def json_list(name: str, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Callable[[str], object]]]:
    """``{name: [...]}`` on standard output: each entry with what writes its JSON, as it comes and of any length."""
    write = sys.stdout.write
    write(f'{{"{name}": [')
    for place, entry in enumerate(entries):
        write(",\n" if place else "\n")
        yield entry, write
    write("]}\n")


def say(text: str = "") -> None:
    """A sentence to people."""
    sys.stdout.write(clean(text) + "\n")


def flush() -> None:
    """Let a reader at the other end of a pipe see what was said so far."""
    sys.stdout.flush()


def complain(text: str) -> None:
    """A sentence on standard error."""
    sys.stdout.flush()
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Rows under headings; the columns named in ``right`` are aligned right."""
    cells = [[clean(_text(value)) for value in row] for row in rows]
    if not sys.stdout.isatty():
        _plain_table(columns, cells, right)
    elif _narrowest(columns, cells) <= shutil.get_terminal_size().columns:
        _rich_table(columns, cells, right)
    else:
        _folded_table(columns, cells, right, shutil.get_terminal_size().columns)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Name and value, one to a line; those without a value are left out."""
    shown = [(name, clean(_text(value))) for name, value in pairs if value not in (None, "", [], ())]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        sys.stdout.write(f"{name:<{width}}  {value}\n")


def dollars(cents: int | None) -> str:
    """``1,234.50``; empty for no amount."""
    if cents is None:
        return ""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def count(number: int, noun: str, nouns: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def command() -> str:
    """How this command was called, so that what is said to type next can be typed."""
    return "cleanclaim" if shutil.which("cleanclaim") else sys.argv[0]


def clean(text: str) -> str:
    """Text that cannot move the cursor or colour a terminal, whoever wrote it."""
    return "".join(mark if mark.isprintable() or mark == "\n" else "\N{REPLACEMENT CHARACTER}" for mark in text)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Advance]:
    """Show on standard error how far a longer work is; ``total`` None where nobody knows."""
    if sys.stderr.isatty():
        with _rich_progress(label, total) as advance:
            yield advance
        return
    yield _plain_progress(label, total)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, value))
    return str(value)


def _widths(columns: Sequence[str], cells: list[list[str]]) -> list[int]:
    return [max(len(row[at]) for row in [list(columns), *cells]) for at in range(len(columns))]


def _is_prose(at: int, cells: list[list[str]]) -> bool:
    """Whether a column may break between words; an id, a date or an amount is typed again, and stays in one piece."""
    return any(" " in row[at] for row in cells)


def _narrowest(columns: Sequence[str], cells: list[list[str]]) -> int:
    """How wide a terminal must be to show the rows in a box with nothing broken that stays in one piece."""
    widths = enumerate(_widths(columns, cells))
    return sum(3 + (min(width, _PROSE_NARROWEST) if _is_prose(at, cells) else width) for at, width in widths)


def _plain_table(columns: Sequence[str], cells: list[list[str]], right: Sequence[str]) -> None:
    for row in _aligned(columns, cells, right):
        sys.stdout.write("  ".join(row).rstrip() + "\n")


def _folded_table(columns: Sequence[str], cells: list[list[str]], right: Sequence[str], room: int) -> None:
    """Where a row is wider than the terminal, it goes on below, indented; a cell is never cut in two."""
    widths = _widths(columns, cells)
    lines: list[list[int]] = [[]]
    for at, width in enumerate(widths):
        indent = 2 if len(lines) > 1 else -2
        if lines[-1] and indent + sum(2 + widths[other] for other in lines[-1]) + 2 + width > room:
            lines.append([])
        lines[-1].append(at)
    for row in _aligned(columns, cells, right):
        for number, line in enumerate(lines):
            sys.stdout.write(("    " if number else "") + "  ".join(row[at] for at in line).rstrip() + "\n")


def _aligned(columns: Sequence[str], cells: list[list[str]], right: Sequence[str]) -> Iterator[list[str]]:
    widths = _widths(columns, cells)
    for row in [list(columns), *cells]:
        yield [
            f"{cell:>{width}}" if name in right else f"{cell:<{width}}"
            for cell, width, name in zip(row, widths, columns, strict=True)
        ]


def _rich_table(columns: Sequence[str], cells: list[list[str]], right: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, name in enumerate(columns):
        whole = not _is_prose(at, cells)
        shown.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=whole)
    for row in cells:
        shown.add_row(*map(Text, row))
    Console().print(shown)


@contextmanager
def _rich_progress(label: str, total: int | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    known = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) if total is not None else ()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), *known)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda number: bar.update(task, advance=number)


def _plain_progress(label: str, total: int | None) -> Advance:
    done, spoke_at = 0, time.monotonic()

    def advance(number: int) -> None:
        nonlocal done, spoke_at
        done += number
        if time.monotonic() - spoke_at >= _PLAIN_PROGRESS_EVERY_S:
            spoke_at = time.monotonic()
            complain(f"{label}: {done:,}" + (f" of {total:,}" if total is not None else ""))

    return advance
