"""A denial is a work item: at the desk that can act, with its dollars and a day, until somebody acted."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

from adapters.codes.kinds import KINDS, read_code_list
from adapters.codes.table import write_table
from gateway.claim.finding import Owner
from gateway.ports.claims import Version
from gateway.ports.code_lists import CodeReleaseRow
from gateway.ports.watch import WorkItem
from gateway.store.database import Database
from gateway.wiring.books import Books
from tests.factories import NOON
from tests.partner_answers import TODAY, Partner, payment, reversal
from tests.pipeline_site import Site, send


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


def test_the_words_of_an_imported_list_stand_beside_the_codes_on_the_day_of_the_remittance(
    site: Site, partner: Partner, store: Database
) -> None:
    send(site)
    (version,) = site.versions()
    denied = payment(version, 0, ("CO", "45", 5_000), ("CO", "197", 100_000))
    site.answer(partner.remit_835(denied))
    assert {each["words"] for each in shown(store, version)} == {None}
    for start, words in (("2026-01-01", "asked for nobody"), ("2026-09-01", "of a later release")):
        content = f'Code,Description\n197,"{words}"\n'.encode()
        table = write_table(read_code_list(KINDS["carc"], content, "carc.csv"))
        release = CodeReleaseRow(
            kind="carc",
            file_name="carc.csv",
            file_sha256=hashlib.sha256(content).hexdigest(),
            table_sha256=hashlib.sha256(table).hexdigest(),
            start_on=date.fromisoformat(start),
            end_on=None,
            row_count=1,
            imported_at=NOON,
            actor="ana",
            role="biller",
        )
        with store.write() as tx:
            tx.code_lists.add(release, content, table)
    contractual, authorization = sorted(shown(store, version), key=lambda each: each["cents"])
    assert (contractual["words"], contractual["denied"], contractual["owner"]) == (None, False, None)
    assert (authorization["words"], authorization["denied"]) == ("asked for nobody", True)
    assert (authorization["owner"], authorization["cents"]) == (Owner.UTILIZATION_REVIEW, 100_000)


def shown(store: Database, version: Version) -> list[dict[str, Any]]:
    books = Books(store)
    found: list[dict[str, Any]] = books.claim(version.claim_number)["adjustments"]
    assert books.why(version.claim_number)["adjustments"] == found
    return found
