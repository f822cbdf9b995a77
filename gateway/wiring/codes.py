"""A site's imported code lists: taken in from their owners' files, listed, compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from adapters.codes.kinds import KINDS, CodeListKind, read_code_list
from adapters.codes.layouts import WORDS
from adapters.codes.releases import CodeRelease, CodeReleases
from adapters.codes.table import CodeTable, compare_tables, write_table
from gateway.claim.calendar import COUNTABLE, Span, federal_fiscal_year
from gateway.config import read_settings
from gateway.errors import FormatError, NotFound
from gateway.permissions import Permission
from gateway.ports.code_lists import CodeReleaseRow
from gateway.ports.storage import Store
from gateway.wiring.clock import clock_of
from gateway.wiring.files import shown
from gateway.wiring.people import find_actor
from gateway.wiring.storage import opened_store


def imported_lists(store: Store) -> CodeReleases:
    """What the site imported; a table is read from the database when a rule first asks for it."""
    with store.read() as tx:
        rows = tx.code_lists.releases()
    return CodeReleases(
        CodeRelease(
            row.kind, Span(row.start_on, row.end_on), partial(_table, store, row.table_sha256), row.table_sha256
        )
        for row in rows
    )


def code_words(store: Store) -> Callable[[str, str, date], str]:
    """What a code of a kind of list means on a day, in the words of the list that was imported; empty without one."""
    lists = imported_lists(store)

    def words(kind: str, code: str, on: date) -> str:
        table = lists.table(kind, on)
        row = table.row(code, on) if table else None
        return row.facts.get(WORDS, "") if row else ""

    return words


def _table(store: Store, sha256: str) -> bytes:
    with store.read() as tx:
        return tx.code_lists.table(sha256)


def import_codes(
    folder: Path, kind_name: str, file: Path, start_on: date, end_on: date | None = None, act_as: str = ""
) -> dict[str, Any]:
    """Take a published file in: {"kind", "file", "rows", "start_on", "end_on", "sha256", "imported"}.

    Raises ConfigurationError with every row that is wrong, FormatError for days that are no span, NotFound for a kind
    there is none of, NotAllowed, OSError.
    """
    kind = _kind(kind_name)
    settings = read_settings(folder)
    actor = find_actor(settings, act_as, Permission.IMPORT_CODES)
    if not COUNTABLE.covers(start_on) or (end_on is not None and end_on < start_on):
        raise FormatError(f"a release holds from a day up to {COUNTABLE.end_on} until the same day or a later one")
    content, name = file.read_bytes(), shown(Path(file.name))
    rows = read_code_list(kind, content, name)
    table = write_table(rows)
    if end_on is None and kind.yearly:
        end_on = date(federal_fiscal_year(start_on), 9, 30)
    release = CodeReleaseRow(
        kind=kind.name,
        file_name=name,
        file_sha256=hashlib.sha256(content).hexdigest(),
        table_sha256=hashlib.sha256(table).hexdigest(),
        start_on=start_on,
        end_on=end_on,
        row_count=len(rows),
        imported_at=clock_of(settings).now(),
        actor=actor.name,
        role=actor.role,
    )
    with opened_store(settings) as store, store.write() as tx:
        added = tx.code_lists.add(release, content, table)
        if added:
            tx.audit.record(release.imported_at, actor, "import-codes", f"codes:{kind.name}", "", name)
    return {**_view(release), "imported": added}


def _kind(name: str) -> CodeListKind:
    try:
        return KINDS[name]
    except KeyError:
        raise NotFound(f"there is no kind of code list {name!r}; there are {', '.join(KINDS)}") from None


def list_codes(folder: Path) -> dict[str, Any]:
    """{"kinds": [{"kind", "publisher", "releases": [{"kind", "file", "rows", "start_on", "end_on", "sha256"}]}]}."""
    rows = _releases(folder)
    return {
        "kinds": [
            {
                "kind": kind.name,
                "publisher": kind.publisher,
                "releases": [_view(row) for row in rows if row.kind == kind.name],
            }
            for kind in KINDS.values()
        ]
    }


def _releases(folder: Path) -> list[CodeReleaseRow]:
    with opened_store(read_settings(folder)) as store, store.read() as tx:
        return tx.code_lists.releases()


def diff_codes(folder: Path, kind_name: str, before: str = "", after: str = "") -> dict[str, Any]:
    """{"kind", "before", "after", "changes": [{"code", "change": added|removed|changed, "before", "after"}]}.

    Without hashes the two newest releases of the kind are compared; a hash may be shortened. Raises NotFound.
    """
    kind = _kind(kind_name)
    with opened_store(read_settings(folder)) as store, store.read() as tx:
        rows = [row for row in tx.code_lists.releases() if row.kind == kind.name]
        rows.sort(key=lambda row: (row.start_on, row.id))
        earlier = _find(rows, before, -2)
        later = _find(rows, after, -1)
        tables = [CodeTable(tx.code_lists.table(each.table_sha256)) for each in (earlier, later)]
    changes = [
        {"code": each.key, "change": each.kind, "before": list(each.before), "after": list(each.after)}
        for each in compare_tables(*tables)
    ]
    return {"kind": kind.name, "before": _view(earlier), "after": _view(later), "changes": changes}


def _find(rows: Sequence[CodeReleaseRow], sha256: str, place: int) -> CodeReleaseRow:
    if sha256:
        for row in rows:
            if row.file_sha256.startswith(sha256):
                return row
        raise NotFound(f"no release of this kind has a hash that begins with {sha256}")
    if len(rows) < 2:
        raise NotFound("two releases of the kind are needed to compare; 'cleanclaim codes list' shows what there is")
    return rows[place]


def _view(row: CodeReleaseRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "file": row.file_name,
        "rows": row.row_count,
        "start_on": row.start_on.isoformat(),
        "end_on": row.end_on.isoformat() if row.end_on else None,
        "sha256": row.file_sha256,
    }
