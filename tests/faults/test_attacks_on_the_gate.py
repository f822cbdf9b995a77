"""Ways to make a blocked claim leave, or one claim leave twice, tried on both databases. None of them may work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any, BinaryIO

import pytest
from sqlalchemy import text

from gateway.claim.contract import ClaimForm, Release
from gateway.claim.record import AttendanceStatus, CoverageRecord, FeedRecord
from gateway.errors import Conflict, GatewayError, NotAllowed, NotFound
from gateway.lifecycle import ClaimState
from gateway.pipeline.derive import Derivation
from gateway.pipeline.send import SendPass
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import CHARGE_CENTS, CONNECTION, NOON
from tests.partner_answers import Partner, payment
from tests.pipeline_site import BILLER, SUPERVISOR, Site, a_catalogue, a_week
from tests.unit.services import samples

INSTITUTIONAL = ClaimForm.INSTITUTIONAL


def run_sql(site: Site, statement: str, **values: Any) -> None:
    """What somebody with the database's password could do to the tables that are derived."""
    assert isinstance(site.store, Database)
    with site.store._engine.connect() as connection:
        connection.execute(text(statement), values)
        connection.commit()


# --- the gate --------------------------------------------------------------------------------------------------------


def test_tables_that_say_a_blocked_claim_is_released_do_not_let_it_leave(site: Site) -> None:
    """State, findings and completeness of a claim are projections: the freeze asks the facts."""
    site.admit(note_signed=False)
    assert site.state() is ClaimState.HELD
    run_sql(site, "UPDATE claim SET state = 'released'")
    run_sql(site, "UPDATE claim_draft SET findings = :none, complete = :yes", none=b"[]", yes=True)
    assert site.sending.run(CONNECTION).frozen == 0
    assert (site.state(), site.uploaded()) == (ClaimState.HELD, [])


def test_a_release_of_other_content_lets_nothing_leave(site: Site) -> None:
    """A mapping set that comes into force between the release and the freeze makes another claim of it."""
    site = Site(site.store, site.root, a_catalogue(release=Release.PERSON))
    site.admit()
    (row,) = site.claims()
    site.commands.release(row.id, BILLER)
    dearer = tuple(replace(each, cents=each.cents + 100) for each in samples.CHARGES)
    other = replace(a_catalogue(release=Release.PERSON), charges=dearer, content_hash="another set")
    heir = Site(site.store, site.root, other)
    assert heir.sending.run(CONNECTION).frozen == 0
    assert (heir.state(), heir.uploaded()) == (ClaimState.READY, [])


def test_an_override_that_ran_out_between_release_and_freeze_holds_again(site: Site) -> None:
    site = Site(site.store, site.root, a_catalogue(release=Release.PERSON))
    site.tell(*[with_a_strange_member_number(each) for each in a_week()])
    (row,) = site.claims()
    blocks = {each.rule for each in draft_of(site, row.id).findings if each.severity == "block" and each.overridable}
    assert blocks, "the payer's member numbers look otherwise"
    today = NOON.date()
    for rule in blocks:
        site.commands.override(row.id, rule, SUPERVISOR, "the payer confirmed it by telephone", today)
    site.commands.release(row.id, BILLER)
    assert site.state() is ClaimState.RELEASED
    site.clock.move(timedelta(days=1))
    assert site.sending.run(CONNECTION).frozen == 0
    assert (site.state(), site.uploaded()) == (ClaimState.HELD, [])


def with_a_strange_member_number(record: FeedRecord) -> FeedRecord:
    return replace(record, member_number="77") if isinstance(record, CoverageRecord) else record


def draft_of(site: Site, claim_id: str) -> Any:
    with site.store.read() as tx:
        return tx.claims.drafts([claim_id])[claim_id]


def test_a_hold_after_the_release_keeps_the_claim(site: Site) -> None:
    site.admit()
    (row,) = site.claims()
    site.commands.hold(row.id, BILLER, "the patient called")
    assert site.sending.run(CONNECTION).frozen == 0
    assert site.uploaded() == []


