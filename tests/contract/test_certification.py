"""Certification: specimen claims go out in test mode, and production begins once a partner took them whole."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clearinghouse.exchange import PartnerExchange
from clearinghouse.profile_reading import in_test, read_profile
from gateway.api.metrics import Metrics
from gateway.claim.claim import Claim
from gateway.claim.contract import ClaimForm
from gateway.errors import NotAllowed
from gateway.pipeline.certify import CertificationPass, TestFile, Verdict
from gateway.services.specimens import specimen_claims
from gateway.store.database import Database
from tests.factories import CONNECTION, NOON
from tests.partner_answers import Partner, payment
from tests.pipeline_site import BILLER, LOCAL_TIME, SETTLE_GAP, Site, a_profile


class GoingLive:
    """A site in production, its test exchange, and the partner that answers the test batch."""

    def __init__(self, store: Database, folder: Path) -> None:
        self.site = Site(store, folder, usage="P")
        self.certification = CertificationPass(store, self.site.clock, self.site.connections)
        self.exchange = PartnerExchange(
            read_profile(in_test(a_profile(folder, usage="P"))),
            self.site.mailbox,
            self.site.submitter,
            local_time=LOCAL_TIME,
            settle_gap=SETTLE_GAP,
        )
        self.partner = Partner(self.site.payee_npi)

    def send(self) -> Verdict:
        self.certification.send(CONNECTION, self.exchange, self.claims(), BILLER)
        return self.verdict()

    def claims(self) -> list[Claim]:
        """Those of one form: one file."""
        specimens = specimen_claims(self.site.policy.catalogue, CONNECTION, NOON.date())
        return [each for each in specimens if each.form is ClaimForm.INSTITUTIONAL]

    def verdict(self) -> Verdict:
        return self.certification.verdict(CONNECTION, self.exchange)


@pytest.fixture
def going_live(store: Database, tmp_path: Path) -> GoingLive:
    return GoingLive(store, tmp_path)


def spoken_of(file: TestFile) -> Any:
    """An interchange as the partner's answers name it."""
    return SimpleNamespace(isa13=file.isa13, created_at=NOON)


def claim_of(number: str) -> Any:
    """A specimen claim as the partner's answers name it."""
    claim = SimpleNamespace(charge_cents=10_000, statement_from_on=NOON.date(), statement_through_on=NOON.date())
    return SimpleNamespace(claim_number=number, claim=claim)


def test_a_batch_that_was_taken_whole_opens_production_and_touches_no_claim(going_live: GoingLive) -> None:
    site, partner = going_live.site, going_live.partner
    site.admit()
    assert site.sending.run(CONNECTION).refused
    sent = going_live.send()
    (file,) = sent.files
    claims = len(file.claim_numbers)
    assert ("waiting", 1 + claims) == (sent.state, len(sent.missing))
    content = (site.root / "in" / file.remote_name).read_bytes()
    assert b"*T*:~" in content[:110] and b"TESTPATIENT" in content
    site.answer(partner.ta1(spoken_of(file)), partner.ack_999(spoken_of(file)))
    assert ("waiting", claims) == (going_live.verdict().state, len(going_live.verdict().missing))
    assert b"cleanclaim_answers_set_aside{" not in Metrics(site.store).render(), "nobody need look at a test's answers"
    with pytest.raises(NotAllowed, match="whole"):
        going_live.certification.certify(CONNECTION, going_live.verdict(), BILLER)
    for number in file.claim_numbers:
        site.answer(partner.status_277ca(claim_of(number)))
    passed = going_live.verdict()
    assert ("passed", (), ()) == (passed.state, passed.missing, passed.failures)
    site.answer(partner.remit_835(payment(claim_of(file.claim_numbers[0]), 10_000)))
    assert {} == site.balances()
    going_live.certification.certify(CONNECTION, passed, BILLER)
    assert "certified on 2026-08-17" in site.connections.standing(CONNECTION).certified
    assert (1, 1) == (site.sending.run(CONNECTION).delivered, len(site.interchanges()))
    assert [] == site.ailing()


@pytest.mark.parametrize("refusal", ["ta1", "999", "277ca"])
def test_a_batch_that_was_refused_says_what_was_and_production_stays_closed(
    going_live: GoingLive, refusal: str
) -> None:
    site, partner = going_live.site, going_live.partner
    (file,) = going_live.send().files
    answers = {
        "ta1": lambda: partner.ta1(spoken_of(file), "R", "006"),
        "999": lambda: partner.ack_999(spoken_of(file), "R"),
        "277ca": lambda: partner.status_277ca(claim_of(file.claim_numbers[0]), accepted=False),
    }
    site.answer(answers[refusal]())
    failed = going_live.verdict()
    assert "failed" == failed.state
    assert file.remote_name in failed.failures[0]
    assert site.sending.run(CONNECTION).refused


def test_what_a_payer_says_of_a_specimens_member_fails_no_batch(going_live: GoingLive) -> None:
    (file,) = going_live.send().files
    answer = going_live.partner.status_277ca(claim_of(file.claim_numbers[0]), accepted=False, by_payer=True)
    going_live.site.answer(answer)
    assert "waiting" == going_live.verdict().state


def test_a_test_batch_never_goes_out_as_production(going_live: GoingLive) -> None:
    with pytest.raises(NotAllowed, match="usage T"):
        going_live.certification.send(CONNECTION, going_live.site.exchange, going_live.claims(), BILLER)
    assert [] == going_live.site.uploaded()


def test_a_connection_nobody_is_routed_over_has_nothing_to_be_tested_with(going_live: GoingLive) -> None:
    with pytest.raises(NotAllowed, match="no payer is routed"):
        going_live.certification.send("nobody", going_live.exchange, [], BILLER)
