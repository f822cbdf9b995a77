"""origins of values on sheets, each kept once: records and claims point at them."""

import hashlib
import json
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0017_origin_sheets"
down_revision = "0016_answer_parts"
branch_labels = None
depends_on = None

_ROWS = 1_000


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "origin_sheet",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_origin_sheet")),
    )
    with op.batch_alter_table("assertion") as words:
        words.add_column(sa.Column("sheet", sa.String(length=64), nullable=True))
        words.create_foreign_key(op.f("fk_assertion_sheet_origin_sheet"), "origin_sheet", ["sheet"], ["sha256"])
    connection = op.get_bind()
    _move(connection, "assertion", "id", "origins", "sheet", _sheet_of_record)
    _move(connection, "claim_draft", "claim_id", "content", "content", _claim_with_sheets)
    _move(connection, "claim_version", "id", "content", "content", _claim_with_sheets)
    with op.batch_alter_table("assertion") as words:
        words.drop_column("origins")


def _move(connection: sa.Connection, table: str, key: str, column: str, into: str, change: Any) -> None:
    """Change every row of a table, some at a time; what the change returns is stored ``into`` a column."""
    last: Any = None
    while True:
        after = "" if last is None else f"WHERE {key} > :last "
        wanted = sa.text(f"SELECT {key}, {column} FROM {table} {after}ORDER BY {key} LIMIT {_ROWS}")  # noqa: S608 - ours
        rows = connection.execute(wanted, {} if last is None else {"last": last}).all()
        if not rows:
            return
        last = rows[-1][0]
        changed = [{"key": id, "value": change(connection, bytes(content))} for id, content in rows]
        update = sa.text(f"UPDATE {table} SET {into} = :value WHERE {key} = :key")  # noqa: S608 - our own words
        connection.execute(update, changed)


def _sheet_of_record(connection: sa.Connection, content: bytes) -> str | None:
    """The name of the sheet of one record; its message is in the row."""
    told = [each[0] for each in _on_sheets(connection, msgspec.json.decode(content))]
    return told[0] if told else None


def _claim_with_sheets(connection: sa.Connection, content: bytes) -> bytes:
    claim = msgspec.json.decode(content)
    for each in (claim, *claim["lines"]):
        origins = each["origins"]
        if each is not claim:
            origins.pop("service_on", None)  # read from where the first session starts
        each["origins"] = _on_sheets(connection, origins)
    return msgspec.json.encode(claim, order="deterministic")


def _on_sheets(connection: sa.Connection, origins: dict[str, dict[str, str]]) -> list[tuple[str, str, str, None]]:
    """Origins as they are stored from now on: a sheet for each message they name."""
    by_message: dict[str, dict[str, tuple[str, str]]] = {}
    for name, each in origins.items():
        by_message.setdefault(each.get("message_id", ""), {})[name] = (each["source"], each["mapping"])
    return [(_kept(connection, told), message_id, "", None) for message_id, told in by_message.items()]


def _kept(connection: sa.Connection, told: dict[str, tuple[str, str]]) -> str:
    content = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(content).hexdigest()
    insert = sa.text("INSERT INTO origin_sheet (sha256, content) VALUES (:digest, :content) ON CONFLICT DO NOTHING")
    connection.execute(insert, {"digest": digest, "content": content})
    return digest