def test_a_patient_who_forbids_the_payer_after_the_release_is_not_billed(site: Site) -> None:
    site.admit()
    assert site.state() is ClaimState.RELEASED
    patient = next(each for each in a_week() if type(each) is type(samples.ADULT))
    site.tell(replace(patient, never_bill_payers=("acme",)), at=NOON + timedelta(minutes=1))
    assert site.sending.run(CONNECTION).frozen == 0
    (row,) = site.claims()
    with pytest.raises((NotAllowed, NotFound)):
        site.commands.override(row.id, "never-bill-payer", SUPERVISOR, "just this once", date(2027, 1, 1))
    with pytest.raises(NotAllowed):
        site.commands.release(row.id, SUPERVISOR)
    assert site.uploaded() == []


def test_a_claim_of_a_patient_who_forbids_the_payer_later_can_still_be_taken_back(site: Site, partner: Partner) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    (version,) = site.versions()
    site.answer(partner.status_277ca(version, by_payer=True, payer_claim_number="ICN1"))
    told = a_week(status=AttendanceStatus.CANCELLED)
    patient = next(each for each in told if type(each) is type(samples.ADULT))
    others = [each for each in told if each is not patient]
    site.tell(replace(patient, never_bill_payers=("acme",)), *others, at=NOON + timedelta(minutes=1))
    (row,) = site.claims()
    site.commands.release(row.id, SUPERVISOR)
    assert site.sending.run(CONNECTION).frozen == 1
    void = site.versions()[-1]
    assert (void.claim.frequency, void.claim.payer_claim_number) == ("8", "ICN1")


def test_a_void_waits_for_the_number_the_payer_gave(site: Site) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    site.tell(*a_week(status=AttendanceStatus.CANCELLED)[4:], at=NOON + timedelta(minutes=1))
    (row,) = site.claims()
    assert row.state == ClaimState.CORRECTION_HELD
    with pytest.raises(NotAllowed):
        site.commands.release(row.id, SUPERVISOR)
    assert len(site.uploaded()) == 1


# --- once ------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_abandoned_while_its_sender_begins_is_sent_or_freed_but_never_both(site: Site) -> None:
    for number in range(1, 9):
        site.admit(number)
        before = len(site.uploaded())
        interchange = site.sending.freeze(CONNECTION, INSTITUTIONAL)
        assert interchange is not None
        todo: list[Callable[[], object]] = [
            partial(site.sending.deliver, interchange),
            partial(site.commands.resolve, interchange, "abandon", SUPERVISOR, "frozen too early"),
        ]
        at_once(2, partial(_tried, todo))
        with site.store.read() as tx:
            row = tx.exchanges.interchange(interchange)
            facts = [
                fact.kind
                for each in site.claims()
                for fact in tx.claims.facts([each.id])[each.id]
                if fact.interchange_id == interchange
            ]
        sent = len(site.uploaded()) > before
        assert row is not None
        assert (row.state == "delivered", "freed" in facts) == (sent, not sent)
        for claim in site.claims():
            if claim.state in (ClaimState.READY, ClaimState.RELEASED):
                site.commands.hold(claim.id, BILLER, "the next round is about another claim")


def _tried(todo: Sequence[Callable[[], object]], which: int) -> object:
    try:
        return todo[which]()
    except GatewayError as error:
        return error


def test_a_decision_on_a_file_that_a_sender_took_up_is_refused(site: Site) -> None:
    """The sender's word comes between the look at the file and the decision on it."""
    site.admit()
    interchange = site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert interchange is not None

    class Overtaken:
        """A step list that is asked for, while a sender begins."""

        def __init__(self, exchanges: Any) -> None:
            self._exchanges = exchanges

        def __getattr__(self, name: str) -> Any:
            return getattr(self._exchanges, name)

        def steps(self, id: str) -> Any:
            row = self._exchanges.interchange(id)
            assert self._exchanges.claim_send(id, row.epoch, site.clock.now() + timedelta(minutes=20))
            return self._exchanges.steps(id)

    store = site.commands._store

    class Store:
        def write(self) -> Any:
            manager = store.write()
            enter = manager.__enter__

            class Wrapped:
                def __enter__(self) -> Any:
                    tx = enter()
                    return replace(tx, exchanges=Overtaken(tx.exchanges))

                def __exit__(self, *failure: Any) -> Any:
                    return manager.__exit__(*failure)

            return Wrapped()

    site.commands._store = Store()  # type: ignore[assignment]
    with pytest.raises(Conflict):
        site.commands.resolve(interchange, "abandon", SUPERVISOR, "sent by mistake")
    with site.store.read() as tx:
        assert all(tx.exchanges.versions_in(interchange))
    assert site.sending.deliver(interchange) == "delivered"


