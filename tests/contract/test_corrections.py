"""What feeds say after a claim left: updates, cancels, late entries and merges are work, with the difference in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.claim.contract import ClaimForm
from gateway.claim.party import Identifier
from gateway.claim.record import AttendanceStatus, EncounterRecord, PatientRecord
from gateway.lifecycle import ClaimState
from gateway.ports.watch import WorkItem
from gateway.store.database import Database
from tests.factories import CONNECTION, NOON
from tests.partner_answers import Partner
from tests.pipeline_site import SUPERVISOR, Site, a_catalogue, a_week

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def billed(store: Database, tmp_path: Path) -> Site:
    """One patient's week of three days, sent for $1,050.00."""
    site = Site(store, tmp_path, a_catalogue(corrected_filing_days=180))
    site.admit()
    site.sending.run(CONNECTION)
    return site


def work(site: Site) -> list[WorkItem]:
    with site.store.read() as tx:
        return [each for each in tx.worklist.items() if each.finding.rule == "claim-differs"]


def sessions(number: int = 1) -> list[EncounterRecord]:
    return [each for each in a_week(number) if isinstance(each, EncounterRecord)]


def days(visits: list[EncounterRecord]) -> list[date]:
    return sorted({each.start_at.date() for each in visits if each.start_at})


def test_what_is_still_as_it_was_billed_is_no_work(billed: Site) -> None:
    billed.tell(*a_week(), at=LATER)
    assert [] == work(billed)


def test_a_day_taken_back_is_work_for_billing_with_the_lines_the_dollars_and_the_last_day(billed: Site) -> None:
    last = days(sessions())[-1]
    cancelled = [replace(each, status=AttendanceStatus.CANCELLED) for each in sessions()]
    gone = [each for each in cancelled if each.start_at and each.start_at.date() == last]
    billed.tell(*gone, at=LATER)
    (item,) = work(billed)
    (row,) = billed.claims()
    (version,) = billed.versions()
    assert ("billing", 35_000, row.id) == (item.finding.owner, item.finding.cents, item.about)
    assert ("105000", "70000", "replacement") == tuple(
        item.finding.values[name] for name in ("billed_cents", "now_cents", "next")
    )
    assert item.finding.values["gone"].startswith(last.isoformat())
    assert version.claim.statement_through_on + timedelta(days=180) >= (item.due_on or date.max)
    with billed.store.read() as tx:
        assert item.finding in tx.claims.drafts([row.id])[row.id].findings


def test_a_week_taken_back_is_a_void(billed: Site) -> None:
    billed.tell(*(replace(each, status=AttendanceStatus.ERROR) for each in sessions()), at=LATER)
    (item,) = work(billed)
    assert ("0", "void", 105_000) == (item.finding.values["now_cents"], item.finding.values["next"], item.finding.cents)


def test_a_late_day_of_a_week_that_was_billed_is_a_replacement_whichever_feed_tells_it(billed: Site) -> None:
    first = days(sessions())[0]
    late = [
        replace(
            each,
            identifiers=tuple(replace(name, value=f"{name.value}-late") for name in each.identifiers),
            start_at=each.start_at + timedelta(days=1),
            end_at=each.end_at + timedelta(days=1),
        )
        for each in sessions()
        if each.start_at and each.end_at and each.start_at.date() == first
    ]
    billed.tell(*late, at=LATER, source="hl7")
    (item,) = work(billed)
    assert ("", "replacement") == (item.finding.values["gone"], item.finding.values["next"])
    assert item.finding.values["added"].startswith((first + timedelta(days=1)).isoformat())
    assert 35_000 == item.finding.cents


def test_the_work_is_gone_once_the_feed_says_again_what_was_billed(billed: Site) -> None:
    billed.tell(*(replace(each, status=AttendanceStatus.CANCELLED) for each in sessions()), at=LATER)
    billed.tell(*sessions(), at=LATER + timedelta(hours=1))
    assert [] == work(billed)
    assert billed.state() is ClaimState.TRANSMITTED


def test_the_work_is_gone_once_the_replacement_left(billed: Site) -> None:
    (version,) = billed.versions()
    billed.answer(Partner(billed.payee_npi).status_277ca(version, by_payer=True, payer_claim_number="PAYER1"))
    billed.tell(*(replace(each, status=AttendanceStatus.CANCELLED) for each in sessions()[-3:]), at=LATER)
    (item,) = work(billed)
    billed.commands.release(item.about, SUPERVISOR, "the visits are right")
    assert billed.sending.run(CONNECTION).frozen == 1
    billed.settle_facts()
    assert [] == work(billed)


@pytest.mark.parametrize("end", ["abandoned", "refused"])
def test_visits_that_go_back_after_a_replacement_came_to_nothing_are_not_billed_anew(billed: Site, end: str) -> None:
    partner, (original,) = Partner(billed.payee_npi), billed.versions()
    billed.answer(partner.status_277ca(original, by_payer=True, payer_claim_number="PAYER1"))
    accepted = billed.state()
    billed.tell(*(replace(each, status=AttendanceStatus.CANCELLED) for each in sessions()[-3:]), at=LATER)
    (item,) = work(billed)
    billed.commands.release(item.about, SUPERVISOR, "the visits are right")
    if end == "abandoned":
        billed.sending.freeze(CONNECTION, ClaimForm.INSTITUTIONAL)
        billed.commands.resolve(billed.interchanges()[-1].id, "abandon", SUPERVISOR, "the chart is asked for")
    else:
        billed.sending.run(CONNECTION)
        billed.answer(partner.ta1(billed.interchanges()[-1], "R", "021"))
    billed.settle_facts()
    assert ["replacement"] == [each.finding.values["next"] for each in work(billed)]
    billed.tell(*sessions(), at=LATER + timedelta(hours=1))
    assert [] == work(billed)
    assert accepted is billed.state() is ClaimState.PAYER_ACCEPTED
    assert 0 == billed.sending.run(CONNECTION).frozen
    assert [] == billed.ailing()


def test_two_billed_patients_who_turn_out_to_be_one_are_work(billed: Site) -> None:
    billed.admit(2)
    billed.sending.run(CONNECTION)
    survivor, other = Identifier("ehr", "P1"), Identifier("ehr", "P2")
    billed.tell(PatientRecord(identifiers=(other,), merged_into=survivor), at=LATER)
    assert {"void"} <= {each.finding.values["next"] for each in work(billed)}
    assert billed.ailing() == []
