"""Pulling from an EHR that only answers: what is new comes once, whatever the EHR or the machine does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import Response

from adapters.fhir.smart_backend import read_key
from gateway.errors import ConfigurationError, PartnerPaused, Throttled, Unavailable
from gateway.wiring.new_site import make_site
from gateway.wiring.pulling import PulledType, SourcePull, pull_now
from gateway.wiring.site import Site, open_site
from gateway.workers import REST_S, PullPasses
from tests.ehr_server import EhrServer, running_ehr
from tests.factories import NOON
from tests.unit.fhir.samples import FAMILY_NAME, encounter, patient

SOURCE = "riverbend-fhir"
KEYS = {"ES384": ec.generate_private_key(ec.SECP384R1()), "RS384": rsa.generate_private_key(65537, 2048)}


def pem(key: Any) -> bytes:
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written


@pytest.fixture
def ehr() -> Iterator[EhrServer]:
    """An EHR that began with five patients and two visits, an hour ago."""
    server = EhrServer(KEYS["ES384"].public_key(), NOON)
    for number in range(5):
        server.put(patient(id=f"p{number}"), NOON - timedelta(hours=1))
    for number in range(2):
        visit = encounter(id=f"e{number}", subject={"reference": f"Patient/p{number}"})
        server.put(visit, NOON - timedelta(hours=1))
    with running_ehr(server):
        yield server


@pytest.fixture
def site(ehr: EhrServer, tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "clinic"
    make_site(folder, demo=True, database="sqlite:///cleanclaim.sqlite", samples={})
    (folder / "secrets" / "pull.pem").write_bytes(pem(KEYS["ES384"]))
    pull = (
        f"pull: {{base: '{ehr.base}/fhir', token_url: '{ehr.base}/token', client_id: cleanclaim, key_id: key-1, "
        "key: 'file:secrets/pull.pem', types: [Patient, Encounter], page_size: 2, overlap_s: 60}"
    )
    settings = folder / "site.yaml"
    token = f"token: 'file:secrets/{SOURCE}.token'"
    assert token in settings.read_text()
    settings.write_text(settings.read_text().replace(token, f"{token}, {pull}"))
    opened = open_site(folder)
    yield opened
    opened.close()


def pulling(site: Site, slept: list[float] | None = None) -> SourcePull:
    (source,) = (each for each in site.settings.sources if each.name == SOURCE)
    return SourcePull(site, source, (slept if slept is not None else []).append)


def run(pull: SourcePull) -> dict[str, PulledType]:
    found = {}
    while (pulled := pull.step()) is not None:
        found[pulled.type] = pulled
    return found


def versions(site: Site) -> dict[str, int]:
    with site.store.read() as tx:
        found = tx.resources.newest(SOURCE, tx.resources.references(SOURCE))
    return {reference: each.version for reference, each in found.items()}


EVERYTHING = {f"Patient/p{number}": 1 for number in range(5)} | {"Encounter/e0": 1, "Encounter/e1": 1}


def test_everything_comes_page_by_page_and_then_only_what_changed(site: Site, ehr: EhrServer) -> None:
    found = run(pulling(site))
    assert [(3, 5, 0, None), (1, 2, 0, None)] == [
        (each.pages, each.resources, each.refused, each.problem) for each in found.values()
    ]
    assert EVERYTHING == versions(site)
    ehr.now = NOON + timedelta(hours=1)
    ehr.put(patient(id="p3", gender="other"), NOON + timedelta(minutes=30))
    ehr.searches.clear()
    run(pulling(site))
    assert EVERYTHING | {"Patient/p3": 2} == versions(site)
    since = "_lastUpdated=ge2026-08-17T11%3A59%3A00Z"
    assert [f"Patient?_count=2&{since}", f"Encounter?_count=2&{since}"] == ehr.searches


def test_a_command_pulls_and_works_it_in(site: Site) -> None:
    found = pull_now(site, SOURCE)
    assert ["Patient", "Encounter"] == [each["type"] for each in found["types"]]
    with site.store.read() as tx:
        assert {} == tx.work.count()


def test_what_a_stopped_run_had_come_to_is_where_the_next_goes_on(site: Site, ehr: EhrServer) -> None:
    first = pulling(site)
    first.step()
    ehr.searches.clear()
    run(pulling(site))
    assert "Patient?_count=2&start=2" == ehr.searches[0]
    assert EVERYTHING == versions(site)


def test_a_page_taken_twice_is_stored_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine stops after a page's commit, before the note of how far that was."""
    stopped = pulling(site)
    with monkeypatch.context() as patch:
        patch.setattr(SourcePull, "_record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stopped.step()
    assert 2 == len(versions(site))
    run(pulling(site))
    assert EVERYTHING == versions(site)


def test_a_search_whose_place_is_no_more_begins_again(site: Site, ehr: EhrServer) -> None:
    pulling(site).step()
    ehr.faults.append(Response(status_code=410))
    run(pulling(site))
    assert EVERYTHING == versions(site)


@pytest.mark.parametrize(
    "fault",
    [
        Response(status_code=429, headers={"Retry-After": "2"}),
        Response(status_code=503),
        Response(b"{", headers={"Content-Length": "500"}),
        Response(status_code=401),
    ],
    ids=["429", "503", "broken-off", "401"],
)
def test_what_passes_soon_is_tried_again(site: Site, ehr: EhrServer, fault: Response) -> None:
    ehr.faults.append(fault)
    slept: list[float] = []
    assert 5 == run(pulling(site, slept))["Patient"].resources
    assert all(0 <= each <= 10 for each in slept)


def test_an_ehr_that_wants_rest_is_left_alone_as_long_as_it_says(site: Site, ehr: EhrServer) -> None:
    ehr.faults.append(Response(status_code=429, headers={"Retry-After": "600"}))
    clock = [0.0]
    slept: list[float] = []
    passes = PullPasses(pulling(site, slept), lambda: clock[0])
    with pytest.raises(Throttled):
        passes.run()
    asked = len(ehr.searches)
    assert (0, asked, []) == (passes.run(), len(ehr.searches), slept)
    clock[0] = 600.0
    assert 1 == passes.run()


def test_an_ehr_that_keeps_failing_is_asked_a_few_times_and_then_later(site: Site, ehr: EhrServer) -> None:
    ehr.faults.extend(Response(status_code=500) for _ in range(20))
    with pytest.raises(Unavailable):
        pulling(site).step()
    assert 4 == len(ehr.searches)
    ehr.faults.clear()


def test_an_ehr_that_does_not_know_us_hears_one_try_and_then_rest(site: Site, ehr: EhrServer) -> None:
    ehr.knows_us = False
    with pytest.raises(PartnerPaused):
        pulling(site).step()
    assert 1 == len(ehr.assertion_ids)
    clock = [0.0]
    passes = PullPasses(pulling(site), lambda: clock[0])
    assert [0, 0] == [passes.run(), passes.run()]
    assert 2 == len(ehr.assertion_ids)
    ehr.knows_us, clock[0] = True, REST_S
    assert 1 == passes.run()


@pytest.mark.parametrize(
    "elsewhere", ["http://127.0.0.1:9/fhir/Patient", "http://169.254.169.254/", "file:///etc/passwd"]
)
def test_only_the_ehr_we_were_told_to_ask_is_asked(site: Site, ehr: EhrServer, elsewhere: str) -> None:
    ehr.next_elsewhere = elsewhere
    found = run(pulling(site))
    assert "not at the EHR's own address" in (found["Patient"].problem or "")
    assert found["Encounter"].problem is None


@pytest.mark.parametrize(
    "fault",
    [
        Response(status_code=302, headers={"Location": "http://169.254.169.254/"}),
        Response(b"not json"),
        Response(b'{"resourceType": "Patient"}'),
        Response(b'{"resourceType": "Bundle", "type": "searchset", "entry": ' + b"[" * 100 + b"]" * 100 + b"}"),
        Response(status_code=403),
    ],
    ids=["redirect", "not-json", "no-bundle", "too-deep", "403"],
)
def test_a_type_that_cannot_be_read_says_why_and_the_others_go_on(site: Site, ehr: EhrServer, fault: Response) -> None:
    ehr.faults.append(fault)
    found = run(pulling(site))
    assert found["Patient"].problem
    assert FAMILY_NAME not in found["Patient"].problem
    assert 2 == found["Encounter"].resources


def test_one_resource_that_is_wrong_keeps_no_other_out(site: Site, ehr: EhrServer) -> None:
    ehr.put({"resourceType": "Encounter", "id": "e9", "status": "done"}, NOON)
    assert (3, 1) == ((pulled := run(pulling(site))["Encounter"]).resources, pulled.refused)
    assert EVERYTHING == versions(site)


def test_a_source_that_sends_hl7_is_not_pulled_over_fhir(site: Site) -> None:
    (source,) = (each for each in site.settings.sources if each.name == SOURCE)
    with pytest.raises(ConfigurationError, match="maps no FHIR"):
        SourcePull(site, replace(source, name="riverbend-hl7"))


def test_a_key_of_either_kind_signs(ehr: EhrServer, site: Site) -> None:
    ehr.public_key = KEYS["RS384"].public_key()
    (site.settings.folder / "secrets" / "pull.pem").write_bytes(pem(KEYS["RS384"]))
    assert 5 == run(pulling(site))["Patient"].resources


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        pem(ec.generate_private_key(ec.SECP256R1())).decode(),
        pem(rsa.generate_private_key(65537, 1024)).decode(),
    ],
)
def test_a_key_of_any_other_kind_is_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(ConfigurationError, match="P-384"):
        read_key(text)


