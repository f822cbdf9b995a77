"""A claim's status in the EHR's terms: Task (where it is), ClaimResponse (the answer), EOB (the money)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from gateway.claim.finding import Severity
from gateway.ports import ClaimStatus

CLAIM_STATE_SYSTEM = "urn:cleanclaim:claim-state"
CLAIM_NUMBER_SYSTEM = "urn:cleanclaim:claim-number"
GATE_RULE_SYSTEM = "urn:cleanclaim:gate-rule"
PAYER_CLAIM_NUMBER_SYSTEM = "urn:cleanclaim:payer-claim-number"
REASON_SYSTEM = "https://x12.org/codes/claim-adjustment-reason-codes"
GROUP_SYSTEM = "https://x12.org/codes/claim-adjustment-group-codes"
STATUS_CATEGORY_SYSTEM = "https://x12.org/codes/claim-status-category-codes"
STATUS_CODE_SYSTEM = "https://x12.org/codes/claim-status-codes"
_HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
_REVENUE = "https://www.nubc.org/CodeSystem/RevenueCodes"
_ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication"
_CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
_STATUS_CODE = re.compile(r"([A-Z]\d{1,2}):(\d{1,4})(?::\w{0,3})?\Z", re.ASCII)

_TASK_STATUS: Mapping[str, str] = {
    "waiting": "received",
    "held": "on-hold",
    "ready": "ready",
    "rejected": "failed",
    "paid": "completed",
    "partial": "completed",
    "denied": "completed",
    "zero-pay": "completed",
    "reversed": "completed",
    "conflict": "on-hold",
    "correction-held": "on-hold",
    "correction-ready": "ready",
    "voided": "cancelled",
    "withdrawn": "cancelled",
}
"""Task.status by lifecycle word; any other word means that the claim is on its way."""
_OUTCOME: Mapping[str, str] = {
    "paid": "complete",
    "denied": "complete",
    "zero-pay": "complete",
    "reversed": "complete",
    "partial": "partial",
    "rejected": "error",
    "conflict": "error",
}
ADJUDICATED = frozenset({"paid", "partial", "denied", "zero-pay", "reversed"})


def task(claim: ClaimStatus) -> dict[str, Any]:
    """The claim as a Task: ``businessStatus`` is the lifecycle word, notes say what holds it and who can fix it."""
    blocks = [finding for finding in claim.findings if finding.severity is Severity.BLOCK]
    made: dict[str, Any] = {
        "resourceType": "Task",
        "id": claim.claim_id,
        "identifier": _identifiers(claim),
        "status": _TASK_STATUS.get(claim.state, "in-progress"),
        "businessStatus": _concept(CLAIM_STATE_SYSTEM, claim.state, claim.state.replace("-", " ")),
        "intent": "order",
        "code": {"text": "bill services"},
        "focus": _claim_reference(claim),
        "for": _patient(claim),
        "lastModified": _instant(claim),
        "output": [_output("ClaimResponse", claim)],
    }
    if blocks:
        rules = dict.fromkeys(finding.rule for finding in blocks)
        made["statusReason"] = {
            "coding": [{"system": GATE_RULE_SYSTEM, "code": rule} for rule in rules],
            "text": blocks[0].message,
        }
        made["performerType"] = [{"text": owner} for owner in dict.fromkeys(str(each.owner) for each in blocks)]
    if claim.findings:
        made["note"] = [
            {"text": f"{finding.severity}: {finding.message} {finding.fix}".strip()} for finding in claim.findings
        ]
    if claim.encounter_references:
        made["encounter"] = {"reference": claim.encounter_references[0]}
        made["input"] = [
            {"type": {"text": "encounter"}, "valueReference": {"reference": reference}}
            for reference in claim.encounter_references
        ]
    if claim.state in ADJUDICATED:
        made["output"].append(_output("ExplanationOfBenefit", claim))
    return made


def claim_response(claim: ClaimStatus) -> dict[str, Any]:
    """What the clearinghouse or payer answered: outcome, and for a rejection its status codes as errors."""
    outcome = _OUTCOME.get(claim.state, "queued")
    made: dict[str, Any] = {
        "resourceType": "ClaimResponse",
        "id": claim.claim_id,
        "identifier": _identifiers(claim),
        "status": _record_status(claim),
        "type": _claim_type(claim),
        "use": "claim",
        "patient": _patient(claim),
        "created": _instant(claim),
        "insurer": _insurer(claim),
        "request": _claim_reference(claim),
        "outcome": outcome,
        "disposition": claim.state.replace("-", " "),
        "total": [{"category": _concept(_ADJUDICATION, "submitted"), "amount": _money(claim.charge_cents)}],
    }
    if outcome == "error":
        codes = [_status_code(text) for text in claim.acknowledgement_codes]
        made["error"] = [{"code": code} for code in codes] or [{"code": {"text": claim.state}}]
    if claim.state in ADJUDICATED:
        made["total"].append({"category": _concept(_ADJUDICATION, "benefit"), "amount": _money(claim.paid_cents)})
    return made


def explanation_of_benefit(claim: ClaimStatus) -> dict[str, Any] | None:
    """What the payer decided, line by line with reasons; None while it has not decided."""
    if claim.state not in ADJUDICATED:
        return None
    made: dict[str, Any] = {
        "resourceType": "ExplanationOfBenefit",
        "id": claim.claim_id,
        "identifier": _identifiers(claim),
        "status": _record_status(claim),
        "type": _claim_type(claim),
        "use": "claim",
        "patient": _patient(claim),
        "created": _instant(claim),
        "insurer": _insurer(claim),
        "provider": {"display": "billing provider of the claim"},
        "claim": _claim_reference(claim),
        "outcome": "partial" if claim.state == "partial" else "complete",
        "disposition": claim.state.replace("-", " "),
        "insurance": [{"focal": True, "coverage": _insurer(claim)}],
        "total": [
            {"category": _concept(_ADJUDICATION, "submitted"), "amount": _money(claim.charge_cents)},
            {"category": _concept(_ADJUDICATION, "benefit"), "amount": _money(claim.paid_cents)},
            {"category": _concept(GROUP_SYSTEM, "PR", "left to the patient"), "amount": _money(claim.patient_cents)},
        ],
        "payment": {"amount": _money(claim.paid_cents)},
    }
    period = {"start": claim.service_start, "end": claim.service_end}
    if any(period.values()):
        made["billablePeriod"] = {name: day for name, day in period.items() if day}
    if claim.adjustments:
        made["adjudication"] = list(_adjustments(claim.adjustments))
    if claim.lines:
        made["item"] = [_item(sequence, line) for sequence, line in enumerate(claim.lines, start=1)]
    if claim.paid_on:
        made["payment"]["date"] = claim.paid_on
    return made


SHAPES = {"Task": task, "ClaimResponse": claim_response, "ExplanationOfBenefit": explanation_of_benefit}


def search_set(
    resources: list[dict[str, Any]], *, base: str, query: str, type: str, offset: int = 0, count: int = 100
) -> dict[str, Any]:
    """A searchset Bundle of one page. ``base`` is the server's address with its last slash, ``query`` without pages."""
    page = resources[offset : offset + count]
    here = f"{base}{type}?{query}"
    links = [{"relation": "self", "url": f"{here}&_count={count}&_offset={offset}"}]
    if offset + count < len(resources):
        links.append({"relation": "next", "url": f"{here}&_count={count}&_offset={offset + count}"})
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(resources), "link": links}
    if page:
        made["entry"] = [
            {"fullUrl": f"{base}{type}/{each['id']}", "resource": each, "search": {"mode": "match"}} for each in page
        ]
    return made


