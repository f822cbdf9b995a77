"""What is still to be done, on both databases: asked for once, taken by one worker, never lost."""

from __future__ import annotations

from threading import Event

import pytest

from gateway.errors import Conflict
from gateway.lifecycle import FactKind
from gateway.ports.work import WorkKind
from gateway.receivable.ledger import Account, LedgerEntry
from gateway.store.database import Database
from tests.contract.races import LONG_S, at_once, beside
from tests.contract.rows import a_claim_row
from tests.factories import a_fact


def test_asking_twice_is_asking_once_and_the_oldest_comes_first(store: Database) -> None:
    with store.write() as tx:
        tx.work.add("derive", ["b"])
        tx.work.add("derive", ["a", "b"])
        tx.work.add("interpret", ["b"])
    with store.write() as tx:
        assert tx.work.count() == {"derive": 2, "interpret": 1}
        assert tx.work.take("derive", 1) == ["b"]
        assert tx.work.take("derive", 10) == ["a"]
        assert tx.work.take("derive", 10) == []


@pytest.mark.parametrize(("number", "more"), [(0, True), (1, True), (2, False), (3, False)])
def test_more_than_a_number_wait_for_one_kind(store: Database, number: int, more: bool) -> None:
    with store.write() as tx:
        tx.work.add(WorkKind.DERIVE, ["a", "b"])
        tx.work.add(WorkKind.MAP_AGAIN, ["c", "d", "e", "f"])
    with store.read() as tx:
        assert more is tx.work.more_than(number, WorkKind.DERIVE)
        assert not tx.work.more_than(number, WorkKind.PARKED)


def test_a_new_day_asks_once_for_every_patient_with_a_draft_in_order(store: Database) -> None:
    patients = [a_claim_row(store, number).patient_id for number in range(3)]
    frozen = a_claim_row(store, 3)
    with store.write() as tx:
        tx.claims.drop_drafts([frozen.id])
        tx.work.add(WorkKind.DERIVE, [patients[2]])
    with store.write() as tx:
        assert 3 == tx.work.add_patients_of_a_new_day()
    with store.write() as tx:
        first, *others = tx.work.take(WorkKind.DERIVE, 10)
    assert [patients[2], *sorted(patients[:2])] == [first, *others]


def test_an_answers_patients_are_asked_for_once_in_order(store: Database) -> None:
    rows = [a_claim_row(store, number) for number in range(3)]
    facts = [a_fact(FactKind.REMITTED, code, claim_id=row.id, answer_id="a1") for row in rows for code in "12"]
    others = a_fact(FactKind.REMITTED, claim_id=a_claim_row(store, 3).id, answer_id="a2")
    with store.write() as tx:
        tx.claims.add_facts([*facts, others])
        tx.work.add_patients_answered("a1")
    with store.write() as tx:
        assert sorted(row.patient_id for row in rows) == tx.work.take(WorkKind.DERIVE, 10)


def test_taken_keys_are_gone_with_the_commit_and_back_with_a_rollback(store: Database) -> None:
    with store.write() as tx:
        tx.work.add("derive", ["a", "b"])
    with pytest.raises(Conflict), store.write() as tx:
        assert tx.work.take("derive", 10) == ["a", "b"]
        raise Conflict
    with store.write() as tx:
        assert tx.work.take("derive", 10) == ["a", "b"]
    with store.read() as tx:
        assert tx.work.count() == {}


def test_workers_side_by_side_take_every_key_once(store: Database) -> None:
    keys = [f"patient-{number:03}" for number in range(120)]
    with store.write() as tx:
        tx.work.add("derive", keys)

    def work(_: int) -> list[str]:
        taken: list[str] = []
        for _ in range(40):
            with store.write() as tx:
                taken += tx.work.take("derive", 7)
        return taken

    assert sorted(key for taken in at_once(4, work) for key in taken) == keys


def test_a_key_asked_for_while_a_worker_has_taken_it_is_there_afterwards(store: Database) -> None:
    with store.write() as tx:
        tx.work.add("derive", ["patient-1"])

    def ask() -> None:
        with store.write() as tx:
            tx.work.add("derive", ["patient-1"])

    with store.write() as worker:
        assert worker.work.take("derive", 1) == ["patient-1"]
        asking = beside(ask)
    asking.result(LONG_S)
    with store.write() as tx:
        assert tx.work.take("derive", 1) == ["patient-1"]


def test_a_key_asked_for_again_is_not_taken_before_the_asker_commits_what_it_is_about(store: Database) -> None:
    with store.write() as tx:
        tx.work.add("derive", ["patient-1"])
    asked, taken = Event(), Event()

    def take() -> list[str]:
        asked.wait(LONG_S)
        with store.write() as tx:
            found = tx.work.take("derive", 1)
        taken.set()
        return found

    taking = beside(take)
    with store.write() as asker:
        asker.work.add("derive", ["patient-1"])
        asked.set()
        taken.wait(1.0)  # PostgreSQL's worker skips the key at once; SQLite's waits for this transaction to end
    early = taking.result(LONG_S)
    with store.write() as tx:
        late = tx.work.take("derive", 1)
    assert early + late == ["patient-1"]
    assert early == [] or not store.url.startswith("postgresql")


def a_count(cents: int) -> list[LedgerEntry]:
    return [LedgerEntry(account=Account.CASH, cents=cents, basis="test", reference="")]


def test_no_wish_is_lost_between_those_who_ask_and_those_who_work(store: Database) -> None:
    """Each asker tells something new and asks for the patient; each worker derives from what it sees told."""

    def ask(number: int) -> None:
        for told in range(1, 16):
            with store.write() as tx:
                tx.work.add("derive", ["patient-1"])
                tx.ledger.replace_all({f"told-{number}": a_count(told)})

    def derive() -> None:
        with store.write() as tx:
            if tx.work.take("derive", 1):
                seen = sum(each.cents for number in range(3) for each in tx.ledger.entries(f"told-{number}"))
                tx.ledger.replace_all({"derived": a_count(seen)})

    def either(number: int) -> None:
        if number < 3:
            ask(number)
        else:
            for _ in range(40):
                derive()

    at_once(5, either)
    derive()
    with store.read() as tx:
        assert tx.work.count() == {}
        assert [each.cents for each in tx.ledger.entries("derived")] == [45]
