"""What the sandbox received, answered and paid, in one SQLite file. It survives a kill; tests read it as the truth."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists interchange (
    id integer primary key, mailbox text not null, file_name text not null, sha256 text not null, size integer not null,
    sender text not null, receiver text not null, control_number text not null, usage text not null,
    reply text not null, received_at text not null, outcome text not null, archived integer not null default 0);
create index if not exists interchange_number on interchange (mailbox, sender, receiver, usage, control_number);
create table if not exists claim (
    id integer primary key, interchange_id integer not null references interchange, mailbox text not null,
    claim_number text not null, payer_id text not null, payee_npi text not null, frequency text not null,
    payer_claim_number text not null, replaces text not null, authorization_number text not null,
    content_key text not null, charge_cents integer not null, paid_cents integer not null default 0,
    authorized_days integer not null default 0, state text not null, reason text not null default '',
    due_at text not null, body text not null, payment text not null default '');
create index if not exists claim_content on claim (mailbox, content_key);
create index if not exists claim_state on claim (state, due_at);
create unique index if not exists claim_payer_number on claim (payer_claim_number) where payer_claim_number != '';
create table if not exists answer (
    id integer primary key, mailbox text not null, interchange_id integer, kind text not null,
    file_name text not null unique, content blob not null, due_at text not null, written integer not null default 0);
create table if not exists remittance (
    id integer primary key, mailbox text not null, payer_id text not null, payee_npi text not null,
    trace text not null unique, paid_cents integer not null, provider_adjustment_cents integer not null,
    paid_at text not null);
create table if not exists payment (
    id integer primary key, remittance_id integer not null references remittance,
    claim_id integer not null references claim, status_code text not null, charge_cents integer not null,
    paid_cents integer not null, patient_cents integer not null);
create table if not exists counter (name text primary key, value integer not null);
create table if not exists forwarded (
    mailbox text not null, payer_id text not null, payee_npi text not null, cents integer not null,
    trace text not null, primary key (mailbox, payer_id, payee_npi));
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer file still to be written into a download folder."""

    id: int
    mailbox: str
    kind: str
    file_name: str
    content: bytes


def stamp(at: datetime) -> str:
    """An aware time as text that sorts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class Ledger:
    """The sandbox's memory. One thread writes at a time; every step is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._sql = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._sql.row_factory = sqlite3.Row
        self._sql.execute("pragma journal_mode = wal")
        self._sql.execute("pragma synchronous = normal")
        self._sql.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside the block, or nothing of it."""
        self._sql.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._sql.execute("rollback")
            raise
        self._sql.execute("commit")

    def next_number(self, counter: str) -> int:
        """The next number of a series, from 1."""
        row = self._sql.execute(
            "insert into counter values (?, 1) on conflict do update set value = value + 1 returning value", (counter,)
        ).fetchone()
        return int(row[0])

    def add(self, table: str, **values: object) -> int:
        """Insert one row; its id."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        done = self._sql.execute(f"insert into {table} ({names}) values ({marks})", tuple(values.values()))  # noqa: S608
        return int(done.lastrowid or 0)

    def change(self, table: str, row_id: int, **values: object) -> None:
        """Set columns of one row."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._sql.execute(f"update {table} set {names} where id = ?", (*values.values(), row_id))  # noqa: S608

    def unarchived(self, mailbox: str, file_name: str, sha256: str) -> list[int]:
        """Interchanges of a file that was taken in but not yet moved away when we were stopped."""
        rows = self._sql.execute(
            "select id from interchange where mailbox = ? and file_name = ? and sha256 = ? and archived = 0",
            (mailbox, file_name, sha256),
        )
        return [row["id"] for row in rows]

    def has_interchange(self, mailbox: str, sender: str, receiver: str, usage: str, control_number: str) -> bool:
        """Whether an interchange with this number was taken before (accepted, or accepted in part)."""
        row = self._sql.execute(
            "select 1 from interchange where mailbox = ? and sender = ? and receiver = ? and usage = ?"
            " and control_number = ? and outcome in ('accepted', 'partial', 'rejected')",
            (mailbox, sender, receiver, usage, control_number),
        ).fetchone()
        return row is not None

    def same_content(self, mailbox: str, key: str) -> list[sqlite3.Row]:
        """Earlier claims with the same content, oldest first."""
        return self._sql.execute(
            "select * from claim where mailbox = ? and content_key = ? order by id", (mailbox, key)
        ).fetchall()

    def by_payer_number(self, mailbox: str, number: str) -> sqlite3.Row | None:
        """The claim with a payer claim control number."""
        found: sqlite3.Row | None = self._sql.execute(
            "select * from claim where mailbox = ? and payer_claim_number = ?", (mailbox, number)
        ).fetchone()
        return found

    def due_claims(self, now: datetime) -> list[sqlite3.Row]:
        """Accepted claims whose decision is due, oldest first."""
        return self._sql.execute(
            "select claim.*, interchange.reply, interchange.received_at from claim"
            " join interchange on interchange.id = claim.interchange_id"
            " where state = 'accepted' and due_at <= ? order by claim.id",
            (stamp(now),),
        ).fetchall()

    def authorized_days_paid(self, mailbox: str, number: str) -> int:
        """Days already paid under an authorization number."""
        row = self._sql.execute(
            "select sum(authorized_days) from claim"
            " where mailbox = ? and authorization_number = ? and state = 'decided'",
            (mailbox, number),
        ).fetchone()
        return int(row[0] or 0)

    def take_forwarded(self, mailbox: str, payer_id: str, payee_npi: str) -> tuple[int, str]:
        """A negative balance carried over from the last remittance (cents, its trace), which is thereby used up."""
        row = self._sql.execute(
            "delete from forwarded where mailbox = ? and payer_id = ? and payee_npi = ? returning cents, trace",
            (mailbox, payer_id, payee_npi),
        ).fetchone()
        return (int(row["cents"]), str(row["trace"])) if row else (0, "")

    def due_answers(self, now: datetime) -> list[Answer]:
        """Answers to be written now, oldest first."""
        rows = self._sql.execute(
            "select id, mailbox, kind, file_name, content from answer where written = 0 and due_at <= ? order by id",
            (stamp(now),),
        )
        return [Answer(*row) for row in rows]

    def as_json(self) -> dict[str, Any]:
        """Everything, for tests and curious people: interchanges, claims, remittances, payments, answers. No names.

        Read over a connection of its own, so that any thread may ask while another works.
        """
        return _read_all(self._path)


def read_ledger(path: Path) -> str:
    """A ledger file as JSON text (`cleanclaim sandbox ledger`)."""
    return json.dumps(_read_all(path), indent=2)


def _read_all(path: Path) -> dict[str, Any]:
    hidden = {"body", "payment", "content", "content_key", "reply"}
    tables = ("interchange", "claim", "remittance", "payment", "answer")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as sql:
        sql.row_factory = sqlite3.Row
        sql.execute("begin")  # one snapshot for all tables
        return {
            f"{table}s": [
                {name: row[name] for name in row.keys() if name not in hidden}  # noqa: SIM118 - sqlite3.Row
                for row in sql.execute(f"select * from {table} order by id")  # noqa: S608
            ]
            for table in tables
        }
