"""What partners answer, as real files on both databases: applied once, in any order, to what it speaks of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import permutations
from pathlib import Path

import pytest
from msgspec import structs

from gateway.errors import Conflict, NotAllowed, NotFound
from gateway.lifecycle import ClaimState
from gateway.pipeline.collect import Collected
from gateway.ports.exchanges import InterchangeRow
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import CONNECTION
from tests.partner_answers import Partner, payment, reversal
from tests.pipeline_site import BILLER, OTHER_CONNECTION, SUPERVISOR, Site, answers, send, sent

ALLOWED, WRITTEN_OFF, REFUSED = 80_000, ("CO", "45", 25_000), ("CO", "197", 105_000)


def a_life(site: Site, partner: Partner) -> dict[str, bytes]:
    """Every answer a paid claim hears."""
    row, version = sent(site)
    return {
        "TA1": partner.ta1(row),
        "999": partner.ack_999(row),
        "clearinghouse": partner.status_277ca(version),
        "payer": partner.status_277ca(version, by_payer=True, payer_claim_number="ICN1"),
        "835": partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF)),
    }


def test_a_claim_goes_through_the_states_its_answers_bring(site: Site, partner: Partner) -> None:
    send(site)
    heard = []
    for content in a_life(site, partner).values():
        site.answer(content)
        heard.append(site.state())
        assert site.ailing() == []
    assert heard == [
        ClaimState.INTERCHANGE_ACCEPTED,
        ClaimState.TRANSACTION_ACCEPTED,
        ClaimState.CLEARINGHOUSE_ACCEPTED,
        ClaimState.PAYER_ACCEPTED,
        ClaimState.PAID,
    ]
    assert site.balances() == {"cash": 80_000, "contractual": 25_000, "revenue": -105_000}


ORDERS = [order for number, order in enumerate(permutations(range(5))) if number % 24 == 0]


@pytest.mark.fault("F29")
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(map(str, order)))
def test_answers_in_any_order_and_more_than_once_give_one_state_and_the_same_money(
    site: Site, partner: Partner, order: tuple[int, ...]
) -> None:
    send(site)
    contents = list(a_life(site, partner).values())
    for place in (*order, *order[:2]):
        site.answer(contents[place])
    assert site.state() is ClaimState.PAID
    assert site.balances() == {"cash": 80_000, "contractual": 25_000, "revenue": -105_000}
    assert site.ailing() == []


@pytest.mark.fault("F26", "F27")
def test_the_same_file_again_and_the_same_835_in_another_envelope_post_once(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    remit = partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF))
    again = partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF))
    assert remit != again
    assert site.answer(remit).applied == 1
    balances = site.balances()
    assert (site.answer(remit).applied, site.answer(again).applied) == (0, 0)
    assert [each.status for each in answers(site)].count("applied") == 1
    assert [each.status for each in answers(site)].count("duplicate") == 1
    assert site.balances() == balances
    assert site.ailing() == []


@pytest.mark.fault("F27")
def test_the_same_835_by_another_connection_posts_once(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF)))
    again = partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF))
    collected = Collected()
    site.collecting.take(OTHER_CONNECTION, BytesIO(again), b"x.835", collected)
    assert (collected.applied, collected.duplicates) == (0, 1)
    assert site.balances()["cash"] == 80_000


@pytest.mark.fault("F28")
def test_the_same_trace_with_other_content_is_set_aside(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF)))
    balances = site.balances()
    assert site.answer(partner.remit_835(payment(version, 0, REFUSED))).set_aside == 1
    (aside,) = answers(site, "quarantined")
    assert "other content" in aside.reason
    assert (site.balances(), site.state()) == (balances, ClaimState.PAID)


@pytest.mark.fault("F31")
def test_an_835_out_of_balance_is_kept_and_not_posted_until_a_balanced_one_comes(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    before = site.balances()
    assert site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), payment_cents=1)).set_aside == 1
    (aside,) = answers(site, "unbalanced")
    assert "does not balance" in aside.reason
    with site.store.read() as tx:
        assert b"ST*835" in tx.exchanges.raw(aside.raw_sha256)
    assert (site.balances(), site.state()) == (before, ClaimState.TRANSMITTED)
    assert site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF))).applied == 1
    assert site.balances()["cash"] == 80_000
    assert site.ailing() == []


@pytest.mark.fault("F33")
def test_money_for_a_claim_we_do_not_know_lies_in_suspense_and_cash_is_what_was_paid(
    site: Site, partner: Partner
) -> None:
    send(site)
    _, version = sent(site)
    unknown = structs.replace(payment(version, 12_300, number="OLDSYSTEM77"), payer_claim_number="ICN99")
    cut = structs.replace(payment(version, 100, number=version.claim_number[:-1]), payer_claim_number="ICN98")
    remit = partner.remit_835(
        payment(version, ALLOWED, WRITTEN_OFF), unknown, cut, provider_adjustments=[("WO", 300), ("L6", -40)]
    )
    site.answer(remit)
    (applied,) = answers(site, "applied")
    assert applied.reason == "2 of its entries are not ours"
    assert site.balances() == {
        "cash": 80_000 + 12_300 + 100 - 300 + 40,
        "contractual": 25_000,
        "revenue": -105_000,
        "suspense": -12_400,
        "provider-adjustment": 260,
    }
    assert site.ailing() == []


def test_a_payment_is_matched_by_the_payers_own_number_where_ours_is_missing_and_the_charge_agrees(
    site: Site, partner: Partner
) -> None:
    send(site)
    _, version = sent(site)
    site.answer(partner.status_277ca(version, by_payer=True, payer_claim_number="ICN1"))
    other_charge = payment(version, 1_000, number="NOTOURS")
    site.answer(partner.remit_835(other_charge, trace="EFT0"))
    assert site.balances()["suspense"] == -1_000
    site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF, number="NOTOURS"), trace="EFT1"))
    assert site.state() is ClaimState.PAID
    assert site.balances()["suspense"] == -1_000


@pytest.mark.fault("F33")
def test_a_277ca_whose_charge_is_not_the_claims_is_not_believed(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    site.answer(partner.status_277ca(version, accepted=False, charge_cents=1))
    assert site.state() is ClaimState.TRANSMITTED
    assert answers(site, "applied")[0].reason == "1 of its entries is not ours"


def test_a_277ca_by_a_connection_that_did_not_carry_the_claim_is_not_believed(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    site.collecting.take(
        OTHER_CONNECTION, BytesIO(partner.status_277ca(version, accepted=False)), b"x.277", Collected()
    )
    assert site.state() is ClaimState.TRANSMITTED


@pytest.mark.fault("F35")
@pytest.mark.parametrize("wrong", [{"receiver": "SOMEBODY"}, {"usage": "P"}, {"payee_npi": "1000000020"}])
def test_what_is_addressed_to_somebody_else_or_to_production_is_set_aside_unread(
    site: Site, partner: Partner, wrong: dict[str, str]
) -> None:
    send(site)
    _, version = sent(site)
    stranger = replace(partner, **wrong)  # type: ignore[arg-type]
    assert site.answer(stranger.remit_835(payment(version, ALLOWED, WRITTEN_OFF))).set_aside == 1
    (aside,) = answers(site, "quarantined")
    assert aside.reason
    assert site.state() is ClaimState.TRANSMITTED
    assert "cash" not in site.balances()


def bundle(*contents: bytes) -> bytes:
    return b"".join(contents)


def in_one_interchange(*remits: bytes) -> bytes:
    """The transactions of several 835 files in the envelope of the first."""
    head, tail = remits[0].split(b"~")[:2], remits[0].split(b"~")[-4:]
    sets: list[bytes] = []
    for number, remit in enumerate(remits, 1):
        segments = remit.split(b"~")[2:-4]
        sets += [b"ST*835*%04d" % number, *segments[1:], b"SE*%d*%04d" % (len(segments) + 1, number)]
    assert tail[0].startswith(b"SE*")
    group_end = tail[1].split(b"*")
    return b"~".join([*head, *sets, b"*".join([b"GE", b"%d" % len(remits), group_end[2]]), *tail[2:]])


CORRUPTIONS: dict[str, Callable[[bytes], bytes]] = {
    "a segment nobody knows in place of the claim": lambda text: text.replace(b"~CLP*", b"~CLX*"),
    "no payment": lambda text: text.replace(b"~BPR*", b"~BPX*"),
    "letters for an amount": lambda text: text.replace(b"*1050*800*", b"*1050*8oo*"),
    "a trace cut short": lambda text: text.replace(b"~TRN*1*EFT1*1990000017", b"~TRN*1"),
    "a wrong count of segments": lambda text: text.replace(b"~SE*", b"~SE*9"),
}


@pytest.mark.fault("F34")
@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
@pytest.mark.parametrize("together", [in_one_interchange, bundle])
def test_one_corrupt_transaction_among_several_spoils_itself_alone(
    site: Site, partner: Partner, together: Callable[..., bytes], corrupt: Callable[[bytes], bytes]
) -> None:
    send(site, patients=3)
    versions = site.versions()
    remits = [
        partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), trace=f"EFT{number}")
        for number, version in enumerate(versions)
    ]
    content = together(*remits)
    middle = content.split(b"~BPR*")[2]
    start = content.index(b"~BPR*" + middle)
    end = start + len(b"~BPR*" + middle)
    assert corrupt(content[start:end]) != content[start:end]
    site.answer(content[:start] + corrupt(content[start:end]) + content[end:])
    statuses = [each.status for each in answers(site)]
    assert statuses.count("applied") == 2
    assert set(statuses) - {"applied"} in ({"quarantined"}, {"unbalanced"})
    states = {row.id: row.state for row in site.claims()}
    assert states == {
        version.claim_id: ClaimState.TRANSMITTED if number == 1 else ClaimState.PAID
        for number, version in enumerate(versions)
    }
    assert site.ailing() == []


def test_an_answer_that_breaks_our_own_code_is_set_aside_and_the_rest_of_the_file_applied(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(site)
    row, version = sent(site)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gateway.pipeline.answer_application.adjusted", broken)
    remit = partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), provider_adjustments=[("WO", 300)])
    collected = site.answer(bundle(remit, partner.ack_999(row)))
    assert (collected.applied, collected.set_aside) == (1, 1)
    (aside,) = answers(site, "quarantined")
    assert "ZeroDivisionError" in aside.reason
    assert site.state() is ClaimState.TRANSACTION_ACCEPTED
    assert site.ailing() == []


@pytest.mark.parametrize(
    "content", [b"", b"Your file was received. Thank you.", b"ISA*00*", bytes(range(256)), b"\xff\xfe" * 100]
)
def test_a_file_that_is_no_answer_is_kept_and_listed_as_a_report(site: Site, content: bytes) -> None:
    collected = Collected()
    site.collecting.take(CONNECTION, BytesIO(content), b"\xffodd name", collected)
    assert (collected.files, collected.reports, collected.problems) == (1, 1, [])
    assert answers(site) == []
    with site.store.read() as tx:
        (report,) = tx.partners.reports()
        assert (report.remote_name, tx.exchanges.raw(report.sha256)) == (b"\xffodd name", content)
    assert "no X12" in report.reason
    site.collecting.take(CONNECTION, BytesIO(content), b"other name", collected)
    assert (collected.files, collected.duplicates) == (1, 1)


OTHERS: dict[str, Callable[[Partner, InterchangeRow], bytes]] = {
    "of another day": lambda partner, row: partner.ta1(
        replace(row, created_at=row.created_at - timedelta(days=1)), "R"
    ),
    "of another minute": lambda partner, row: partner.ta1(replace(row, created_at=row.created_at - MINUTE), "R"),
    "by somebody else": lambda partner, row: replace(partner, sender="ELSEWHERE").ta1(row, "R"),
}
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_a_ta1_of_our_number_that_means_another_interchange_is_set_aside(
    site: Site, partner: Partner, other: Callable[[Partner, InterchangeRow], bytes]
) -> None:
    send(site)
    row, _ = sent(site)
    assert site.answer(other(partner, row)).set_aside == 1
    assert "of this number" in answers(site, "quarantined")[0].reason
    assert site.state() is ClaimState.TRANSMITTED
    assert site.answer(partner.ta1(row)).applied == 1
    assert site.state() is ClaimState.INTERCHANGE_ACCEPTED


@pytest.mark.fault("F24")
@pytest.mark.parametrize("kind", ["TA1", "999"])
def test_a_refused_interchange_frees_its_version_for_another_number_once_it_is_released_again(
    site: Site, partner: Partner, kind: str
) -> None:
    send(site)
    row, version = sent(site)
    site.answer(partner.ta1(row, "R", "006") if kind == "TA1" else partner.ack_999(row, "R"))
    assert (site.state(), site.interchanges()[0].state) == (ClaimState.REJECTED, "rejected")
    assert site.balances() == {}
    assert site.sending.run(CONNECTION).frozen == 0
    site.commands.release(version.claim_id, BILLER, "mended the envelope")
    assert site.sending.run(CONNECTION).delivered == 1
    again, same = sent(site)
    assert (again.isa13, len(site.interchanges()), len(site.versions())) == (2, 2, 1)
    assert same.claim_number == version.claim_number
    assert site.state() is ClaimState.TRANSMITTED
    assert site.balances() == {"payer-receivable": 105_000, "revenue": -105_000}
    assert site.ailing() == []


def test_a_late_word_on_the_refused_interchange_does_not_colour_the_one_that_followed(
    site: Site, partner: Partner
) -> None:
    send(site)
    first, version = sent(site)
    site.answer(partner.ack_999(first, "R"))
    site.commands.release(version.claim_id, BILLER)
    site.sending.run(CONNECTION)
    second, _ = sent(site)
    site.answer(partner.ack_999(second, "A"))
    site.answer(partner.ta1(first, "R", "006"))
    assert site.state() is ClaimState.TRANSACTION_ACCEPTED
    assert [row.state for row in site.interchanges()] == ["rejected", "delivered"]


@pytest.mark.parametrize("by_payer", [False, True])
def test_a_refused_claim_needs_a_new_version_with_a_new_number(site: Site, partner: Partner, by_payer: bool) -> None:
    send(site)
    _, version = sent(site)
    site.answer(partner.status_277ca(version, accepted=False, by_payer=by_payer))
    assert site.state() is ClaimState.REJECTED
    site.commands.release(version.claim_id, BILLER, "the payer mended its member file")
    site.sending.run(CONNECTION)
    first, second = site.versions()
    assert (first.number, second.number) == (1, 2)
    assert first.claim_number != second.claim_number
    assert second.claim.frequency == "1"
    site.answer(partner.remit_835(payment(second, ALLOWED, WRITTEN_OFF)))
    assert site.state() is ClaimState.PAID
    assert site.balances() == {"cash": 80_000, "contractual": 25_000, "revenue": -105_000}
    assert site.ailing() == []


def test_contradicting_answers_are_a_conflict_and_nothing_is_sent_again(site: Site, partner: Partner) -> None:
    send(site)
    row, version = sent(site)
    site.answer(partner.status_277ca(version), partner.ack_999(row, "R"))
    assert site.state() is ClaimState.CONFLICT
    assert site.sending.run(CONNECTION).frozen == 0


def test_several_ta1_in_one_interchange_are_each_applied(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path, max_claims=1)
    for number in (1, 2):
        site.admit(number)
    site.sending.run(CONNECTION)
    first, second = site.interchanges()
    partner = Partner(site.payee_npi)
    one, other = partner.ta1(first).split(b"~"), partner.ta1(second).split(b"~")
    site.answer(b"~".join([one[0], one[1], other[1], *one[2:]]))
    assert site.states() == [ClaimState.INTERCHANGE_ACCEPTED] * 2


@pytest.mark.fault("F32")
def test_reversal_and_correction_leave_what_the_correction_pays_in_any_order(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    first = payment(version, ALLOWED, WRITTEN_OFF)
    correction = payment(version, 60_000, WRITTEN_OFF, ("CO", "197", 20_000))
    take_back = partner.remit_835(reversal(first), correction, trace="EFT2", provider_adjustments=[("WO", -20_000)])
    site.answer(take_back)
    assert site.state() is ClaimState.CONFLICT
    site.answer(partner.remit_835(first, trace="EFT1"))
    assert site.state() is ClaimState.PARTIAL
    assert site.balances() == {
        "cash": 80_000,
        "contractual": 25_000,
        "denied": 20_000,
        "provider-adjustment": -20_000,
        "revenue": -105_000,
    }
    assert site.ailing() == []


def test_collectors_side_by_side_apply_each_answer_once_and_lose_none(
    site: Site, partner: Partner, store: Database, tmp_path: Path
) -> None:
    send(site, patients=2)
    row = site.interchanges()[0]
    contents = [partner.ta1(row), partner.ack_999(row)]
    for number, version in enumerate(site.versions()):
        contents += [
            partner.status_277ca(version),
            partner.status_277ca(version, by_payer=True),
            partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), trace=f"EFT{number}"),
        ]
    for number, content in enumerate(contents):
        (site.root / "out" / f"{number}.edi").write_bytes(content)
    collectors = [site.heir().collecting for _ in range(3)]
    collected = at_once(3, lambda number: collectors[number].run(CONNECTION))
    assert [each.problems for each in collected] == [[], [], []]
    assert sum(each.applied for each in collected) == len(contents)
    site.settle_facts()
    assert set(site.states()) == {ClaimState.PAID}
    assert site.balances() == {"cash": 160_000, "contractual": 50_000, "revenue": -210_000}
    assert site.ailing() == []


@pytest.mark.fault("F31")
@pytest.mark.parametrize("paid_beside", [1, -300])
def test_a_supervisor_posts_an_835_out_of_balance_and_the_difference_lies_in_suspense(
    site: Site, partner: Partner, paid_beside: int
) -> None:
    send(site)
    _, version = sent(site)
    remit = partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), payment_cents=ALLOWED + paid_beside)
    site.answer(remit)
    (aside,) = answers(site, "unbalanced")
    before = site.balances()
    for actor, reason in ((BILLER, "the bank says so"), (SUPERVISOR, "")):
        with pytest.raises(NotAllowed):
            site.collecting.post(aside.id, actor, reason)
    assert (site.balances(), site.state()) == (before, ClaimState.TRANSMITTED)
    assert site.collecting.post(aside.id, SUPERVISOR, "the bank says so") == paid_beside
    assert site.state() is ClaimState.PAID
    balances = site.balances()
    assert (balances["cash"], balances["suspense"]) == (ALLOWED + paid_beside, -paid_beside)
    with site.store.read() as tx:
        (act,) = tx.audit.acts(f"answer:{aside.id}")
    assert (act["actor"], act["reason"]) == (SUPERVISOR.name, "the bank says so")
    with pytest.raises(NotFound):
        site.collecting.post(aside.id, SUPERVISOR, "again")
    assert site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF))).set_aside == 1, "its number is used"
    site.settle_facts()
    assert site.ailing() == []


def test_an_835_out_of_balance_is_not_posted_once_its_balanced_twin_was(site: Site, partner: Partner) -> None:
    send(site)
    _, version = sent(site)
    site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF), payment_cents=1))
    site.answer(partner.remit_835(payment(version, ALLOWED, WRITTEN_OFF)))
    (aside,) = answers(site, "unbalanced")
    balances = site.balances()
    with pytest.raises(Conflict):
        site.collecting.post(aside.id, SUPERVISOR, "the bank says so")
    assert site.balances() == balances
