"""What this server can do, as its CapabilityStatement says it: derived from what the code takes, so it stays true."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from adapters.fhir.submission import SUPPORTED_TYPES

STATUS_TYPES = ("Task", "ClaimResponse", "ExplanationOfBenefit")
SEARCH_PARAMETERS = (
    ("patient", "reference", "Patient/id, or system|value of an identifier of the patient"),
    ("encounter", "reference", "Encounter/id, or system|value of an identifier of the encounter"),
    ("identifier", "token", "the claim's id or number"),
)
_RELEASED_ON = "2026-08-01"


def capability_statement() -> dict[str, Any]:
    """The R4 CapabilityStatement."""
    types = [*SUPPORTED_TYPES, *(name for name in STATUS_TYPES if name not in SUPPORTED_TYPES)]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _RELEASED_ON,
        "kind": "instance",
        "software": {"name": "cleanclaim", "version": version("cleanclaim")},
        "implementation": {"description": "EHR intake and claim status of a clean-claim gateway"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": (
                    "Post transaction, batch, collection or message Bundles to the base address. Collections and "
                    "messages are stored whole; resources of types not kept are skipped there, and in any Bundle with "
                    "Prefer: handling=lenient, and the answer says so. The same bytes "
                    "again give the first answer again; a Bundle.identifier or Idempotency-Key used for other content "
                    "is a conflict (409)."
                ),
                "security": {"description": "One bearer token per source on every address but this one."},
                "resource": [_resource(name) for name in types],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _resource(name: str) -> dict[str, Any]:
    kept, has_status = name in SUPPORTED_TYPES, name in STATUS_TYPES
    resource: dict[str, Any] = {"type": name, "interaction": [{"code": "read"}]}
    if kept:
        resource["interaction"] += [{"code": "create"}, {"code": "update"}]
        resource |= {
            "versioning": "versioned-update",
            "readHistory": False,
            "updateCreate": True,
            "conditionalCreate": True,
            "conditionalUpdate": True,
            "referencePolicy": ["literal", "logical", "local"],
        }
    if has_status:
        resource["interaction"].append({"code": "search-type"})
        resource["searchParam"] = [
            {"name": parameter, "type": kind, "documentation": said} for parameter, kind, said in SEARCH_PARAMETERS
        ]
        resource["documentation"] = "Status of the claims made from what the asking source sent."
    return resource
