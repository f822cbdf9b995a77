"""Claim status back to the EHR."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.fhir.status import SHAPES
from adapters.fhir.strict_json import read_json, write_json
from adapters.fhir.validation import check_resource
from gateway.claim.finding import Finding, Owner, Severity
from gateway.lifecycle import ClaimState
from tests.unit.fhir.conftest import FhirClient, check_is_r4
from tests.unit.fhir.fakes import ListedStatuses, claim_status
from tests.unit.fhir.samples import as_bytes

LINE = {
    "number": 1,
    "service_on": "2026-08-03",
    "revenue_code": "0905",
    "hcpcs": "S9480",
    "modifiers": ["HF"],
    "units": 1,
    "charge_cents": 35000,
    "paid_cents": 21050,
    "adjustments": [("CO", "45", 10000), ("PR", "3", 3950)],
}
PAID = {
    "state": "paid",
    "paid_cents": 21050,
    "patient_cents": 3950,
    "charge_cents": 35000,
    "adjustments": (("CO", "45", 10000), ("PR", "3", 3950)),
    "lines": (LINE,),
    "payer_claim_number": "ICN77",
    "paid_on": "2026-08-20",
}
LITTLE_KNOWN = {
    "patient_references": (),
    "encounter_references": (),
    "lines": (),
    "claim_number": "",
    "payer": "",
    "payer_name": "",
}
HELD = Finding(
    rule="authorization-covers-days",
    code="G08",
    severity=Severity.BLOCK,
    path="lines[2].service_on",
    message="Day 9 has no authorized unit.",
    fix="Ask the payer for more days.",
    owner=Owner.UTILIZATION_REVIEW,
)


@pytest.mark.parametrize("type", SHAPES)
@pytest.mark.parametrize("state", list(ClaimState))
@pytest.mark.parametrize("changes", [{}, PAID, LITTLE_KNOWN])
def test_every_state_is_valid_r4(type: str, state: ClaimState, changes: dict[str, Any]) -> None:
    claim = claim_status(
        **{**changes, "state": state.value, "findings": (HELD,), "acknowledgement_codes": ("A7:562:85",)}
    )
    made = SHAPES[type](claim)
    if made is None:
        assert type == "ExplanationOfBenefit"
        return
    content = write_json(made)
    check_is_r4(content)
    assert [] == check_resource(read_json(content))


def test_a_held_claims_task_says_what_holds_it_and_who_can_fix_it(ehr: FhirClient, statuses: ListedStatuses) -> None:
    statuses.claims = [claim_status(findings=(HELD,))]
    found = ehr.get("/fhir/Task?patient=Patient/p1").json()
    task = found["entry"][0]["resource"]
    assert (1, "searchset", "match") == (found["total"], found["type"], found["entry"][0]["search"]["mode"])
    assert ("on-hold", "held") == (task["status"], task["businessStatus"]["coding"][0]["code"])
    assert "authorization-covers-days" == task["statusReason"]["coding"][0]["code"]
    assert [{"text": "utilization-review"}] == task["performerType"]
    assert "block: Day 9 has no authorized unit. Ask the payer for more days." == task["note"][0]["text"]
    assert ("Patient/p1", "Encounter/e1") == (task["for"]["reference"], task["encounter"]["reference"])
    assert ["Encounter/e1", "Encounter/e2"] == [each["valueReference"]["reference"] for each in task["input"]]
    assert "C0000000012X" == task["focus"]["identifier"]["value"]
    assert [f"ClaimResponse/{task['id']}"] == [each["valueReference"]["reference"] for each in task["output"]]


@pytest.mark.parametrize(
    ("state", "task", "outcome", "has_eob"),
    [
        ("waiting", "received", "queued", False),
        ("held", "on-hold", "queued", False),
        ("transmitted", "in-progress", "queued", False),
        ("payer-accepted", "in-progress", "queued", False),
        ("rejected", "failed", "error", False),
        ("paid", "completed", "complete", True),
        ("partial", "completed", "partial", True),
        ("denied", "completed", "complete", True),
        ("voided", "cancelled", "queued", False),
    ],
)
def test_lifecycle_words_in_the_standards_own(
    ehr: FhirClient, statuses: ListedStatuses, state: str, task: str, outcome: str, has_eob: bool
) -> None:
    statuses.claims = [claim_status(state=state)]
    assert task == ehr.get("/fhir/Task?encounter=e2").json()["entry"][0]["resource"]["status"]
    assert outcome == ehr.get("/fhir/ClaimResponse?encounter=e2").json()["entry"][0]["resource"]["outcome"]
    assert has_eob == bool(ehr.get("/fhir/ExplanationOfBenefit?encounter=e2").json()["total"])


def test_a_rejection_names_the_codes_it_came_with(ehr: FhirClient, statuses: ListedStatuses) -> None:
    statuses.claims = [claim_status(state="rejected", acknowledgement_codes=("A7:562:85", "not a code"))]
    answer = ehr.get("/fhir/ClaimResponse?identifier=C0000000012X").json()["entry"][0]["resource"]
    coded, told = [each["code"] for each in answer["error"]]
    assert [
        {"system": "https://x12.org/codes/claim-status-category-codes", "code": "A7"},
        {"system": "https://x12.org/codes/claim-status-codes", "code": "562"},
    ] == coded["coding"]
    assert {"text": "not a code"} == told


def test_a_payment_is_explained_line_by_line(ehr: FhirClient, statuses: ListedStatuses) -> None:
    statuses.claims = [claim_status(**PAID)]
    response = ehr.get("/fhir/ExplanationOfBenefit?patient=p1")
    explained = read_json(response.content)["entry"][0]["resource"]
    (item,) = explained["item"]
    reasons = {
        (each["category"]["coding"][0]["code"], each["reason"]["coding"][0]["code"]): each["amount"]["value"]
        for each in item["adjudication"]
        if "reason" in each
    }
    assert {("CO", "45"): Decimal("100.00"), ("PR", "3"): Decimal("39.50")} == reasons
    assert {"https://x12.org/codes/claim-adjustment-reason-codes"} == {
        each["reason"]["coding"][0]["system"] for each in item["adjudication"] if "reason" in each
    }
    assert Decimal("350.00") == item["net"]["value"] == sum(reasons.values(), Decimal("210.50"))
    assert ("0905", "S9480") == tuple(item[name]["coding"][0]["code"] for name in ("revenue", "productOrService"))
    assert {"amount": {"value": Decimal("210.50"), "currency": "USD"}, "date": "2026-08-20"} == explained["payment"]
    assert "institutional" == explained["type"]["coding"][0]["code"]
    assert ["C0000000012X", "ICN77"] == [each["value"] for each in explained["identifier"]]


def test_status_is_read_by_id(ehr: FhirClient, statuses: ListedStatuses) -> None:
    statuses.claims = [claim_status()]
    for type in ("Task", "ClaimResponse"):
        response = ehr.get(f"/fhir/{type}/{statuses.claims[0].claim_id}")
        assert (200, type) == (response.status_code, response.json()["resourceType"])
    for path in ("Task/other", f"ExplanationOfBenefit/{statuses.claims[0].claim_id}", "Task/C0000000012X"):
        assert 404 == ehr.get(f"/fhir/{path}").status_code


def test_a_claim_response_the_source_sent_itself_is_read_by_its_id(ehr: FhirClient, statuses: ListedStatuses) -> None:
    sent = {
        "resourceType": "ClaimResponse",
        "id": "auth1",
        "status": "active",
        "type": {"text": "x"},
        "use": "preauthorization",
        "patient": {"display": "x"},
        "created": "2026-08-01",
        "insurer": {"display": "x"},
        "outcome": "complete",
        "preAuthRef": "AUTH7",
    }
    ehr.put("/fhir/ClaimResponse/auth1", as_bytes(sent))
    assert "AUTH7" == ehr.get("/fhir/ClaimResponse/auth1").json()["preAuthRef"]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("patient=Patient/p1", {"patient": "Patient/p1"}),
        ("patient=p1", {"patient": "Patient/p1"}),
        ("patient=https://ehr.example.org/fhir/Patient/p1", {"patient": "Patient/p1"}),
        ("patient=https://ehr.example.org/mrn%7CM1", {"patient": "https://ehr.example.org/mrn|M1"}),
        ("encounter=e1", {"encounter": "Encounter/e1"}),
        ("identifier=C0000000012X", {"claim": "C0000000012X"}),
        ("identifier=urn:cleanclaim:claim-number%7CC0000000012X", {"claim": "C0000000012X"}),
    ],
)
def test_searches_ask_for_the_source_that_searches(
    ehr: FhirClient, statuses: ListedStatuses, query: str, asked: dict[str, str]
) -> None:
    ehr.get(f"/fhir/Task?{query}")
    assert [{"source": "cedar", "patient": "", "encounter": "", "claim": "", **asked}] == statuses.asked


def test_long_answers_come_in_pages_that_link_to_the_next(ehr: FhirClient, statuses: ListedStatuses) -> None:
    statuses.claims = [claim_status(claim_id=f"claim-{number}") for number in range(5)]
    path, ids = "/fhir/Task?patient=p1&_count=2", []
    while path:
        page = ehr.get(path).json()
        assert 5 == page["total"]
        ids += [each["resource"]["id"] for each in page["entry"]]
        links = {each["relation"]: each["url"] for each in page["link"]}
        path = links.get("next", "").removeprefix("http://testserver")
    assert [f"claim-{number}" for number in range(5)] == ids


def test_nothing_found_is_an_empty_searchset(ehr: FhirClient) -> None:
    found = ehr.get("/fhir/Task?patient=nobody")
    assert (200, 0) == (found.status_code, found.json()["total"])
    assert "entry" not in found.json()
