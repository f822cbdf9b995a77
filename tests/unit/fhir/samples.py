"""Synthetic resources of one made-up EHR, small and valid; tests bend them."""

from __future__ import annotations

import json
from typing import Any

EHR = "https://ehr.example.org/"
FAMILY_NAME = "Canaryfeather"
"""A name that must never come back in an error."""


def identifier(kind: str, value: str) -> list[dict[str, str]]:
    return [{"system": EHR + kind, "value": value}]


def patient(**changes: Any) -> dict[str, Any]:
    return _bent(
        {
            "resourceType": "Patient",
            "identifier": identifier("mrn", "M1"),
            "name": [{"use": "official", "family": FAMILY_NAME, "given": ["Ana", "Luisa"]}],
            "gender": "female",
            "birthDate": "1998-04-11",
        },
        changes,
    )


def coverage(**changes: Any) -> dict[str, Any]:
    return _bent(
        {
            "resourceType": "Coverage",
            "identifier": identifier("policy", "P1"),
            "status": "active",
            "subscriberId": "W1234",
            "beneficiary": {"reference": "Patient/p1"},
            "payor": [{"display": "Acme Health"}],
        },
        changes,
    )


def encounter(**changes: Any) -> dict[str, Any]:
    return _bent(
        {
            "resourceType": "Encounter",
            "identifier": identifier("visit", "V1"),
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": "Patient/p1"},
            "period": {"start": "2026-08-03T09:00:00-05:00", "end": "2026-08-03T12:05:00-05:00"},
        },
        changes,
    )


def observation(**changes: Any) -> dict[str, Any]:
    return _bent({"resourceType": "Observation", "status": "final", "code": {"text": "mood"}}, changes)


def entry(resource: Any, method: str = "POST", url: str = "", **request: Any) -> dict[str, Any]:
    """An entry of a transaction or batch."""
    return {"resource": resource, "request": {"method": method, "url": url or resource["resourceType"], **request}}


def urn(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def bundle(type: str, *entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return _bent({"resourceType": "Bundle", "type": type, "entry": list(entries)}, changes)


def visit_bundle(type: str = "transaction") -> dict[str, Any]:
    """A patient, a policy and a visit that refer to each other by fullUrl."""
    return bundle(
        type,
        entry(patient()) | {"fullUrl": urn(1)},
        entry(coverage(beneficiary={"reference": urn(1)})) | {"fullUrl": urn(2)},
        entry(encounter(subject={"reference": urn(1)})) | {"fullUrl": urn(3)},
    )


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def _bent(resource: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The resource with changes; None takes an element out. ``class_`` is the element ``class``."""
    bent = {**resource, **{name.rstrip("_"): value for name, value in changes.items()}}
    return {name: value for name, value in bent.items() if value is not None}
