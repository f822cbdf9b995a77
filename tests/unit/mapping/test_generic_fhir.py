"""The shipped generic-fhir source over resources in the shapes of US Core."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.fhir.view import FHIR_NOTATION
from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.party import Address, Identifier, PersonName, Practitioner, Relationship, Sex
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    AuthorizationStatus,
    CoverageRecord,
    EncounterRecord,
    EpisodeRecord,
    FeedRecord,
    LevelOfCare,
    Modality,
    PatientRecord,
    Setting,
)
from gateway.ports import Interpretation
from tests.unit.mapping.small_set import NOW, Arrived, resource

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
NPI = "http://hl7.org/fhir/sid/us-npi"
CPT = "http://www.ama-assn.org/go/cpt"


def coded(code: str, system: str = CPT) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def own(reference: str) -> Identifier:
    return Identifier("generic-fhir", reference)


PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [
        {"system": "urn:oid:2.16.840.1.113883.3.9999.1", "value": "1001"},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "never"},
    ],
    "name": [
        {"use": "old", "family": "Santos", "given": ["Ana"]},
        {"use": "official", "family": "Rivera", "given": ["Ana", "M"]},
    ],
    "gender": "female",
    "birthDate": "1980-05-02",
    "address": [{"line": ["12 Oak St"], "city": "Springfield", "state": "IL", "postalCode": "62701-1234"}],
}
LEE = {
    "resourceType": "Practitioner",
    "id": "lee",
    "identifier": [{"system": NPI, "value": "1234567893"}],
    "name": [{"family": "Lee", "given": ["Sam"]}],
}
DEPRESSION = {"resourceType": "Condition", "id": "c1", "code": coded("F33.1", ICD)}
ALCOHOL = {"resourceType": "Condition", "id": "c2", "code": coded("F10.20", ICD)}
LOCATION = {"resourceType": "Location", "id": "main", "identifier": [{"value": "MAIN"}]}
PAYER = {
    "resourceType": "Organization",
    "id": "acme",
    "name": "Acme Health",
    "identifier": [{"system": "urn:oid:2.16.840.1.113883.6.300", "value": "60054"}],
}
EPISODE = {
    "resourceType": "EpisodeOfCare",
    "id": "stay",
    "status": "active",
    "type": [coded("IOP", "urn:program")],
    "patient": {"reference": "Patient/p1"},
    "period": {"start": "2026-08-03"},
    "careManager": {"reference": "Practitioner/lee"},
    "diagnosis": [
        {"condition": {"reference": "Condition/c1"}, "rank": 2},
        {"condition": {"reference": "Condition/c2"}, "rank": 1},
    ],
}
SESSION = {
    "resourceType": "Encounter",
    "id": "e1",
    "identifier": [{"system": "urn:oid:2.16.840.1.113883.3.9999.2", "value": "V1"}],
    "status": "finished",
    "class": {"code": "AMB"},
    "type": [coded("90853")],
    "subject": {"reference": "Patient/p1"},
    "episodeOfCare": [{"reference": "EpisodeOfCare/stay"}],
    "period": {"start": "2026-08-03T09:00:00-05:00", "end": "2026-08-03T10:00:00-05:00"},
    "participant": [
        {"type": [coded("ATND")], "individual": {"reference": "Practitioner/lee"}},
        {"type": [coded("PPRF")], "individual": {"reference": "Practitioner/lee"}},
    ],
    "location": [{"location": {"reference": "Location/main"}}],
    "diagnosis": [{"condition": {"reference": "Condition/c1"}, "rank": 1}],
}
EVERYTHING = Arrived(PATIENT, LEE, DEPRESSION, ALCOHOL, LOCATION, PAYER, EPISODE)


@pytest.fixture(scope="module")
def generic() -> SourceInterpreter:
    shipped = load_mapping_set(read_mapping_files(shipped=True, overlay=None), [FHIR_NOTATION])
    names = {Identifier("generic-fhir-location", "MAIN"): "main"}
    return SourceInterpreter(shipped.source("generic-fhir"), FHIR_NOTATION, names)


def said(generic: SourceInterpreter, body: dict[str, Any], find: Arrived = EVERYTHING) -> Interpretation:
    return generic.interpret_resource(resource(**body), find)


def one(found: Interpretation) -> FeedRecord:
    assert () == found.problems
    (mapped,) = found.records
    assert NOW == mapped.asserted_at
    return mapped.record


def test_a_patient_has_their_official_name_and_only_identifiers_of_known_systems(generic: SourceInterpreter) -> None:
    assert one(said(generic, PATIENT)) == PatientRecord(
        identifiers=(own("Patient/p1"), Identifier("generic-fhir-mrn", "1001")),
        name=PersonName(family="Rivera", given="Ana", middle="M"),
        birth_on=date(1980, 5, 2),
        sex=Sex.FEMALE,
        address=Address(line1="12 Oak St", city="Springfield", state="IL", postal_code="627011234"),
    )


def test_a_replaced_patient_says_who_took_their_place(generic: SourceInterpreter) -> None:
    body = PATIENT | {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]}
    record = one(said(generic, body))
    assert isinstance(record, PatientRecord)
    assert own("Patient/p2") == record.merged_into


def test_a_finished_encounter_of_an_episode_is_a_session_attended(generic: SourceInterpreter) -> None:
    found = said(generic, SESSION)
    assert one(found) == EncounterRecord(
        identifiers=(own("Encounter/e1"), Identifier("generic-fhir-visit", "V1")),
        patient=own("Patient/p1"),
        episode=own("EpisodeOfCare/stay"),
        facility="main",
        program="mh-iop",
        level_of_care=LevelOfCare.IOP,
        session="group-psychotherapy",
        status=AttendanceStatus.ATTENDED,
        start_at=datetime(2026, 8, 3, 14, tzinfo=UTC),
        end_at=datetime(2026, 8, 3, 15, tzinfo=UTC),
        modality=Modality.IN_PERSON,
        attending=Practitioner(npi="1234567893", name=PersonName(family="Lee", given="Sam")),
        rendering=Practitioner(npi="1234567893", name=PersonName(family="Lee", given="Sam")),
        diagnoses=("F331",),
        charge_code="90853",
    )
    assert {"EpisodeOfCare/stay", "Practitioner/lee", "Location/main", "Condition/c1"} == set(found.references)
    assert () == found.missing


def test_what_has_not_arrived_is_named_and_the_rest_is_mapped(generic: SourceInterpreter) -> None:
    found = said(generic, SESSION, Arrived())
    record = one(found)
    assert isinstance(record, EncounterRecord)
    assert ("group-psychotherapy", "", None) == (record.session, record.facility, record.level_of_care)
    assert {"EpisodeOfCare/stay", "Practitioner/lee", "Location/main", "Condition/c1"} == set(found.missing)


def test_a_program_told_as_a_parent_encounter_is_a_stay_and_its_parts_are_sessions(generic: SourceInterpreter) -> None:
    parent = SESSION | {
        "id": "e0",
        "identifier": [],
        "type": [coded("S9480")],
        "status": "in-progress",
        "period": {"start": "2026-08-03T09:00:00-05:00"},
    }
    stay = one(said(generic, parent))
    assert isinstance(stay, EpisodeRecord)
    assert (LevelOfCare.IOP, "mh-iop", date(2026, 8, 3), None) == (
        stay.level_of_care,
        stay.program,
        stay.admitted_on,
        stay.discharged_on,
    )
    part = {key: value for key, value in SESSION.items() if key != "episodeOfCare"}
    session = one(
        said(generic, part | {"partOf": {"reference": "Encounter/e0"}}, Arrived(parent, LEE, LOCATION, DEPRESSION))
    )
    assert isinstance(session, EncounterRecord)
    assert (own("Encounter/e0"), LevelOfCare.IOP) == (session.episode, session.level_of_care)


@pytest.mark.parametrize("code", ["IMP", "ACUTE", "NONAC"])
def test_an_inpatient_encounter_is_a_stay_elsewhere_and_no_session(generic: SourceInterpreter, code: str) -> None:
    told = {
        "resourceType": "Encounter",
        "id": "ward",
        "status": "finished",
        "class": {"code": code},
        "type": [coded("PHP")],
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-07-20", "end": "2026-08-03"},
    }
    record = one(said(generic, told))
    assert isinstance(record, EpisodeRecord)
    assert (Setting.INPATIENT, date(2026, 7, 20), date(2026, 8, 3)) == (
        record.setting,
        record.admitted_on,
        record.discharged_on,
    )


def test_an_episode_of_care_is_a_stay_with_its_principal_diagnosis_first(generic: SourceInterpreter) -> None:
    assert one(said(generic, EPISODE)) == EpisodeRecord(
        identifiers=(own("EpisodeOfCare/stay"),),
        patient=own("Patient/p1"),
        program="mh-iop",
        level_of_care=LevelOfCare.IOP,
        admitted_on=date(2026, 8, 3),
        attending=Practitioner(npi="1234567893", name=PersonName(family="Lee", given="Sam")),
        diagnoses=("F1020", "F331"),
    )
    record = one(said(generic, EPISODE | {"status": "entered-in-error"}))
    assert isinstance(record, EpisodeRecord)
    assert record.cancelled


def test_a_coverage_is_a_policy_with_its_payer_and_subscriber(generic: SourceInterpreter) -> None:
    coverage = {
        "resourceType": "Coverage",
        "id": "cov1",
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
        "subscriber": {"reference": "Patient/p1"},
        "subscriberId": "XYZ123",
        "relationship": coded("self"),
        "payor": [{"reference": "Organization/acme"}],
        "class": [
            {"type": coded("group"), "value": "G55", "name": "Acme Workers"},
            {"type": coded("plan"), "value": "GOLD"},
        ],
        "order": 1,
        "period": {"start": "2026-01-01"},
    }
    record = one(said(generic, coverage))
    assert record == CoverageRecord(
        identifiers=(own("Coverage/cov1"),),
        patient=own("Patient/p1"),
        payer=Identifier("generic-fhir-naic", "60054"),
        plan="GOLD",
        member_number="XYZ123",
        group_number="G55",
        group_name="Acme Workers",
        relationship=Relationship.SELF,
        subscriber_name=PersonName(family="Rivera", given="Ana"),
        subscriber_birth_on=date(1980, 5, 2),
        subscriber_sex=Sex.FEMALE,
        subscriber_address=Address(line1="12 Oak St", city="Springfield", state="IL", postal_code="627011234"),
        order=1,
        start_on=date(2026, 1, 1),
    )
    by_name = one(said(generic, coverage | {"payor": [{"display": "Acme Health"}], "status": "cancelled"}))
    assert isinstance(by_name, CoverageRecord)
    assert (Identifier("generic-fhir-payer", "Acme Health"), False) == (by_name.payer, by_name.active)


APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "noshow",
    "serviceType": [coded("90853")],
    "start": "2026-08-03T09:00:00-05:00",
    "minutesDuration": 60,
    "participant": [{"actor": {"reference": "Practitioner/lee"}}, {"actor": {"reference": "Patient/p1"}}],
}


def test_a_missed_appointment_is_a_no_show(generic: SourceInterpreter) -> None:
    assert one(said(generic, APPOINTMENT)) == EncounterRecord(
        identifiers=(own("Appointment/a1"),),
        patient=own("Patient/p1"),
        session="group-psychotherapy",
        status=AttendanceStatus.NO_SHOW,
        start_at=datetime(2026, 8, 3, 14, tzinfo=UTC),
        end_at=datetime(2026, 8, 3, 15, tzinfo=UTC),
    )


def test_a_kept_appointment_is_left_to_its_encounter(generic: SourceInterpreter) -> None:
    assert Interpretation() == said(generic, APPOINTMENT | {"status": "fulfilled"})


REQUEST = {
    "resourceType": "Claim",
    "id": "pa1",
    "status": "active",
    "use": "preauthorization",
    "patient": {"reference": "Patient/p1"},
    "insurer": {"reference": "Organization/acme"},
    "item": [{"productOrService": coded("S9480"), "quantity": {"value": 12}}],
}
RESPONSE = {
    "resourceType": "ClaimResponse",
    "id": "par1",
    "status": "active",
    "use": "preauthorization",
    "patient": {"reference": "Patient/p1"},
    "insurer": {"reference": "Organization/acme"},
    "request": {"reference": "Claim/pa1"},
    "outcome": "complete",
    "preAuthRef": "AUTH9",
    "preAuthPeriod": {"start": "2026-08-01", "end": "2026-08-31"},
}


def test_a_request_and_its_answer_are_one_authorization(generic: SourceInterpreter) -> None:
    requested = one(said(generic, REQUEST))
    assert isinstance(requested, AuthorizationRecord)
    assert (AuthorizationStatus.REQUESTED, LevelOfCare.IOP, 12) == (
        requested.status,
        requested.level_of_care,
        requested.units,
    )
    answered = one(said(generic, RESPONSE, Arrived(REQUEST, PAYER)))
    assert answered == AuthorizationRecord(
        identifiers=(own("ClaimResponse/par1"), own("Claim/pa1")),
        patient=own("Patient/p1"),
        number="AUTH9",
        payer=Identifier("generic-fhir-naic", "60054"),
        level_of_care=LevelOfCare.IOP,
        service_codes=("S9480",),
        units=12,
        start_on=date(2026, 8, 1),
        end_on=date(2026, 8, 31),
        status=AuthorizationStatus.APPROVED,
    )
    assert set(requested.identifiers) & set(answered.identifiers)


def test_a_bill_is_no_authorization(generic: SourceInterpreter) -> None:
    assert () == said(generic, REQUEST | {"use": "claim"}).records


def test_an_order_for_program_days_is_an_authorization_nobody_answered(generic: SourceInterpreter) -> None:
    order = {
        "resourceType": "ServiceRequest",
        "id": "sr1",
        "status": "active",
        "intent": "order",
        "code": coded("S9480"),
        "subject": {"reference": "Patient/p1"},
        "quantityQuantity": {"value": 12},
        "occurrencePeriod": {"start": "2026-08-03", "end": "2026-08-31"},
    }
    record = one(said(generic, order))
    assert isinstance(record, AuthorizationRecord)
    assert (AuthorizationStatus.REQUESTED, 12, date(2026, 8, 3)) == (record.status, record.units, record.start_on)
    assert Interpretation() == said(generic, order | {"code": coded("80053")})


def test_a_session_of_an_unknown_kind_or_place_is_kept_and_listed(generic: SourceInterpreter) -> None:
    strange = LOCATION | {"identifier": [{"value": "ATTIC"}]}
    found = said(
        generic,
        SESSION | {"type": [coded("185349003", "http://snomed.info/sct")]},
        Arrived(strange, LEE, EPISODE, DEPRESSION),
    )
    assert 1 == len(found.records)
    assert [
        ("Encounter.location[0].location -> Location.identifier[0].value", "session.facility"),
        ("Encounter.type[0].coding[0].code", "session.session"),
    ] == [(each.place, each.message.partition(":")[0]) for each in found.problems]
