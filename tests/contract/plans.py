"""How SQLite means to find what a statement asks for."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite

from gateway.store.database import Database
from tests.factories import CHAIN


def plan_of(statement: ClauseElement, folder: Path) -> list[str]:
    """The steps of the query plan in an empty database of our tables."""
    file = folder / "store.sqlite"
    database = Database(f"sqlite:///{file}", CHAIN)
    database.migrate()
    database.close()
    query = re.sub(r"\(__\[POSTCOMPILE_\w+\]\)", "(?, ?)", str(statement.compile(dialect=sqlite.dialect())))
    with contextlib.closing(sqlite3.connect(file)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", ["x"] * query.count("?")).fetchall()
    return [row[3] for row in plan]