def test_a_transaction_refused_and_then_accepted_is_a_conflict_that_is_not_sent_again(
    site: Site, partner: Partner
) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    (row,), (version,) = site.interchanges(), site.versions()
    site.answer(partner.ack_999(row, "R"), partner.status_277ca(version))
    assert site.state() is ClaimState.CONFLICT
    with pytest.raises(NotAllowed):
        site.commands.release(site.claims()[0].id, SUPERVISOR)
    site.sending.run(CONNECTION)
    assert len(site.uploaded()) == 1


def test_a_duplicate_interchange_refusal_on_a_file_in_doubt_is_for_a_person(site: Site, partner: Partner) -> None:
    site.admit()
    interchange = site.sending.freeze(CONNECTION, INSTITUTIONAL)
    run_sql(site, "UPDATE interchange SET state = 'in-doubt' WHERE id = :id", id=interchange)
    run_sql(
        site,
        "INSERT INTO delivery_step (interchange_id, epoch, marker, at, detail) VALUES (:id, 0, 'opened', :at, '')",
        id=interchange,
        at="2026-08-17T12:00:00.000000Z",
    )
    (row,) = site.interchanges()
    collected = site.answer(partner.ta1(row, "R", "025"))
    assert (collected.applied, collected.set_aside) == (0, 1)
    assert site.interchanges()[0].state == "in-doubt"


def test_a_refused_file_that_is_taken_after_its_claims_went_out_again_is_for_a_person(
    site: Site, partner: Partner
) -> None:
    """Both files may be at the payer's: nothing else would ever say so."""
    site.admit()
    site.sending.run(CONNECTION)
    (first,) = site.interchanges()
    site.answer(partner.ta1(first, "R", "001"))
    site.commands.release(site.claims()[0].id, BILLER)
    site.sending.run(CONNECTION)
    assert len(site.uploaded()) == 2
    collected = site.answer(partner.ack_999(first))
    assert (collected.applied, collected.set_aside) == (0, 1)
    collected = site.answer(partner.ack_999(site.interchanges()[-1]))
    assert collected.applied == 1
    assert site.state() is ClaimState.TRANSACTION_ACCEPTED


# --- one that breaks us ----------------------------------------------------------------------------------------------


class Breaking(Derivation):
    """Breaks on one patient, as a defect of ours would."""

    broken = ""

    def derive(self, tx: Any, patient_ids: Any, now: Any) -> None:
        if self.broken in patient_ids:
            raise ZeroDivisionError("SAMPLE, PAT born 1990-05-17")
        super().derive(tx, patient_ids, now)


def test_a_patient_who_breaks_the_freeze_is_held_and_the_others_leave(site: Site) -> None:
    site.admit(1)
    site.admit(2)
    broken, well = site.claims()
    derivation = Breaking(site.policy, site.deriving._derivation._checker)
    derivation.broken = broken.patient_id
    sending = SendPass(site.store, site.clock, derivation, site.exchanges, site.connections)
    sent = sending.run(CONNECTION)
    assert (sent.frozen, sent.delivered) == (1, 1)
    states = {row.id: row.state for row in site.claims()}
    assert states == {broken.id: ClaimState.HELD, well.id: ClaimState.TRANSMITTED}
    with site.store.read() as tx:
        (held,) = [each for each in tx.claims.facts([broken.id])[broken.id] if each.kind == "held"]
    assert "ZeroDivisionError" in held.reason
    assert "SAMPLE" not in held.reason


