"""Faults of the way back that need more than one answer to show: every order, strangers, deaths, unfinished files.

The single ones (the same 835 twice, other amounts under one trace, no balance, a wrong receiver) are contract tests of
the answers: tests/contract/test_pipeline_answers.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import permutations
from multiprocessing import get_context
from pathlib import Path

import pytest
from msgspec import structs

from clearinghouse.inbox import PartnerInbox
from gateway.lifecycle import ClaimState
from gateway.pipeline.collect import Collected
from gateway.ports.claims import Version
from gateway.store.database import Database
from tests.factories import CHAIN, CONNECTION, ORGANIZATION, TENANT
from tests.partner_answers import Partner, payment
from tests.pipeline_site import Site, a_catalogue

ALLOWED, WRITTEN_OFF = 80_000, ("CO", "45", 25_000)
PAID = {"cash": 80_000, "contractual": 25_000, "revenue": -105_000}
ORDERS = list(permutations(range(4)))


def send(site: Site, patients: int = 1) -> list[Version]:
    """As many claims at the partner's."""
    for number in range(1, patients + 1):
        site.admit(number)
    site.sending.run(CONNECTION)
    return site.versions()


@pytest.mark.fault("F29")
def test_all_orders_of_the_answers_give_one_state_and_the_same_money(store: Database, tmp_path: Path) -> None:
    """Each of 24 claims in an interchange of its own hears TA1, 999, 277CA and 835 in an order of its own."""
    site = Site(store, tmp_path / "partner", max_claims=1)
    partner = Partner(site.payee_npi)
    versions = {version.interchange_id: version for version in send(site, len(ORDERS))}
    lives = []
    for number, row in enumerate(site.interchanges()):
        version, icn = versions[row.id], f"ICN{number}"
        paid = structs.replace(payment(version, ALLOWED, WRITTEN_OFF), payer_claim_number=icn)
        status = partner.status_277ca(version, by_payer=True, payer_claim_number=icn)
        lives.append([partner.ta1(row), partner.ack_999(row), status, partner.remit_835(paid, trace=f"EFT{number}")])
    assert len(lives) == len(ORDERS)
    for place in range(4):
        for path in (site.root / "out").iterdir():
            path.unlink()
        collected = site.answer(*(life[order[place]] for life, order in zip(lives, ORDERS, strict=True)))
        assert (collected.applied, collected.set_aside) == (len(ORDERS), 0)
    assert set(site.states()) == {ClaimState.PAID}
    assert site.balances() == {account: cents * len(ORDERS) for account, cents in PAID.items()}
    assert site.ailing() == []


@pytest.mark.fault("F33")
def test_a_remittance_to_another_tenant_never_touches_our_claim(store: Database, tmp_path: Path) -> None:
    """Its payee is theirs, its claim number is ours: the money lies in suspense, and nobody learns of the other."""
    theirs, their_npi = "upstream-clearing", "1000000038"
    ours = a_catalogue()
    stranger = replace(ours.organizations[ORGANIZATION], id="upstream", tenant="upstream", npi=their_npi)
    both = replace(ours, organizations={**ours.organizations, "upstream": stranger})
    store.ensure_tenant("upstream", {"upstream": "Upstream Counseling"}, {theirs: "T"})
    site = Site(store, tmp_path / "partner", both)
    assert both.organizations[ORGANIZATION].tenant == TENANT
    site.exchanges[theirs] = site.exchange
    (version,) = send(site)
    before = site.balances()
    by_icn = structs.replace(payment(version, ALLOWED, WRITTEN_OFF, number="OTHERS1"), payer_claim_number="ICN1")
    remits = [
        Partner(their_npi).remit_835(payment(version, ALLOWED, WRITTEN_OFF), trace="EFT1"),
        Partner(their_npi).remit_835(by_icn, trace="EFT2"),
    ]
    site.answer(Partner(site.payee_npi).status_277ca(version, by_payer=True, payer_claim_number="ICN1"))
    for content in remits:
        collected = Collected()
        site.collecting.take(theirs, BytesIO(content), b"x.835", collected)
        assert collected.applied == 1
    assert site.state() is ClaimState.PAYER_ACCEPTED
    assert site.balances() == {**before, "cash": 2 * ALLOWED, "suspense": -2 * ALLOWED}
    collected = Collected()
    site.collecting.take(
        theirs, BytesIO(Partner(site.payee_npi).remit_835(payment(version, ALLOWED))), b"y.835", collected
    )
    assert collected.set_aside == 1, "our payee by their connection is somebody else's data"
    assert site.state() is ClaimState.PAYER_ACCEPTED


