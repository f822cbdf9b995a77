"""The FHIR API over an intake in memory, asked through HTTP; every answer is held to fhir.resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from fhir.resources.R4B import get_fhir_model_class
from starlette.testclient import TestClient

from adapters.fhir.routes import FhirLimits, fhir_router
from adapters.fhir.strict_json import JsonLimits
from tests.unit.fhir.fakes import ListedStatuses, MemoryIntake
from tests.unit.fhir.samples import as_bytes

TOKENS = {"cedar-token": "cedar", "birch-token": "birch"}
LIMITS = FhirLimits(
    json=JsonLimits(size_max=200_000), submissions_per_source_max=4, body_timeout_s=0.3, shared_commit_bytes=20_000
)


class FhirClient:
    """An EHR's HTTP client. ``body`` is the parsed answer, already found to be valid R4."""

    def __init__(self, http: TestClient, token: str = "cedar-token") -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = body if isinstance(body, bytes) or body is None else as_bytes(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.http.request(method, path, content=content, headers={**self.headers, **named})
        if response.content:
            assert response.headers["content-type"].startswith("application/fhir+json")
            check_is_r4(response.content)
        return response

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)


def check_is_r4(content: bytes) -> None:
    """Raise pydantic's ValidationError unless the bytes are one valid R4 resource."""
    body = orjson.loads(content)
    get_fhir_model_class(body["resourceType"]).model_validate(body)


def details(response: Any) -> list[str]:
    """Our codes of the issues of an OperationOutcome."""
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    return [issue["details"]["coding"][0]["code"] for issue in body["issue"]]


def expressions(response: Any) -> list[str]:
    return [issue.get("expression", [""])[0] for issue in response.json()["issue"]]


@pytest.fixture
def intake() -> MemoryIntake:
    return MemoryIntake()


@pytest.fixture
def statuses() -> ListedStatuses:
    return ListedStatuses()


@pytest.fixture
def http(intake: MemoryIntake, statuses: ListedStatuses) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(fhir_router(intake, statuses, TOKENS.get, LIMITS))
    with TestClient(app, raise_server_exceptions=True) as client:
        yield client


@pytest.fixture
def ehr(http: TestClient) -> FhirClient:
    return FhirClient(http)
