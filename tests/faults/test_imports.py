"""Bulk imports: committed as they arrive, tried line by line, gone on with after any stop, told to their owner."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from adapters.fhir.import_routes import NDJSON, ImportLimits, fhir_import_router
from gateway.pipeline.imports import StoredImports
from gateway.wiring.importing import ImportPass
from gateway.wiring.new_site import make_site
from gateway.wiring.site import Site, open_site
from tests.unit.fhir.samples import FAMILY_NAME, encounter, patient

SOURCE = "riverbend-fhir"
LIMITS = ImportLimits(size_max=20_000, line_max=2_000, part_lines=3, quiet_s=0.3)
HEADERS = {"Authorization": "Bearer ours", "Content-Type": NDJSON}
OTHERS = {"Authorization": "Bearer theirs"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "clinic"
    make_site(folder, demo=True, database="sqlite:///cleanclaim.sqlite", samples={})
    opened = open_site(folder)
    yield opened
    opened.close()


@pytest.fixture
def woken() -> list[int]:
    return []


@pytest.fixture
def ehr(site: Site, woken: list[int]) -> Iterator[TestClient]:
    app = FastAPI()
    desk = StoredImports(site.store, site.clock, lambda: woken.append(1))
    app.include_router(fhir_import_router(desk, {"ours": SOURCE, "theirs": "riverbend-hl7"}.get, LIMITS))
    with TestClient(app) as client:
        yield client


def ndjson(*resources: Any) -> bytes:
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in resources) + b"\n"


def people(count: int) -> list[dict[str, Any]]:
    return [patient(id=f"p{number}") for number in range(count)]


def imported(ehr: TestClient, content: Any) -> str:
    answer = ehr.post("/fhir/$import", content=content, headers=HEADERS)
    assert 202 == answer.status_code, answer.content
    return answer.headers["content-location"].removeprefix("http://testserver")


def outcomes(ehr: TestClient, address: str) -> list[dict[str, Any]]:
    answer = ehr.get(f"{address}/outcomes", headers=HEADERS)
    assert 200 == answer.status_code
    return [json.loads(line) for line in answer.content.splitlines()]


def stored(site: Site) -> list[str]:
    with site.store.read() as tx:
        return sorted(tx.resources.references(SOURCE))


def finish(site: Site) -> None:
    work = ImportPass(site.store, site.receiver)
    while work.run():
        pass


class SlowImports(StoredImports):
    """Its disk needs longer for a part than a sender may be quiet."""

    def add_part(self, import_id: str, number: int, lines: Sequence[tuple[int, bytes]]) -> None:
        time.sleep(2 * LIMITS.quiet_s)
        super().add_part(import_id, number, lines)


def test_the_time_our_own_disk_takes_is_not_held_against_the_sender(site: Site) -> None:
    app = FastAPI()
    desk = SlowImports(site.store, site.clock, lambda: None)
    app.include_router(fhir_import_router(desk, {"ours": SOURCE}.get, LIMITS))
    with TestClient(app) as ehr:
        address = imported(ehr, ndjson(*people(7)))
        assert "0 of 7 lines" == ehr.get(address, headers=HEADERS).headers["x-progress"]


class HeldImports(StoredImports):
    """Its disk takes its time over the first source's imports."""

    def __init__(self, site: Site, most: int) -> None:
        super().__init__(site.store, site.clock, lambda: None)
        self.inside, self.go_on = threading.Barrier(most + 1), threading.Event()

    def begin(self, source: str) -> str:
        if source == SOURCE and not self.go_on.is_set():
            self.inside.wait(10)
            self.go_on.wait(10)
        return super().begin(source)


def test_however_many_imports_one_source_holds_another_s_are_taken(site: Site) -> None:
    most = LIMITS.arriving_per_source_max
    desk = HeldImports(site, most)
    app = FastAPI()
    app.include_router(fhir_import_router(desk, {"ours": SOURCE, "theirs": "riverbend-hl7"}.get, LIMITS))
    with TestClient(app) as ehr, ThreadPoolExecutor(most) as senders:
        held = [senders.submit(imported, ehr, ndjson(*people(1))) for _ in range(most)]
        desk.inside.wait(10)
        one_more = ehr.post("/fhir/$import", content=ndjson(*people(1)), headers=HEADERS)
        another_s = ehr.post("/fhir/$import", content=ndjson(*people(1)), headers={**HEADERS, **OTHERS})
        desk.go_on.set()
        assert most == len({each.result(10) for each in held})
        assert (429, "5", 202) == (one_more.status_code, one_more.headers["retry-after"], another_s.status_code)
        assert "Too many imports of this source" in one_more.json()["issue"][0]["diagnostics"]
        imported(ehr, ndjson(*people(1)))


