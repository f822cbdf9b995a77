"""A denial is a work item: at the desk that can act, with its dollars and a day, until somebody acted."""

from __future__ import annotations

from datetime import date, timedelta

from gateway.claim.finding import Owner
from gateway.ports.watch import WorkItem
from tests.factories import CONNECTION
from tests.partner_answers import TODAY, Partner, payment, reversal
from tests.pipeline_site import Site


def send(site: Site) -> None:
    site.admit()
    assert site.sending.run(CONNECTION).delivered == 1


def denials(site: Site) -> list[WorkItem]:
    with site.store.read() as tx:
        return [item for item in tx.worklist.items() if item.finding.rule == "denied"]


def due_in(days: int) -> date:
    return TODAY + timedelta(days=days)


def test_a_denied_claim_is_an_item_of_the_desk_that_can_act(site: Site, partner: Partner) -> None:
    send(site)
    (version,) = site.versions()
    assert denials(site) == []
    site.answer(partner.remit_835(payment(version, 0, ("CO", "197", 105_000))))
    (item,) = denials(site)
    assert (item.finding.owner, item.finding.cents, item.due_on) == (Owner.UTILIZATION_REVIEW, 105_000, due_in(5))
    assert (item.about, item.finding.code) == (version.claim_number, "CO-197")
    assert "1,050.00" in item.finding.message and version.claim_number in item.finding.message
    assert item.finding.values["payer_claim_number"] == "ICN1"


def test_each_reason_of_a_partly_paid_claim_has_an_item_and_contract_and_patient_have_none(
    site: Site, partner: Partner
) -> None:
    send(site)
    (version,) = site.versions()
    adjusted = (("CO", "45", 25_000), ("PR", "2", 10_000), ("CO", "29", 20_000), ("PI", "XX1", 10_000))
    site.answer(partner.remit_835(payment(version, 40_000, *adjusted)))
    found = {item.finding.code: (item.finding.owner, item.finding.cents, item.due_on) for item in denials(site)}
    assert found == {
        "CO-29": (Owner.BILLING, 20_000, due_in(30)),
        "PI-XX1": (Owner.BILLING, 10_000, due_in(14)),
    }


def test_a_denial_that_was_taken_back_and_paid_needs_nobody(site: Site, partner: Partner) -> None:
    send(site)
    (version,) = site.versions()
    denied = payment(version, 0, ("CO", "50", 105_000))
    site.answer(partner.remit_835(denied, trace="EFT1"))
    assert [item.finding.owner for item in denials(site)] == [Owner.UTILIZATION_REVIEW]
    paid = payment(version, 80_000, ("CO", "45", 25_000))
    site.answer(partner.remit_835(reversal(denied), paid, trace="EFT2"))
    assert denials(site) == []
    assert site.ailing() == []
