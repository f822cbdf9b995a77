"""A partner's silence is a state: by its own clocks, told once, listed until it ends, also by the operator's query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from structlog.testing import capture_logs

from gateway.errors import PartnerPaused, Unavailable
from gateway.pipeline.exchange_views import exchange_status
from gateway.ports.partners import AWAITED
from gateway.store.database import Database
from tests.factories import CONNECTION
from tests.partner_answers import Partner, payment
from tests.pipeline_site import BILLER, OTHER_CONNECTION, SUPERVISOR, Site, send
from tests.unit.docs.pages import ROOT, blocks

ALL = {
    "ta1": "always",
    "sla": {"ta1_999": "4h", "first_277ca": "2bd", "payer_277ca": "5bd", "remittance": "30d"},
}


@pytest.fixture
def site(store: Database, tmp_path: Path) -> Site:
    return Site(store, tmp_path / "partner", acks=ALL)


@pytest.fixture
def partner(site: Site) -> Partner:
    return Partner(site.payee_npi)


def send_in_time(site: Site, patients: int = 1) -> None:
    send(site, patients)
    assert site.silences.run() == 0


def silent(site: Site) -> list[str]:
    with site.store.read() as tx:
        return [each.answer for each in tx.partners.silences(CONNECTION)]


def later(site: Site, **time: int) -> int:
    site.clock.at += timedelta(**time)
    return site.silences.run()


@pytest.mark.fault("F25")
def test_each_answer_has_its_own_clock_and_silence_is_told_once(site: Site) -> None:
    send_in_time(site)
    found = [later(site, hours=3), later(site, hours=2), later(site, hours=1), later(site, days=3), later(site, days=5)]
    assert found == [0, 2, 0, 1, 1]
    assert later(site, days=30) == 1
    assert later(site, days=30) == 0
    assert silent(site) == list(AWAITED)


@pytest.mark.fault("F25")
def test_silence_is_one_event_without_a_word_on_patients(site: Site) -> None:
    send_in_time(site)
    with capture_logs() as events:
        assert [later(site, hours=5), later(site, hours=1)] == [2, 0]
    told = [each for each in events if each["event"] == "partner-silent"]
    assert [each["answer"] for each in told] == ["TA1", "999"]
    assert {"event", "log_level", "connection", "interchange", "answer", "due_at", "claims"} == set(told[0])


def test_an_answer_in_time_sets_its_own_clock_and_those_before_it_at_rest(site: Site, partner: Partner) -> None:
    send_in_time(site)
    site.answer(partner.ack_999(site.interchanges()[0]))
    assert later(site, hours=5) == 0
    assert later(site, days=4) == 1
    assert silent(site) == ["277CA"]


@pytest.mark.fault("F25")
def test_a_late_answer_ends_the_silence(site: Site, partner: Partner) -> None:
    send_in_time(site)
    later(site, days=40)
    assert silent(site) == list(AWAITED)
    (version,) = site.versions()
    site.answer(partner.status_277ca(version))
    later(site, minutes=1)
    assert silent(site) == ["277CA-payer", "835"]
    site.answer(partner.remit_835(payment(version, 80_000, ("CO", "45", 25_000))))
    later(site, minutes=1)
    assert silent(site) == []


@pytest.mark.parametrize("kind", ["TA1", "999", "277CA"])
def test_a_refusal_leaves_nothing_to_wait_for(site: Site, partner: Partner, kind: str) -> None:
    send_in_time(site)
    (row,), (version,) = site.interchanges(), site.versions()
    site.answer(
        {
            "TA1": lambda: partner.ta1(row, "R", "006"),
            "999": lambda: partner.ack_999(row, "R"),
            "277CA": lambda: partner.status_277ca(version, accepted=False),
        }[kind]()
    )
    assert later(site, days=60) == 0
    assert silent(site) == []


def test_the_word_on_a_refused_interchange_is_none_on_the_one_that_followed(site: Site, partner: Partner) -> None:
    send_in_time(site)
    (row,), (version,) = site.interchanges(), site.versions()
    site.answer(partner.ack_999(row, "R"))
    site.commands.release(version.claim_id, BILLER)
    assert site.sending.run(CONNECTION).delivered == 1
    site.silences.run()
    assert later(site, hours=5) == 2
    with site.store.read() as tx:
        assert {each.interchange.isa13 for each in tx.partners.silences()} == {2}


def test_one_claim_without_an_answer_keeps_the_silence_and_is_counted(site: Site, partner: Partner) -> None:
    send_in_time(site, patients=3)
    for version in site.versions()[:2]:
        site.answer(partner.status_277ca(version, by_payer=True, payer_claim_number=version.claim_number[:9]))
    later(site, days=20)
    with site.store.read() as tx:
        waiting = {each.answer: each.claims for each in tx.partners.silences()}
    assert waiting == dict.fromkeys(("TA1", "999", "277CA", "277CA-payer"), 1)


def test_what_a_partner_does_not_promise_is_not_awaited(store: Database, tmp_path: Path) -> None:
    site = Site(store, tmp_path / "partner", acks={"ta1": "on_error", "n999": "on_error", "n277ca": "never"})
    send_in_time(site)
    assert later(site, days=60) == 1
    assert silent(site) == ["835"]


def test_two_workers_that_look_at_one_moment_tell_it_once(site: Site) -> None:
    send_in_time(site)
    heir = site.heir()
    site.clock.at += timedelta(hours=5)
    heir.clock.at = site.clock.at
    assert site.silences.run() + heir.silences.run() == 2


def test_the_query_that_the_operators_page_prints_lists_what_is_silent(site: Site, store_url: str) -> None:
    (query,) = (block.text for block in blocks(ROOT / "docs" / "how-to" / "operate.md") if block.language == "sql")
    send_in_time(site)
    later(site, hours=5)
    engine = create_engine(store_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = [tuple(row)[:4] for row in connection.execute(text(query))]
    engine.dispose()
    (row,) = site.interchanges()
    assert rows == [(CONNECTION, 1, row.remote_name, answer) for answer in ("999", "TA1")]


def status(site: Site) -> dict[str, Any]:
    with site.store.read() as tx:
        found = exchange_status(tx, site.exchanges)
    assert [each["connection"] for each in found] == sorted([CONNECTION, OTHER_CONNECTION])
    return next(each for each in found if each["connection"] == CONNECTION)


def test_the_status_says_when_a_partner_last_answered_and_what_is_wrong_since(
    site: Site, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (status(site)["last_contact"], status(site)["next_run"]) == (None, None)
    send_in_time(site)
    site.answer(b"3 claims received", partner.ack_999(site.interchanges()[0]))
    told = status(site)
    assert told["last_contact"] == site.clock.at.isoformat()
    assert told["next_run"] == (site.clock.at + site.exchange.poll_every).isoformat()
    assert (told["delivered"], told["reports"], told["answers"]["999"], told["problem"]) == (1, 1, 1, None)
    answered_at, site.clock.at = site.clock.at, site.clock.at + timedelta(hours=1)
    for failure, words in ((Unavailable, "no route"), (PartnerPaused, "the login was refused")):

        def refuse(failure: type[Exception] = failure, words: str = words) -> Iterator[None]:
            raise failure(words)

        monkeypatch.setattr(site.exchange, "open_inbox", refuse)
        site.collecting.run(CONNECTION)
        told = status(site)
        assert (told["last_contact"], told["problem"]) == (answered_at.isoformat(), words)
        assert told["troubled_since"] == (answered_at + timedelta(hours=1)).isoformat()
        site.clock.at += timedelta(minutes=5)
    monkeypatch.undo()
    site.connections.resume(CONNECTION, SUPERVISOR, "they unlocked us")
    site.collecting.run(CONNECTION)
    told = status(site)
    assert (told["last_contact"], told["problem"], told["troubled_since"]) == (site.clock.at.isoformat(), None, None)
