"""The audit trail on both databases: sealed with a key outside of them, anchored outside of them, append-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from gateway.claim.actor import Actor
from gateway.ports.oversight import AuditVerdict
from gateway.store.audit_chain import AuditChain
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import NOON


@pytest.fixture
def trail(store_url: str, tmp_path: Path) -> Iterator[Database]:
    """Six acts, anchored in a file."""
    store = Database(store_url, AuditChain(b"the key", tmp_path / "anchors"))
    for number in range(1, 7):
        act(store, f"claim:{number}")
    yield store
    store.close()


def act(store: Database, subject: str, **said: str) -> None:
    with store.write() as tx:
        tx.audit.record(NOON, Actor(name="ana", role="biller"), "release", subject, **said)


def verdict(store: Database) -> AuditVerdict:
    with store.read() as tx:
        return tx.audit.verify()


def broken(store: Database) -> list[int]:
    return [each.number for each in verdict(store).broken]


def tamper(store: Database, *statements: str) -> None:
    """What somebody does who owns the database, triggers and all."""
    if store.url.startswith("sqlite"):
        with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
            triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'"
            found = connection.execute(triggers).fetchall()
            for name, _ in found:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, sql in found:
                connection.execute(sql)
            connection.commit()
        return
    with psycopg.connect(store.url) as postgres:
        postgres.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        for statement in statements:
            postgres.execute(statement.encode())
        postgres.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")


def test_an_untouched_trail_is_intact_and_anchored_to_its_end(trail: Database) -> None:
    assert verdict(trail) == AuditVerdict(acts=6, unsealed=0, anchored=6, broken=())


SWAP = (
    "UPDATE audit_event SET id = 100 WHERE id = 2",
    "UPDATE audit_event SET id = 2 WHERE id = 3",
    "UPDATE audit_event SET id = 3 WHERE id = 100",
)
_COPIED = "at, actor, role, action, subject, reason, detail, seal"
COPY = f"INSERT INTO audit_event (id, {_COPIED}) SELECT 7, {_COPIED} FROM audit_event WHERE id = 6"
CRIMES: dict[str, tuple[tuple[str, ...], list[int]]] = {
    "an act is changed": (("UPDATE audit_event SET actor = 'bob' WHERE id = 3",), [3]),
    "the time of an act is changed": (("UPDATE audit_event SET at = '2026-08-17T12:00:00.000001Z' WHERE id = 6",), [6]),
    "words move from one field to the next": (("UPDATE audit_event SET actor='an', role='abiller' WHERE id = 1",), [1]),
    "an act is taken out": (("DELETE FROM audit_event WHERE id = 4",), [5]),
    "the first is taken out": (("DELETE FROM audit_event WHERE id = 1",), [2]),
    "an act is taken out and the later move up": (
        ("DELETE FROM audit_event WHERE id = 5", "UPDATE audit_event SET id = 5 WHERE id = 6"),
        [5, 6],
    ),
    "two acts change places": (SWAP, [2, 3, 4]),
    "the end is cut off": (("DELETE FROM audit_event WHERE id > 4",), [5]),
    "all of it is gone": (("DELETE FROM audit_event",), [1]),
    "an act is put in": ((COPY,), [7]),
    "seals are taken off": (("UPDATE audit_event SET seal = '' WHERE id < 3",), [1, 2, 3]),
    "all seals are taken off": (("UPDATE audit_event SET seal = '', actor = 'bob'",), [1, 2, 3, 4, 5, 6]),
}


@pytest.mark.parametrize(("statements", "expected"), CRIMES.values(), ids=CRIMES.keys())
def test_the_first_act_that_is_not_as_it_was_sealed_is_named(
    trail: Database, statements: tuple[str, ...], expected: list[int]
) -> None:
    tamper(trail, *statements)
    assert expected == broken(trail)


def test_a_trail_cut_and_written_on_is_told_from_the_anchors(trail: Database) -> None:
    tamper(trail, "DELETE FROM audit_event WHERE id > 4")
    for number in range(3):
        act(trail, f"other:{number}")
    assert broken(trail) == [5, 6]


def test_without_anchors_a_cut_end_is_not_told_and_the_verdict_says_so(trail: Database, tmp_path: Path) -> None:
    (tmp_path / "anchors").unlink()
    tamper(trail, "DELETE FROM audit_event WHERE id > 4")
    assert verdict(trail) == AuditVerdict(acts=4, unsealed=0, anchored=0, broken=())


def test_another_key_verifies_nothing(trail: Database) -> None:
    with closing(Database(trail.url, AuditChain(b"guessed"))) as store:
        assert broken(store) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor = 'bob'", "DELETE FROM audit_event"])
def test_the_database_itself_refuses_to_change_an_act(trail: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), trail.write() as tx:
        tx.audit._connection.exec_driver_sql(statement)  # type: ignore[attr-defined]
    assert broken(trail) == []


def test_acts_from_before_there_was_a_seal_stand_at_the_beginning(store: Database) -> None:
    for number in (3, 8):
        values = f"({number}, '2026-08-17T12:00:00.000000Z', 'ana', 'biller', 'hold', 'claim:1', '', '', '')"
        tamper(
            store,
            f"INSERT INTO audit_event (id, at, actor, role, action, subject, reason, detail, seal) VALUES {values}",
        )
    act(store, "claim:2")
    assert verdict(store) == AuditVerdict(acts=9, unsealed=8, anchored=0, broken=())


def test_whatever_the_words_hold_they_verify_as_they_were_stored(store: Database) -> None:
    act(store, "claim:1", reason="nul \x00, line\nend, quote \" ', umlaut ä, 中", detail="\ud7ff\U0001f600")
    assert broken(store) == []


def test_what_is_taken_back_leaves_no_act(store: Database) -> None:
    def fail_after(write: Callable[[], Any]) -> None:
        with store.write() as tx:
            tx.audit.record(NOON, Actor(name="ana", role="biller"), "release", "kept")
            with pytest.raises(ZeroDivisionError), tx.savepoint():
                tx.audit.record(NOON, Actor(name="ana", role="biller"), "release", "undone")
                write()
            tx.audit.record(NOON, Actor(name="ana", role="biller"), "release", "kept too")

    fail_after(lambda: 1 / 0)
    with store.read() as tx:
        assert [each["subject"] for each in tx.audit.acts()] == ["kept", "kept too"]
    assert broken(store) == []


def test_many_writers_at_once_add_to_one_trail(store_url: str, tmp_path: Path) -> None:
    stores = [Database(store_url, AuditChain(b"the key", tmp_path / "anchors")) for _ in range(4)]

    def write(number: int) -> None:
        for turn in range(10):
            act(stores[number], f"claim:{number}-{turn}")

    at_once(len(stores), write)
    assert verdict(stores[0]) == AuditVerdict(acts=40, unsealed=0, anchored=40, broken=())
    for each in stores:
        each.close()


def test_a_file_that_cannot_take_the_anchor_stops_nothing(store_url: str, tmp_path: Path) -> None:
    with closing(Database(store_url, AuditChain(b"the key", tmp_path / "no such folder" / "anchors"))) as store:
        act(store, "claim:1")
        assert verdict(store) == AuditVerdict(acts=1, unsealed=0, anchored=0, broken=())


def test_a_line_of_the_anchors_cut_short_by_a_kill_says_nothing(trail: Database, tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    path.write_text(path.read_text() + "7 0123")
    assert broken(trail) == []
