"""What days do to authorizations, kept in the database: accounts, who shares them, and workers side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from gateway.authorization.account import AuthorizationAccount, Stage, account_of
from gateway.claim.contract import Catalogue, ClaimForm, RuleSetting
from gateway.claim.finding import blocks
from gateway.claim.party import Identifier
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    AuthorizationStatus,
    CoverageRecord,
    EncounterRecord,
    EpisodeRecord,
    FeedRecord,
)
from gateway.claim.roster import GrantRecord, member_of
from gateway.errors import NotFound
from gateway.lifecycle import ClaimState
from gateway.pipeline import authorization_views
from gateway.pipeline.owners import SourceOwner
from gateway.pipeline.receive import Receiver
from gateway.ports import Arrival, Interpretation, MappedRecord, RenderedInterchange
from gateway.store.database import Database
from tests.contract.races import LONG_S, beside
from tests.factories import CONNECTION, NOON, ORGANIZATION, TENANT
from tests.partner_answers import Partner, payment
from tests.pipeline_site import SUPERVISOR, Site, a_catalogue, a_week
from tests.rosters import load
from tests.unit.services.samples import HOME, MONDAY, npi

INSTITUTIONAL = ClaimForm.INSTITUTIONAL


def with_units(records: list[FeedRecord], **changes: Any) -> list[FeedRecord]:
    """What a feed said, with another authorization."""
    return [replace(each, **changes) if isinstance(each, AuthorizationRecord) else each for each in records]


def same_member(records: list[FeedRecord]) -> list[FeedRecord]:
    """What a feed said, of the member whom we know as the first patient."""
    return [replace(each, member_number="ABC000001") if isinstance(each, CoverageRecord) else each for each in records]


def moved(records: list[FeedRecord], days: int) -> list[FeedRecord]:
    """What a feed said, every visit so many days later."""
    shift = timedelta(days=days)
    return [
        replace(each, start_at=each.start_at + shift, end_at=each.end_at + shift)  # type: ignore[attr-defined]
        if hasattr(each, "start_at")
        else each
        for each in records
    ]


def account(site: Site, number: str = "AUTH1") -> AuthorizationAccount:
    """The account of the one authorization of that number."""
    with site.store.read() as tx:
        rows, entries = tx.authorizations.rows(number), tx.authorizations.entries(number)
    return account_of(rows[0].record, rows[0].payer, [each.entry for each in entries], 6)


def stages(site: Site) -> set[tuple[Stage, str]]:
    return {(each.stage, each.reason) for each in account(site).entries}


def test_a_day_is_reserved_when_scheduled_accrued_when_attended_consumed_when_sent(site: Site) -> None:
    site.tell(*a_week(status=AttendanceStatus.PLANNED))
    site.clock.at = NOON - timedelta(days=14)
    site.tell(*a_week(status=AttendanceStatus.PLANNED), at=NOON + timedelta(minutes=1))
    assert (account(site).reserved, account(site).remaining) == (3, 20)
    site.clock.at = NOON
    site.tell(*a_week(), at=NOON + timedelta(hours=1))
    assert (account(site).reserved, account(site).accrued, account(site).remaining) == (0, 3, 17)
    site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert stages(site) == {(Stage.CONSUMED, "sent")}
    site.tell(replace(a_week()[0]), at=NOON + timedelta(hours=2))
    assert stages(site) == {(Stage.CONSUMED, "sent")}


def test_a_missed_day_gives_its_unit_back(site: Site) -> None:
    site.tell(*a_week(status=AttendanceStatus.NO_SHOW))
    assert stages(site) == {(Stage.RELEASED, "no-show")}
    assert (account(site).released, account(site).remaining) == (3, 20)


def test_a_denial_gives_its_units_back(site: Site, partner: Partner) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    assert account(site).consumed == 3
    site.answer(partner.remit_835(payment(site.versions()[0], 0, ("CO", "197", 105_000))))
    assert site.state() is ClaimState.DENIED
    assert stages(site) == {(Stage.RELEASED, "denied")}
    assert account(site).remaining == 20


def test_a_denied_day_may_be_taken_anew_by_its_correction(site: Site, partner: Partner) -> None:
    site.tell(*a_week(), key="week")
    site.tell(*a_week(days=(4,), status=AttendanceStatus.NO_SHOW), key="missed")
    site.sending.run(CONNECTION)
    (version,) = site.versions()
    site.answer(partner.remit_835(payment(version, 0, ("CO", "50", version.claim.charge_cents))))
    assert site.state() is ClaimState.DENIED
    site.tell(*a_week(days=(4,)), at=NOON + timedelta(hours=1), key="was there after all")
    assert site.state() is ClaimState.CORRECTION_READY
    assert stages(site) == {(Stage.RELEASED, "denied"), (Stage.ACCRUED, "attended")}
    assert site.ailing() == []


def test_a_file_abandoned_unsent_gives_nothing_back_until_its_days_are_gone(site: Site) -> None:
    site.admit()
    interchange = site.sending.freeze(CONNECTION, INSTITUTIONAL)
    assert interchange is not None
    site.commands.resolve(interchange, "abandon", SUPERVISOR, "wrong partner")
    site.settle_facts()
    assert stages(site) == {(Stage.ACCRUED, "attended")}


def test_units_used_before_go_live_count_and_the_days_they_paid_for_do_not(site: Site) -> None:
    opened = {"units": 10, "opening_units": 8, "opening_on": MONDAY + timedelta(days=1)}
    site.tell(*with_units(a_week(), **opened))
    found = account(site)
    assert (found.opening, found.accrued, found.remaining) == (8, 2, 0)
    assert site.state() in (ClaimState.RELEASED, ClaimState.READY)
    site.tell(*with_units(a_week(), **{**opened, "opening_units": 9}), at=NOON + timedelta(hours=1))
    assert site.state() is ClaimState.HELD
    assert account(site).first_day_beyond == MONDAY + timedelta(days=4)


def test_two_records_of_one_member_have_one_account(site: Site) -> None:
    site.tell(*with_units(a_week(1), units=3))
    site.tell(*moved(with_units(same_member(a_week(2)), units=3), 7))
    assert sorted(site.states()) == [ClaimState.HELD, ClaimState.RELEASED]
    assert account(site).at_risk_cents == 3 * 35_000


def test_a_member_of_two_organizations_has_one_account_within_the_tenant(store: Database, tmp_path: Path) -> None:
    catalogue = with_second_organization(a_catalogue())
    store.ensure_tenant(TENANT, {"second": "SECOND"}, {})
    first, second = (Site(store, tmp_path / "partner", catalogue) for _ in range(2))
    second.receiver = Receiver(store, second.clock, {"ehr": SourceOwner(tenant=TENANT, organization="second")})
    first.tell(*with_units(a_week(1), units=3))
    there = [
        replace(each, facility="second-main") if isinstance(each, EncounterRecord | EpisodeRecord) else each
        for each in moved(with_units(a_week(1), units=3), 7)
    ]
    second.tell(*there, key="there")
    states = {row.organization: row.state for row in first.claims()}
    assert states == {ORGANIZATION: ClaimState.RELEASED, "second": ClaimState.HELD}
    with store.read() as tx:
        listed = authorization_views.account_list(tx)
    assert [(each["accrued"], each["remaining"]) for each in listed] == [(6, 0), (6, 0)]


def with_second_organization(catalogue: Catalogue) -> Catalogue:
    """The catalogue with a second organization of the tenant: its own facility, the same programs and charges."""
    organization = replace(catalogue.organizations[ORGANIZATION], id="second", npi=npi(50))
    facility = replace(catalogue.facilities[HOME], id="second-main", organization="second", names=())
    return replace(
        catalogue,
        organizations={**catalogue.organizations, "second": organization},
        facilities={**catalogue.facilities, "second-main": facility},
        charges=(*catalogue.charges, *(replace(each, organization="second") for each in catalogue.charges)),
    )


def test_what_changes_for_one_of_them_is_judged_again_for_the_other(site: Site) -> None:
    site.tell(*with_units(a_week(1), units=3))
    site.tell(*moved(with_units(same_member(a_week(2)), units=3), 7))
    cancelled = [replace(each, status=AttendanceStatus.CANCELLED) for each in a_week(1)[4:]]  # type: ignore[call-arg]
    site.tell(*cancelled, at=NOON + timedelta(hours=1))
    assert [each.state for each in site.claims() if each.state != "withdrawn"] == [ClaimState.RELEASED]


def test_patients_found_to_be_one_have_one_account(site: Site) -> None:
    site.tell(*with_units(a_week(1), units=3))
    site.sending.run(CONNECTION)
    site.tell(*moved(with_units(same_member(a_week(2)), units=3), 7))
    winner = replace(a_week(1)[0], identifiers=(Identifier("ehr", "P1"), Identifier("ehr", "P2")))
    site.tell(winner, at=NOON + timedelta(hours=1))
    assert account(site).consumed == 3
    assert sorted(site.states()) == [ClaimState.HELD, ClaimState.TRANSMITTED]
    assert site.ailing() == []


def test_units_on_claims_that_were_sent_are_gone_whatever_their_dates(site: Site) -> None:
    site.tell(*moved(with_units(a_week(1), units=3), 7))
    site.sending.run(CONNECTION)
    site.tell(*with_units(same_member(a_week(2)), units=3))
    assert sorted(site.states()) == [ClaimState.HELD, ClaimState.TRANSMITTED]
    (held,) = [each for each in site.claims() if each.state == ClaimState.HELD]
    with site.store.read() as tx:
        findings = tx.claims.drafts([held.id])[held.id].findings
    assert {each.rule for each in blocks(findings)} == {"authorization-covers-days"}


def test_workers_side_by_side_never_use_more_units_than_were_granted(
    site: Site, store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker dawdles over the later days. Meanwhile earlier ones are told, judged clean, taken up by another."""
    site.tell(*moved(with_units(a_week(1), units=3), 7))
    slow, quick = (Site(store, tmp_path / "partner", max_claims=1) for _ in range(2))
    looked, gone = Event(), Event()
    render = slow.exchange.render

    def dawdling(claims: Any, numbers: Any) -> RenderedInterchange:
        looked.set()
        gone.wait(3)
        return render(claims, numbers)

    def tell_and_freeze() -> str | None:
        tell_without_settling(quick, with_units(same_member(a_week(2)), units=3))
        return quick.sending.freeze(CONNECTION, INSTITUTIONAL)

    monkeypatch.setattr(slow.exchange, "render", dawdling)
    first = beside(lambda: slow.sending.freeze(CONNECTION, INSTITUTIONAL))
    assert looked.wait(LONG_S)
    second = beside(tell_and_freeze)
    second.add_done_callback(lambda _: gone.set())
    assert (first.result(LONG_S) is None, second.result(LONG_S)) == (False, None)
    assert (account(site).consumed, len(site.versions())) == (3, 1)
    site.settle_facts()
    assert sorted(site.states()) == [ClaimState.FROZEN, ClaimState.HELD]


