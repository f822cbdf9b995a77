"""Answers about a file whose fate is not known, or sent twice: what counts at once, and what a person decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from gateway.claim.contract import ClaimForm
from gateway.errors import DeliveryUnknown, NotAllowed
from gateway.lifecycle import ClaimState
from gateway.pipeline.deliver import LEASE
from gateway.ports import RenderedInterchange
from gateway.ports.exchanges import InterchangeRow
from tests.factories import CONNECTION
from tests.partner_answers import Partner
from tests.pipeline_site import SUPERVISOR, Site, answers, sent


def test_an_acknowledgement_of_a_file_never_sent_is_for_a_person(site: Site, partner: Partner) -> None:
    """After a restore, or at a new vendor, another file may have used the number."""
    site.admit()
    site.sending.freeze(CONNECTION, ClaimForm.INSTITUTIONAL)
    row, _ = sent(site)
    assert site.answer(partner.ta1(row), partner.ack_999(row, "R")).set_aside == 2
    assert (site.state(), site.interchanges()[0].state) == (ClaimState.FROZEN, "ready")


def unknown_end(rendered: RenderedInterchange, on_step: Callable[[str, str], None]) -> None:
    on_step("opened", "")
    raise DeliveryUnknown


def send_into_doubt(site: Site, monkeypatch: pytest.MonkeyPatch) -> InterchangeRow:
    """The file opens at the partner's, and then nothing more is known."""
    with monkeypatch.context() as patch:
        patch.setattr(site.exchange, "upload", unknown_end)
        site.sending.run(CONNECTION)
    return sent(site)[0]


def sent_twice(site: Site, monkeypatch: pytest.MonkeyPatch) -> InterchangeRow:
    """The first copy broke off on its way; the second is whole at the partner's, who has not looked yet."""
    site.admit()
    row = send_into_doubt(site, monkeypatch)
    site.commands.resolve(row.id, "resend", SUPERVISOR, "the partner found half of it")
    site.sending.run(CONNECTION)
    return row


@pytest.mark.fault("F24")
@pytest.mark.parametrize("in_doubt", [True, False])
def test_a_number_refused_as_a_duplicate_that_we_sent_once_is_for_a_person(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch, in_doubt: bool
) -> None:
    """Another file, before a restore or of another vendor, may have used the number."""
    site.admit()
    if in_doubt:
        send_into_doubt(site, monkeypatch)
    else:
        site.sending.run(CONNECTION)
    row, _ = sent(site)
    assert row.state == ("in-doubt" if in_doubt else "delivered")
    assert site.answer(partner.ta1(row, "R", "025")).set_aside == 1
    assert site.interchanges() == [row]
    assert site.state() is (ClaimState.IN_DOUBT if in_doubt else ClaimState.TRANSMITTED)