def _identifiers(claim: ClaimStatus) -> list[dict[str, str]]:
    given = ((CLAIM_NUMBER_SYSTEM, claim.claim_number), (PAYER_CLAIM_NUMBER_SYSTEM, claim.payer_claim_number))
    found = [{"system": system, "value": value} for system, value in given if value]
    return found or [{"system": CLAIM_NUMBER_SYSTEM, "value": claim.claim_id}]


def _claim_reference(claim: ClaimStatus) -> dict[str, Any]:
    """The claim by its number: claims are not FHIR resources of this server's."""
    return {"type": "Claim", "identifier": _identifiers(claim)[0]}


def _patient(claim: ClaimStatus) -> dict[str, str]:
    if not claim.patient_references:
        return {"display": "a patient this source has not sent"}
    return {"reference": claim.patient_references[0]}


def _insurer(claim: ClaimStatus) -> dict[str, Any]:
    return {"display": claim.payer_name or claim.payer or "payer not known yet"}


def _record_status(claim: ClaimStatus) -> str:
    return "cancelled" if claim.state in {"voided", "withdrawn"} else "active"


def _claim_type(claim: ClaimStatus) -> dict[str, Any]:
    """A line with a revenue code is an institutional claim's (837I SV2)."""
    institutional = any(line.get("revenue_code") for line in claim.lines)
    return _concept(_CLAIM_TYPE, "institutional" if institutional else "professional")


def _output(type: str, claim: ClaimStatus) -> dict[str, Any]:
    return {"type": {"text": type}, "valueReference": {"reference": f"{type}/{claim.claim_id}"}}


def _status_code(text: str) -> dict[str, Any]:
    """``A7:562:85`` (category, code, entity) as one concept; anything else as text."""
    match = _STATUS_CODE.match(text)
    if match is None:
        return {"text": text or "rejected"}
    pairs = ((STATUS_CATEGORY_SYSTEM, match[1]), (STATUS_CODE_SYSTEM, match[2]))
    return {"coding": [{"system": system, "code": code} for system, code in pairs], "text": text}


def _item(sequence: int, line: Mapping[str, Any]) -> dict[str, Any]:
    hcpcs, revenue_code = str(line.get("hcpcs", "")), str(line.get("revenue_code", ""))
    made: dict[str, Any] = {
        "sequence": sequence,
        "productOrService": _concept(_HCPCS, hcpcs) if hcpcs else {"text": "as the revenue code says"},
        "net": _money(int(line.get("charge_cents", 0))),
        "adjudication": [
            {
                "category": _concept(_ADJUDICATION, "submitted"),
                "amount": _money(int(line.get("charge_cents", 0))),
            },
            {"category": _concept(_ADJUDICATION, "benefit"), "amount": _money(int(line.get("paid_cents", 0)))},
            *_adjustments(line.get("adjustments", ())),
        ],
    }
    if revenue_code:
        made["revenue"] = _concept(_REVENUE, revenue_code)
    if line.get("modifiers"):
        made["modifier"] = [_concept(_HCPCS, str(each)) for each in line["modifiers"]]
    if line.get("service_on"):
        made["servicedDate"] = str(line["service_on"])
    if line.get("units"):
        made["quantity"] = {"value": line["units"]}
    return made


def _adjustments(adjustments: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for group, reason, cents in adjustments:
        yield {
            "category": _concept(GROUP_SYSTEM, group),
            "reason": _concept(REASON_SYSTEM, reason),
            "amount": _money(cents),
        }


def _concept(system: str, code: str, text: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
    return {**made, "text": text} if text else made


def _money(cents: int) -> dict[str, Any]:
    return {"value": Decimal(cents).scaleb(-2), "currency": "USD"}


def _instant(claim: ClaimStatus) -> str:
    return claim.updated_at.isoformat().replace("+00:00", "Z")
