"""The shipped generic-hl7 source over messages as the standard has them."""

from datetime import UTC, date, datetime

import pytest

from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import MappingSet, load_mapping_set
from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.party import Address, Identifier, PersonName, Practitioner, Relationship, Sex
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    AuthorizationStatus,
    AuthorizationUnit,
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
from tests.unit.mapping.small_set import NOW, message

PATIENT = Identifier("generic-hl7-mrn", "1001")
VISIT = Identifier("generic-hl7-visit", "V77")
LEE = "1234567893^Lee^Sam^^^^^^NPI^L^^^NPI"

PID = (
    "PID",
    {3: "1001^^^OAK^MR", 5: "Rivera^Ana^M", 7: "19800502", 8: "F", 11: "12 Oak St^^Springfield^IL^62701-1234"},
)
PV1 = ("PV1", {2: "R", 3: "GRP1^^^MAIN", 4: "3", 7: LEE, 10: "IOP", 14: "1", 19: "V77", 44: "20260803"})
DG1 = ("DG1", {1: "1", 3: "F33.1^^I10", 6: "A", 15: "2"})
DG1_FIRST = ("DG1", {1: "2", 3: "F10.20^^I10", 6: "A", 15: "1"})
IN1 = (
    "IN1",
    {
        1: "1",
        2: "GOLD",
        3: "ACME",
        4: "Acme Health",
        8: "G55",
        9: "Acme Workers",
        12: "20260101",
        13: "20261231",
        16: "Rivera^Luis",
        17: "SPO",
        18: "19790101",
        19: "12 Oak St^^Springfield^IL^62701",
        22: "1",
        43: "M",
        49: "XYZ123",
    },
)
IN3 = ("IN3", {1: "1", 2: "AUTH9", 9: "20260801", 10: "20260831", 11: "AP^12"})


@pytest.fixture(scope="module")
def shipped() -> MappingSet:
    return load_mapping_set(read_mapping_files(shipped=True, overlay=None), [HL7_NOTATION])


@pytest.fixture(scope="module")
def generic(shipped: MappingSet) -> SourceInterpreter:
    names = {Identifier("generic-hl7-location", "MAIN"): "main"}
    return SourceInterpreter(shipped.source("generic-hl7"), HL7_NOTATION, names)


def said(generic: SourceInterpreter, content: bytes) -> Interpretation:
    return generic.interpret_message(content, NOW)


def records(interpretation: Interpretation, kind: type[FeedRecord]) -> list[FeedRecord]:
    return [mapped.record for mapped in interpretation.records if isinstance(mapped.record, kind)]


def one(interpretation: Interpretation, kind: type[FeedRecord]) -> FeedRecord:
    (record,) = records(interpretation, kind)
    return record


def test_an_admission_tells_of_the_patient_the_stay_the_policy_and_the_authorization(
    generic: SourceInterpreter,
) -> None:
    found = said(generic, message("ADT^A01", PID, PV1, DG1, DG1_FIRST, IN1, IN3, recorded="20260803075900"))
    assert () == found.problems
    home = Address(line1="12 Oak St", city="Springfield", state="IL", postal_code="627011234")
    assert one(found, PatientRecord) == PatientRecord(
        identifiers=(PATIENT,),
        name=PersonName(family="Rivera", given="Ana", middle="M"),
        birth_on=date(1980, 5, 2),
        sex=Sex.FEMALE,
        address=home,
    )
    assert one(found, EpisodeRecord) == EpisodeRecord(
        identifiers=(VISIT,),
        patient=PATIENT,
        facility="main",
        program="mh-iop",
        level_of_care=LevelOfCare.IOP,
        admitted_on=date(2026, 8, 3),
        admission_type="3",
        point_of_origin="1",
        attending=Practitioner(npi="1234567893", name=PersonName(family="Lee", given="Sam")),
        diagnoses=("F1020", "F331"),
        authorization_number="AUTH9",
    )
    assert one(found, CoverageRecord) == CoverageRecord(
        identifiers=(Identifier("generic-hl7-policy", "1001/ACME/XYZ123"),),
        patient=PATIENT,
        payer=Identifier("generic-hl7-payer", "ACME"),
        plan="GOLD",
        member_number="XYZ123",
        group_number="G55",
        group_name="Acme Workers",
        relationship=Relationship.SPOUSE,
        subscriber_name=PersonName(family="Rivera", given="Luis"),
        subscriber_birth_on=date(1979, 1, 1),
        subscriber_sex=Sex.MALE,
        subscriber_address=Address(line1="12 Oak St", city="Springfield", state="IL", postal_code="62701"),
        order=1,
        start_on=date(2026, 1, 1),
        end_on=date(2026, 12, 31),
    )
    assert one(found, AuthorizationRecord) == AuthorizationRecord(
        identifiers=(Identifier("generic-hl7-authorization", "ACME/AUTH9"),),
        patient=PATIENT,
        number="AUTH9",
        payer=Identifier("generic-hl7-payer", "ACME"),
        level_of_care=LevelOfCare.IOP,
        units=12,
        start_on=date(2026, 8, 1),
        end_on=date(2026, 8, 31),
        status=AuthorizationStatus.APPROVED,
    )
    assert {datetime(2026, 8, 3, 12, 59, tzinfo=UTC)} == {mapped.asserted_at for mapped in found.records}