def by_patient(site: Site, **changes: Any) -> SourcePull:
    """The same, its visits searched patient by patient."""
    (source,) = (each for each in site.settings.sources if each.name == SOURCE)
    assert source.pull is not None
    settings = replace(source.pull, by_patient=("Encounter",), **changes)
    return SourcePull(site, replace(source, pull=settings), lambda _: None)


def test_an_ehr_that_lets_nobody_search_without_a_patient_is_asked_for_each_we_know(site: Site, ehr: EhrServer) -> None:
    ehr.by_patient.add("Encounter")
    assert "400" in (run(pulling(site))["Encounter"].problem or "")
    ehr.searches.clear()
    found = run(by_patient(site))["Encounter"]
    assert (5, 2, None) == (found.pages, found.resources, found.problem)
    assert [f"Encounter?patient=p{number}&_count=2" for number in range(5)] == ehr.searches[1:]
    assert EVERYTHING == versions(site)


def test_a_patient_who_is_new_is_asked_for_whole_and_the_others_for_what_changed(site: Site, ehr: EhrServer) -> None:
    run(by_patient(site))
    ehr.now = NOON + timedelta(hours=1)
    ehr.put(patient(id="p9"), NOON + timedelta(minutes=30))
    ehr.put(encounter(id="e9", subject={"reference": "Patient/p9"}), NOON - timedelta(days=30))
    ehr.searches.clear()
    run(by_patient(site))
    since = "&_lastUpdated=ge2026-08-17T11%3A59%3A00Z"
    asked = [f"Encounter?patient=p{number}&_count=2{since}" for number in range(5)] + ["Encounter?patient=p9&_count=2"]
    assert asked == ehr.searches[1:]
    assert EVERYTHING | {"Patient/p9": 1, "Encounter/e9": 1} == versions(site)


