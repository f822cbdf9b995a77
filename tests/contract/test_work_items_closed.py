"""A work item closed by hand is off the list until something new is told: one act, on record, reopened by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.claim.record import AttendanceStatus, AuthorizationRecord, EncounterRecord
from gateway.errors import Conflict, NotAllowed, NotFound
from gateway.ports.claims import Version
from gateway.ports.watch import Outcome, WorkItem
from gateway.store.database import Database
from gateway.wiring.books import Books
from tests.contract.races import at_once
from tests.factories import NOON
from tests.partner_answers import Partner, payment, reversal
from tests.pipeline_site import BILLER, SUPERVISOR, Site, a_week, send

WHY = "called, and asked to look again"


def items(site: Site) -> list[WorkItem]:
    with site.store.read() as tx:
        return [each for each in tx.worklist.items() if each.closing is None]


def closed(site: Site) -> list[tuple[str, str, str]]:
    """(outcome, who, why) of everything closed."""
    with site.store.read() as tx:
        closings = [each.closing for each in tx.worklist.items() if each.closing]
    return [(each.outcome, each.actor, each.reason) for each in closings]


def acts(site: Site, item: WorkItem) -> list[str]:
    with site.store.read() as tx:
        return [each["action"] for each in tx.audit.acts(f"work-item:{item.id}")]


@pytest.fixture
def denied(site: Site, partner: Partner) -> WorkItem:
    """A claim the payer denied whole."""
    send(site)
    site.answer(partner.remit_835(payment(version_of(site), 0, ("CO", "197", 105_000))))
    (item,) = items(site)
    return item


def version_of(site: Site) -> Version:
    (version,) = site.versions()
    return version


def test_a_closed_denial_is_off_the_list_and_shown_with_who_and_why(
    site: Site, denied: WorkItem, store: Database
) -> None:
    done = site.commands.close_item(denied.id, Outcome.APPEALED, BILLER, WHY)
    assert done.closing is not None
    assert items(site) == []
    assert closed(site) == [("appealed", "ana", WHY)]
    (shown,) = Books(store).worklist(closed=True)["items"]
    assert (shown["id"], shown["closed"]["reason"], shown["closed"]["role"]) == (denied.id, WHY, "biller")
    assert Books(store).worklist()["items"] == []
    (work,) = Books(store).claim(version_of(site).claim_number)["work"]
    assert work["closed"]["outcome"] == "appealed"
    with store.read() as tx:
        (act,) = tx.audit.acts(f"work-item:{denied.id}")
    assert (act["actor"], act["action"], act["reason"]) == ("ana", "close-work-item", WHY)
    assert act["detail"] == f"appealed denied CO-197 {version_of(site).claim_number} 105000"
    assert site.ailing() == []


def test_a_closed_denial_stays_closed_over_days_and_repeated_answers(
    site: Site, partner: Partner, denied: WorkItem
) -> None:
    site.commands.close_item(denied.id, Outcome.WRITTEN_OFF, SUPERVISOR, "too small to appeal")
    balances = site.balances()
    site.clock.move(timedelta(days=3))
    site.settle_facts()
    site.answer(partner.remit_835(payment(version_of(site), 0, ("CO", "197", 105_000))))
    assert items(site) == []
    assert site.balances() == balances, "closing moves no money"


def test_a_new_answer_that_denies_again_is_another_item(site: Site, partner: Partner, denied: WorkItem) -> None:
    site.commands.close_item(denied.id, Outcome.APPEALED, BILLER, WHY)
    first = payment(version_of(site), 0, ("CO", "197", 105_000))
    again = payment(version_of(site), 0, ("CO", "197", 105_000))
    site.answer(partner.remit_835(reversal(first), again, trace="EFT2"))
    (item,) = items(site)
    assert item.finding.code == "CO-197"
    assert item.id != denied.id
    with pytest.raises(NotFound, match="may have changed"):
        site.commands.reopen_item(denied.id, BILLER)


def test_the_same_decision_again_is_one_act_and_another_is_a_conflict(site: Site, denied: WorkItem) -> None:
    first = site.commands.close_item(denied.id, Outcome.APPEALED, BILLER, WHY)
    site.clock.move(timedelta(minutes=5))
    assert site.commands.close_item(denied.id, Outcome.APPEALED, BILLER, WHY) == first
    assert acts(site, denied) == ["close-work-item"]
    with pytest.raises(Conflict, match="ana closed it on 2026-08-17 as appealed; reopen it"):
        site.commands.close_item(denied.id, Outcome.WRITTEN_OFF, SUPERVISOR, "enough")
    assert closed(site) == [("appealed", "ana", WHY)]


@pytest.mark.fault("F23")
def test_a_person_who_clicks_twice_at_once_closes_once(site: Site, denied: WorkItem) -> None:
    at_once(2, lambda _: site.commands.close_item(denied.id, Outcome.DONE, BILLER, WHY))
    assert acts(site, denied) == ["close-work-item"]
    assert closed(site) == [("done", "ana", WHY)]


def test_a_reopened_item_is_on_the_list_again_and_both_acts_are_on_record(site: Site, denied: WorkItem) -> None:
    site.commands.close_item(denied.id, Outcome.NOT_NEEDED, BILLER, WHY)
    site.commands.reopen_item(denied.id, SUPERVISOR, "it was needed")
    site.commands.reopen_item(denied.id, SUPERVISOR)
    assert [each.id for each in items(site)] == [denied.id]
    assert closed(site) == []
    assert acts(site, denied) == ["close-work-item", "reopen-work-item"]


def test_closing_takes_a_reason_and_an_item_that_is_there(site: Site, denied: WorkItem) -> None:
    with pytest.raises(NotAllowed, match="--reason"):
        site.commands.close_item(denied.id, Outcome.DONE, BILLER, "")
    with pytest.raises(NotFound, match="no such work item"):
        site.commands.close_item("NOBODY", Outcome.DONE, BILLER, WHY)
    assert [each.id for each in items(site)] == [denied.id]


def test_an_authorization_that_runs_out_stays_closed_while_days_pass_and_returns_when_it_is_graver(site: Site) -> None:
    end_on = NOON.date() + timedelta(days=6)
    site.tell(*_granted(end_on=end_on))
    (item,) = items(site)
    assert item.finding.values["level"] == "amber"
    site.commands.close_item(item.id, Outcome.DONE, BILLER, "an extension is asked for")
    site.clock.move(timedelta(days=1))
    site.settle_facts()
    assert items(site) == []
    site.clock.move(timedelta(days=2))
    site.settle_facts()
    (graver,) = items(site)
    assert graver.finding.values["level"] == "red"


def test_a_correction_that_nobody_wants_stays_closed_until_the_visits_change_again(site: Site) -> None:
    send(site)
    visits = [each for each in a_week() if isinstance(each, EncounterRecord)]
    site.tell(replace(visits[-1], status=AttendanceStatus.CANCELLED), at=NOON + timedelta(hours=1))
    (item,) = items(site)
    site.commands.close_item(item.id, Outcome.NOT_NEEDED, BILLER, "the visit will be told again")
    site.tell(replace(visits[-1], status=AttendanceStatus.CANCELLED), at=NOON + timedelta(hours=2))
    assert items(site) == []
    site.tell(*(replace(each, status=AttendanceStatus.CANCELLED) for each in visits[1:]), at=NOON + timedelta(hours=3))
    (another,) = items(site)
    assert (item.finding.rule, item.about) == (another.finding.rule, another.about)


def _granted(**changes: Any) -> Sequence[Any]:
    return [replace(each, **changes) if isinstance(each, AuthorizationRecord) else each for each in a_week()]
