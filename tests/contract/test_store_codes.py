"""Imported code lists on both databases."""

from __future__ import annotations

import hashlib
from datetime import date

from gateway.ports.code_lists import CodeReleaseRow
from gateway.store.database import Database
from tests.factories import NOON

FILE, TABLE = b"as published", b"0905\t\t\t\n"


def a_release(start_on: date) -> CodeReleaseRow:
    return CodeReleaseRow(
        kind="revenue-codes",
        file_name="list.csv",
        file_sha256=hashlib.sha256(FILE).hexdigest(),
        table_sha256=hashlib.sha256(TABLE).hexdigest(),
        start_on=start_on,
        end_on=None,
        row_count=1,
        imported_at=NOON,
        actor="ana",
        role="integration",
    )


def test_a_release_is_kept_once_with_its_file_and_its_table(store: Database) -> None:
    early, late = a_release(date(2025, 1, 1)), a_release(date(2026, 1, 1))
    with store.write() as tx:
        assert [True, False, True] == [tx.code_lists.add(each, FILE, TABLE) for each in (late, late, early)]
    with store.read() as tx:
        kept = tx.code_lists.releases()
        assert [date(2026, 1, 1), date(2025, 1, 1)] == [each.start_on for each in kept]
        assert (TABLE, FILE) == (tx.code_lists.table(kept[0].table_sha256), tx.code_lists.table(kept[0].file_sha256))
        assert NOON == kept[0].imported_at