ISA_LENGTH = 106
HEADERS: dict[str, Callable[[bytes], bytes]] = {
    "a header cut short": lambda text: text[:40] + text[ISA_LENGTH:],
    "another delimiter in the header alone": lambda text: text[:ISA_LENGTH].replace(b"*", b"|") + text[ISA_LENGTH:],
    "no header": lambda text: text[ISA_LENGTH:],
    "no trailer": lambda text: text[: text.index(b"IEA*")],
    "another number in the trailer": lambda text: text.replace(b"~IEA*1*0", b"~IEA*1*9"),
    "cut in its middle": lambda text: text[: len(text) // 2],
}


@pytest.mark.fault("F34")
@pytest.mark.parametrize("spoil", HEADERS.values(), ids=HEADERS.keys())
def test_a_spoilt_interchange_in_a_file_of_three_spoils_no_other(
    site: Site, partner: Partner, spoil: Callable[[bytes], bytes]
) -> None:
    versions = send(site, 3)
    first, middle, last = (
        partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), trace=f"EFT{number}")
        for number, version in enumerate(versions)
    )
    assert spoil(middle) != middle
    site.answer(first + spoil(middle) + last)
    states = {row.id: row.state for row in site.claims()}
    assert [states[version.claim_id] for version in versions] == [
        ClaimState.PAID,
        ClaimState.TRANSMITTED,
        ClaimState.PAID,
    ]
    assert site.balances()["cash"] == 2 * ALLOWED
    assert site.ailing() == []


@pytest.mark.fault("F34")
def test_a_transaction_without_its_end_is_set_aside_and_those_around_it_applied(site: Site, partner: Partner) -> None:
    """In one group: the transactions of three files, the second without its SE."""
    versions = send(site, 3)
    remits = [
        partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), trace=f"EFT{number}").split(b"~")
        for number, version in enumerate(versions)
    ]
    assert all(remit[-4].startswith(b"SE*") for remit in remits)
    head, tail = remits[0][:2], remits[0][-3:]
    site.answer(b"~".join([*head, *remits[0][2:-3], *remits[1][2:-4], *remits[2][2:-3], *tail]))
    states = {row.id: row.state for row in site.claims()}
    outcomes = [ClaimState.PAID, ClaimState.TRANSMITTED, ClaimState.PAID]
    assert [states[version.claim_id] for version in versions] == outcomes
    with site.store.read() as tx:
        (aside,) = tx.exchanges.answers(status="quarantined")
        assert aside.reason == "the transaction has no SE"
        assert b"EFT1" in tx.exchanges.raw(aside.raw_sha256)


@pytest.mark.fault("F36")
@pytest.mark.parametrize("cut", [0, 1, 3, 60, ISA_LENGTH, -30, -1])
def test_a_file_that_is_not_whole_yet_stays_at_the_partners_and_counts_once_it_is(
    store: Database, tmp_path: Path, cut: int
) -> None:
    site = Site(store, tmp_path / "partner", after="delete")
    (version,) = send(site)
    whole = Partner(site.payee_npi).remit_835(payment(version, ALLOWED, WRITTEN_OFF))
    path = site.root / "out" / "remit.835"
    path.write_bytes(whole[:cut])
    for _ in range(3):
        assert site.collecting.run(CONNECTION).files == 0
        assert path.read_bytes() == whole[:cut]
    path.write_bytes(whole)
    assert site.collecting.run(CONNECTION).applied == 1
    assert not path.exists()
    assert (site.state(), site.balances()) == (ClaimState.PAID, PAID)


