"""Freezing: what leaves, what stays, and that one interchange carries it once. On both databases, on real bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.claim.contract import ClaimForm, Release, Route
from gateway.claim.identifiers import claim_number_is_intact
from gateway.claim.record import AttendanceStatus
from gateway.errors import FormatError, NotAllowed
from gateway.lifecycle import ClaimState
from gateway.ports import InterchangeNumbers, NumberedClaim, RenderedInterchange
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import CONNECTION, NOON
from tests.pipeline_site import BILLER, OTHER_CONNECTION, SUPERVISOR, Site, a_catalogue, a_week

INSTITUTIONAL = ClaimForm.INSTITUTIONAL


def test_a_clean_claim_leaves_by_itself_where_its_payer_says_so(site: Site) -> None:
    site.admit()
    assert site.state() is ClaimState.RELEASED
    sent = site.sending.run(CONNECTION)
    assert (sent.frozen, sent.delivered, sent.problems) == (1, 1, ())
    assert site.state() is ClaimState.TRANSMITTED
    (row,), (version,) = site.interchanges(), site.versions()
    assert site.uploaded() == [row.remote_name]
    content = (site.root / "in" / row.remote_name).read_bytes()
    assert site.exchange.claim_numbers(content) == [version.claim_number]
    assert claim_number_is_intact(version.claim_number)
    assert site.balances() == {"payer-receivable": 105_000, "revenue": -105_000}
    assert site.ailing() == []


def test_running_again_sends_nothing_again(site: Site) -> None:
    site.admit()
    for _ in range(3):
        site.sending.run(CONNECTION)
        site.settle_facts()
    assert len(site.uploaded()) == len(site.interchanges()) == 1


def test_a_claim_that_waits_for_a_person_leaves_only_once_released(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, a_catalogue(release=Release.PERSON))
    site.admit()
    site.sending.run(CONNECTION)
    assert (site.state(), site.uploaded()) == (ClaimState.READY, [])
    (row,) = site.claims()
    site.commands.release(row.id, BILLER)
    site.sending.run(CONNECTION)
    assert site.state() is ClaimState.TRANSMITTED


def test_a_claim_with_a_block_is_never_frozen_released_or_not(site: Site) -> None:
    site.admit(note_signed=False)
    assert site.state() is ClaimState.HELD
    assert site.sending.run(CONNECTION).frozen == 0
    assert (site.versions(), site.interchanges(), site.uploaded()) == ([], [], [])


def test_a_claim_that_a_fact_blocks_between_release_and_freeze_stays(site: Site) -> None:
    site.admit()
    assert site.state() is ClaimState.RELEASED
    unsigned = a_week(note_signed=False)
    site.interpreting.run()
    site.script.script[b"late"] = site.script.script[b"message 0"]
    late = NOON + timedelta(hours=1)
    site.tell(*unsigned[4:], at=late)
    assert site.sending.run(CONNECTION).frozen == 0
    assert site.state() is ClaimState.HELD


def test_the_gate_runs_in_the_freeze_itself_not_only_before_it(site: Site) -> None:
    """The fact is stored and interpreted, but nobody has derived from it yet when the freeze begins."""
    site.admit()
    site.deriving = type(site.deriving)(site.store, site.clock, _Idle())  # type: ignore[arg-type]
    site.tell(*a_week(note_signed=False)[4:], at=NOON + timedelta(hours=1))
    assert site.state() is ClaimState.RELEASED
    assert site.sending.run(CONNECTION).frozen == 0
    assert site.state() is ClaimState.HELD


class _Idle:
    """A derivation that does nothing."""

    def derive(self, tx: object, patient_ids: object, now: object) -> None:
        return None


def test_an_override_lets_one_rule_pass_until_its_last_day_and_is_named_on_the_version(site: Site) -> None:
    site.admit(note_signed=False)
    (row,) = site.claims()
    with site.store.read() as tx:
        rules = {each.rule for each in tx.claims.drafts([row.id])[row.id].findings if each.severity == "block"}
    for rule in rules:
        site.commands.override(row.id, rule, SUPERVISOR, "signed on paper", date(2026, 8, 31))
    site.sending.run(CONNECTION)
    (version,) = site.versions()
    assert site.state() is ClaimState.TRANSMITTED
    assert any("let pass by sam" in each.message for each in version.findings)


def test_an_override_that_has_run_out_holds_the_claim_again(site: Site) -> None:
    site.admit(note_signed=False)
    (row,) = site.claims()
    with site.store.read() as tx:
        rules = {each.rule for each in tx.claims.drafts([row.id])[row.id].findings if each.severity == "block"}
    for rule in rules:
        site.commands.override(row.id, rule, SUPERVISOR, "signed on paper", date(2026, 8, 18))
    site.clock.move(timedelta(days=2))
    assert site.sending.run(CONNECTION).frozen == 0
    assert site.state() is ClaimState.HELD


def test_claims_of_many_patients_share_an_interchange_up_to_the_partners_limit(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, max_claims=2)
    for number in range(1, 6):
        site.admit(number)
    assert site.sending.run(CONNECTION).delivered == 3
    assert sorted(row.claim_count for row in site.interchanges()) == [1, 2, 2]
    numbers = [version.claim_number for version in site.versions()]
    assert len(set(numbers)) == 5
    sent = [number for name in site.uploaded() for number in _numbers(site, name)]
    assert sorted(sent) == sorted(numbers)


def _numbers(site: Site, name: str) -> list[str]:
    return site.exchange.claim_numbers((site.root / "in" / name).read_bytes())


@pytest.mark.fault("F14")
def test_workers_side_by_side_freeze_every_claim_once(site: Site, store: Database, tmp_path: Path) -> None:
    for number in range(1, 9):
        site.admit(number)
    workers = [Site(store, tmp_path / "partner", max_claims=3) for _ in range(3)]

    def freeze(worker: int) -> None:
        for _ in range(8):
            workers[worker].sending.freeze(CONNECTION, INSTITUTIONAL)

    at_once(3, freeze)
    assert set(site.states()) == {ClaimState.FROZEN}
    assert len({version.claim_number for version in site.versions()}) == 8
    assert sum(row.claim_count for row in site.interchanges()) == 8
    assert len({row.isa13 for row in site.interchanges()}) == len(site.interchanges())
    site.sending.run(CONNECTION)
    assert site.ailing() == []


def test_a_freeze_that_fails_leaves_no_number_no_version_and_no_interchange(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.admit()

    def broken(claims: object, numbers: object) -> None:
        raise RuntimeError("died while rendering")

    with monkeypatch.context() as patch:
        patch.setattr(site.exchange, "render", broken)
        with pytest.raises(RuntimeError):
            site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert (site.versions(), site.interchanges(), site.state()) == ([], [], ClaimState.RELEASED)
    site.sending.run(CONNECTION)
    assert [row.isa13 for row in site.interchanges()] == [1]


def test_one_claim_that_cannot_be_written_is_held_and_the_others_leave(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        site.admit(number)
    unwritable = site.claims()[1].patient_id
    render = site.exchange.render

    def picky(claims: list[NumberedClaim], numbers: InterchangeNumbers) -> RenderedInterchange:
        if any(each.claim.key.patient_id == unwritable for each in claims):
            raise FormatError("loop 2010BA NM103: a character that cannot be written")
        return render(claims, numbers)

    monkeypatch.setattr(site.exchange, "render", picky)
    sent = site.sending.run(CONNECTION)
    assert (sent.frozen, sent.delivered) == (1, 1)
    states = {row.patient_id: row.state for row in site.claims()}
    assert states.pop(unwritable) == ClaimState.HELD
    assert set(states.values()) == {ClaimState.TRANSMITTED}
    assert site.ailing() == []


def test_a_claim_that_a_person_held_leaves_once_a_person_releases_it(site: Site) -> None:
    site.admit()
    (row,) = site.claims()
    site.commands.hold(row.id, BILLER, "asked the clinic about Wednesday")
    assert site.sending.run(CONNECTION).frozen == 0
    assert site.state() is ClaimState.HELD
    site.commands.release(row.id, BILLER)
    site.sending.run(CONNECTION)
    assert site.state() is ClaimState.TRANSMITTED


def test_nobody_releases_a_claim_that_a_block_holds(site: Site) -> None:
    site.admit(note_signed=False)
    (row,) = site.claims()
    with pytest.raises(NotAllowed, match="block"):
        site.commands.release(row.id, SUPERVISOR)


def test_a_claim_whose_route_changed_after_its_release_leaves_by_the_new_route_alone(
    site: Site, store: Database, tmp_path: Path
) -> None:
    site.admit()
    moved = a_catalogue(routes=(Route(connection=OTHER_CONNECTION, payer_number="NACME"),))
    later = Site(store, tmp_path / "partner", moved)
    assert later.sending.freeze(CONNECTION, INSTITUTIONAL) is None
    assert later.sending.freeze(OTHER_CONNECTION, INSTITUTIONAL) is not None
    assert [row.connection for row in later.interchanges()] == [OTHER_CONNECTION]


@pytest.mark.fault("F22")
def test_a_file_frozen_for_test_never_goes_to_production(site: Site, store: Database, tmp_path: Path) -> None:
    site.admit()
    interchange_id = site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert interchange_id is not None
    live = Site(store, tmp_path / "partner", usage="P")
    live.connections.waive_certification(CONNECTION, SUPERVISOR, "the partner has certified us before")
    with pytest.raises(NotAllowed, match="frozen for usage T"):
        live.sending.deliver(interchange_id)
    sent = live.sending.run(CONNECTION)
    assert (sent.delivered, len(sent.problems), live.uploaded()) == (0, 1, [])
    assert [row.state for row in live.interchanges()] == ["ready"]


def test_an_abandoned_file_burns_its_number_and_frees_its_claims(site: Site) -> None:
    site.admit()
    interchange_id = site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert interchange_id is not None
    site.commands.resolve(interchange_id, "abandon", SUPERVISOR, "wrong partner")
    site.settle_facts()
    site.sending.run(CONNECTION)
    assert [(row.isa13, row.state) for row in site.interchanges()] == [(1, "abandoned"), (2, "delivered")]
    assert len(site.versions()) == 1
    assert len(site.uploaded()) == 1
    assert site.ailing() == []


def test_a_visit_cancelled_after_billing_makes_a_replacement_that_waits_for_a_person(site: Site) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    visits = [replace(each, status=AttendanceStatus.CANCELLED) for each in a_week()[-3:]]
    site.tell(*visits, at=NOON + timedelta(hours=1))
    assert site.state() in (ClaimState.CORRECTION_READY, ClaimState.CORRECTION_HELD)
    assert site.sending.run(CONNECTION).frozen == 0
    (row,) = site.claims()
    with site.store.read() as tx:
        draft = tx.claims.drafts([row.id])[row.id]
    assert (draft.claim.frequency, len(draft.claim.lines)) == ("7", 2)