def test_an_ehr_without_changes_since_a_moment_is_asked_for_everything_each_time(site: Site, ehr: EhrServer) -> None:
    run(by_patient(site, by_change=False))
    ehr.searches.clear()
    run(by_patient(site, by_change=False))
    assert ["Patient?_count=2", "Encounter?patient=p0&_count=2"] == [ehr.searches[0], ehr.searches[3]]
    assert EVERYTHING == versions(site), "what says nothing new makes no new version"


def test_a_run_that_stopped_among_the_patients_goes_on_with_those_it_had_not_come_to(
    site: Site, ehr: EhrServer
) -> None:
    for number in range(3):
        ehr.put(encounter(id=f"x{number}", subject={"reference": "Patient/p1"}), NOON - timedelta(hours=1))
    stopped = by_patient(site)
    while (pulled := stopped.step()) is not None and (pulled.type, pulled.pages) != ("Encounter", 2):
        pass
    ehr.searches.clear()
    run(by_patient(site))
    assert "Encounter?patient=p1&_count=2&start=2" in ehr.searches
    assert EVERYTHING | {f"Encounter/x{number}": 1 for number in range(3)} == versions(site)


def test_a_patient_the_ehr_has_no_more_keeps_nobody_elses_visits_out(site: Site, ehr: EhrServer) -> None:
    run(pulling(site))
    ehr.put(encounter(id="e4", subject={"reference": "Patient/p4"}), NOON)
    pull = by_patient(site)
    while (pulled := pull.step()) is not None and pulled.type != "Encounter":
        pass
    ehr.faults.append(Response(status_code=404))
    found = run(pull)["Encounter"]
    assert "404" in (found.problem or "")
    assert 1 == versions(site)["Encounter/e4"]


def test_a_type_that_fails_for_one_patient_after_the_other_is_left(site: Site, ehr: EhrServer) -> None:
    pull = by_patient(site)
    while (pulled := pull.step()) is not None and (pulled.type, pulled.pages) != ("Patient", 3):
        pass
    ehr.faults.extend(Response(status_code=403) for _ in range(3))
    ehr.searches.clear()
    run(pull)
    assert 3 == len(ehr.searches)


def test_patients_left_because_others_failed_one_after_the_other_come_first_in_the_next_run(
    site: Site, ehr: EhrServer
) -> None:
    ehr.put(encounter(id="e4", subject={"reference": "Patient/p4"}), NOON)
    ehr.gone.update(("p0", "p1", "p2"))
    pull = by_patient(site)
    assert "404" in (run(pull)["Encounter"].problem or "")
    assert "Encounter/e4" not in versions(site), "they were left"
    ehr.searches.clear()
    run(pull)
    assert 1 == versions(site)["Encounter/e4"]
    asked = [each.partition("patient=")[2].partition("&")[0] for each in ehr.searches if "patient=" in each]
    assert ["p3", "p4", "p0", "p1", "p2"] == asked


def test_without_a_patient_nobody_is_asked_for_and_the_operator_told_why(site: Site, ehr: EhrServer) -> None:
    ehr.resources["Patient"].clear()
    assert "no patient of this EHR is known yet" in (run(by_patient(site))["Encounter"].problem or "")


@pytest.mark.parametrize("type", ["Patient", "Condition"])
def test_only_a_patients_resources_among_the_types_are_searched_by_patient(site: Site, type: str) -> None:
    (source,) = (each for each in site.settings.sources if each.name == SOURCE)
    assert source.pull is not None
    with pytest.raises(ConfigurationError, match=f"by_patient of {SOURCE}: {type} is no patient's resource"):
        SourcePull(site, replace(source, pull=replace(source.pull, by_patient=(type,))))
