"""FHIR requests against both databases: one truth however many ask at once, and the same answers as in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.fhir.receiving import FhirReceiver, FhirRequest
from gateway.claim.party import Identifier
from gateway.pipeline.owners import SourceOwner
from gateway.pipeline.receive import Receiver
from gateway.ports import FhirAnswer
from gateway.store import resources
from gateway.store.database import Database
from tests.contract.plans import plan_of, plan_on_postgres
from tests.factories import CHAIN
from tests.unit.fhir.samples import EHR, as_bytes, bundle, encounter, entry, identifier, patient, urn, visit_bundle

SOURCE = "cedar"


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url, CHAIN)
    opened.migrate()
    opened.ensure_tenant("tenant", {"riverbend": "Riverbend"}, {})
    yield opened
    opened.close()


@pytest.fixture
def ehr(database: Database) -> FhirReceiver:
    owner = SourceOwner(tenant="tenant", organization="riverbend")
    return FhirReceiver(Receiver(database, WallClock(), {SOURCE: owner, "birch": owner}))


def post(ehr: FhirReceiver, body: Any, **request: Any) -> FhirAnswer:
    return ehr.receive(FhirRequest(source=SOURCE, method="POST", content=as_bytes(body), **request))


def put(ehr: FhirReceiver, body: Any, **request: Any) -> FhirAnswer:
    made = FhirRequest(
        source=SOURCE, method="PUT", type=body["resourceType"], id=body["id"], content=as_bytes(body), **request
    )
    return ehr.receive(made)


def ids(database: Database, type: str, kind: str, value: str) -> list[str]:
    with database.read() as tx:
        return tx.resources.identified(SOURCE, type, Identifier(EHR + kind, value))


def test_a_transaction_is_stored_whole_and_read_back(ehr: FhirReceiver, database: Database) -> None:
    answer = post(ehr, visit_bundle())
    assert 200 == answer.status
    (person,), (visit,) = ids(database, "Patient", "mrn", "M1"), ids(database, "Encounter", "visit", "V1")
    found = ehr.read(SOURCE, "Encounter", visit)
    assert found is not None
    assert (1, f"Patient/{person}") == (found.version, found.body["subject"]["reference"])
    assert None is ehr.read("birch", "Encounter", visit)


def test_the_same_bytes_get_the_first_answer_again(ehr: FhirReceiver, database: Database) -> None:
    first, second = post(ehr, visit_bundle()), post(ehr, visit_bundle())
    assert (first.status, first.body, dict(first.headers)) == (second.status, second.body, dict(second.headers))
    assert 1 == len(ids(database, "Patient", "mrn", "M1"))


def test_a_refused_transaction_leaves_no_resource_but_its_bytes(ehr: FhirReceiver, database: Database) -> None:
    put(ehr, patient(id="p1"))
    body = bundle(
        "transaction",
        entry(encounter()),
        entry(patient(id="p1", gender="male"), "PUT", "Patient/p1", ifMatch='W/"9"'),
    )
    assert 412 == post(ehr, body).status
    assert [] == ids(database, "Encounter", "visit", "V1")
    with database.read() as tx:
        contents = [tx.inbox.content(message.sha256) for message, _ in tx.inbox.messages(SOURCE)]
    assert as_bytes(body) in contents


def test_a_name_stays_free_for_the_correction_of_what_was_refused(ehr: FhirReceiver) -> None:
    put(ehr, patient(id="p1"))

    def send(version: int) -> int:
        update = entry(patient(id="p1", gender="male"), "PUT", "Patient/p1", ifMatch=f'W/"{version}"')
        return post(ehr, bundle("transaction", update, identifier={"system": EHR, "value": "7"})).status

    assert [412, 200, 409] == [send(9), send(1), send(2)]


def test_versions_follow_each_other_and_identifiers_follow_the_newest(ehr: FhirReceiver, database: Database) -> None:
    for value in ("M1", "M2", "M2", "M3"):
        put(ehr, patient(id="p1", identifier=identifier("mrn", value)))
    newest = ehr.read(SOURCE, "Patient", "p1")
    assert newest is not None
    assert (3, "3") == (newest.version, newest.body["meta"]["versionId"])
    assert [[], [], ["p1"]] == [ids(database, "Patient", "mrn", value) for value in ("M1", "M2", "M3")]


def test_decimals_keep_their_digits(ehr: FhirReceiver) -> None:
    body = as_bytes(encounter(id="e1", length={"value": 1})).replace(b'"value": 1', b'"value": 60.50')
    ehr.receive(FhirRequest(source=SOURCE, method="PUT", type="Encounter", id="e1", content=body))
    found = ehr.read(SOURCE, "Encounter", "e1")
    assert found is not None
    assert "60.50" == str(found.body["length"]["value"])


def test_what_waits_for_an_identifier_is_mapped_again_when_it_comes(ehr: FhirReceiver, database: Database) -> None:
    waits_for = f"Patient?identifier={EHR}mrn|M1"
    put(ehr, encounter(id="e1"))
    with database.write() as tx:
        tx.resources.link(SOURCE, {"Encounter/e1": [waits_for, "Coverage/c1"]})
        assert None is tx.resources.current(SOURCE, waits_for)
    put(ehr, patient(id="p1"))
    with database.write() as tx:
        found = tx.resources.current(SOURCE, waits_for)
        assert found is not None
        assert "p1" == found.id
        assert {"Encounter/e1"} == tx.resources.dependents(SOURCE, ["Patient/p1"])
        assert {"Encounter/e1"} == tx.resources.dependents(SOURCE, ["Coverage/c1", "Patient/p2"])
        assert set() == tx.resources.dependents(SOURCE, ["Patient/p2"])
    put(ehr, patient(id="p2"))
    with database.read() as tx:
        assert None is tx.resources.current(SOURCE, waits_for), "two have it: it means neither"


@pytest.mark.fault("F45")
def test_fifty_conditional_creates_of_one_identity_at_once_make_one_resource(
    ehr: FhirReceiver, database: Database
) -> None:
    def create(number: int) -> FhirAnswer:
        body = patient(birthDate=f"1998-04-{number % 28 + 1:02d}", telecom=[{"value": str(number)}])
        return post(ehr, body, type="Patient", if_none_exist=f"identifier={EHR}mrn|M1")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(50)))
    assert [200] * 49 + [201] == sorted(answer.status for answer in answers)
    assert 1 == len({json.loads(answer.body)["id"] for answer in answers})
    assert 1 == len(ids(database, "Patient", "mrn", "M1"))


@pytest.mark.fault("F45")
def test_one_bundle_sent_many_times_at_once_is_stored_once(ehr: FhirReceiver, database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(ehr, visit_bundle()), range(20)))
    assert 1 == len({answer.body for answer in answers})
    assert 1 == len(ids(database, "Encounter", "visit", "V1"))


def test_bundles_that_name_the_same_resources_in_other_orders_never_wait_in_a_circle(ehr: FhirReceiver) -> None:
    def send(number: int) -> int:
        people = [
            entry(
                patient(identifier=identifier("mrn", f"M{each}"), telecom=[{"value": f"{number}"}]),
                "PUT",
                f"Patient?identifier={EHR}mrn|M{each}",
            )
            for each in range(6)
        ]
        return post(ehr, bundle("transaction", *(people if number % 2 else reversed(people)))).status

    with ThreadPoolExecutor(8) as pool:
        assert [200] * 24 == list(pool.map(send, range(24)))


@pytest.mark.fault("F45")
def test_updates_at_once_with_one_etag_let_one_through(ehr: FhirReceiver) -> None:
    put(ehr, patient(id="p1"))

    def update(number: int) -> int:
        return put(ehr, patient(id="p1", telecom=[{"value": str(number)}]), if_match='W/"1"').status

    with ThreadPoolExecutor(8) as pool:
        assert [200] + [412] * 15 == sorted(pool.map(update, range(16)))
    newest = ehr.read(SOURCE, "Patient", "p1")
    assert newest is not None
    assert 2 == newest.version


def test_a_bundle_of_more_identities_than_one_query_takes(ehr: FhirReceiver, database: Database) -> None:
    def send(sent: int) -> dict[str, Any]:
        people = [
            entry(
                patient(identifier=identifier("mrn", f"M{number}")),
                ifNoneExist=f"identifier={EHR}mrn|M{number}",
            )
            | {"fullUrl": urn(number)}
            for number in range(1200)
        ]
        answer: dict[str, Any] = json.loads(post(ehr, bundle("transaction", *people, id=f"b{sent}")).body)
        return answer

    first, second = ([each["response"]["location"] for each in send(sent)["entry"]] for sent in range(2))
    assert 1200 == len(set(first))
    assert first == second
    assert 1 == len(ids(database, "Patient", "mrn", "M1199"))


@pytest.mark.parametrize(
    "name", ["_IDENTIFIED", "_IDENTIFIERS", "_NO_LONGER_IDENTIFIED", "_TOLD_BY", "_VERSIONS", "_NEWEST"]
)
def test_what_a_bundle_asks_is_found_by_index(tmp_path: Path, name: str) -> None:
    """Without it a feed gets slower with everything it ever sent; a plan that stops short of the id or value walks."""
    steps = [step for step in plan_of(getattr(resources, name), tmp_path) if "fhir_" in step]
    assert steps
    assert all(step.startswith("SEARCH") and ("id=?" in step or "value=?" in step) for step in steps), steps


def test_the_plan_for_newest_versions_made_while_nothing_was_there_is_no_worse_for_many(migrated_postgres: str) -> None:
    """PostgreSQL keeps to it until it has counted the rows: compared each with each, a first import takes minutes."""
    asked = {"source": SOURCE, "type": "Patient", "ids": [f"p{number}" for number in range(500)]}
    steps = plan_on_postgres(resources._NEWEST, asked, migrated_postgres)
    assert not [step for step in steps if "Join Filter" in step], steps