# --- what payers and strangers say -----------------------------------------------------------------------------------


def test_a_payment_for_another_organization_touches_no_claim(site: Site, partner: Partner) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    (version,) = site.versions()
    stranger = Partner(samples.npi(77))
    collected = site.answer(stranger.remit_835(payment(version, 80_000, ("CO", "45", 25_000))))
    assert (collected.applied, collected.set_aside) == (0, 1)
    assert site.state() is ClaimState.TRANSMITTED
    assert site.balances() == {"payer-receivable": CHARGE_CENTS, "revenue": -CHARGE_CENTS}


def test_a_payment_of_a_claim_with_another_charge_by_the_payers_number_alone_goes_to_suspense(
    site: Site, partner: Partner
) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    (version,) = site.versions()
    site.answer(partner.status_277ca(version, by_payer=True, payer_claim_number="ICN1"))
    cut = payment(version, 500, ("CO", "45", 500), number=version.claim_number[:10])
    site.answer(partner.remit_835(cut))
    assert site.state() is ClaimState.PAYER_ACCEPTED
    assert site.balances() == {
        "payer-receivable": CHARGE_CENTS,
        "revenue": -CHARGE_CENTS,
        "cash": 500,
        "suspense": -500,
    }
    assert site.ailing() == []


def test_money_that_is_taken_back_without_a_claim_is_kept_apart_and_balances(site: Site, partner: Partner) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    site.answer(partner.remit_835(provider_adjustments=[("WO", 12_345)]))
    assert sum(site.balances().values()) == 0
    assert site.balances()["cash"] == -12_345
    assert site.state() is ClaimState.TRANSMITTED
    assert site.ailing() == []


def test_a_payers_number_that_comes_with_the_same_words_again_is_not_lost(site: Site, partner: Partner) -> None:
    """The second answer says what the first said, and more: in either order the claim ends with the number."""
    site.admit()
    site.sending.run(CONNECTION)
    (version,) = site.versions()
    site.answer(partner.status_277ca(version, by_payer=True))
    site.answer(partner.status_277ca(version, by_payer=True, payer_claim_number="ICN9"))
    site.tell(*a_week(status=AttendanceStatus.CANCELLED)[4:], at=NOON + timedelta(minutes=1))
    (row,) = site.claims()
    assert draft_of(site, row.id).claim.payer_claim_number == "ICN9"


@pytest.mark.parametrize("number", ["9" * 40, "X" * 3000, "A\x00B"])
def test_answers_with_numbers_beyond_measure_stop_no_other_file(site: Site, partner: Partner, number: str) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    (version,) = site.versions()
    good = partner.remit_835(payment(version, 80_000, ("CO", "45", 25_000)), trace="GOOD")
    bad = partner.remit_835(payment(version, 80_000, ("CO", "45", 25_000)), trace="TRACE")
    huge = partner.remit_835(payment(version, 7_777, ("CO", "45", 10)), trace="AMOUNT").replace(b"77.77", b"9" * 40)
    site.answer(bad.replace(b"TRACE", number.encode()), bad.replace(b"ICN1", number.encode()), huge, good)
    assert site.state() in (ClaimState.PAID, ClaimState.PARTIAL)
    with site.store.read() as tx:
        assert "GOOD" in "".join(each.business_key for each in tx.exchanges.answers(status="applied"))
    assert sum(site.balances().values()) == 0


def test_a_file_that_breaks_its_reader_is_kept_and_the_next_is_read(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    (row,) = site.interchanges()
    read = site.exchange.read_answers

    def breaking(file: BinaryIO) -> Any:
        file.seek(0)
        if file.read(6) == b"poison":
            raise RecursionError("PAT SAMPLE")
        return read(file)

    monkeypatch.setattr(site.exchange, "read_answers", breaking)
    collected = site.answer(b"poison", partner.ta1(row))
    assert (collected.files, collected.applied) == (2, 1)
    assert collected.problems == ["reading it failed with RecursionError"]
