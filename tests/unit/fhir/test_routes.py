"""The HTTP edge: who may ask, what may come, and that every refusal is an OperationOutcome that repeats nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
import structlog
from fastapi import FastAPI
from starlette.testclient import TestClient

from adapters.fhir.capability import STATUS_TYPES
from adapters.fhir.routes import fhir_router
from adapters.fhir.submission import SUPPORTED_TYPES
from gateway.errors import Conflict, NotAllowed, NotFound, Unavailable
from tests.unit.fhir.conftest import LIMITS, TOKENS, FhirClient, check_is_r4, details
from tests.unit.fhir.fakes import ListedStatuses, MemoryIntake
from tests.unit.fhir.samples import FAMILY_NAME, as_bytes, bundle, encounter, entry, patient, visit_bundle

ADDRESSES = [
    ("POST", "/fhir"),
    ("POST", "/fhir/"),
    ("POST", "/fhir/Encounter"),
    ("PUT", "/fhir/Encounter"),
    ("PUT", "/fhir/Encounter/e1"),
    ("GET", "/fhir/Encounter/e1"),
    ("GET", "/fhir/Encounter/e1/_history/1"),
    ("GET", "/fhir/Task?patient=p1"),
    ("GET", "/fhir/Task/1"),
    ("GET", "/fhir/Nonsense"),
    ("GET", "/fhir"),
    ("DELETE", "/fhir/Encounter/e1"),
    ("PATCH", "/fhir/Encounter/e1"),
    ("GET", "/fhir/a/b/c/d/e"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@pytest.mark.parametrize("credentials", [None, "Bearer wrong", "Bearer ", "Basic Y2VkYXI=", "cedar-token"])
def test_every_address_but_metadata_asks_for_a_token_first(
    http: TestClient, intake: MemoryIntake, method: str, path: str, credentials: str | None
) -> None:
    headers = {"Authorization": credentials} if credentials else {}
    response = http.request(method, path, content=b"not json", headers=headers)
    assert (401, ["token-missing-or-unknown"]) == (response.status_code, details(response))
    assert response.headers["www-authenticate"].startswith("Bearer")
    check_is_r4(response.content)
    assert [] == intake.arrivals


def test_a_body_is_not_read_before_the_token_is(http: TestClient) -> None:
    read = []

    def chunks() -> Iterator[bytes]:
        read.append(1)
        yield b"x" * 1000

    app = http.app
    received: list[str] = []

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        async def counted() -> Any:
            message = await receive()
            received.append(message["type"])
            return message

        await app(scope, counted, send)

    with TestClient(watching) as client:
        assert 401 == client.post("/fhir", content=chunks()).status_code
    assert "http.request" not in received


def test_metadata_is_open_and_true(http: TestClient) -> None:
    response = http.get("/fhir/metadata")
    body = response.json()
    check_is_r4(response.content)
    assert (200, "4.0.1", "instance") == (response.status_code, body["fhirVersion"], body["kind"])
    offered = {each["type"]: {one["code"] for one in each["interaction"]} for each in body["rest"][0]["resource"]}
    assert {*SUPPORTED_TYPES, *STATUS_TYPES} == set(offered)
    assert {"read", "create", "update"} <= offered["Encounter"]
    assert {"read", "search-type"} == offered["Task"]
    assert {"read", "create", "update", "search-type"} == offered["ClaimResponse"]


@pytest.mark.parametrize("type", SUPPORTED_TYPES)
def test_every_type_offered_is_taken_and_given_back(ehr: FhirClient, type: str) -> None:
    minimal = MINIMAL[type] | {"resourceType": type, "id": "x1"}
    assert 201 == ehr.put(f"/fhir/{type}/x1", minimal).status_code
    assert 201 == ehr.post(f"/fhir/{type}", minimal).status_code
    response = ehr.get(f"/fhir/{type}/x1")
    assert (200, 'W/"1"', type) == (response.status_code, response.headers["etag"], response.json()["resourceType"])
    assert 200 == ehr.get(f"/fhir/{type}/x1/_history/1").status_code
    assert 404 == ehr.get(f"/fhir/{type}/x1/_history/2").status_code


SOMEBODY: dict[str, Any] = {"display": "somebody"}
CLAIM: dict[str, Any] = {
    "status": "active",
    "type": {"text": "x"},
    "use": "claim",
    "patient": SOMEBODY,
    "created": "2026-08-03",
}
MINIMAL: dict[str, dict[str, Any]] = {
    "Patient": {},
    "Coverage": {"status": "active", "beneficiary": SOMEBODY, "payor": [SOMEBODY]},
    "Organization": {"name": "x"},
    "Practitioner": {},
    "PractitionerRole": {},
    "Location": {},
    "EpisodeOfCare": {"status": "active", "patient": SOMEBODY},
    "Account": {"status": "active"},
    "Encounter": {"status": "finished", "class": {"code": "AMB"}},
    "Condition": {"subject": SOMEBODY},
    "Procedure": {"status": "completed", "subject": SOMEBODY},
    "ChargeItem": {"status": "billable", "code": {"text": "x"}, "subject": SOMEBODY},
    "Appointment": {"status": "booked", "participant": [{"status": "accepted", "actor": SOMEBODY}]},
    "ServiceRequest": {"status": "active", "intent": "order", "subject": SOMEBODY},
    "Claim": CLAIM
    | {
        "provider": SOMEBODY,
        "priority": {"text": "x"},
        "insurance": [{"sequence": 1, "focal": True, "coverage": SOMEBODY}],
    },
    "ClaimResponse": CLAIM | {"insurer": SOMEBODY, "outcome": "queued"},
}


@pytest.mark.parametrize(
    ("headers", "status", "detail"),
    [
        ({"Content-Type": "application/fhir+xml"}, 415, "content-type-not-supported"),
        ({"Content-Type": "application/fhir+json; fhirVersion=3.0"}, 415, "content-type-not-supported"),
        ({"Content-Type": "application/json; charset=iso-8859-1"}, 415, "content-type-not-supported"),
        ({"Content-Encoding": "gzip"}, 415, "content-type-not-supported"),
        ({"Content-Type": ""}, 415, "content-type-not-supported"),
        ({"Accept": "application/fhir+xml"}, 406, "format-not-supported"),
    ],
)
def test_what_headers_say_is_checked_before_the_body(
    ehr: FhirClient, intake: MemoryIntake, headers: dict[str, str], status: int, detail: str
) -> None:
    response = ehr.post("/fhir", visit_bundle(), **{name.replace("-", "_"): value for name, value in headers.items()})
    assert (status, [detail]) == (response.status_code, details(response))
    assert [] == intake.arrivals


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/fhir+json; charset=UTF-8", 'application/fhir+json;fhirVersion="4.0"'],
)
def test_json_by_any_of_its_names_is_taken(ehr: FhirClient, content_type: str) -> None:
    assert 200 == ehr.post("/fhir", visit_bundle(), Content_Type=content_type, Accept="application/json").status_code


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/fhir/Observation/1", 404),
        ("POST", "/fhir/Observation", 404),
        ("POST", "/fhir/Nonsense", 404),
        ("POST", "/fhir/Task", 404),
        ("GET", "/fhir/Observation?patient=1", 404),
        ("GET", "/fhir/Encounter/none", 404),
        ("GET", "/fhir/Encounter/not%20an%20id", 404),
        ("PUT", "/fhir/Encounter/not%20an%20id", 400),
        ("GET", "/fhir/Encounter?patient=1", 405),
        ("DELETE", "/fhir/Encounter/e1", 405),
        ("PATCH", "/fhir/Encounter/e1", 405),
        ("POST", "/fhir/Encounter/_search", 405),
        ("GET", "/fhir", 404),
        ("GET", "/fhir/Encounter/e1/_history", 404),
        ("GET", "/fhir/Task", 400),
        ("GET", "/fhir/Task?name=x", 400),
        ("GET", "/fhir/Task?patient=", 400),
        ("GET", "/fhir/Task?patient=1&patient=2", 400),
    ],
)
def test_what_the_server_does_not_have_is_said(ehr: FhirClient, method: str, path: str, status: int) -> None:
    response = ehr.send(method, path, encounter() if method in {"POST", "PUT"} else None)
    assert status == response.status_code
    assert 1 == len(details(response))


def test_a_body_too_large_is_refused_by_what_it_says_and_by_what_it_is(ehr: FhirClient, intake: MemoryIntake) -> None:
    large = b" " * (LIMITS.json.size_max + 1)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    for content in (large, chunks()):
        response = ehr.http.post("/fhir", content=content, headers=ehr.headers)
        assert (413, ["body-too-large"]) == (response.status_code, details(response))
    assert [] == intake.arrivals


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b"", 400, "json-unreadable"),
        (b"<Bundle/>", 400, "json-unreadable"),
        (b'{"resourceType":"Bundle","type":NaN}', 400, "json-unreadable"),
        (b'{"resourceType":"Bundle","type":"batch","type":"transaction"}', 400, "json-duplicate-key"),
        (b"[" * 2000 + b"]" * 2000, 400, "json-too-deep"),
        (b'{"a":' * 30_000, 400, "json-too-deep"),
        (b'{"a":1' + b"0" * 5000 + b"}", 400, "json-number-too-long"),
        (b"[]", 422, "resource-not-object"),
        (b"null", 422, "resource-not-object"),
        (b"{}", 422, "resource-type-missing"),
        (b'{"resourceType":"../../etc/passwd"}', 422, "resource-type-unknown"),
        (b'{"resourceType":{"a":1}}', 422, "resource-type-unknown"),
        (b'{"resourceType":"Bundle"}', 422, "element-missing"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":{}}', 422, "element-not-list"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[1]}', 422, "value-wrong-type"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[{"resource":7}]}', 422, "value-wrong-type"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":null,"request":null}]}', 422, "element-null"),
    ],
)
def test_bad_bodies_are_refused_stored_and_never_crash(
    ehr: FhirClient, intake: MemoryIntake, content: bytes, status: int, detail: str
) -> None:
    response = ehr.post("/fhir", content)
    assert status == response.status_code
    assert detail in details(response)
    assert [content] == [arrival.content for arrival in intake.arrivals]
    assert intake.arrivals[0].refusal


def test_two_million_empty_objects_are_refused_quickly(intake: MemoryIntake, statuses: ListedStatuses) -> None:
    app = FastAPI()
    app.include_router(fhir_router(intake, statuses, TOKENS.get))
    with TestClient(app) as http:
        response = FhirClient(http).post("/fhir", b"[" + b"{}," * 2_000_000 + b"{}]")
    assert (413, ["json-too-many-values"]) == (response.status_code, details(response))


def test_a_database_that_does_not_answer_is_a_503_to_try_again(ehr: FhirClient, intake: MemoryIntake) -> None:
    intake.down = True
    for response in (ehr.post("/fhir", visit_bundle()), ehr.get("/fhir/Encounter/e1"), ehr.post("/fhir", b"{")):
        assert (503, ["unavailable"]) == (response.status_code, details(response))
        assert int(response.headers["retry-after"]) > 0


def test_a_token_store_that_does_not_answer_is_a_503_too(intake: MemoryIntake, statuses: ListedStatuses) -> None:
    def authenticate(token: str) -> str | None:
        raise Unavailable

    app = FastAPI()
    app.include_router(fhir_router(intake, statuses, authenticate))
    with TestClient(app) as http:
        assert 503 == FhirClient(http).post("/fhir", visit_bundle()).status_code


@pytest.mark.parametrize(("error", "status"), [(NotAllowed(), 403), (NotFound(), 404), (Conflict(), 409)])
def test_what_the_gateway_refuses_by_name_has_its_own_status(
    ehr: FhirClient, intake: MemoryIntake, error: Exception, status: int
) -> None:
    intake.read_error = error
    assert status == ehr.get("/fhir/Encounter/e1").status_code


def test_an_unexpected_failure_is_a_500_without_a_trace_or_a_value(
    ehr: FhirClient, intake: MemoryIntake, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    intake.broken = RuntimeError(f"could not store {FAMILY_NAME}")
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logged:
        response = ehr.post("/fhir", visit_bundle())
    assert (500, ["unexpected"]) == (response.status_code, details(response))
    assert "RuntimeError" == logged[0]["error"]
    told = [response.text, caplog.text, repr(logged), *capsys.readouterr()]
    assert not [text for text in told if FAMILY_NAME in text or "Traceback" in text]


def test_no_refusal_repeats_what_was_sent(
    ehr: FhirClient, intake: MemoryIntake, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = patient(
        name=[{"family": [FAMILY_NAME]}], gender=FAMILY_NAME, birthDate=FAMILY_NAME, **{f"{FAMILY_NAME} x": FAMILY_NAME}
    )
    bodies: list[Any] = [
        bad,
        bundle("transaction", entry(bad)),
        bundle("batch", entry(bad)),
        bundle(FAMILY_NAME),
        as_bytes(bad)[:-20],
        encounter(subject={"reference": FAMILY_NAME}),
    ]
    with caplog.at_level(logging.DEBUG):
        answers = [ehr.post(path, body) for body in bodies for path in ("/fhir", "/fhir/Patient", "/fhir/Encounter")]
    told = [caplog.text, *capsys.readouterr(), *(answer.text for answer in answers)]
    told += [arrival.refusal for arrival in intake.arrivals]
    assert not [text for text in told if FAMILY_NAME in text]


def test_a_source_with_too_many_requests_in_work_is_told_to_wait(
    http: TestClient, ehr: FhirClient, intake: MemoryIntake
) -> None:
    inside, go_on = threading.Barrier(LIMITS.submissions_per_source_max + 1), threading.Event()
    large = {"text": {"status": "generated", "div": f"<div>{'x' * LIMITS.shared_commit_bytes}</div>"}}
    submit = intake.submit

    def slow(*arguments: Any) -> Any:
        inside.wait(10)
        go_on.wait(10)
        return submit(*arguments)

    intake.submit = slow  # type: ignore[method-assign]
    held = [
        threading.Thread(target=ehr.put, args=(f"/fhir/Patient/p{number}", patient(id=f"p{number}", **large)))
        for number in range(LIMITS.submissions_per_source_max)
    ]
    for thread in held:
        thread.start()
    inside.wait(10)
    intake.submit = submit  # type: ignore[method-assign]
    refused = ehr.post("/fhir", visit_bundle())
    other = FhirClient(http, "birch-token").post("/fhir", visit_bundle())
    go_on.set()
    for thread in held:
        thread.join()
    assert (429, ["too-many-requests"]) == (refused.status_code, details(refused))
    assert int(refused.headers["retry-after"]) > 0
    assert 200 == other.status_code, "one source does not hold up another"
    assert 200 == ehr.post("/fhir", visit_bundle()).status_code


SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/fhir",
    "raw_path": b"/fhir",
    "query_string": b"",
    "headers": [(b"authorization", b"Bearer cedar-token"), (b"content-type", b"application/fhir+json")],
    "http_version": "1.1",
    "scheme": "http",
    "server": ("testserver", 80),
    "client": ("127.0.0.1", 1),
}


def test_a_body_that_trickles_in_is_given_up(http: TestClient) -> None:
    """The test client sends bodies at once, so this one is spoken to directly."""
    sent: list[Any] = []

    async def receive() -> Any:
        await anyio.sleep(LIMITS.body_timeout_s / 2)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(http.app, SCOPE, receive, send)
    assert 408 == sent[0]["status"]


def test_a_body_that_breaks_off_stores_nothing_and_logs_no_failure(http: TestClient, intake: MemoryIntake) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    with structlog.testing.capture_logs() as logged:
        anyio.run(http.app, SCOPE, receive, send)
    assert (400, [], []) == (sent[0]["status"], intake.arrivals, logged)


def test_the_contract_lists_the_addresses(http: TestClient) -> None:
    contract = http.get("/openapi.json").json()
    paths = contract["paths"]
    assert {"/fhir", "/fhir/metadata", "/fhir/{type}", "/fhir/{type}/{id}"} <= set(paths)
    assert "bearer" == contract["components"]["securitySchemes"]["FHIR source token"]["scheme"]
    assert {"/fhir/metadata"} == {
        path for path, methods in paths.items() for each in methods.values() if "security" not in each
    }
    assert {"200", "201", "401", "409", "412", "413", "415", "422", "429", "503"} <= set(
        paths["/fhir"]["post"]["responses"]
    )