@pytest.mark.fault("F24")
def test_a_number_refused_as_a_duplicate_that_we_sent_twice_is_delivered_and_frees_nothing(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.admit()
    row = send_into_doubt(site, monkeypatch)
    site.commands.resolve(row.id, "resend", SUPERVISOR, "the partner found nothing")
    send_into_doubt(site, monkeypatch)
    assert site.state() is ClaimState.IN_DOUBT
    assert site.answer(partner.ta1(row, "R", "025")).applied == 1
    assert site.interchanges()[0].state == "delivered"
    assert site.state() is ClaimState.TRANSMITTED
    assert site.sending.run(CONNECTION).frozen == 0
    assert site.ailing() == []


@pytest.mark.fault("F24", "F29")
@pytest.mark.parametrize("proof", ["second send", "999", "277CA", "nothing"])
@pytest.mark.parametrize("proof_first", [True, False])
def test_a_number_refused_as_a_duplicate_counts_once_it_is_proved_ours_whichever_comes_first(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch, proof: str, proof_first: bool
) -> None:
    site.admit()
    row, version = send_into_doubt(site, monkeypatch), sent(site)[1]

    def prove() -> None:
        if proof == "second send":
            site.commands.resolve(row.id, "resend", SUPERVISOR, "the partner found nothing")
            send_into_doubt(site, monkeypatch)
        elif proof != "nothing":
            site.answer(partner.ack_999(row) if proof == "999" else partner.status_277ca(version))

    def refuse() -> None:
        site.answer(partner.ta1(row, "R", "025"))

    for act in (prove, refuse) if proof_first else (refuse, prove):
        act()
    site.collecting.run(CONNECTION)
    (refusal,) = (each for each in answers(site) if each.type == "TA1")
    proved = proof != "nothing"
    assert ("applied" if proved else "quarantined") == refusal.status
    assert ("delivered" if proved else "in-doubt") == site.interchanges()[0].state
    states = {"999": ClaimState.TRANSACTION_ACCEPTED, "277CA": ClaimState.CLEARINGHOUSE_ACCEPTED}
    states |= {"second send": ClaimState.TRANSMITTED, "nothing": ClaimState.IN_DOUBT}
    assert states[proof] is site.state()
    assert [] == site.ailing()


ORDERS_OF_WORDS = [*permutations(("025", "999 A", "277CA", "021"))]


@pytest.mark.fault("F24", "F29")
@pytest.mark.parametrize("order", ORDERS_OF_WORDS, ids="-".join)
def test_what_is_said_of_a_file_sent_twice_comes_to_one_end_in_any_order(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    """One copy was taken; the other was cut off once and seen as a repeat once: nothing of it is sent again."""
    site.admit()
    row, version = send_into_doubt(site, monkeypatch), sent(site)[1]
    site.commands.resolve(row.id, "resend", SUPERVISOR, "the partner found nothing")
    send_into_doubt(site, monkeypatch)
    said = {
        "025": partner.ta1(row, "R", "025"),
        "999 A": partner.ack_999(row),
        "277CA": partner.status_277ca(version),
        "021": partner.ta1(row, "R", "021"),
    }
    for word in order:
        site.answer(said[word])
    kept = {(each.type, each.status) for each in answers(site)}
    assert {("TA1", "applied"), ("TA1", "quarantined"), ("999", "applied"), ("277CA", "applied")} == kept
    assert ("delivered", ClaimState.CLEARINGHOUSE_ACCEPTED) == (site.interchanges()[0].state, site.state())
    assert 0 == site.sending.run(CONNECTION).frozen
    assert [] == site.ailing()


@pytest.mark.fault("F24")
def test_a_file_in_doubt_whose_claim_is_answered_is_delivered_and_nobody_may_send_it_again(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.admit()
    row, version = send_into_doubt(site, monkeypatch), sent(site)[1]
    site.answer(partner.status_277ca(version))
    with pytest.raises(NotAllowed, match="the partner has it"):
        site.commands.resolve(row.id, "resend", SUPERVISOR, "the partner found nothing")
    site.sending.run(CONNECTION)
    assert ("delivered", ClaimState.CLEARINGHOUSE_ACCEPTED) == (site.interchanges()[0].state, site.state())


@pytest.mark.fault("F24")
def test_a_refusal_told_twice_or_of_another_file_is_no_second_refusal(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = sent_twice(site, monkeypatch)
    refusal = partner.ta1(row, "R", "021")
    of_another = partner.ta1(replace(row, created_at=row.created_at - timedelta(days=1)), "R", "021")
    site.answer(of_another, refusal, refusal + b"\n")
    assert ["quarantined"] * 3 == [each.status for each in answers(site)]
    assert ("delivered", ClaimState.TRANSMITTED) == (site.interchanges()[0].state, site.state())
    assert 1 == site.answer(partner.ta1(row, "R", "021")).applied
    assert {"applied": 2, "duplicate": 1, "quarantined": 1} == Counter(each.status for each in answers(site))
    assert ("rejected", ClaimState.REJECTED) == (site.interchanges()[0].state, site.state())


@pytest.mark.fault("F24")
def test_one_refusal_of_a_file_that_was_sent_twice_frees_nothing_and_the_second_does(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy that broke off is refused, while the whole one waits at the partner's to be taken."""
    row = sent_twice(site, monkeypatch)
    assert site.answer(partner.ta1(row, "R", "021")).set_aside == 1
    assert (site.interchanges()[0].state, site.state()) == ("delivered", ClaimState.TRANSMITTED)
    assert site.answer(partner.ta1(row, "R", "021")).applied == 1
    assert (site.interchanges()[0].state, site.state()) == ("rejected", ClaimState.REJECTED)


@pytest.mark.fault("F24")
def test_a_copy_that_two_probes_did_not_find_is_none_and_one_refusal_is_enough(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.admit()
    row = send_into_doubt(site, monkeypatch)
    for _ in range(3):
        site.clock.move(LEASE)
        site.sending.run(CONNECTION)
    assert (site.interchanges()[0].state, site.state()) == ("delivered", ClaimState.TRANSMITTED)
    assert site.answer(partner.ta1(row, "R", "021")).applied == 1
    assert (site.interchanges()[0].state, site.state()) == ("rejected", ClaimState.REJECTED)
