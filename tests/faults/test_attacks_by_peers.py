"""EHRs that answer without end, in circles, or with clocks and addresses that lie: left alone; nothing is missed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Response

from adapters.fhir.ehr_http import HttpLimits, ask
from gateway.errors import Unavailable
from gateway.wiring.pulling import SourcePull
from gateway.wiring.site import Site
from tests.ehr_server import EhrServer
from tests.faults.test_pulls import EVERYTHING, SOURCE, ehr, pulling, run, site, versions
from tests.unit.fhir.samples import patient

__all__ = ["ehr", "site"]
PATIENCE_S = 20.0
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def trickling() -> Iterator[Callable[[bytes, bytes], str]]:
    """Starts a peer that says the beginning, then the piece again and again until it is hung up on."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads = []

    def start(beginning: bytes, piece: bytes) -> str:
        def answer() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(beginning)
                while not over.wait(0.05):
                    connection.sendall(piece)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    yield start
    over.set()
    for each in threads:
        each.join(PATIENCE_S)
    listening.close()


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"X: ", b"x"),
        (OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (OK + b"\r\n", b"x"),
    ],
    ids=["continue", "head", "body", "chunks", "until-closed"],
)
def test_an_answer_that_trickles_is_given_up(
    trickling: Callable[[bytes, bytes], str], beginning: bytes, piece: bytes
) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        ask("GET", trickling(beginning, piece), {}, limits=HttpLimits(quiet_s=PATIENCE_S, whole_s=0.3))


@pytest.mark.parametrize("elsewhere", ["https://[nobody", "http://127.0.0.1:99999/", "Patient?name=é"])
def test_a_next_page_whose_address_is_none_is_told(site: Site, ehr: EhrServer, elsewhere: str) -> None:
    ehr.next_elsewhere = elsewhere
    found = run(pulling(site))
    assert "not at the EHR's own address" in (found["Patient"].problem or "")
    assert 2 == found["Encounter"].resources


def steps_of(site: Site) -> list[str]:
    """The problems of a run's steps, of which there may not be many."""
    pull, problems = pulling(site), []
    for _ in range(20):
        pulled = pull.step()
        if pulled is None:
            return problems
        problems += [pulled.problem] if pulled.problem else []
    return ["without end"]


def test_pages_that_lead_in_a_circle_are_left_and_the_other_types_go_on(site: Site, ehr: EhrServer) -> None:
    ehr.next_elsewhere = "Patient?_count=2&start=2"
    (problem,) = steps_of(site)
    assert "lead in a circle" in problem
    ehr.next_elsewhere = ""
    run(pulling(site))
    assert EVERYTHING == versions(site)


class Inventing:
    """Searches whose every page names a next one, under an address that never was."""

    def __init__(self, ehr: EhrServer, *, new_resources: bool) -> None:
        self._ehr = ehr
        self._new_resources = new_resources
        self.pages = 0

    def page(self, type: str, _: dict[str, str]) -> Response:
        self.pages += 1
        person = patient(id=f"invented-{self.pages if self._new_resources else 0}")
        page = {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": [{"relation": "next", "url": f"{self._ehr.base}/fhir/{type}?_count=2&page={self.pages}"}],
            "entry": [{"resource": person, "search": {"mode": "match"}}] if type == "Patient" else [],
        }
        return Response(json.dumps(page), media_type="application/fhir+json")


def pulling_at_most(site: Site, pages: int) -> SourcePull:
    (source,) = (each for each in site.settings.sources if each.name == SOURCE)
    assert source.pull is not None
    return SourcePull(site, replace(source, pull=replace(source.pull, pages_max=pages)))


def test_the_same_page_under_ever_new_addresses_is_a_circle(
    site: Site, ehr: EhrServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ehr, "_page", Inventing(ehr, new_resources=False).page)
    pulled = run(pulling_at_most(site, 4))["Patient"]
    assert 2 == pulled.pages
    assert "lead in a circle" in (pulled.problem or "")
    assert {"Patient/invented-0": 1} == versions(site)


def test_pages_without_end_are_left_at_the_bound_and_the_next_run_goes_on_there(
    site: Site, ehr: EhrServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ehr, "_page", Inventing(ehr, new_resources=True).page)
        found = run(pulling_at_most(site, 4))
    assert [4, 4] == [each.pages for each in found.values()], "pages with nothing on them count as well"
    for each in found.values():
        assert f"raise pages_max or page_size in the pull section of {SOURCE}" in (each.problem or "")
    assert {f"Patient/invented-{number}": 1 for number in range(1, 5)} == versions(site)
    ehr.searches.clear()
    assert [None, None] == [each.problem for each in run(pulling_at_most(site, 4)).values()]
    assert "Patient?_count=2&page=4" == ehr.searches[0]


def test_a_search_of_as_many_pages_as_may_be_is_no_problem(site: Site) -> None:
    assert [None, None] == [each.problem for each in run(pulling_at_most(site, 3)).values()]
    assert EVERYTHING == versions(site)


def test_a_second_page_that_stays_unreadable_is_tried_again_once_in_a_run(
    site: Site, ehr: EhrServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ehr._page
    with monkeypatch.context() as patch:
        patch.setattr(ehr, "_page", lambda type, asked: Response(b"x") if "start" in asked else whole(type, asked))
        (problem,) = steps_of(site)
    assert "cannot be read" in problem
    run(pulling(site))
    assert EVERYTHING == versions(site)


def test_an_ehr_whose_clock_runs_ahead_hides_nothing_from_us(site: Site, ehr: EhrServer) -> None:
    ehr.now = datetime(2999, 1, 1, tzinfo=UTC)
    run(pulling(site))
    ehr.put(patient(id="p3", gender="other"), site.clock.now() + timedelta(minutes=30))
    run(pulling(site))
    assert EVERYTHING | {"Patient/p3": 2} == versions(site)