def tell_without_settling(site: Site, records: list[FeedRecord]) -> None:
    """One message, interpreted and its patient derived; whoever that concerns is not derived again yet."""
    words = tuple(MappedRecord(record=each, asserted_at=NOON, origins={}) for each in records)
    site.script.script[b"told"] = Interpretation(records=words)
    arrival = Arrival(source="ehr", content=b"told", content_type="x-application/hl7-v2+er7", control_key="told")
    site.receiver.receive([arrival])
    site.interpreting.run()
    assert site.deriving.run() == 1


def test_what_runs_out_is_listed_with_its_dollars_though_no_claim_is_held(site: Site) -> None:
    site.tell(*with_units(a_week(), units=4))
    planned = moved(a_week(status=AttendanceStatus.PLANNED), 21)[4:]
    site.tell(*_renamed(planned), at=NOON + timedelta(minutes=1))
    with site.store.read() as tx:
        (listed,) = authorization_views.account_list(tx, at_risk=True)
        items = authorization_views.worklist(tx, owner="utilization-review")
    assert (listed["remaining"], listed["reserved"], listed["first_day_beyond"]) == (1, 3, "2026-08-26")
    assert listed["at_risk_cents"] == 2 * 35_000
    assert [each["rule"] for each in items] == ["authorization-running-out"] * 2
    assert {each["cents"] for each in items} == {2 * 35_000}
    assert site.state() is ClaimState.RELEASED


