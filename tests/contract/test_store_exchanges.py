"""Interchanges and answers on both databases: numbers used once, a send claimed once, an answer applied once."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.claim.answer import (
    Adjustment,
    Answer,
    ClaimAnswer,
    Entry,
    InterchangeAnswer,
    OutOfBalance,
    PaidLine,
    ProviderAdjustment,
    TransactionAnswer,
)
from gateway.ports.exchanges import DeliveryStep, InterchangeRow
from gateway.ports.storage import Transaction
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.contract.rows import a_claim_row, a_version, add_answer, an_answer, an_interchange_content, freeze
from tests.factories import CONNECTION, NOON, a_remittance, an_adjudication

STATES = ("ready", "sending", "in-doubt", "delivered", "rejected", "abandoned")
LEASE = NOON + timedelta(minutes=20)


def a_frozen_one(store: Database, isa13: int = 1, **changes: str) -> InterchangeRow:
    claim = a_claim_row(store, isa13)
    version = a_version(claim.id, interchange_id=f"i{isa13}")
    with store.write() as tx:
        tx.claims.add_versions([version])
        return freeze(tx, isa13, version, **changes)


def test_numbers_are_unique_over_threads_and_a_rollback_gives_them_back(store: Database) -> None:
    def numbers(_: int) -> list[int]:
        found = []
        for _ in range(10):
            with store.write() as tx:
                found.append(tx.exchanges.next_number(CONNECTION, "isa13"))
        return found

    assert sorted(number for some in at_once(4, numbers) for number in some) == list(range(1, 41))
    with pytest.raises(KeyError), store.write() as tx:
        assert tx.exchanges.next_number(CONNECTION, "isa13") == 41
        raise KeyError
    with store.write() as tx:
        assert tx.exchanges.next_number(CONNECTION, "isa13") == 41
        assert tx.exchanges.next_number("other-clearing", "isa13") == 1
        assert tx.exchanges.next_number(CONNECTION, "another") == 1


def test_an_interchange_comes_back_with_its_bytes_and_its_versions_in_order(store: Database) -> None:
    claims = [a_claim_row(store, number) for number in (1, 2, 3)]
    versions = [a_version(claim.id) for claim in claims][::-1]
    with store.write() as tx:
        for version in versions:
            tx.claims.add_versions([version])
        row = freeze(tx, 7, *versions)
    with store.read() as tx:
        assert tx.exchanges.interchange(row.id) == row
        assert tx.exchanges.interchange_by_number(CONNECTION, 7) == row
        assert tx.exchanges.interchange_by_number("other-clearing", 7) is None
        assert tx.exchanges.interchange("nothing") is None
        assert tx.exchanges.raw(row.sha256) == an_interchange_content(7)
        assert tx.exchanges.versions_in(row.id) == [(each.claim_id, each.id) for each in versions]


def test_interchanges_are_listed_by_connection_and_state_oldest_first(store: Database) -> None:
    rows = [a_frozen_one(store, isa13) for isa13 in (2, 1, 3)]
    with store.write() as tx:
        assert tx.exchanges.claim_send("i3", 0, LEASE)
    with store.read() as tx:
        assert [row.isa13 for row in tx.exchanges.interchanges(CONNECTION)] == [1, 2, 3]
        assert [row.isa13 for row in tx.exchanges.interchanges(CONNECTION, ("ready",))] == [1, 2]
        assert [row.isa13 for row in tx.exchanges.interchanges(states=("sending", "ready"))] == [1, 2, 3]
        assert tx.exchanges.interchanges("other-clearing") == []
    assert len(rows) == 3


@pytest.mark.parametrize("repeated", ["isa13", "remote_name", "batch_reference"])
def test_the_database_refuses_a_number_a_name_or_a_batch_used_before(store: Database, repeated: str) -> None:
    first = a_frozen_one(store, 1)
    claim = a_claim_row(store, 2)
    version = a_version(claim.id)
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.claims.add_versions([version])
        freeze(tx, 2, version, **{repeated: getattr(first, repeated)})


def test_the_database_refuses_a_live_version_in_two_interchanges(store: Database) -> None:
    claim = a_claim_row(store)
    version = a_version(claim.id)
    with store.write() as tx:
        tx.claims.add_versions([version])
        freeze(tx, 1, version)
    with pytest.raises(IntegrityError), store.write() as tx:
        freeze(tx, 2, version)
    with store.write() as tx:
        tx.exchanges.free_versions("i1")
        freeze(tx, 2, version)
    with store.read() as tx:
        assert tx.exchanges.versions_in("i1") == tx.exchanges.versions_in("i2") == [(claim.id, version.id)]


def test_one_of_many_threads_claims_the_send(store: Database) -> None:
    a_frozen_one(store)

    def claim(_: int) -> bool:
        with store.write() as tx:
            return tx.exchanges.claim_send("i1", 0, LEASE)

    assert sorted(at_once(8, claim)) == [False] * 7 + [True]
    with store.read() as tx:
        row = tx.exchanges.interchange("i1")
    assert row is not None
    assert (row.state, row.epoch, row.lease_until, row.attempts) == ("sending", 1, LEASE, 1)


def put_in(tx: Transaction, interchange_id: str, state: str) -> None:
    """Bring a frozen interchange into a state by the moves that lead there."""
    if state not in ("ready", "abandoned"):
        assert tx.exchanges.claim_send(interchange_id, 0, LEASE)
    if state not in ("ready", "sending"):
        assert tx.exchanges.set_delivery(interchange_id, None, state)


def state_of(tx: Transaction, interchange_id: str) -> str:
    row = tx.exchanges.interchange(interchange_id)
    assert row is not None
    return row.state


LEGAL = {
    ("sending", "ready"),
    ("in-doubt", "ready"),
    ("sending", "in-doubt"),
    ("in-doubt", "in-doubt"),
    ("ready", "delivered"),
    ("sending", "delivered"),
    ("in-doubt", "delivered"),
    ("ready", "rejected"),
    ("sending", "rejected"),
    ("in-doubt", "rejected"),
    ("delivered", "rejected"),
    ("ready", "abandoned"),
}


def test_every_move_of_a_delivery_is_legal_or_refused(store: Database) -> None:
    pairs = [(was, to) for was in STATES for to in STATES if to != "sending"]
    moved = set()
    for isa13, (was, to) in enumerate(pairs, start=1):
        row = a_frozen_one(store, isa13)
        with store.write() as tx:
            put_in(tx, row.id, was)
            if tx.exchanges.set_delivery(row.id, None, to):
                moved.add((was, to))
            assert state_of(tx, row.id) == (to if (was, to) in LEGAL else was)
    assert moved == LEGAL


def test_only_a_fresh_interchange_can_be_claimed_for_sending(store: Database) -> None:
    for isa13, was in enumerate(STATES[1:], start=1):
        interchange_id = a_frozen_one(store, isa13).id
        with store.write() as tx:
            put_in(tx, interchange_id, was)
            row = tx.exchanges.interchange(interchange_id)
            assert row is not None
            assert not tx.exchanges.claim_send(interchange_id, row.epoch, LEASE)


def test_who_holds_an_old_epoch_moves_nothing_and_writes_no_marker(store: Database) -> None:
    a_frozen_one(store)
    with store.write() as tx:
        assert tx.exchanges.claim_send("i1", 0, LEASE)
        assert tx.exchanges.set_delivery("i1", 1, "ready")
        assert not tx.exchanges.claim_send("i1", 0, LEASE)
        assert tx.exchanges.claim_send("i1", 1, LEASE)
        assert not tx.exchanges.set_delivery("i1", 1, "delivered")
        assert not tx.exchanges.add_step_of_holder(a_step("opened", epoch=1), LEASE)
        assert not tx.exchanges.add_step_of_holder(a_step("opened", epoch=2), LEASE + timedelta(seconds=1))
        assert tx.exchanges.add_step_of_holder(a_step("opened", epoch=2), LEASE)
        assert tx.exchanges.set_delivery("i1", 2, "delivered")
        assert not tx.exchanges.add_step_of_holder(a_step("closed", epoch=2), LEASE)
        assert tx.exchanges.steps("i1") == [a_step("opened", epoch=2)]


def test_one_in_doubt_is_looked_after_by_one_at_a_time_and_a_sender_that_wakes_is_told(store: Database) -> None:
    a_frozen_one(store)
    later = LEASE + timedelta(minutes=5)
    with store.write() as tx:
        assert not tx.exchanges.claim_settling("i1", 0, NOON, LEASE)
        assert tx.exchanges.claim_send("i1", 0, LEASE)
        assert not tx.exchanges.claim_settling("i1", 1, NOON, later)
        assert tx.exchanges.claim_settling("i1", 1, LEASE, later)
        assert not tx.exchanges.add_step_of_holder(a_step("opened"), LEASE)
        assert tx.exchanges.add_step_of_holder(a_step("removing"), later)
        assert not tx.exchanges.claim_settling("i1", 1, LEASE, later)
        assert tx.exchanges.set_delivery("i1", 1, "in-doubt")
        assert tx.exchanges.claim_settling("i1", 1, LEASE, later)


def a_step(marker: str, epoch: int = 1) -> DeliveryStep:
    return DeliveryStep(interchange_id="i1", epoch=epoch, marker=marker, at=NOON, detail="path=upload/a.x12")


def test_markers_come_back_in_order(store: Database) -> None:
    a_frozen_one(store)
    steps = [a_step(marker) for marker in ("opened", "bytes_done", "closed")]
    with store.write() as tx:
        for step in steps:
            tx.exchanges.add_step(step)
    with store.read() as tx:
        assert tx.exchanges.steps("i1") == steps


def test_a_returned_file_is_known_by_its_bytes_and_its_partner_whatever_its_name(store: Database) -> None:
    with store.write() as tx:
        tx.exchanges.add_file(CONNECTION, BytesIO(b"ISA*835~"), b"AA000001.R5", NOON)
    with store.write() as tx:
        sha256 = _sha256(b"ISA*835~")
        assert tx.exchanges.file_is_known(CONNECTION, sha256)
        assert not tx.exchanges.file_is_known("other-clearing", sha256)
        assert not tx.exchanges.file_is_known(CONNECTION, _sha256(b"ISA*836~"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


PAID = replace(
    an_adjudication(80_000, ("CO", "45", 25_000)),
    lines=(
        PaidLine(
            control_number="C10001",
            revenue_code="0905",
            hcpcs="S9480",
            modifiers=("GT",),
            service_on=date(2026, 8, 3),
            charge_cents=35_000,
            paid_cents=30_000,
            adjustments=(Adjustment(group="PR", reason="3", cents=5_000, quantity="1"),),
            remarks=("N130",),
        ),
    ),
)
SAID: tuple[Answer, ...] = (
    InterchangeAnswer(isa13=1, code="R", note="025"),
    TransactionAnswer(gs06=1, st02="0001", code="R", errors=("segment CLM at 20: code 8",)),
    a_remittance(
        PAID,
        provider_adjustments=(ProviderAdjustment(reason="WO", reference="ICN0", cents=-100),),
        out_of_balance=(OutOfBalance(where="CLP 1", expected_cents=1, found_cents=2),),
    ),
)
TYPES = {InterchangeAnswer: "TA1", TransactionAnswer: "999"}


@pytest.mark.parametrize("said", SAID, ids=lambda said: type(said).__name__)
def test_every_kind_of_answer_comes_back_as_it_was_read(store: Database, said: Answer) -> None:
    type = TYPES.get(said.__class__, "835")
    row = an_answer(1, said=said, type=type)
    row = replace(row, transaction=replace(row.transaction, type=type))
    with store.write() as tx:
        add_answer(tx, tx.exchanges.add_file(CONNECTION, BytesIO(b"file"), b"name", NOON), row)
    with store.read() as tx:
        (stored,) = tx.exchanges.answers(type=type)
        assert replace(stored, digest=row.digest) == row
        assert tx.exchanges.raw(stored.raw_sha256) == b"ISA*answer 1~"


def a_status(number: int) -> ClaimAnswer:
    return ClaimAnswer(
        batch_reference="B1",
        claim_number=f"C{number}",
        accepted=True,
        by_payer=False,
        statuses=("A1:20", "A2:20"),
        payer_claim_number="ICN1",
        charge_cents=105_000,
    )


@pytest.mark.parametrize(
    ("type", "entries"),
    [("277CA", [a_status(number) for number in range(1_200)]), ("835", [replace(PAID, ordinal=n) for n in range(7)])],
)
def test_what_an_answer_says_of_claims_comes_back_in_parts_and_in_order(
    store: Database, type: str, entries: list[Entry]
) -> None:
    row = an_answer(1)
    with store.write() as tx:
        add_answer(tx, tx.exchanges.add_file(CONNECTION, BytesIO(b"file"), b"name", NOON), row, *entries)
    with store.read() as tx:
        parts = list(tx.exchanges.entries(row.id, type))
    assert [entry for part in parts for entry in part] == entries
    assert max(map(len, parts)) <= 500


def test_a_transaction_with_problems_keeps_its_bytes_and_says_nothing_of_claims(store: Database) -> None:
    row = an_answer(1)
    row = replace(row, transaction=replace(row.transaction, answers=(), problems=("it broke off",)))
    with store.write() as tx:
        add_answer(
            tx, tx.exchanges.add_file(CONNECTION, BytesIO(b"file"), b"name", NOON), row, *map(a_status, range(600))
        )
    with store.read() as tx:
        assert list(tx.exchanges.entries(row.id, "277CA")) == []
        assert tx.exchanges.raw(row.raw_sha256) == b"ISA*answer 1~"


def test_a_large_file_is_kept_in_pieces_that_others_share_and_comes_back_whole(store: Database) -> None:
    content = random.Random(835).randbytes(3_500_000)
    with store.write() as tx:
        tx.exchanges.add_file(CONNECTION, BytesIO(content), b"large.835", NOON)
        tx.exchanges.add_file(CONNECTION, BytesIO(content + b"~"), b"larger.835", NOON)
    with store.read() as tx:
        assert tx.exchanges.raw(_sha256(content)) == content
        assert tx.exchanges.raw(_sha256(content + b"~")) == content + b"~"
        assert tx.exchanges.raw(_sha256(content[: 1 << 20])) == content[: 1 << 20]


def test_an_answer_is_applied_once_under_its_key_whatever_connection_brings_it(store: Database) -> None:
    with store.write() as tx:
        file_id = tx.exchanges.add_file(CONNECTION, BytesIO(b"file"), b"name", NOON)
        assert tx.exchanges.applied_answer("key") is None
        add_answer(tx, file_id, an_answer(1, status="unbalanced"))
        assert tx.exchanges.applied_answer("key") is None
        add_answer(tx, file_id, an_answer(2))
        add_answer(tx, file_id, an_answer(3, status="duplicate"))
        applied = tx.exchanges.applied_answer("key")
        assert applied is not None
        assert applied.id == "a2"
    with pytest.raises(IntegrityError), store.write() as tx:
        add_answer(tx, file_id, an_answer(4, connection="other-clearing"))
    with store.read() as tx:
        assert [each.id for each in tx.exchanges.answers()] == ["a1", "a2", "a3"]
        assert [each.id for each in tx.exchanges.answers(status="duplicate")] == ["a3"]


def test_many_applying_one_answer_at_once_apply_it_once(store: Database) -> None:
    def apply(number: int) -> bool:
        with store.write() as tx:
            known = tx.exchanges.file_is_known(CONNECTION, _sha256(b"file"))
            file_id = (
                tx.exchanges.add_file(CONNECTION, BytesIO(b"file %d" % number), b"name", NOON) if not known else ""
            )
            if tx.exchanges.applied_answer("key") is not None:
                return False
            add_answer(tx, file_id, an_answer(number))
            return True

    assert sorted(at_once(6, apply)) == [False] * 5 + [True]