@pytest.mark.fault("F36")
def test_a_file_that_grows_between_two_looks_is_left_until_it_stands_still(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path / "partner", after="delete", polls=2)
    (version,) = send(site)
    remits = [
        Partner(site.payee_npi).remit_835(payment(version, ALLOWED, WRITTEN_OFF), trace=f"EFT{number}")
        for number in (1, 2)
    ]
    path = site.root / "out" / "remits.835"
    path.write_bytes(remits[0])  # whole by itself, and still growing
    assert site.collecting.run(CONNECTION).files == 0
    path.write_bytes(b"".join(remits))
    assert site.collecting.run(CONNECTION).files == 0
    assert site.collecting.run(CONNECTION).applied == 2


DEATHS = ("before the partner's copy is let go", "after the partner's copy was let go")


@pytest.mark.fault("F39")
@pytest.mark.parametrize("death", DEATHS)
def test_a_collector_killed_around_letting_go_loses_nothing_and_posts_once(
    store_url: str, store: Database, tmp_path: Path, death: str
) -> None:
    site = Site(store, tmp_path / "partner", after="delete")
    (version,) = send(site)
    content = Partner(site.payee_npi).remit_835(payment(version, ALLOWED, WRITTEN_OFF))
    path = site.root / "out" / "remit.835"
    path.write_bytes(content)
    child = get_context("spawn").Process(target=collect_and_die, args=(store_url, site.root, death == DEATHS[0]))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert path.exists() == (death == DEATHS[0])
    collected = site.collecting.run(CONNECTION)
    assert (collected.files, collected.applied, collected.problems) == (0, 0, [])
    assert collected.duplicates == int(death == DEATHS[0])
    assert not path.exists()
    path.write_bytes(content)  # the partner puts it there once more
    assert site.collecting.run(CONNECTION).duplicates == 1
    site.settle_facts()
    assert (site.state(), site.balances()) == (ClaimState.PAID, PAID)
    assert site.ailing() == []


def collect_and_die(url: str, root: Path, before: bool) -> None:
    """A process of its own that collects, and is killed while it lets the partner's copy go."""
    dispose = PartnerInbox.dispose

    def die(inbox: PartnerInbox, answer: object) -> None:
        if not before:
            dispose(inbox, answer)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)

    PartnerInbox.dispose = die  # type: ignore[method-assign,assignment]
    Site(Database(url, CHAIN), root, after="delete").collecting.run(CONNECTION)


@pytest.mark.fault("F36")
def test_a_file_that_never_ends_is_quarantined_after_a_dozen_looks_and_stays_at_the_partners(
    store: Database, tmp_path: Path
) -> None:
    site = Site(store, tmp_path / "partner", after="delete")
    (version,) = send(site)
    whole = Partner(site.payee_npi).remit_835(payment(version, ALLOWED, WRITTEN_OFF))
    path = site.root / "out" / "remit.835"
    path.write_bytes(whole[:-30])
    passes = [site.collecting.run(CONNECTION) for _ in range(20)]
    assert [place for place, each in enumerate(passes, 1) if each.files] == [13]
    assert sum(each.set_aside for each in passes) == 1
    assert sum(each.duplicates for each in passes) == 0
    assert path.read_bytes() == whole[:-30]
    path.write_bytes(whole)
    assert site.collecting.run(CONNECTION).applied == 1
    assert (site.state(), path.exists()) == (ClaimState.PAID, False)


def test_a_file_left_at_the_partners_is_fetched_once_and_again_when_it_changes(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path / "partner", after="leave")
    (version,) = send(site)
    partner = Partner(site.payee_npi)
    path = site.root / "out" / "answer"
    path.write_bytes(partner.ack_999(site.interchanges()[0]))
    first, again = (site.collecting.run(CONNECTION) for _ in range(2))
    assert (first.applied, again.files, again.duplicates) == (1, 0, 0)
    path.write_bytes(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF)))
    assert site.collecting.run(CONNECTION).applied == 1


def test_a_file_that_has_long_stood_still_is_fetched_at_the_first_look(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path / "partner", polls=3)
    send(site)
    path = site.root / "out" / "answer"
    path.write_bytes(Partner(site.payee_npi).ack_999(site.interchanges()[0]))
    collected = site.collecting.run(CONNECTION)
    assert (collected.files, collected.settling) == (0, 1)
    long_ago = path.stat().st_mtime - 3600
    os.utime(path, (long_ago, long_ago))
    collected = site.collecting.run(CONNECTION)
    assert (collected.applied, collected.settling) == (1, 0)