def test_a_stay_nobody_asked_for_is_listed_the_day_after_admission(site: Site) -> None:
    said = [each for each in a_week() if not isinstance(each, AuthorizationRecord)]
    site.tell(*[replace(each, authorization_number="") if isinstance(each, EpisodeRecord) else each for each in said])
    with site.store.read() as tx:
        (item,) = authorization_views.worklist(tx)
    assert (item["rule"], item["owner"], item["cents"]) == (
        "authorization-not-requested",
        "utilization-review",
        3 * 35_000,
    )


def test_what_is_due_changes_with_the_day_and_nobody_says_anything(site: Site) -> None:
    site.tell(*with_units(a_week(), end_on=NOON.date() + timedelta(days=8)))
    with site.store.read() as tx:
        assert authorization_views.worklist(tx) == []
    site.clock.at = NOON + timedelta(days=1)
    site.settle_facts()
    with site.store.read() as tx:
        (item,) = authorization_views.worklist(tx)
    assert (item["due_on"], item["values"]["level"]) == ("2026-08-25", "amber")


def test_a_week_that_will_be_short_is_listed_while_it_runs(store: Database, tmp_path: Path) -> None:
    attendance = RuleSetting(limits={"basis": "attendance"})
    site = Site(store, tmp_path / "partner", a_catalogue(rules={"weekly-hours-met": (attendance,)}))
    site.tell(*a_week())
    planned = _renamed(moved(a_week(status=AttendanceStatus.PLANNED), 14)[4:])
    site.tell(*planned, at=NOON + timedelta(minutes=1))
    with store.read() as tx:
        assert [each["rule"] for each in authorization_views.worklist(tx)] == []
    cancelled = [replace(each, status=AttendanceStatus.CANCELLED) for each in planned[-1:]]  # type: ignore[call-arg]
    site.tell(*cancelled, at=NOON + timedelta(hours=1))
    with store.read() as tx:
        (item,) = authorization_views.worklist(tx, owner="clinician")
    assert (item["rule"], item["due_on"], item["about"]) == ("weekly-hours-met", "2026-08-22", "2026-08-16")
    assert (item["values"]["scheduled_minutes"], item["values"]["short_minutes"]) == ("480", "60")


