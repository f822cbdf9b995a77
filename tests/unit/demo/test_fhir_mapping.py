"""The hospital's bundles through their mapping file: the records say what happened."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import orjson

from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.engine import SourceInterpreter, facility_names
from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.party import Identifier, Relationship
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    CoverageRecord,
    EncounterRecord,
    EpisodeRecord,
    FeedRecord,
    LevelOfCare,
    Modality,
)
from gateway.demo.feed import Batch, Feed
from gateway.demo.month import clinic_month
from gateway.demo.truth import Came, Patient
from gateway.ports import Interpretation, Resource

MONTH = clinic_month()
Kind = TypeVar("Kind", bound=FeedRecord)


@cache
def _interpreter() -> SourceInterpreter:
    files = load_mapping_set(read_mapping_files(shipped=True, overlay=None), [FHIR_NOTATION, HL7_NOTATION])
    facilities = facility_names(files.catalogue.facilities.values())
    return SourceInterpreter(files.source("riverbend-fhir"), FHIR_NOTATION, facilities)


@cache
def _told(batch: Batch) -> tuple[Interpretation, ...]:
    known: dict[str, Resource] = {}
    interpreted = []
    for message in (each for each in MONTH.messages(batch) if each.feed is Feed.FHIR):
        bodies = [entry["resource"] for entry in orjson.loads(message.content)["entry"]]
        resources = [
            Resource(type=body["resourceType"], id=body.get("id", "made"), version=1, updated_at=message.at, body=body)
            for body in bodies
        ]
        known.update({f"{each.type}/{each.id}": each for each in resources})
        interpreted += [_interpreter().interpret_resource(each, known.get) for each in resources]
    return tuple(interpreted)


def _records(kind: type[Kind], batch: Batch = Batch.MONTH) -> list[Kind]:
    return [each.record for found in _told(batch) for each in found.records if isinstance(each.record, kind)]


def _hospital_patients() -> list[Patient]:
    return [patient for patient in MONTH.patients if patient.feed is Feed.FHIR]


def test_every_resource_of_the_month_is_understood_and_nothing_it_needs_is_missing() -> None:
    assert [] == [problem for found in _told(Batch.MONTH) for problem in found.problems]
    assert set() == {reference for found in _told(Batch.MONTH) for reference in found.missing}


def test_every_visit_becomes_an_encounter_that_says_what_happened() -> None:
    told = {each.identifiers[-1].value: each for each in _records(EncounterRecord)}
    for patient in _hospital_patients():
        lost = patient.visits if patient.scenario in ("found-after-billing", "two-programs-a-day") else []
        for visit in patient.visits:
            if visit in lost and visit.number not in told:
                continue
            record = told[visit.number]
            attended = visit.came is Came.ATTENDED
            assert (visit.kind, visit.stay.track.program) == (record.session, record.program)
            assert LevelOfCare(visit.stay.track.level_of_care) is record.level_of_care
            assert visit.stay.track.site.key == record.facility
            assert (visit.sign_in_at if attended else visit.start_at) == record.start_at
            assert visit.end_at == record.end_at
            assert (AttendanceStatus.ATTENDED if attended else AttendanceStatus.NO_SHOW) is record.status
            if attended:
                assert record.attending is not None
                assert record.rendering is not None
                assert (visit.stay.attending.npi, visit.stay.attending.taxonomy) == (
                    record.attending.npi,
                    record.attending.taxonomy,
                )
                assert visit.therapist.npi == record.rendering.npi
                assert (Modality.TELEHEALTH_HOME if visit.remote else Modality.IN_PERSON) is record.modality
                assert visit.note_signed == record.note_signed
                assert (visit.place_of_service, visit.charge_code) == (record.place_of_service, record.charge_code)
                assert tuple(code.replace(".", "") for code in visit.stay.diagnoses) == record.diagnoses


def test_a_dependents_policy_has_the_parent_as_subscriber() -> None:
    policies = {each.identifiers[-1].value: each for each in _records(CoverageRecord)}
    for patient in (each for each in MONTH.patients if each.scenario == "dependent"):
        policy = patient.policies[0]
        told = policies[policy.number]
        assert policy.subscriber is not None
        assert told.subscriber_name is not None
        assert Relationship.CHILD is told.relationship
        assert (policy.subscriber.family, policy.subscriber.given) == (
            told.subscriber_name.family,
            told.subscriber_name.given,
        )
        assert policy.subscriber.birth_on == told.subscriber_birth_on
        assert Identifier("riverbend-payer", policy.plan.codes[Feed.FHIR]) == told.payer


def test_an_authorization_comes_with_its_days_and_its_span() -> None:
    grants = {each.number: each for each in _records(AuthorizationRecord)}
    for patient in _hospital_patients():
        for grant in (stay.grant for stay in patient.stays if stay.grant and stay.track.site.feed is Feed.FHIR):
            told = grants[grant.number]
            assert (grant.units, grant.start_on, grant.end_on) == (told.units, told.start_on, told.end_on)


def test_a_step_down_ends_one_episode_and_begins_the_next() -> None:
    last = {each.identifiers[-1].value: each for each in _records(EpisodeRecord)}
    for patient in (each for each in MONTH.patients if each.scenario == "step-down"):
        before, after = (last[stay.number] for stay in patient.stays)
        assert ("01", after.admitted_on) == (before.patient_status, before.discharged_on)
        assert (LevelOfCare.PHP, LevelOfCare.IOP) == (before.level_of_care, after.level_of_care)


def test_what_is_told_after_billing_takes_one_day_back_and_adds_another() -> None:
    statuses = [each.status for each in _records(EncounterRecord, Batch.AFTER_BILLING)]

    assert 3 == statuses.count(AttendanceStatus.ERROR)
    assert 5 == statuses.count(AttendanceStatus.ATTENDED)
