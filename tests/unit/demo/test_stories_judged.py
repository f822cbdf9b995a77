"""The stories of the month through the product, from its doors to its gate: each is held by what it expects alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from adapters.hl7.mllp import ReceivedFrame
from gateway.claim.actor import Actor
from gateway.claim.finding import blocks
from gateway.claim.party import Identifier
from gateway.claim.record import RecordKind
from gateway.demo.feed import Feed, FeedMessage
from gateway.demo.month import ClinicMonth, clinic_month
from gateway.demo.rosters import load_rosters
from gateway.demo.scenarios import CASES, SCENARIOS
from gateway.wiring.desk import Desk
from gateway.wiring.feeds import fhir_routes, hl7_receive
from gateway.wiring.new_site import make_site
from gateway.wiring.site import Site, open_site

NOW = datetime(2026, 9, 1, 13, tzinfo=UTC)
PUTS_IT_RIGHT = {"late note", "coverage a day later"}
Holds = dict[str, set[str]]


@contextmanager
def _site(folder: Path, month: ClinicMonth) -> Iterator[tuple[Site, TestClient]]:
    make_site(folder, demo=True, database="sqlite:///stories.db", samples={})
    site = open_site(folder)
    try:
        actor = Actor(name="dana", role="biller")
        load_rosters(Desk(site, lambda: None), actor, month.patients)
        doors = FastAPI()
        doors.include_router(fhir_routes(site, lambda: None))
        token = (folder / "secrets" / "riverbend-fhir.token").read_text().strip()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
        with TestClient(doors, headers=headers) as client:
            yield site, client
    finally:
        site.close()


def _send(site: Site, client: TestClient, messages: Iterable[FeedMessage]) -> None:
    receive = hl7_receive(site, Feed.HL7, lambda: None)
    for message in messages:
        if message.feed is Feed.FHIR:
            assert client.post("/fhir", content=message.content).status_code < 300
        else:
            (answer,) = receive([ReceivedFrame(raw=message.content, peer="test", received_at=NOW)])
            assert b"MSA|AA|" in answer
    site.settle()


def _holds(site: Site, month: ClinicMonth) -> Holds:
    """By story, the word names of everything that holds one of its patients' encounters."""
    found: Holds = {}
    with site.store.read() as tx:
        drafts = {row.key: draft for row in tx.claims.search() for draft in tx.claims.drafts([row.id]).values()}
        for patient in month.patients:
            known = tx.subjects.find("riverbend", RecordKind.PATIENT, Identifier("riverbend-mrn", patient.mrn))
            assert known is not None
            rules = found.setdefault(patient.scenario, set())
            for placement in tx.claims.placements([known]):
                draft = drafts.get(placement.claim_key)
                findings = (
                    *(draft.findings if draft else ()),
                    *(placement.findings if placement.place == "held" else ()),
                )
                rules.update(each.rule for each in blocks(findings))
    return found


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Holds, Holds]:
    """What holds each story before the late messages, and when the whole month has been told."""
    full = clinic_month(patients=len(CASES))
    once = {patient.scenario: patient for patient in reversed(full.patients)}
    month = ClinicMonth(full.seed, tuple(sorted(once.values(), key=lambda patient: patient.number)))
    messages = list(month.messages())
    with _site(tmp_path_factory.mktemp("stories"), month) as (site, client):
        _send(site, client, [each for each in messages if each.label not in PUTS_IT_RIGHT])
        first = _holds(site, month)
        _send(site, client, [each for each in messages if each.label in PUTS_IT_RIGHT])
        return first, _holds(site, month)


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_a_story_is_held_by_what_it_expects_and_by_nothing_else(judged: tuple[Holds, Holds], scenario: str) -> None:
    expected = SCENARIOS[scenario].held_by

    assert ({expected} if expected else set()) == judged[1][scenario]


@pytest.mark.parametrize("scenario", sorted(key for key, each in SCENARIOS.items() if each.held_first_by))
def test_what_a_later_message_puts_right_is_held_until_then(judged: tuple[Holds, Holds], scenario: str) -> None:
    assert {SCENARIOS[scenario].held_first_by} == judged[0][scenario]