def test_an_authorization_of_nobody_is_not_found(site: Site) -> None:
    with site.store.read() as tx, pytest.raises(NotFound, match="no such authorization"):
        authorization_views.account_details(tx, "NONE")


def test_each_day_of_an_authorization_says_what_it_did(site: Site) -> None:
    site.admit()
    with site.store.read() as tx:
        (found,) = authorization_views.account_details(tx, "AUTH1")
    assert [(day["on"], day["stage"], day["cents"]) for day in found["days"]] == [
        ("2026-08-03", "accrued", 35_000),
        ("2026-08-05", "accrued", 35_000),
        ("2026-08-07", "accrued", 35_000),
    ]
    assert (found["granted"], found["remaining"], found["unit"]) == (20, 17, "day")


def test_an_authorization_that_no_feed_told_of_is_on_file_once_it_was_recorded(site: Site) -> None:
    site.tell(*[each for each in a_week() if not isinstance(each, AuthorizationRecord)])
    assert account_numbers(site) == []
    recorded = GrantRecord(
        patient=Identifier("ehr", "P1"), payer="acme", number="AUTH1", status=AuthorizationStatus.APPROVED, units=2
    )
    load(site, recorded)
    site.settle_facts()
    assert (account_numbers(site), account(site).accrued, site.state()) == (["AUTH1"], 3, ClaimState.HELD)
    load(site, replace(recorded, units=3))
    site.settle_facts()
    assert site.state() is ClaimState.RELEASED


def test_what_was_recorded_of_a_number_is_believed_before_the_feed(site: Site) -> None:
    site.admit()
    member = member_of("acme", "ABC000001")
    load(
        site,
        GrantRecord(
            patient=member,
            payer="acme",
            number="AUTH1",
            status=AuthorizationStatus.APPROVED,
            opening_units=18,
            opening_on=MONDAY,
        ),
    )
    site.settle_facts()
    found = account(site)
    assert (found.record.units, found.opening, found.remaining, site.state()) == (20, 18, 0, ClaimState.HELD)


def account_numbers(site: Site) -> list[str]:
    with site.store.read() as tx:
        return [row.record.number for row in tx.authorizations.rows()]


def _renamed(visits: list[FeedRecord]) -> list[FeedRecord]:
    """The same visits as others: a week later they are other sessions."""
    return [
        replace(each, identifiers=tuple(Identifier(name.namespace, f"{name.value}-later") for name in each.identifiers))
        for each in visits
    ]