def stay(generic: SourceInterpreter, event: str, **fields: str) -> EpisodeRecord:
    visit = PV1[1] | {int(name[1:]): value for name, value in fields.items()}
    record = one(said(generic, message(event, PID, ("PV1", visit))), EpisodeRecord)
    assert isinstance(record, EpisodeRecord)
    return record


def test_a_discharge_ends_the_stay_and_its_cancellation_opens_it_again(generic: SourceInterpreter) -> None:
    left = stay(generic, "ADT^A03", f45="20260821", f36="01")
    assert (date(2026, 8, 21), "01") == (left.discharged_on, left.patient_status)
    back = stay(generic, "ADT^A13", f45="20260821", f36="01")
    assert (None, "") == (back.discharged_on, back.patient_status)
    assert left.identifiers == back.identifiers


def test_an_inpatient_admission_is_a_stay_elsewhere(generic: SourceInterpreter) -> None:
    assert Setting.INPATIENT is stay(generic, "ADT^A01", f2="I").setting
    assert stay(generic, "ADT^A01").setting is None


@pytest.mark.parametrize("event", ["REF^I12", "RRI^I12", "RPA^I08"])
def test_a_payers_answer_is_an_authorization(generic: SourceInterpreter, event: str) -> None:
    answer = ("AUT", {2: "ACME", 4: "20260801", 5: "20260930", 6: "A-77", 9: "12"})
    record = one(said(generic, message(event, PID, PV1, answer)), AuthorizationRecord)
    assert record == AuthorizationRecord(
        identifiers=(Identifier("generic-hl7-authorization", "ACME/A-77"),),
        patient=PATIENT,
        number="A-77",
        payer=Identifier("generic-hl7-payer", "ACME"),
        level_of_care=LevelOfCare.IOP,
        unit=AuthorizationUnit.VISIT,
        units=12,
        start_on=date(2026, 8, 1),
        end_on=date(2026, 9, 30),
        status=AuthorizationStatus.APPROVED,
    )


def test_a_request_nobody_answered_yet_has_no_number_and_is_no_authorization(generic: SourceInterpreter) -> None:
    asked = ("AUT", {2: "ACME", 8: "12"})
    found = said(generic, message("REF^I12", PID, PV1, asked))
    assert [] == [each for each in found.records if isinstance(each.record, AuthorizationRecord)]


def test_a_cancelled_admission_is_a_cancelled_stay(generic: SourceInterpreter) -> None:
    assert stay(generic, "ADT^A11").cancelled
    assert not stay(generic, "ADT^A01").cancelled


@pytest.mark.parametrize("event", ["ADT^A02", "ADT^A06", "ADT^A07", "ADT^A08"])
def test_a_transfer_or_change_of_class_changes_the_level_of_care(generic: SourceInterpreter, event: str) -> None:
    changed = stay(generic, event, f10="PHP")
    assert (LevelOfCare.PHP, "mh-php") == (changed.level_of_care, changed.program)


def test_an_update_of_the_person_alone_tells_of_no_stay(generic: SourceInterpreter) -> None:
    for event in ("ADT^A08", "ADT^A31"):
        found = said(generic, message(event, PID, ("PV1", {2: "N"})))
        assert () == found.problems
        assert [PatientRecord] == [type(mapped.record) for mapped in found.records]


def test_a_merge_says_whose_number_the_old_one_became(generic: SourceInterpreter) -> None:
    found = said(generic, message("ADT^A40", PID, ("MRG", {1: "900^^^OAK^MR"})))
    surviving, old = records(found, PatientRecord)
    assert (PATIENT,) == surviving.identifiers
    assert old == PatientRecord(identifiers=(Identifier("generic-hl7-mrn", "900"),), merged_into=PATIENT)


def ft1(number: int, **fields: str) -> tuple[str, dict[int, str]]:
    usual = {1: str(number), 2: f"T{number}", 4: "202608030900-0500^202608031000-0500", 6: "CG", 7: "G0410", 20: LEE}
    return "FT1", usual | {int(name[1:]): value for name, value in fields.items()}


