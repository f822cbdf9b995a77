"""The hospital's EHR: every bundle is valid FHIR R4 and every reference leads somewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
from fhir.resources.R4B.bundle import Bundle

from gateway.demo.feed import Batch, Feed, FeedMessage
from gateway.demo.month import clinic_month

MONTH = clinic_month()
MESSAGES: list[FeedMessage] = [
    message for batch in Batch for message in MONTH.messages(batch) if message.feed is Feed.FHIR
]


def _bundles() -> Iterator[dict[str, Any]]:
    for message in MESSAGES:
        yield orjson.loads(message.content)


def _resources(kind: str) -> list[dict[str, Any]]:
    return [
        entry["resource"]
        for bundle in _bundles()
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == kind
    ]


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def test_every_message_is_a_valid_r4_transaction() -> None:
    for message in MESSAGES:
        bundle = Bundle.model_validate_json(message.content)

        assert "transaction" == bundle.type
        assert "application/fhir+json" == message.content_type


def test_every_bundle_has_an_identifier_of_its_own() -> None:
    identifiers = [bundle["identifier"]["value"] for bundle in _bundles()]

    assert len(set(identifiers)) == len(identifiers)


def test_every_reference_leads_to_the_same_bundle_or_an_earlier_one() -> None:
    known: set[str] = set()
    for bundle in _bundles():
        for entry in bundle["entry"]:
            known.add(entry["fullUrl"])
            known.add(entry["request"]["url"])
        for entry in bundle["entry"]:
            for reference in _references(entry["resource"]):
                assert reference in known or reference.startswith("Coverage/"), reference


def test_a_reference_inside_a_bundle_may_be_to_a_resource_without_an_id_yet() -> None:
    (answer, *_) = _resources("ClaimResponse")

    assert answer["request"]["reference"].startswith("urn:uuid:")


def test_the_dialect_uses_the_kinds_of_resource_the_contract_names() -> None:
    kinds = Counter(entry["resource"]["resourceType"] for bundle in _bundles() for entry in bundle["entry"])

    assert {
        "Appointment",
        "Claim",
        "ClaimResponse",
        "Condition",
        "Coverage",
        "Encounter",
        "EpisodeOfCare",
        "Location",
        "Organization",
        "Patient",
        "Practitioner",
    } == set(kinds)


def test_a_dependents_policy_names_a_subscriber_who_is_somebody_else() -> None:
    children = [policy for policy in _resources("Coverage") if policy["relationship"]["coding"][0]["code"] == "child"]

    assert children
    assert all(policy["subscriber"] != policy["beneficiary"] for policy in children)


def test_a_telehealth_session_is_virtual() -> None:
    classes = Counter(encounter["class"]["code"] for encounter in _resources("Encounter"))

    assert classes["VR"] == 9
    assert classes["AMB"] > 900


def test_a_missed_session_is_an_appointment_and_no_encounter() -> None:
    missed = {resource["identifier"][0]["value"] for resource in _resources("Appointment")}
    attended = {resource["identifier"][0]["value"] for resource in _resources("Encounter")}

    assert missed
    assert not missed & attended
