"""The hospital's EHR: each telling as one FHIR R4 transaction bundle, as `sources/riverbend-fhir.yaml` maps it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson

from gateway.demo import clinic
from gateway.demo.feed import Feed, FeedMessage
from gateway.demo.truth import (
    Admission,
    Attendance,
    Came,
    Clinician,
    Discharge,
    Grant,
    Human,
    Insurance,
    Patient,
    Plan,
    Policy,
    Stay,
    StepDown,
    Telling,
    Visit,
)

BASE = "https://cedar.riverbend.example/fhir"
SYSTEM = "https://cedar.riverbend.example"
NPI = "http://hl7.org/fhir/sid/us-npi"
SESSION_CODES = {
    "group-psychotherapy": "GRP",
    "individual-psychotherapy-45": "IND45",
    "individual-psychotherapy-60": "IND60",
    "family-psychotherapy": "FAM",
    "education-training": "EDU",
    "activity-therapy": "ACT",
    "occupational-therapy": "OT",
}
LEVEL_CODES = {"PHP": "partial", "IOP": "intensive"}
_RELATIONSHIPS = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
_ACT_CODES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CLINIC_TOLD_AT = datetime(2026, 7, 31, 22, 0, tzinfo=UTC)

Resource = dict[str, Any]


def clinic_message(clinicians: Sequence[Clinician] = clinic.CLINICIANS, control: str = "M0000000") -> FeedMessage:
    """What the EHR sends first: its locations, clinicians and payers, which later bundles refer to."""
    resources = [
        *(_location(site.key, site.name) for site in clinic.SITES),
        *(_practitioner(clinician) for clinician in clinicians),
        *(_payer(plan) for plan in clinic.PLANS),
    ]
    content = _bundle(resources, control, _CLINIC_TOLD_AT)
    return FeedMessage(at=_CLINIC_TOLD_AT, feed=Feed.FHIR, content=content, label="clinic")


def render(telling: Telling, control: str) -> bytes:
    """The bundle of one telling; ``control`` is Bundle.identifier."""
    patient, event = telling.patient, telling.event
    resources: list[Resource] = []
    match event:
        case Admission():
            resources = [_patient(patient), *_stay_resources(patient, event.stay)]
            resources += _insurance(patient, event.policies, event.grant)
        case Insurance():
            resources = _insurance(patient, event.policies, event.grant)
        case StepDown():
            resources = [
                _episode(patient, event.old, ended_on=event.new.admitted_on),
                *_stay_resources(patient, event.new),
                *_insurance(patient, (), event.new.grant),
            ]
        case Discharge():
            ended_on = None if event.undone else _local_date(telling.at)
            resources = [_episode(patient, event.stay, ended_on=ended_on)]
        case Attendance():
            resources = [_session(patient, visit, event) for visit in event.visits]
        case _:
            raise ValueError(f"the hospital's EHR does not tell a {type(event).__name__}")
    return _bundle(resources, control, telling.at)


# --- the clinic ------------------------------------------------------------------------------------------------------


def _location(key: str, name: str) -> Resource:
    return {
        "resourceType": "Location",
        "id": key,
        "identifier": [_identifier("location", key.upper())],
        "status": "active",
        "name": name,
    }


def _practitioner(clinician: Clinician) -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": clinician.key,
        "identifier": [{"system": NPI, "value": clinician.npi}],
        "active": True,
        "name": [{"family": clinician.family, "given": [clinician.given], "suffix": [clinician.degree]}],
        "qualification": [{"code": _concept("http://nucc.org/provider-taxonomy", clinician.taxonomy)}],
    }


def _payer(plan: Plan) -> Resource:
    code = plan.codes[Feed.FHIR]
    return {
        "resourceType": "Organization",
        "id": f"payer-{code.lower()}",
        "identifier": [_identifier("payer", code)],
        "active": True,
        "type": [_concept("http://terminology.hl7.org/CodeSystem/organization-type", "pay")],
        "name": plan.name,
    }


# --- the patient and the insurance -----------------------------------------------------------------------------------


def _patient(patient: Patient) -> Resource:
    return {
        "resourceType": "Patient",
        "id": f"p{patient.mrn}",
        "identifier": [_identifier("mrn", patient.mrn)],
        "active": True,
        **_person(patient.human),
    }


def _subscriber(patient: Patient, subscriber: Human) -> Resource:
    return {
        "resourceType": "Patient",
        "id": f"g{patient.mrn}",
        "identifier": [_identifier("guarantor", f"G{patient.mrn}")],
        "active": True,
        **_person(subscriber),
    }


def _person(human: Human) -> Resource:
    home = human.home
    postal_code = f"{home.postal_code[:5]}-{home.postal_code[5:]}"
    return {
        "name": [{"use": "official", "family": human.family, "given": [human.given, human.middle]}],
        "gender": "female" if human.sex == "F" else "male",
        "birthDate": human.birth_on.isoformat(),
        "address": [
            {"use": "home", "line": [home.line], "city": home.city, "state": home.state, "postalCode": postal_code}
        ],
    }


def _insurance(patient: Patient, policies: tuple[Policy, ...], grant: Grant | None) -> list[Resource]:
    resources = []
    for order, policy in enumerate(policies, 1):
        if policy.subscriber is not None:
            resources.append(_subscriber(patient, policy.subscriber))
        resources.append(_coverage(patient, policy, order))
    if grant is not None:
        resources += [_authorization_request(patient, grant), _authorization(patient, grant)]
    return resources


def _coverage(patient: Patient, policy: Policy, order: int) -> Resource:
    subscriber = f"Patient/{'p' if policy.subscriber is None else 'g'}{patient.mrn}"
    groups = [
        {
            "type": _concept("http://terminology.hl7.org/CodeSystem/coverage-class", "group"),
            "value": policy.group_number,
        }
    ]
    return {
        "resourceType": "Coverage",
        "id": policy.number,
        "identifier": [_identifier("policy", policy.number)],
        "status": "active",
        "subscriber": {"reference": subscriber},
        "subscriberId": policy.member_number,
        "beneficiary": _reference_to(patient),
        "relationship": _concept(_RELATIONSHIPS, policy.relationship),
        "period": _period(policy.start_on, policy.end_on),
        "payor": [_payer_reference(policy.plan)],
        "order": order,
        **({"class": groups} if policy.group_number else {}),
    }


def _payer_reference(plan: Plan) -> Resource:
    code = plan.codes[Feed.FHIR]
    return {"reference": f"Organization/payer-{code.lower()}", "identifier": _identifier("payer", code)}


def _authorization_request(patient: Patient, grant: Grant) -> Resource:
    return {
        "resourceType": "Claim",
        "identifier": [_identifier("authorization-request", grant.number)],
        "status": "active",
        "type": _concept("http://terminology.hl7.org/CodeSystem/claim-type", "institutional"),
        "use": "preauthorization",
        "patient": _reference_to(patient),
        "created": grant.start_on.isoformat(),
        "provider": {"identifier": {"system": NPI, "value": clinic.ORGANIZATION_NPI}},
        "priority": _concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": f"Coverage/{grant.policy.number}"}}],
    }


def _authorization(patient: Patient, grant: Grant) -> Resource:
    adjudication = "http://terminology.hl7.org/CodeSystem/adjudication"
    return {
        "resourceType": "ClaimResponse",
        "id": grant.number,
        "extension": [_extension("level-of-care", "valueCode", LEVEL_CODES[grant.level_of_care])],
        "identifier": [_identifier("authorization", grant.number)],
        "status": "active",
        "type": _concept("http://terminology.hl7.org/CodeSystem/claim-type", "institutional"),
        "use": "preauthorization",
        "patient": _reference_to(patient),
        "created": grant.start_on.isoformat(),
        "insurer": _payer_reference(grant.policy.plan),
        "request": {"reference": _full_url_of_request(grant)},
        "outcome": "complete",
        "disposition": "Approved",
        "preAuthRef": grant.number,
        "preAuthPeriod": _period(grant.start_on, grant.end_on),
        "addItem": [
            {
                "productOrService": {"text": "program days"},
                "quantity": {"value": grant.units, "unit": "day"},
                "adjudication": [{"category": _concept(adjudication, "eligible")}],
            }
        ],
    }


# --- stays and sessions ----------------------------------------------------------------------------------------------


def _stay_resources(patient: Patient, stay: Stay) -> list[Resource]:
    conditions = [_condition(patient, stay, rank) for rank in range(1, len(stay.diagnoses) + 1)]
    return [*conditions, _episode(patient, stay, ended_on=None)]


def _condition(patient: Patient, stay: Stay, rank: int) -> Resource:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    category = "http://terminology.hl7.org/CodeSystem/condition-category"
    return {
        "resourceType": "Condition",
        "id": f"{stay.number}-d{rank}",
        "clinicalStatus": _concept(clinical, "active"),
        "category": [_concept(category, "encounter-diagnosis")],
        "code": _concept("http://hl7.org/fhir/sid/icd-10-cm", stay.diagnoses[rank - 1]),
        "subject": _reference_to(patient),
    }


def _episode(patient: Patient, stay: Stay, *, ended_on: date | None) -> Resource:
    extensions = _program_extensions(stay)
    extensions.append(_extension("location", "valueReference", {"reference": f"Location/{stay.track.site.key}"}))
    if ended_on is not None:
        extensions.append(_extension("patient-status", "valueCode", stay.patient_status))
    return {
        "resourceType": "EpisodeOfCare",
        "id": stay.number,
        "extension": extensions,
        "identifier": [_identifier("stay", stay.number)],
        "status": "active" if ended_on is None else "finished",
        "diagnosis": _diagnoses(stay),
        "patient": _reference_to(patient),
        "period": _period(stay.admitted_on, ended_on),
        "careManager": _practitioner_reference(stay.attending),
    }


def _session(patient: Patient, visit: Visit, event: Attendance) -> Resource:
    if event.booked or visit.came is Came.NO_SHOW:
        return _appointment(patient, visit, "booked" if event.booked else "noshow")
    return _encounter(patient, visit, event)


def _encounter(patient: Patient, visit: Visit, event: Attendance) -> Resource:
    stay = visit.stay
    signed = visit.note_signed and visit.number not in event.unsigned
    extensions = [
        *_program_extensions(stay),
        _extension("sign-in", "valueDateTime", _instant(visit.sign_in_at)),
        _extension("sign-out", "valueDateTime", _instant(visit.sign_out_at)),
        _extension("note-signed", "valueBoolean", signed),
        _extension("place-of-service", "valueCode", visit.place_of_service),
    ]
    if stay.grant is not None:
        extensions.append(_extension("authorization-number", "valueString", stay.grant.number))
    if visit.charge_code:
        extensions.append(_extension("charge-code", "valueCode", visit.charge_code))
    return {
        "resourceType": "Encounter",
        "id": visit.number,
        "extension": extensions,
        "identifier": [_identifier("visit", visit.number)],
        "status": "entered-in-error" if event.cancelled else "finished",
        "class": {"system": _ACT_CODES, "code": "VR" if visit.remote else "AMB"},
        "type": [_concept(f"{SYSTEM}/session-type", SESSION_CODES[visit.kind])],
        "subject": _reference_to(patient),
        "episodeOfCare": [{"reference": f"EpisodeOfCare/{stay.number}"}],
        "participant": [_participant("ATND", stay.attending), _participant("PPRF", visit.therapist)],
        "period": {"start": _instant(visit.start_at), "end": _instant(visit.end_at)},
        "diagnosis": _diagnoses(stay),
        "location": [{"location": {"reference": f"Location/{stay.track.site.key}"}}],
    }


def _appointment(patient: Patient, visit: Visit, status: str) -> Resource:
    stay = visit.stay
    actors = (_reference_to(patient), {"reference": f"Location/{stay.track.site.key}"})
    return {
        "resourceType": "Appointment",
        "id": f"A{visit.number}",
        "extension": [
            *_program_extensions(stay),
            _extension("stay", "valueReference", {"reference": f"EpisodeOfCare/{stay.number}"}),
        ],
        "identifier": [_identifier("visit", visit.number)],
        "status": status,
        "serviceType": [_concept(f"{SYSTEM}/session-type", SESSION_CODES[visit.kind])],
        "start": _instant(visit.start_at),
        "end": _instant(visit.end_at),
        "participant": [{"actor": actor, "status": "accepted"} for actor in actors],
    }


def _program_extensions(stay: Stay) -> list[Resource]:
    return [
        _extension("program", "valueCode", stay.track.program),
        _extension("level-of-care", "valueCode", LEVEL_CODES[stay.track.level_of_care]),
    ]


def _diagnoses(stay: Stay) -> list[Resource]:
    return [
        {"condition": {"reference": f"Condition/{stay.number}-d{rank}"}, "rank": rank}
        for rank in range(1, len(stay.diagnoses) + 1)
    ]


def _participant(role: str, clinician: Clinician) -> Resource:
    participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    return {"type": [_concept(participation, role)], "individual": _practitioner_reference(clinician)}


# --- pieces ----------------------------------------------------------------------------------------------------------


def _bundle(resources: list[Resource], control: str, at: datetime) -> bytes:
    bundle = {
        "resourceType": "Bundle",
        "identifier": {"system": f"{SYSTEM}/message", "value": control},
        "type": "transaction",
        "timestamp": _instant(at),
        "entry": [_entry(resource, at) for resource in resources],
    }
    return orjson.dumps(bundle)


def _entry(resource: Resource, at: datetime) -> Resource:
    kind = resource["resourceType"]
    resource = {**resource, "meta": {"lastUpdated": _instant(at)}}
    if kind == "Claim":  # the EHR leaves the id of its authorization requests to the receiver
        identifier = resource["identifier"][0]
        create = {
            "method": "POST",
            "url": kind,
            "ifNoneExist": f"identifier={identifier['system']}|{identifier['value']}",
        }
        return {"fullUrl": _urn(identifier["value"]), "resource": resource, "request": create}
    url = f"{kind}/{resource['id']}"
    return {"fullUrl": f"{BASE}/{url}", "resource": resource, "request": {"method": "PUT", "url": url}}


def _full_url_of_request(grant: Grant) -> str:
    return _urn(grant.number)


def _urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{SYSTEM}/{name}").urn


def _reference_to(patient: Patient) -> Resource:
    return {"reference": f"Patient/p{patient.mrn}"}


def _practitioner_reference(clinician: Clinician) -> Resource:
    return {"reference": f"Practitioner/{clinician.key}"}


def _identifier(namespace: str, value: str) -> Resource:
    return {"system": f"{SYSTEM}/{namespace}", "value": value}


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _extension(name: str, kind: str, value: object) -> Resource:
    return {"url": f"{BASE}/StructureDefinition/{name}", kind: value}


def _period(start_on: date, end_on: date | None) -> Resource:
    end = {} if end_on is None else {"end": end_on.isoformat()}
    return {"start": start_on.isoformat(), **end}


def _instant(at: datetime) -> str:
    return at.astimezone(clinic.ZONE).isoformat(timespec="seconds")


def _local_date(at: datetime) -> date:
    return at.astimezone(clinic.ZONE).date()
