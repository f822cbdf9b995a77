"""The recovery center's messages through its mapping file: the records say what happened."""

from __future__ import annotations

from functools import cache

from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.engine import SourceInterpreter, facility_names
from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.party import Identifier
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    CoverageRecord,
    EncounterRecord,
    EpisodeRecord,
    LevelOfCare,
    PatientRecord,
)
from gateway.demo.feed import Batch, Feed
from gateway.demo.month import clinic_month
from gateway.demo.truth import Came, Patient
from gateway.ports import MappedRecord, MappingProblem

MONTH = clinic_month()
STATUSES = {Came.ATTENDED: AttendanceStatus.ATTENDED, Came.NO_SHOW: AttendanceStatus.NO_SHOW}


@cache
def _interpreter() -> SourceInterpreter:
    files = load_mapping_set(read_mapping_files(shipped=True, overlay=None), [HL7_NOTATION])
    facilities = facility_names(files.catalogue.facilities.values())
    return SourceInterpreter(files.source("riverbend-hl7"), HL7_NOTATION, facilities)


@cache
def _month() -> tuple[tuple[MappedRecord, ...], tuple[MappingProblem, ...]]:
    records: list[MappedRecord] = []
    problems: list[MappingProblem] = []
    for message in MONTH.messages(Batch.MONTH):
        if message.feed is Feed.HL7:
            found = _interpreter().interpret_message(message.content, message.at)
            records += found.records
            problems += found.problems
    return tuple(records), tuple(problems)


def _recovery_patients() -> list[Patient]:
    return [patient for patient in MONTH.patients if patient.feed is Feed.HL7]


def test_every_message_of_the_month_is_understood() -> None:
    assert () == _month()[1]


def test_every_visit_becomes_an_encounter_that_says_what_happened() -> None:
    told = {
        each.record.identifiers[0].value: each.record
        for each in _month()[0]
        if isinstance(each.record, EncounterRecord)
    }
    for patient in _recovery_patients():
        for visit in patient.visits:
            record = told[visit.number]
            attended = visit.came is Came.ATTENDED
            assert Identifier("riverbend-visit", visit.number) == record.identifiers[0]
            assert visit.kind == record.session
            assert STATUSES[visit.came] == record.status
            assert LevelOfCare(visit.stay.track.level_of_care) is record.level_of_care
            assert (visit.stay.track.program, visit.stay.track.site.key) == (record.program, record.facility)
            assert Identifier("riverbend-stay", visit.stay.number) == record.episode
            assert (visit.sign_in_at if attended else visit.start_at) == record.start_at
            assert visit.end_at == record.end_at
            assert (visit.note_signed if attended else None) == record.note_signed
            if attended:
                assert record.rendering is not None
                assert visit.therapist.npi == record.rendering.npi
                assert visit.place_of_service == record.place_of_service
                assert visit.charge_code == record.charge_code
                assert tuple(code.replace(".", "") for code in visit.stay.diagnoses) == record.diagnoses


def test_every_policy_and_authorization_arrives_whole() -> None:
    records = [each.record for each in _month()[0]]
    policies = {each.identifiers[0].value: each for each in records if isinstance(each, CoverageRecord)}
    grants = {each.number: each for each in records if isinstance(each, AuthorizationRecord)}
    for patient in _recovery_patients():
        for policy in patient.policies:
            told = policies[policy.number]
            assert policy.member_number == told.member_number
            assert Identifier("riverbend-recovery-payer", policy.plan.codes[Feed.HL7]) == told.payer
            assert (1, policy.start_on, policy.end_on) == (told.order, told.start_on, told.end_on)
        for stay in patient.stays:
            if stay.grant is not None:
                grant = grants[stay.grant.number]
                assert stay.grant.units == grant.units
                assert (stay.grant.start_on, stay.grant.end_on) == (grant.start_on, grant.end_on)


def test_a_step_down_ends_one_stay_and_begins_the_next() -> None:
    for scenario in ("transfer-step-down", "class-change-step-down"):
        (patient,) = [each for each in MONTH.patients if each.scenario == scenario]
        last: dict[str, EpisodeRecord] = {}
        for each in _month()[0]:
            if isinstance(each.record, EpisodeRecord):
                last[each.record.identifiers[0].value] = each.record
        before, after = (last[stay.number] for stay in patient.stays)

        assert (LevelOfCare.PHP, "01", after.admitted_on) == (
            before.level_of_care,
            before.patient_status,
            before.discharged_on,
        )
        assert LevelOfCare.IOP is after.level_of_care
        assert after.diagnoses


def test_a_discharge_taken_back_leaves_the_stay_open() -> None:
    (patient,) = [each for each in MONTH.patients if each.scenario == "discharge-undone"]
    told = [
        each.record.discharged_on
        for each in _month()[0]
        if isinstance(each.record, EpisodeRecord) and each.record.identifiers[0].value == patient.stays[0].number
    ]

    assert told[1] is not None
    assert told[2] is None


def test_a_merge_says_which_number_the_retired_one_belongs_to() -> None:
    (patient,) = [each for each in MONTH.patients if each.scenario == "merged-record"]
    merged = [
        each.record
        for each in _month()[0]
        if isinstance(each.record, PatientRecord) and each.record.merged_into is not None
    ]

    assert [Identifier("riverbend-recovery-mrn", patient.recovery_mrn)] == [each.merged_into for each in merged]


def test_a_patient_has_both_numbers_so_that_the_two_feeds_meet() -> None:
    both = {
        each.record.identifiers
        for each in _month()[0]
        if isinstance(each.record, PatientRecord) and len(each.record.identifiers) == 2
    }

    assert {each.namespace for pair in both for each in pair} == {"riverbend-recovery-mrn", "riverbend-mrn"}


def test_a_credited_charge_takes_the_visit_back() -> None:
    (message,) = [each for each in MONTH.messages(Batch.AFTER_BILLING) if each.feed is Feed.HL7]
    records = [each.record for each in _interpreter().interpret_message(message.content, message.at).records]

    assert [AttendanceStatus.ERROR] * 3 == [each.status for each in records if isinstance(each, EncounterRecord)]


def test_every_value_of_an_encounter_knows_where_it_came_from() -> None:
    mapped = next(each for each in _month()[0] if isinstance(each.record, EncounterRecord))

    assert mapped.origins["level_of_care"].source.startswith("ZPH")
    assert mapped.origins["level_of_care"].mapping.startswith("sources/riverbend-hl7.yaml:")