def test_each_charge_is_a_session_attended(generic: SourceInterpreter) -> None:
    telehealth = ft1(2, f4="20260803101500^20260803110000", f25="90834", f26="95")
    found = said(generic, message("DFT^P03", PID, PV1, ft1(1), telehealth, DG1))
    assert () == found.problems
    group, individual = records(found, EncounterRecord)
    assert group == EncounterRecord(
        identifiers=(
            Identifier("generic-hl7-charge", "1001/T1"),
            Identifier("generic-hl7-session", "V77/2026-08-03T14:00Z"),
        ),
        patient=PATIENT,
        episode=VISIT,
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
        charge_code="G0410",
    )
    assert isinstance(individual, EncounterRecord)
    assert ("individual-psychotherapy-45", Modality.TELEHEALTH_HOME, "90834") == (
        individual.session,
        individual.modality,
        individual.charge_code,
    )


def test_a_credit_takes_back_the_charge_of_the_same_session(generic: SourceInterpreter) -> None:
    charged = one(said(generic, message("DFT^P03", PID, PV1, ft1(1))), EncounterRecord)
    credited = one(said(generic, message("DFT^P03", PID, PV1, ft1(1, f2="T9", f6="CR"))), EncounterRecord)
    assert isinstance(credited, EncounterRecord)
    assert AttendanceStatus.ERROR is credited.status
    assert set(charged.identifiers) & set(credited.identifiers)


def test_a_payment_is_no_session(generic: SourceInterpreter) -> None:
    assert [] == records(said(generic, message("DFT^P03", PID, PV1, ft1(1, f6="PY"))), EncounterRecord)


def test_the_length_of_a_charge_may_come_from_its_procedure(generic: SourceInterpreter) -> None:
    procedures = ("PR1", {1: "1", 3: "90834", 7: "45"})
    content = message("DFT^P03", PID, PV1, ft1(1, f4="202608030900"), procedures, ft1(2, f4="202608031100"))
    first, second = records(said(generic, content), EncounterRecord)
    assert isinstance(first, EncounterRecord)
    assert isinstance(second, EncounterRecord)
    assert (datetime(2026, 8, 3, 14, 45, tzinfo=UTC), None) == (first.end_at, second.end_at)


def test_a_session_of_an_unknown_code_is_kept_and_listed(generic: SourceInterpreter) -> None:
    found = said(generic, message("DFT^P03", PID, PV1, ft1(1, f7="ZZZZ")))
    assert 1 == len(found.records)
    assert ["charge.session: the value map does not know this value"] == [each.message for each in found.problems]


def appointment(generic: SourceInterpreter, event: str, status: str = "Booked") -> list[FeedRecord]:
    schedule = ("SCH", {1: "P1", 2: "A55", 11: "^^60^202608030900^202608031000", 25: status})
    service = ("AIS", {1: "1", 3: "90853", 4: "20260803090000", 7: "60", 8: "MIN"})
    found = said(generic, message(event, schedule, PID, PV1, service))
    assert () == found.problems
    return records(found, EncounterRecord)


@pytest.mark.parametrize(
    ("event", "status", "became"),
    [
        ("SIU^S12", "Booked", AttendanceStatus.PLANNED),
        ("SIU^S13", "Booked", AttendanceStatus.PLANNED),
        ("SIU^S14", "Booked", AttendanceStatus.PLANNED),
        ("SIU^S14", "Noshow", AttendanceStatus.NO_SHOW),
        ("SIU^S15", "", AttendanceStatus.CANCELLED),
        ("SIU^S17", "", AttendanceStatus.ERROR),
        ("SIU^S26", "", AttendanceStatus.NO_SHOW),
    ],
)
def test_an_appointment_is_what_its_event_makes_of_it(
    generic: SourceInterpreter, event: str, status: str, became: AttendanceStatus
) -> None:
    (record,) = appointment(generic, event, status)
    assert isinstance(record, EncounterRecord)
    assert (became, "group-psychotherapy") == (record.status, record.session)
    assert (datetime(2026, 8, 3, 14, tzinfo=UTC), datetime(2026, 8, 3, 15, tzinfo=UTC)) == (
        record.start_at,
        record.end_at,
    )


def test_a_kept_appointment_is_left_to_its_charge_and_known_by_the_same_session(generic: SourceInterpreter) -> None:
    assert [] == appointment(generic, "SIU^S14", "Complete")
    (planned,) = appointment(generic, "SIU^S12")
    charged = one(said(generic, message("DFT^P03", PID, PV1, ft1(1))), EncounterRecord)
    assert {Identifier("generic-hl7-session", "V77/2026-08-03T14:00Z")} == set(planned.identifiers) & set(
        charged.identifiers
    )
