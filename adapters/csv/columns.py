"""Whether a file has the columns that a source's mapping file reads: asked once per file, before any row is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from adapters.csv.view import column_of, folded
from adapters.mapping.source_file import SourceFile, ValueSpec
from adapters.mapping.yaml_reader import Place, closest

_Need = tuple[Place, tuple[str, ...]]
"""Where a value is asked for, and the columns of which one has to be there."""


def column_problems(source: SourceFile, header: Sequence[str]) -> list[str]:
    """Every column that is read and not there, and every one read that is there twice, as sentences."""
    names = [folded(each) for each in header]
    missing: dict[tuple[str, ...], list[str]] = {}
    twice: dict[str, list[str]] = {}
    found = 0
    for place, columns in _needs(source):
        there = [each for each in columns if folded(each) in names]
        found += len(there)
        if not there:
            missing.setdefault(columns, []).append(place.entry)
        for each in there:
            if names.count(folded(each)) > 1:
                twice.setdefault(each, []).append(place.entry)
    if missing and not found:
        wanted = ", ".join(dict.fromkeys(repr(columns[0]) for columns in missing))
        return [f"none of the columns that are read is here: {wanted}. Take away what stands above the headings"]
    return [
        *(_missing(columns, entries, header) for columns, entries in missing.items()),
        *(f"two columns are called {each!r}, which {_first(entries)}" for each, entries in twice.items()),
    ]


def _missing(columns: tuple[str, ...], entries: Sequence[str], header: Sequence[str]) -> str:
    near = closest(columns[0], [each for each in header if each])
    hint = f"; did you mean {near!r}?" if near else ""
    return f"no column is called {' or '.join(map(repr, columns))}, which {_first(entries)}{hint}"


def _first(entries: Sequence[str]) -> str:
    """The entry to look at, and how many more there are."""
    more = len(dict.fromkeys(entries)) - 1
    return f"{entries[0]} reads" + (f" (and {more} more)" if more else "")


def _needs(source: SourceFile) -> Iterator[_Need]:
    for value in (*source.values.values(), *(each for record in source.records for each in record.values.values())):
        yield value.place, (column_of(value.path)[0],)
    asserted = (source.asserted_at, *(record.asserted_at for record in source.records))
    for spec in (each for each in asserted if each is not None):
        yield from _needs_of(spec)
    for record in source.records:
        for spec in (*record.identity, *record.fields.values()):
            yield from _needs_of(spec)


def _needs_of(spec: ValueSpec) -> Iterator[_Need]:
    """Of alternatives one is enough, with all that it needs; where there is a default none is needed."""
    if spec.default is not None or spec.value is not None:
        return
    if spec.path is not None:
        yield spec.place, (column_of(spec.path)[0],)
    elif spec.parts:
        for part in spec.parts:
            yield from _needs_of(part)
    else:
        for chosen in product(*(list(_needs_of(each)) for each in spec.inner)):
            yield spec.place, tuple(dict.fromkeys(column for _, found in chosen for column in found))
