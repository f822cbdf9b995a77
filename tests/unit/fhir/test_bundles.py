"""Bundles and resources through HTTP: what is stored, under which ids, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.fhir.receiving import FhirReceiver, FhirRequest
from gateway.claim.party import Identifier
from tests.unit.fhir.conftest import FhirClient, details, expressions
from tests.unit.fhir.fakes import MemoryIntake
from tests.unit.fhir.samples import (
    EHR,
    as_bytes,
    bundle,
    coverage,
    encounter,
    entry,
    identifier,
    observation,
    patient,
    urn,
    visit_bundle,
)


def stored(intake: MemoryIntake, source: str = "cedar") -> dict[str, dict[str, Any]]:
    """The newest body of everything stored, by ``Type/id``."""
    table = intake.tables.get(source)
    versions = table.versions if table else {}
    return {f"{type}/{id}": dict(known[-1].body) for (type, id), known in versions.items()}


def one(intake: MemoryIntake, type: str) -> dict[str, Any]:
    """The only stored resource of a type."""
    (found,) = [body for reference, body in stored(intake).items() if reference.startswith(f"{type}/")]
    return found


def responses(response: Any) -> list[dict[str, Any]]:
    return [each["response"] for each in response.json()["entry"]]


# --- transactions ----------------------------------------------------------------------------------------------------


def test_a_transaction_stores_all_and_points_references_at_the_new_ids(ehr: FhirClient, intake: MemoryIntake) -> None:
    response = ehr.post("/fhir", visit_bundle())
    assert (200, "transaction-response") == (response.status_code, response.json()["type"])
    assert ["201 Created"] * 3 == [each["status"] for each in responses(response)]
    person = one(intake, "Patient")
    assert f"Patient/{person['id']}" == one(intake, "Coverage")["beneficiary"]["reference"]
    assert f"Patient/{person['id']}" == one(intake, "Encounter")["subject"]["reference"]
    assert f"Patient/{person['id']}/_history/1" == responses(response)[0]["location"]
    assert 'W/"1"' == responses(response)[0]["etag"]


@pytest.mark.parametrize("kind", ["transaction", "collection", "message"])
def test_one_bad_entry_keeps_everything_out(ehr: FhirClient, intake: MemoryIntake, kind: str) -> None:
    body = visit_bundle(kind)
    body["entry"][1]["resource"]["status"] = "bogus"
    body["entry"][2]["resource"]["period"] = {"start": "soon"}
    response = ehr.post("/fhir", body)
    assert 422 == response.status_code
    assert ["Bundle.entry[1].resource.status", "Bundle.entry[2].resource.period.start"] == expressions(response)
    assert {} == stored(intake)
    assert as_bytes(body) == intake.arrivals[0].content, "the bytes are kept all the same"


def test_a_type_not_kept_refuses_a_transaction(ehr: FhirClient, intake: MemoryIntake) -> None:
    response = ehr.post("/fhir", bundle("transaction", entry(patient()), entry(observation())))
    assert (422, ["resource-not-supported"]) == (response.status_code, details(response))
    assert ["Bundle.entry[1].resource"] == expressions(response)
    assert {} == stored(intake)


def test_a_dangling_urn_refuses_a_transaction(ehr: FhirClient) -> None:
    body = visit_bundle()
    body["entry"][2]["resource"]["subject"]["reference"] = urn(99)
    response = ehr.post("/fhir", body)
    assert (422, ["reference-dangling"]) == (response.status_code, details(response))
    assert ["Bundle.entry[2].resource.subject.reference"] == expressions(response)


@pytest.mark.parametrize(
    ("reference", "detail"),
    [
        ("Practitioner/1", "reference-type"),
        ("p1", "reference-malformed"),
        ("Nonsense/1", "reference-malformed"),
        ("#nobody", "reference-dangling"),
    ],
)
def test_a_reference_that_can_never_be_followed_is_refused(ehr: FhirClient, reference: str, detail: str) -> None:
    response = ehr.post("/fhir/Encounter", encounter(subject={"reference": reference}))
    assert (422, [detail]) == (response.status_code, details(response))
    assert ["Encounter.subject.reference"] == expressions(response)


def test_a_reference_into_the_bundle_must_mean_the_right_type(ehr: FhirClient) -> None:
    body = visit_bundle()
    body["entry"][1]["resource"]["beneficiary"]["reference"] = urn(3)
    response = ehr.post("/fhir", body)
    assert (422, ["reference-type"]) == (response.status_code, details(response))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Patient/p1", "Patient/p1"),
        ("Patient/p1/_history/3", "Patient/p1"),
        ("https://ehr.example.org/fhir/Patient/p1", "Patient/p1"),
        ("https://ehr.example.org/fhir/Patient/p1/_history/3", "Patient/p1"),
    ],
)
def test_relative_and_absolute_references_are_kept_as_type_and_id(
    ehr: FhirClient, intake: MemoryIntake, sent: str, kept: str
) -> None:
    assert 201 == ehr.post("/fhir/Encounter", encounter(subject={"reference": sent})).status_code
    assert kept == one(intake, "Encounter")["subject"]["reference"]


def test_contained_resources_keep_their_references(ehr: FhirClient, intake: MemoryIntake) -> None:
    held = encounter(
        subject=None,
        contained=[{"resourceType": "Location", "id": "home", "name": "x"}],
        location=[{"location": {"reference": "#home"}}],
    )
    assert 201 == ehr.post("/fhir/Encounter", held).status_code
    assert "#home" == one(intake, "Encounter")["location"][0]["location"]["reference"]


def test_an_entry_with_an_id_of_the_senders_is_found_by_it_inside_the_bundle(
    ehr: FhirClient, intake: MemoryIntake
) -> None:
    body = bundle(
        "transaction",
        entry(patient(id="p1")) | {"fullUrl": "https://ehr.example.org/fhir/Patient/p1"},
        entry(encounter()),
    )
    assert 200 == ehr.post("/fhir", body).status_code
    assert f"Patient/{one(intake, 'Patient')['id']}" == one(intake, "Encounter")["subject"]["reference"]


def test_logical_references_find_their_target_in_the_bundle_or_in_the_store(
    ehr: FhirClient, intake: MemoryIntake
) -> None:
    logical = {"type": "Patient", "identifier": identifier("mrn", "M1")[0]}
    assert 200 == ehr.post("/fhir", bundle("transaction", entry(encounter(subject=logical)))).status_code
    assert "reference" not in one(intake, "Encounter")["subject"], "nobody there yet: it stays logical"
    assert 201 == ehr.put("/fhir/Patient/p7", patient(id="p7")).status_code
    assert 201 == ehr.post("/fhir/Coverage", coverage(beneficiary=logical)).status_code
    assert {**logical, "reference": "Patient/p7"} == one(intake, "Coverage")["beneficiary"]


def test_a_logical_reference_that_waits_says_what_type_it_waits_for(ehr: FhirClient, intake: MemoryIntake) -> None:
    logical = {"identifier": identifier("mrn", "M1")[0]}
    ehr.post("/fhir/Coverage", coverage(beneficiary=logical, payor=[logical]))
    waiting = one(intake, "Coverage")
    assert {**logical, "type": "Patient"} == waiting["beneficiary"]
    assert [logical] == waiting["payor"], "an organization or a patient: nobody knows yet"


def test_a_conditional_reference_is_followed_or_waits_as_an_identifier(ehr: FhirClient, intake: MemoryIntake) -> None:
    conditional = {"reference": f"Patient?identifier={EHR}mrn|M1"}
    assert 201 == ehr.post("/fhir/Encounter", encounter(subject=conditional)).status_code
    assert {"type": "Patient", "identifier": identifier("mrn", "M1")[0]} == one(intake, "Encounter")["subject"]
    ehr.put("/fhir/Patient/p7", patient(id="p7"))
    assert 201 == ehr.post("/fhir/Coverage", coverage(beneficiary=conditional)).status_code
    assert "Patient/p7" == one(intake, "Coverage")["beneficiary"]["reference"]


def test_conditional_create_in_a_transaction_uses_what_is_there(ehr: FhirClient, intake: MemoryIntake) -> None:
    ehr.put("/fhir/Patient/p1", patient(id="p1"))
    condition = f"identifier={EHR}mrn|M1"
    body = bundle(
        "transaction",
        entry(patient(), ifNoneExist=condition) | {"fullUrl": urn(1)},
        entry(encounter(subject={"reference": urn(1)})),
    )
    response = ehr.post("/fhir", body)
    assert ["200 OK", "201 Created"] == [each["status"] for each in responses(response)]
    assert "Patient/p1" == one(intake, "Encounter")["subject"]["reference"]
    assert 1 == len(intake.tables["cedar"].versions["Patient", "p1"])


@pytest.mark.parametrize(
    "entries",
    [
        [entry(patient(id="p1"), "PUT", "Patient/p1"), entry(patient(id="p1"), "PUT", "Patient/p1")],
        [
            entry(patient(), "PUT", f"Patient?identifier={EHR}mrn|M1"),
            entry(patient(), ifNoneExist=f"identifier={EHR}mrn|M1"),
        ],
    ],
)
def test_two_entries_that_mean_one_resource_refuse_a_transaction(
    ehr: FhirClient, entries: list[dict[str, Any]]
) -> None:
    response = ehr.post("/fhir", bundle("transaction", *entries))
    assert (422, ["identity-overlaps"]) == (response.status_code, details(response))
    assert ["Bundle.entry[1].resource"] == expressions(response)


def test_two_entries_found_to_mean_one_resource_refuse_a_transaction(ehr: FhirClient, intake: MemoryIntake) -> None:
    ehr.put("/fhir/Patient/p1", patient(id="p1"))
    response = ehr.post(
        "/fhir",
        bundle(
            "transaction",
            entry(patient(gender="other"), "PUT", f"Patient?identifier={EHR}mrn|M1"),
            entry(patient(id="p1", gender="male"), "PUT", "Patient/p1"),
        ),
    )
    assert (422, ["identity-overlaps"]) == (response.status_code, details(response))
    assert "female" == one(intake, "Patient")["gender"]


def test_an_identifier_that_two_resources_have_decides_nothing(ehr: FhirClient) -> None:
    ehr.put("/fhir/Patient/p1", patient(id="p1"))
    ehr.put("/fhir/Patient/p2", patient(id="p2"))
    response = ehr.post("/fhir/Patient", patient(), If_None_Exist=f"identifier={EHR}mrn|M1")
    assert (412, ["identity-ambiguous"]) == (response.status_code, details(response))


@pytest.mark.parametrize(
    ("request_", "detail", "expression"),
    [
        ({"method": "DELETE", "url": "Patient/p1"}, "method-not-supported", "Bundle.entry[0].request.method"),
        ({"method": "POST", "url": "Encounter"}, "request-url-wrong", "Bundle.entry[0].request.url"),
        ({"method": "PUT", "url": "Patient"}, "request-url-wrong", "Bundle.entry[0].request.url"),
        ({"method": "PUT", "url": "Patient/other"}, "id-not-of-url", "Bundle.entry[0].resource.id"),
        (
            {"method": "POST", "url": "Patient", "ifNoneExist": "name=x"},
            "condition-not-identifier",
            "Bundle.entry[0].request.ifNoneExist",
        ),
        (
            {"method": "PUT", "url": "Patient/p1", "ifMatch": "x"},
            "if-match-malformed",
            "Bundle.entry[0].request.ifMatch",
        ),
        (None, "element-missing", "Bundle.entry[0].request"),
    ],
)
def test_what_an_entry_asks_for_is_checked(
    ehr: FhirClient, request_: dict[str, str] | None, detail: str, expression: str
) -> None:
    body = bundle(
        "transaction", {"resource": patient(id="p1"), "request": request_} if request_ else {"resource": patient()}
    )
    response = ehr.post("/fhir", body)
    assert 422 == response.status_code
    assert (detail, expression) in list(zip(details(response), expressions(response), strict=True))


def test_a_repeated_full_url_is_refused(ehr: FhirClient) -> None:
    body = bundle("transaction", *[entry(patient()) | {"fullUrl": urn(1)} for _ in range(2)])
    assert ["full-url-repeated"] == details(ehr.post("/fhir", body))


def test_a_transaction_tried_again_by_the_database_gives_the_same_result(ehr: FhirClient, intake: MemoryIntake) -> None:
    intake.attempts = 3
    assert 200 == ehr.post("/fhir", visit_bundle()).status_code
    assert f"Patient/{one(intake, 'Patient')['id']}" == one(intake, "Encounter")["subject"]["reference"]


@pytest.mark.parametrize("kind", ["document", "searchset", "history", "transaction-response"])
def test_bundles_that_ask_for_nothing_are_refused(ehr: FhirClient, kind: str) -> None:
    response = ehr.post("/fhir", bundle(kind))
    assert 422 == response.status_code
    assert "bundle-type-not-supported" in details(response)


def test_an_empty_transaction_is_answered_with_an_empty_bundle(ehr: FhirClient) -> None:
    response = ehr.post("/fhir", {"resourceType": "Bundle", "type": "transaction"})
    assert {"resourceType": "Bundle", "type": "transaction-response"} == response.json()


def test_only_bundles_go_to_the_base_address(ehr: FhirClient) -> None:
    response = ehr.post("/fhir", patient())
    assert (422, ["resource-not-bundle"]) == (response.status_code, details(response))


# --- batches ---------------------------------------------------------------------------------------------------------


def test_a_batch_takes_what_is_right_and_says_what_is_wrong(ehr: FhirClient, intake: MemoryIntake) -> None:
    body = bundle("batch", entry(patient()), entry(observation()), entry(coverage(status="bogus")), entry(encounter()))
    response = ehr.post("/fhir", body)
    assert (200, "batch-response") == (response.status_code, response.json()["type"])
    good, unknown, bad, other = responses(response)
    assert ("201 Created", "201 Created") == (good["status"], other["status"])
    assert "resource-not-supported" == unknown["outcome"]["issue"][0]["details"]["coding"][0]["code"]
    assert ["Bundle.entry[2].resource.status"] == bad["outcome"]["issue"][0]["expression"]
    assert {"Patient", "Encounter"} == {reference.partition("/")[0] for reference in stored(intake)}


def test_in_a_batch_what_points_at_a_refused_entry_is_refused_too(ehr: FhirClient, intake: MemoryIntake) -> None:
    body = visit_bundle("batch")
    body["entry"][0]["resource"]["gender"] = "zzz"
    response = ehr.post("/fhir", body)
    assert ["422 Unprocessable Entity"] * 3 == [each["status"] for each in responses(response)]
    assert "reference-to-refused" == responses(response)[1]["outcome"]["issue"][0]["details"]["coding"][0]["code"]
    assert {} == stored(intake)


def test_a_batch_that_names_one_resource_twice_stores_the_first(ehr: FhirClient, intake: MemoryIntake) -> None:
    body = bundle(
        "batch",
        entry(patient(id="p1", gender="male"), "PUT", "Patient/p1"),
        entry(patient(id="p1", gender="other"), "PUT", "Patient/p1"),
    )
    assert ["201 Created", "422 Unprocessable Entity"] == [
        each["status"] for each in responses(ehr.post("/fhir", body))
    ]
    assert "male" == one(intake, "Patient")["gender"]


# --- collections and messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["collection", "message"])
def test_a_collection_is_stored_with_the_senders_ids_and_skips_what_is_not_kept(
    ehr: FhirClient, intake: MemoryIntake, kind: str
) -> None:
    body = bundle(
        kind,
        {"resource": patient(id="p1"), "fullUrl": "https://ehr.example.org/fhir/Patient/p1"},
        {"resource": observation(), "fullUrl": urn(2)},
        {"resource": encounter(), "fullUrl": urn(3)},
    )
    response = ehr.post("/fhir", body)
    assert (200, "batch-response") == (response.status_code, response.json()["type"])
    assert {"Patient/p1", f"Encounter/{urn(3)[9:]}"} == set(stored(intake))
    skipped = responses(response)[1]
    assert ("200 OK", "information") == (skipped["status"], skipped["outcome"]["issue"][0]["severity"])


def test_a_collection_sent_again_with_changes_updates_what_it_brought(ehr: FhirClient, intake: MemoryIntake) -> None:
    without_ids = [{"resource": patient()}, {"resource": encounter(status="in-progress")}]
    ehr.post("/fhir", bundle("collection", *without_ids))
    without_ids[1] = {"resource": encounter(status="finished")}
    response = ehr.post("/fhir", bundle("collection", *without_ids))
    assert ['W/"1"', 'W/"2"'] == [each["etag"] for each in responses(response)], "what says nothing new is not stored"
    assert "finished" == one(intake, "Encounter")["status"]


def test_what_is_skipped_may_be_wrong_and_is_said_to_be(ehr: FhirClient, intake: MemoryIntake) -> None:
    response = ehr.post("/fhir", bundle("collection", {"resource": patient()}, {"resource": observation(code=None)}))
    issues = responses(response)[1]["outcome"]["issue"]
    assert ["information", "warning"] == [each["severity"] for each in issues]
    assert ["Bundle.entry[1].resource.code"] == issues[1]["expression"]
    assert ["Patient"] == [reference.partition("/")[0] for reference in stored(intake)]


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_lenient_handling_leaves_out_what_is_not_kept(ehr: FhirClient, intake: MemoryIntake, kind: str) -> None:
    body = bundle(kind, entry(patient()), entry(observation()))
    response = ehr.post("/fhir", body, Prefer="return=minimal; handling=lenient")
    assert ["201 Created", "200 OK"] == [each["status"] for each in responses(response)]
    assert ["Patient"] == [reference.partition("/")[0] for reference in stored(intake)]


# --- one resource at a time ------------------------------------------------------------------------------------------


def test_create_answers_with_the_resource_its_address_and_version(ehr: FhirClient, intake: MemoryIntake) -> None:
    response = ehr.post("/fhir/Patient", patient(id="mine"))
    body = response.json()
    assert (201, 'W/"1"') == (response.status_code, response.headers["etag"])
    assert f"/fhir/Patient/{body['id']}/_history/1" == response.headers["location"]
    assert "mine" != body["id"], "the server gives ids to what is created"
    assert "Mon, 03 Aug 2026 18:00:00 GMT" == response.headers["last-modified"]
    assert body == ehr.get(f"/fhir/Patient/{body['id']}").json()
    assert (Identifier(EHR + "mrn", "M1"),) == intake.tables["cedar"].identities["Patient", body["id"]]


def test_return_minimal_leaves_the_body_out(ehr: FhirClient) -> None:
    response = ehr.post("/fhir/Patient", patient(), Prefer="return=minimal")
    assert (201, b"") == (response.status_code, response.content)


def test_update_creates_then_counts_versions_then_knows_what_is_no_news(ehr: FhirClient, intake: MemoryIntake) -> None:
    tags = [
        (response.status_code, response.headers["etag"])
        for gender in ("male", "other", "other", "male")
        for response in [ehr.put("/fhir/Patient/p1", patient(id="p1", gender=gender))]
    ]
    assert [(201, 'W/"1"'), (200, 'W/"2"'), (200, 'W/"2"'), (200, 'W/"3"')] == tags
    assert "male" == one(intake, "Patient")["gender"]


def test_a_new_last_updated_of_the_senders_is_news(ehr: FhirClient) -> None:
    for stamp, tag in (
        ("2026-08-03T10:00:00Z", 'W/"1"'),
        ("2026-08-03T10:00:00Z", 'W/"1"'),
        ("2026-08-03T11:00:00Z", 'W/"2"'),
    ):
        response = ehr.put("/fhir/Patient/p1", patient(id="p1", meta={"lastUpdated": stamp}))
        assert (tag, stamp) == (response.headers["etag"], response.json()["meta"]["lastUpdated"])


def test_if_match_lets_only_the_version_read_be_replaced(ehr: FhirClient, intake: MemoryIntake) -> None:
    ehr.put("/fhir/Patient/p1", patient(id="p1"))
    assert 200 == ehr.put("/fhir/Patient/p1", patient(id="p1", gender="male"), If_Match='W/"1"').status_code
    stale = ehr.put("/fhir/Patient/p1", patient(id="p1", gender="other"), If_Match='W/"1"')
    assert (412, ["version-stale"]) == (stale.status_code, details(stale))
    assert "male" == one(intake, "Patient")["gender"]
    absent = ehr.put("/fhir/Patient/p2", patient(id="p2"), If_Match='W/"1"')
    assert 412 == absent.status_code


def test_conditional_create_makes_one_resource_however_often_it_is_asked(ehr: FhirClient, intake: MemoryIntake) -> None:
    condition = f"identifier={EHR}mrn|M1"
    first = ehr.post("/fhir/Patient", patient(), If_None_Exist=condition)
    second = ehr.post("/fhir/Patient", patient(gender="male"), If_None_Exist=condition)
    assert (201, 200) == (first.status_code, second.status_code)
    assert first.json()["id"] == second.json()["id"]
    assert "female" == one(intake, "Patient")["gender"]


def test_conditional_update_creates_then_updates(ehr: FhirClient, intake: MemoryIntake) -> None:
    address = f"/fhir/Patient?identifier={EHR}mrn%7CM1"
    assert 201 == ehr.put(address, patient()).status_code
    assert 200 == ehr.put(address, patient(gender="male")).status_code
    assert "male" == one(intake, "Patient")["gender"]
    refused = ehr.put(address, patient(id="another"))
    assert (422, ["id-not-of-match"]) == (refused.status_code, details(refused))


@pytest.mark.parametrize("condition", ["name=x", "identifier=M1", "identifier=|M1", "identifier=a|b&name=c", ""])
def test_a_condition_that_is_not_one_identifier_with_system_is_refused(ehr: FhirClient, condition: str) -> None:
    response = ehr.put(f"/fhir/Patient?{condition}", patient())
    assert (400, ["condition-not-identifier"]) == (response.status_code, details(response))


def test_the_body_must_be_what_the_address_says(ehr: FhirClient) -> None:
    assert "resource-type-not-of-url" in details(ehr.post("/fhir/Encounter", patient()))
    assert ["id-not-of-url"] == details(ehr.put("/fhir/Patient/p1", patient(id="p2")))
    assert ["id-not-of-url"] == details(ehr.put("/fhir/Patient/p1", patient()))


def test_decimals_come_back_with_the_digits_they_were_sent_with(ehr: FhirClient) -> None:
    body = as_bytes(encounter(id="e1", length={"value": 60})).replace(b'"value": 60', b'"value": 60.50')
    ehr.put("/fhir/Encounter/e1", body)
    assert b'"value":60.50' in ehr.get("/fhir/Encounter/e1").content


# --- the same again --------------------------------------------------------------------------------------------------


def test_the_same_bytes_get_the_first_answer_again(ehr: FhirClient, intake: MemoryIntake) -> None:
    first, second = ehr.post("/fhir", visit_bundle()), ehr.post("/fhir", visit_bundle())
    assert first.content == second.content
    assert 3 == len(stored(intake))


def test_the_same_bytes_at_another_address_are_another_request(ehr: FhirClient, intake: MemoryIntake) -> None:
    ehr.post("/fhir/Patient", patient())
    ehr.post("/fhir/Patient", patient(), If_None_Exist=f"identifier={EHR}mrn|M2")
    assert 2 == len(stored(intake))


def test_an_update_back_to_what_was_is_not_mistaken_for_a_repeat(ehr: FhirClient, intake: MemoryIntake) -> None:
    for status in ("planned", "finished", "planned"):
        ehr.put("/fhir/Encounter/e1", encounter(id="e1", status=status))
    assert "planned" == one(intake, "Encounter")["status"]


@pytest.mark.parametrize("named", ["bundle", "header"])
def test_a_name_used_for_other_content_is_a_conflict(ehr: FhirClient, intake: MemoryIntake, named: str) -> None:
    def send(gender: str) -> Any:
        if named == "bundle":
            return ehr.post(
                "/fhir", bundle("transaction", entry(patient(gender=gender)), identifier={"system": EHR, "value": "7"})
            )
        return ehr.post("/fhir/Patient", patient(gender=gender), Idempotency_Key="7")

    first, again, other = send("male"), send("male"), send("female")
    assert first.content == again.content
    assert (409, ["identifier-reused"]) == (other.status_code, details(other))
    assert 1 == len(stored(intake))
    assert "identifier-reused" in intake.arrivals[-1].refusal, "the bytes are kept all the same"


def test_an_identifier_without_a_system_names_no_bundle(ehr: FhirClient, intake: MemoryIntake) -> None:
    for gender in ("male", "female"):
        body = bundle("transaction", entry(patient(gender=gender)), identifier={"value": "MSG00001"})
        assert 200 == ehr.post("/fhir", body).status_code
    assert 2 == len(stored(intake))


def test_a_refused_bundle_may_be_corrected_under_its_own_name(ehr: FhirClient, intake: MemoryIntake) -> None:
    name = {"system": EHR, "value": "7"}
    assert 422 == ehr.post("/fhir", bundle("transaction", entry(patient(gender="zzz")), identifier=name)).status_code
    assert 200 == ehr.post("/fhir", bundle("transaction", entry(patient()), identifier=name)).status_code
    assert 1 == len(stored(intake))


def test_a_type_not_kept_is_refused_by_whichever_door_it_comes(intake: MemoryIntake) -> None:
    request = FhirRequest(
        source="cedar", method="PUT", type="Observation", id="o1", content=as_bytes(observation(id="o1"))
    )
    assert 404 == FhirReceiver(intake).receive(request).status
    assert {} == stored(intake)
    assert intake.arrivals[0].refusal


def test_sources_do_not_see_each_other(ehr: FhirClient, intake: MemoryIntake) -> None:
    birch = FhirClient(ehr.http, "birch-token")
    ehr.put("/fhir/Patient/p1", patient(id="p1"))
    assert 404 == birch.get("/fhir/Patient/p1").status_code
    assert 201 == birch.post("/fhir/Patient", patient(), If_None_Exist=f"identifier={EHR}mrn|M1").status_code
    assert (1, 1) == (len(stored(intake, "cedar")), len(stored(intake, "birch")))