def test_lines_are_tried_in_parts_and_the_sender_sees_how_far(site: Site, ehr: TestClient, woken: list[int]) -> None:
    address = imported(ehr, ndjson(*people(5)))
    assert [1] == woken
    waiting = ehr.get(address, headers=HEADERS)
    assert (202, "0 of 5 lines", "5") == (
        waiting.status_code,
        waiting.headers["x-progress"],
        waiting.headers["retry-after"],
    )
    assert 3 == ImportPass(site.store, site.receiver).run()
    assert "3 of 5 lines" == ehr.get(address, headers=HEADERS).headers["x-progress"]
    assert [1, 2, 3] == [each["line"] for each in outcomes(ehr, address)]
    finish(site)
    done = ehr.get(address, headers=HEADERS)
    body = done.json()
    assert (200, 5, 5, 0, 0) == (
        done.status_code,
        *(body[name] for name in ("lines", "stored", "duplicate", "refused")),
    )
    assert [{"type": "lines", "count": 5, "url": f"http://testserver{address}/outcomes"}] == body["output"]
    assert [[f"Patient/p{number}"] for number in range(5)] == [each["references"] for each in outcomes(ehr, address)]
    assert [f"Patient/p{number}" for number in range(5)] == stored(site)


def test_a_wrong_line_keeps_no_other_out_and_says_where_it_is_wrong(site: Site, ehr: TestClient) -> None:
    wrong = encounter(id="e1", status="done", subject={"reference": "Patient/p0"})
    bomb = b'{"resourceType": "Patient", "name": ' + b"[" * 500 + b"]" * 500 + b"}"
    address = imported(ehr, ndjson(*people(1), wrong, b"", b"not json", bomb, b'{"a": NaN}', *people(2)[1:]))
    finish(site)
    said = outcomes(ehr, address)
    assert [(1, "stored"), (2, "refused"), (4, "refused"), (5, "refused"), (6, "refused"), (7, "stored")] == [
        (each["line"], each["outcome"]) for each in said
    ]
    assert "Encounter.status" in said[1]["issues"][0]
    assert FAMILY_NAME not in json.dumps(said)
    assert ["Patient/p0", "Patient/p1"] == stored(site)


def test_the_same_file_again_stores_nothing_new(site: Site, ehr: TestClient) -> None:
    unnamed = [{key: value for key, value in each.items() if key != "id"} for each in people(2)]
    for outcome in ("stored", "duplicate"):
        address = imported(ehr, ndjson(unnamed[0]))
        finish(site)
        assert [outcome] == [each["outcome"] for each in outcomes(ehr, address)]


def test_an_import_whose_sender_went_away_is_never_worked_on(site: Site, ehr: TestClient, woken: list[int]) -> None:
    def breaking() -> Iterator[bytes]:
        yield ndjson(*people(4))
        yield b"x" * (LIMITS.line_max + 1)

    answer = ehr.post("/fhir/$import", content=breaking(), headers=HEADERS)
    assert 413 == answer.status_code
    assert (0, []) == (ImportPass(site.store, site.receiver).run(), woken)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Authorization": "Bearer nobody's"}, 401),
        ({"Content-Type": "application/fhir+json"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_what_cannot_be_an_import_is_refused_before_its_body(
    ehr: TestClient, changed: dict[str, str], status: int
) -> None:
    answer = ehr.post("/fhir/$import", content=b"", headers={**HEADERS, **changed})
    assert (status, "OperationOutcome") == (answer.status_code, answer.json()["resourceType"])


def test_an_import_larger_than_allowed_is_refused(ehr: TestClient) -> None:
    answer = ehr.post("/fhir/$import", content=ndjson(*people(1)) * 200, headers=HEADERS)
    assert 413 == answer.status_code


def test_an_import_is_its_owners_alone(site: Site, ehr: TestClient) -> None:
    address = imported(ehr, ndjson(*people(1)))
    for path in (address, f"{address}/outcomes", "/fhir/$import/nothing"):
        assert 404 == ehr.get(path, headers=OTHERS).status_code


def batch(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": "batch", "entry": entries}


def test_a_batch_in_a_line_tells_of_each_entry_that_was_refused(site: Site, ehr: TestClient) -> None:
    wrong = encounter(id="e9", status="nonsense")
    address = imported(ehr, ndjson(batch(wrong), batch(patient(id="p1"), wrong)))
    finish(site)
    refused, taken = outcomes(ehr, address)
    assert ("refused", "stored") == (refused["outcome"], taken["outcome"])
    assert ["Patient/p1"] == stored(site) == taken["references"]
    for each in (refused, taken):
        assert ["status is not a code" in issue for issue in each["issues"]] == [True]
