"""Ledger, audit and mapping sets on both databases."""

from __future__ import annotations

import pytest

from gateway.claim.actor import Actor
from gateway.errors import NotFound
from gateway.receivable.ledger import Account, LedgerEntry, billed, remitted
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.contract.rows import a_claim_row
from tests.factories import NOON, an_adjudication


def test_an_owners_entries_are_replaced_whole_and_others_stand(store: Database) -> None:
    paid = an_adjudication(80_000, ("CO", "45", 25_000))
    with store.write() as tx:
        tx.ledger.replace_all({"claim:1": billed("C1", 105_000)})
        tx.ledger.replace_all({"claim:2": billed("C2", 50_000)})
        tx.ledger.replace_all({"claim:1": [*billed("C1", 105_000), *remitted("C1", paid)]})
    with store.read() as tx:
        assert tx.ledger.balances() == {
            "payer-receivable": 50_000,
            "revenue": -155_000,
            "cash": 80_000,
            "contractual": 25_000,
        }
        assert list(tx.ledger.entries("claim:1")) == [*billed("C1", 105_000), *remitted("C1", paid)]
        assert len(list(tx.ledger.entries())) == 7
    with store.write() as tx:
        tx.ledger.replace_all({"claim:1": []})
        assert list(tx.ledger.entries("claim:1")) == []


def test_amounts_beyond_32_bits_sum_exactly(store: Database) -> None:
    with store.write() as tx:
        for number in range(3):
            entry = LedgerEntry(account=Account.CASH, cents=10**12 + 1, basis="remitted", reference="")
            tx.ledger.replace_all({f"claim:{number}": [entry]})
        assert tx.ledger.balances() == {"cash": 3 * 10**12 + 3}


def test_those_who_hold_one_claim_replace_its_entries_one_after_the_other(store: Database) -> None:
    """Side by side, each would delete what it sees and insert its own: the claim would be billed several times."""
    row = a_claim_row(store)

    def project(number: int) -> None:
        for _ in range(5):
            with store.write() as tx:
                tx.claims.hold([row.id])
                tx.ledger.replace_all({f"claim:{row.id}": billed("C1", number + 1)})

    at_once(4, project)
    with store.read() as tx:
        assert len(list(tx.ledger.entries())) == 2


def test_acts_are_kept_in_order_and_found_by_what_they_were_about(store: Database) -> None:
    with store.write() as tx:
        tx.audit.record(NOON, Actor(name="ana", role="biller"), "release", "claim:1", "clean")
        tx.audit.record(
            NOON, Actor(name="sam", role="supervisor"), "override", "claim:2", "confirmed", "authorization-covers-days"
        )
    with store.read() as tx:
        assert [act["actor"] for act in tx.audit.acts()] == ["ana", "sam"]
        (act,) = tx.audit.acts("claim:2")
    told = {name: act[name] for name in ("at", "actor", "role", "action", "subject", "reason", "detail")}
    assert told == {
        "at": NOON,
        "actor": "sam",
        "role": "supervisor",
        "action": "override",
        "subject": "claim:2",
        "reason": "confirmed",
        "detail": "authorization-covers-days",
    }


def test_the_set_put_in_force_last_is_in_force_and_the_others_are_kept(store: Database) -> None:
    files = {"payers/acme.yaml": "név: Ácme\n".encode(), "codes/x.yaml": bytes(range(256))}
    with store.write() as tx:
        assert tx.mapping_sets.in_force() is None
        tx.mapping_sets.put_in_force("1" * 64, files, NOON, Actor(name="ana", role="integration"))
        tx.mapping_sets.put_in_force("2" * 64, {}, NOON, Actor(name="ana", role="integration"))
        assert tx.mapping_sets.in_force() == "2" * 64
        tx.mapping_sets.put_in_force("1" * 64, files, NOON, Actor(name="ana", role="integration"))
    with store.read() as tx:
        assert tx.mapping_sets.in_force() == "1" * 64
        assert tx.mapping_sets.files("1" * 64) == files
        assert tx.mapping_sets.files("2" * 64) == {}
        with pytest.raises(NotFound):
            tx.mapping_sets.files("3" * 64)
