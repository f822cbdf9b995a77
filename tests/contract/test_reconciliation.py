"""Attendance against claims, both ways, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.claim.record import AttendanceStatus, EncounterRecord
from gateway.pipeline.reconcile import Discrepancy, Reconciliation, reconcile
from tests.factories import CONNECTION, NOON
from tests.partner_answers import Partner, payment
from tests.pipeline_site import Site, a_week
from tests.unit.services.samples import MONDAY


def reconciled(site: Site) -> Reconciliation:
    with site.store.read() as tx:
        return reconcile(tx)


def told(found: tuple[Discrepancy, ...]) -> list[tuple[str, str, str, int]]:
    return [(str(each.on), each.place, each.reason, each.cents) for each in found]


def test_days_of_a_claim_that_left_are_billed(site: Site) -> None:
    site.admit()
    waiting = reconciled(site)
    assert (waiting.attended_days, waiting.billed_days) == (3, 0)
    assert {(each.place, each.reason) for each in waiting.attended_not_billed} == {("waiting", "claim-released")}
    site.sending.run(CONNECTION)
    found = reconciled(site)
    assert (found.attended_days, found.billed_days, found.billed_cents) == (3, 3, 105_000)
    assert (found.attended_not_billed, found.billed_not_attended) == ((), ())
    assert site.ailing() == []


def test_attended_days_that_are_not_billed_have_their_reason_owner_and_dollars(site: Site) -> None:
    site.tell(*a_week(note_signed=False))
    (first, *_) = found = reconciled(site).attended_not_billed
    assert told(found)[0] == (str(MONDAY), "held", "attendance-supports-lines", 35_000)
    assert (len(found), first.owner, first.claim_state) == (3, "clinician", "held")
    site.tell(*a_week(2)[:6])
    (short,) = [each for each in reconciled(site).attended_not_billed if each.place == "not-billable"]
    assert (short.reason, short.owner, short.cents, short.minutes) == ("partial-day", "front-desk", 35_000, 120)


def test_a_day_cancelled_after_billing_is_billed_and_not_attended(site: Site) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    cancelled = [
        replace(each, status=AttendanceStatus.CANCELLED)
        for each in a_week()
        if isinstance(each, EncounterRecord) and each.start_at and each.start_at.date() == MONDAY
    ]
    site.tell(*cancelled, at=NOON + timedelta(hours=1))
    found = reconciled(site)
    assert (found.attended_days, found.billed_days, found.billed_cents) == (2, 2, 70_000)
    (one,) = found.billed_not_attended
    assert told((one,)) == [(str(MONDAY), "billed", "cancelled", 35_000)]
    assert one.claim_state in ("correction-ready", "correction-held")
    assert site.ailing() == []


def test_a_refused_claims_days_are_attended_and_not_billed_again(site: Site, partner: Partner) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    site.answer(partner.ack_999(site.interchanges()[0], code="R"))
    found = reconciled(site)
    assert (found.billed_days, len(found.attended_not_billed)) == (0, 3)


def test_a_denied_day_was_billed(site: Site, partner: Partner) -> None:
    site.admit()
    site.sending.run(CONNECTION)
    site.answer(partner.remit_835(payment(site.versions()[0], 0, ("CO", "197", 105_000))))
    assert reconciled(site).billed_days == 3
    assert site.ailing() == []


def test_only_the_dates_that_were_asked_for(site: Site) -> None:
    site.admit()
    with site.store.read() as tx:
        found = reconcile(tx, since=MONDAY + timedelta(days=1), until=MONDAY + timedelta(days=2))
    assert [each.on for each in found.attended_not_billed] == [MONDAY + timedelta(days=2)]
