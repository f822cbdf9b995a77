"""How a database means to find what a statement asks for."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ClauseElement, create_engine
from sqlalchemy.dialects import sqlite

from gateway.store.database import Database
from tests.factories import CHAIN


def plan_of(statement: ClauseElement, folder: Path) -> list[str]:
    """The steps of SQLite's plan in an empty database of our tables."""
    file = folder / "store.sqlite"
    database = Database(f"sqlite:///{file}", CHAIN)
    database.migrate()
    database.close()
    query = re.sub(r"\(__\[POSTCOMPILE_\w+\]\)", "(?, ?)", str(statement.compile(dialect=sqlite.dialect())))
    with contextlib.closing(sqlite3.connect(file)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", ["x"] * query.count("?")).fetchall()
    return [row[3] for row in plan]


def plan_on_postgres(statement: ClauseElement, values: Mapping[str, Any], url: str) -> list[str]:
    """The lines of PostgreSQL's plan for these values."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    compiled = statement.compile(dialect=engine.dialect)
    given = {name: values[re.sub(r"_\d$", "", name)] for name in compiled.params}
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled}", given).scalars().all()
    engine.dispose()
    return list(plan)
