"""What the engine does with one entry at a time, over both notations."""

from datetime import UTC, date, datetime

import pytest

from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.engine import SourceInterpreter, facility_names
from gateway.claim.finding import Origin
from gateway.claim.party import Identifier, PersonName, Practitioner, Sex
from gateway.claim.record import (
    AttendanceStatus,
    AuthorizationRecord,
    EncounterRecord,
    LevelOfCare,
    Modality,
    PatientRecord,
)
from gateway.errors import ConfigurationError, FormatError
from gateway.ports import Interpretation, MappingProblem
from tests.unit.mapping.small_set import HL7_SOURCE, NOW, Arrived, a_set, message, resource

PID = ("PID", {3: "77^^^OAK^MR", 5: "Rivera^Ana", 7: "19800502", 8: "F"})


def interpreter(source: str) -> SourceInterpreter:
    loaded = load_mapping_set(a_set(sources=source), [HL7_NOTATION, FHIR_NOTATION])
    file = loaded.source("oak-hl7")
    notation = HL7_NOTATION if file.format == "hl7" else FHIR_NOTATION
    return SourceInterpreter(file, notation, facility_names(loaded.catalogue.facilities.values()))


def charge(number: int = 1, **fields: str) -> tuple[str, dict[int, str]]:
    given = {1: str(number), 2: f"T{number}", 4: "202608030900^202608031000", 6: "CG", 7: "GRP"}
    return "FT1", given | {int(name[1:]): value for name, value in fields.items()}


def of_charges(*charges: tuple[str, dict[int, str]], source: str = HL7_SOURCE, recorded: str = "") -> Interpretation:
    content = message("DFT^P03", PID, *charges, recorded=recorded)
    return interpreter(source).interpret_message(content, NOW)


def encounter(said: Interpretation) -> EncounterRecord:
    assert () == said.problems
    (mapped,) = said.records
    assert isinstance(mapped.record, EncounterRecord)
    return mapped.record


def with_field(text: str) -> str:
    return HL7_SOURCE + f"      {text}\n"


def test_each_group_becomes_one_record() -> None:
    said = of_charges(charge(1), charge(2, f4="202608031015^202608031115", f6="CR"))
    first, second = (mapped.record for mapped in said.records)
    assert () == said.problems
    assert first == EncounterRecord(
        identifiers=(Identifier("oak-charge", "T1"),),
        patient=Identifier("oak-mrn", "77"),
        session="group-psychotherapy",
        status=AttendanceStatus.ATTENDED,
        start_at=datetime(2026, 8, 3, 14, tzinfo=UTC),
        end_at=datetime(2026, 8, 3, 15, tzinfo=UTC),
    )
    assert isinstance(second, EncounterRecord)
    assert (AttendanceStatus.ERROR, Identifier("oak-charge", "T2")) == (second.status, second.identifiers[0])


def test_every_filled_field_knows_its_place_in_the_message_and_its_entry_in_the_file() -> None:
    said = of_charges(charge(1), charge(2))
    assert {
        "identifiers": Origin(source="FT1[2]-2", mapping="sources/oak-hl7.yaml:15"),
        "patient": Origin(source="PID-3.1", mapping="sources/oak-hl7.yaml:17"),
        "session": Origin(source="FT1[2]-7.1", mapping="sources/oak-hl7.yaml:18"),
        "status": Origin(source="FT1[2]-6", mapping="sources/oak-hl7.yaml:19"),
        "start_at": Origin(source="FT1[2]-4.1", mapping="sources/oak-hl7.yaml:20"),
        "end_at": Origin(source="FT1[2]-4.2", mapping="sources/oak-hl7.yaml:21"),
    } == said.records[1].origins


def test_a_condition_decides_which_groups_count() -> None:
    assert () == of_charges(charge(f6="PY")).records
    assert () == of_charges(charge(f6="PY")).problems


def test_an_event_no_entry_is_for_is_told_unless_the_file_passes_it_over() -> None:
    content = message("MDM^T02", PID)
    (problem,) = interpreter(HL7_SOURCE).interpret_message(content, NOW).problems
    assert ("MSH-9", "no record is made of MDM^T02", False) == (problem.place, problem.message, problem.fatal)
    passing = HL7_SOURCE.replace("records:", "passed_over: [MDM^*]\nrecords:", 1)
    assert Interpretation() == interpreter(passing).interpret_message(content, NOW)


def test_bytes_that_are_no_message_are_a_format_error() -> None:
    with pytest.raises(FormatError):
        interpreter(HL7_SOURCE).interpret_message(b"not a message", NOW)


def test_it_was_said_when_the_event_was_recorded_else_when_sent_else_when_received() -> None:
    assert (
        datetime(2026, 8, 3, 22, tzinfo=UTC) == of_charges(charge(), recorded="20260803170000").records[0].asserted_at
    )
    assert datetime(2026, 8, 3, 23, tzinfo=UTC) == of_charges(charge()).records[0].asserted_at
    unsent = message("DFT^P03", PID, charge(), sent="")
    assert NOW == interpreter(HL7_SOURCE).interpret_message(unsent, NOW).records[0].asserted_at


def test_a_word_the_map_does_not_know_costs_the_field_and_is_listed_without_being_repeated() -> None:
    said = of_charges(charge(f7="Rivera"))
    assert isinstance(said.records[0].record, EncounterRecord)
    assert "" == said.records[0].record.session
    assert "session" not in said.records[0].origins
    assert (
        MappingProblem(
            place="FT1-7.1",
            mapping="sources/oak-hl7.yaml:18",
            message="charge.session: the value map does not know this value",
            fix="Add the value to the map, or say what a miss becomes.",
            fatal=False,
        ),
    ) == said.problems


def test_a_miss_on_a_required_field_costs_the_record() -> None:
    source = HL7_SOURCE.replace("codes: kinds}", "codes: kinds, required: true}")
    said = of_charges(charge(f7="QQQ"), charge(2), source=source)
    assert 1 == len(said.records)
    assert [True] == [problem.fatal for problem in said.problems]


@pytest.mark.parametrize(
    ("miss", "session"),
    [
        ("miss: ignore", ""),
        ("miss: default, default: meal, reason: nothing else is coded", "meal"),
    ],
)
def test_the_file_says_what_a_miss_becomes(miss: str, session: str) -> None:
    source = HL7_SOURCE.replace("codes: kinds}", f"codes: kinds, {miss}}}")
    assert session == encounter(of_charges(charge(f7="QQQ"), source=source)).session


def test_a_word_that_is_kept_is_listed_too() -> None:
    said = of_charges(charge(f7="QQQ"), source=HL7_SOURCE.replace("codes: kinds}", "codes: kinds, miss: keep}"))
    assert isinstance(said.records[0].record, EncounterRecord)
    assert "QQQ" == said.records[0].record.session
    assert ["FT1-7.1"] == [problem.place for problem in said.problems]


@pytest.mark.parametrize("miss", ["", ", miss: keep"])
def test_the_first_repetition_the_map_knows_is_taken(miss: str) -> None:
    source = HL7_SOURCE.replace("FT1-7.1", "FT1-26.1").replace("codes: kinds}", f"codes: kinds{miss}}}")
    assert "group-psychotherapy" == encounter(of_charges(charge(f26="QQQ~GRP"), source=source)).session


def test_a_record_without_an_identifier_is_not_made() -> None:
    said = of_charges(charge(f2=""))
    assert () == said.records
    assert ["sources/oak-hl7.yaml:15"] == [problem.mapping for problem in said.problems]
    assert said.problems[0].fatal
    assert "charge.identity: FT1-2 gives no identifier in a known namespace" in said.problems[0].message


def test_a_record_without_its_patient_is_not_made() -> None:
    content = message("DFT^P03", ("PID", {3: "77^^^OAK^PI"}), charge())
    said = interpreter(HL7_SOURCE).interpret_message(content, NOW)
    assert () == said.records
    assert "charge.patient: PID-3[5=MR].1 gives nothing, and every encounter needs it" == said.problems[0].message


def test_an_end_before_its_start_is_kept_as_it_was_said_and_listed() -> None:
    said = of_charges(charge(f4="202608031000^202608030900"))
    assert isinstance(said.records[0].record, EncounterRecord)
    assert said.records[0].record.end_at == datetime(2026, 8, 3, 14, tzinfo=UTC)
    assert "FT1-4.2" == said.records[0].origins["end_at"].source
    assert [("FT1-4.2", False)] == [(problem.place, problem.fatal) for problem in said.problems]


def test_an_ambiguous_time_is_used_and_said_to_be_ambiguous() -> None:
    said = of_charges(charge(f4="202611010130^202611010300"))
    assert isinstance(said.records[0].record, EncounterRecord)
    assert datetime(2026, 11, 1, 6, 30, tzinfo=UTC) == said.records[0].record.start_at
    assert "twice" in said.problems[0].message
    assert not said.problems[0].fatal


def test_the_first_alternative_that_gives_something_is_taken() -> None:
    source = HL7_SOURCE.replace(
        "end_at: FT1-4.2", "end_at: {first_of: [FT1-4.2, {from: PR1-7, minutes_after: start_at}]}"
    )
    by_length = of_charges(charge(f4="202608030900"), ("PR1", {1: "1", 7: "45"}), source=source)
    assert datetime(2026, 8, 3, 14, 45, tzinfo=UTC) == encounter(by_length).end_at
    assert "PR1-7" == by_length.records[0].origins["end_at"].source
    assert datetime(2026, 8, 3, 15, tzinfo=UTC) == encounter(of_charges(charge(), source=source)).end_at


def test_minutes_after_a_field_wait_for_it_wherever_it_stands_in_the_file() -> None:
    source = HL7_SOURCE.replace("      start_at: FT1-4.1\n      end_at: FT1-4.2\n", "") + (
        "      end_at: {from: FT1-10, minutes_after: start_at}\n      start_at: FT1-4.1\n"
    )
    assert datetime(2026, 8, 3, 14, 50, tzinfo=UTC) == encounter(of_charges(charge(f10="50"), source=source)).end_at


def test_lists_hold_everything_once_in_the_order_of_the_file() -> None:
    source = with_field('diagnoses: {all_of: ["DG1[15=1]-3.1", DG1-3.1]}')
    diagnoses = (("DG1", {1: "1", 3: "f41.1"}), ("DG1", {1: "2", 3: "F33.1", 15: "1"}))
    content = message("DFT^P03", PID, charge(), *diagnoses)
    assert ("F331", "F411") == encounter(interpreter(source).interpret_message(content, NOW)).diagnoses


def test_nested_parts_become_one_person() -> None:
    source = HL7_SOURCE + (
        "      attending.npi: PV1-7.1\n      attending.name.family: PV1-7.2\n      attending.name.given: PV1-7.3\n"
    )
    content = message("DFT^P03", PID, ("PV1", {7: "1234567893^Lee^Sam"}), charge())
    made = encounter(interpreter(source).interpret_message(content, NOW))
    assert Practitioner(npi="1234567893", name=PersonName(family="Lee", given="Sam")) == made.attending


def test_a_nested_value_without_a_part_it_needs_is_left_out_and_listed() -> None:
    source = (
        HL7_SOURCE
        + "      attending.npi: PV1-7.1\n      attending.name.family: PV1-7.2\n      attending.name.given: PV1-7.3\n"
    )
    content = message("DFT^P03", PID, ("PV1", {7: "1234567893^^Sam"}), charge())
    said = interpreter(source).interpret_message(content, NOW)
    assert isinstance(said.records[0].record, EncounterRecord)
    assert Practitioner(npi="1234567893") == said.records[0].record.attending
    assert ["charge.attending.name: left out, because its family is missing"] == [
        each.message for each in said.problems
    ]


def test_a_constant_and_a_default_say_why_in_their_origin() -> None:
    source = with_field("modality: {value: in-person, reason: no telehealth here}")
    said = of_charges(charge(), source=source)
    assert Modality.IN_PERSON is encounter(said).modality
    assert "(constant: no telehealth here)" == said.records[0].origins["modality"].source
    source = with_field("note_signed: {from: FT1-9, default: false, reason: sent only once signed}")
    told = (charge(), charge(f9="Y"))
    assert [False, True] == [encounter(of_charges(each, source=source)).note_signed for each in told]


def test_a_default_never_hides_a_value_that_was_not_understood() -> None:
    source = with_field("note_signed: {from: FT1-9, default: false, reason: sent only once signed}")
    said = of_charges(charge(f9="signed"), source=source)
    assert isinstance(said.records[0].record, EncounterRecord)
    assert said.records[0].record.note_signed is None
    assert 1 == len(said.problems)


def test_a_field_may_have_its_own_condition() -> None:
    source = with_field("program: {from: FT1-13, when: kind == 'CR'}")
    assert "" == encounter(of_charges(charge(f13="oak-iop"), source=source)).program
    assert "oak-iop" == encounter(of_charges(charge(f13="oak-iop", f6="CR"), source=source)).program


def test_a_condition_that_cannot_be_decided_costs_the_record_and_says_so() -> None:
    source = HL7_SOURCE.replace("when: kind in ['CG', 'CR']", "when: kind == '' || int(kind) > 3")
    said = of_charges(charge(), source=source)
    assert () == said.records
    assert "charge.when: sources/oak-hl7.yaml:14:11: the condition fails with" in said.problems[0].message


def test_a_facility_is_found_by_the_name_a_feed_uses() -> None:
    source = with_field("facility: {from: FT1-16.4, namespace: oak-location, lookup: facility}")
    assert "oak-main" == encounter(of_charges(charge(f16="^^^MAIN"), source=source)).facility
    said = of_charges(charge(f16="^^^ATTIC"), source=source)
    assert ["charge.facility: no facility has this name in 'oak-location'"] == [each.message for each in said.problems]


def test_identifiers_go_through_the_namespaces_by_authority_or_universal_id() -> None:
    source = HL7_SOURCE.replace('{from: "PID-3[5=MR].1", namespace: oak-mrn}', "PID-3")
    cases = {
        "77^^^OAK^MR": Identifier("oak-mrn", "77"),
        "5^^^UNKNOWN^PI~77^^^OAK^MR": Identifier("oak-mrn", "77"),
        "88^^^&1.2.3.4&ISO": Identifier("oak-universal", "88"),
        "99": Identifier("oak-plain", "99"),
    }
    for field, identifier in cases.items():
        content = message("DFT^P03", ("PID", {3: field}), charge())
        assert identifier == encounter(interpreter(source).interpret_message(content, NOW)).patient
    stranger = message("DFT^P03", ("PID", {3: "5^^^UNKNOWN^PI"}), charge())
    assert () == interpreter(source).interpret_message(stranger, NOW).records


def test_parts_make_one_identifier_only_when_all_are_there() -> None:
    identity = "[{parts: [PID-3.1, {from: FT1-4.1, convert: minute}], namespace: oak-session}]"
    source = HL7_SOURCE.replace("[{from: FT1-2, namespace: oak-charge}]", identity)
    made = encounter(of_charges(charge(f4="20260803090059-0500^202608031000"), source=source))
    assert (Identifier("oak-session", "77/2026-08-03T14:00Z"),) == made.identifiers
    day_alone = of_charges(charge(f4="20260803"), source=source)
    assert () == day_alone.records
    assert "charge.identity: expected a time of day, found a day alone" == day_alone.problems[0].message


def test_a_day_alone_is_a_start_only_where_the_entry_says_so() -> None:
    lost = of_charges(charge(f4="20260803"))
    assert isinstance(lost.records[0].record, EncounterRecord)
    assert lost.records[0].record.start_at is None
    source = HL7_SOURCE.replace("start_at: FT1-4.1", "start_at: {from: FT1-4.1, convert: start-of-day}")
    assert datetime(2026, 8, 3, 5, tzinfo=UTC) == encounter(of_charges(charge(f4="20260803"), source=source)).start_at


def test_values_are_converted_before_they_are_mapped() -> None:
    source = (
        with_field("authorization_number: {from: FT1-9, convert: digits}")
        + "      program: {from: FT1-13, convert: lower}\n"
    )
    made = encounter(of_charges(charge(f9="AUTH-12 34", f13="OAK-IOP"), source=source))
    assert ("1234", "oak-iop") == (made.authorization_number, made.program)


def test_z_segments_are_read_like_any_other() -> None:
    source = with_field("level_of_care: {from: ZPH-2, codes: {'2.1': IOP}}")
    content = message("DFT^P03", PID, ("ZPH", {2: "2.1"}), charge())
    assert LevelOfCare.IOP is encounter(interpreter(source).interpret_message(content, NOW)).level_of_care


FHIR_SOURCE = """\
source: oak-hl7
format: fhir
organization: oak
time_zone: America/Chicago
namespaces: {urn:oak:mrn: oak-mrn}
values: {status: status}
records:
  - name: patient
    record: patient
    from: Patient
    identity: [identifier]
    fields: {name.family: name.family, birth_on: birthDate, sex: {from: gender, codes: {female: F, male: M}}}
  - name: session
    record: encounter
    from: Encounter
    values: {kinds: {all: type.coding.code}}
    when: kinds.exists(kind, kind == 'GRP') && status != 'entered-in-error'
    fields:
      patient: subject
      episode: {first_of: ["episodeOfCare[0]", partOf]}
      status: {from: status, codes: {finished: attended}}
      start_at: period.start
      end_at: period.end
      note_signed: "extension.where(url='urn:signed').valueBoolean"
      diagnoses: diagnosis.condition.resolve().code.coding.code
"""
ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "finished",
    "type": [{"coding": [{"code": "OTHER"}, {"code": "GRP"}]}],
    "subject": {"reference": "Patient/p1"},
    "partOf": {"reference": "https://ehr.example/fhir/Encounter/stay/_history/2"},
    "period": {"start": "2026-08-03T09:00:00-05:00", "end": "2026-08-03T10:00:00-05:00"},
    "extension": [{"url": "urn:signed", "valueBoolean": False}],
    "diagnosis": [{"condition": {"reference": "Condition/c1"}}, {"condition": {"reference": "Condition/c2"}}],
}
CONDITION = {"resourceType": "Condition", "id": "c1", "code": {"coding": [{"code": "F33.1"}]}}


def test_a_resource_is_known_by_its_type_and_id_and_references_by_theirs() -> None:
    said = interpreter(FHIR_SOURCE).interpret_resource(resource(**ENCOUNTER), Arrived(CONDITION))
    made = encounter(said)
    assert (Identifier("oak-hl7", "Encounter/e1"),) == made.identifiers
    assert Identifier("oak-hl7", "Patient/p1") == made.patient
    assert Identifier("oak-hl7", "Encounter/stay") == made.episode
    assert False is made.note_signed
    assert NOW == said.records[0].asserted_at
    assert Origin(source="Encounter.id", mapping="sources/oak-hl7.yaml:13") == said.records[0].origins["identifiers"]
    assert "Encounter.period.start" == said.records[0].origins["start_at"].source


def test_what_a_mapping_followed_is_told_and_what_of_it_has_not_arrived() -> None:
    said = interpreter(FHIR_SOURCE).interpret_resource(resource(**ENCOUNTER), Arrived(CONDITION))
    assert ("F331",) == encounter(said).diagnoses
    assert ("Condition/c1", "Condition/c2") == said.references
    assert ("Condition/c2",) == said.missing


def test_conditions_may_ask_of_all_values_at_a_path() -> None:
    other = ENCOUNTER | {"type": [{"coding": [{"code": "OTHER"}]}]}
    assert () == interpreter(FHIR_SOURCE).interpret_resource(resource(**other), Arrived()).records


def test_a_resource_no_entry_is_for_says_nothing() -> None:
    said = interpreter(FHIR_SOURCE).interpret_resource(resource(resourceType="Group", id="g"), Arrived())
    assert Interpretation() == said


def test_business_identifiers_join_the_resources_own() -> None:
    body = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "urn:oak:mrn", "value": "77"}, {"system": "urn:other", "value": "5"}],
        "name": [{"family": "Rivera"}],
        "birthDate": "1980-05-02",
        "gender": "female",
    }
    (mapped,) = interpreter(FHIR_SOURCE).interpret_resource(resource(**body), Arrived()).records
    assert mapped.record == PatientRecord(
        identifiers=(Identifier("oak-hl7", "Patient/p1"), Identifier("oak-mrn", "77")),
        name=PersonName(family="Rivera"),
        birth_on=date(1980, 5, 2),
        sex=Sex.FEMALE,
    )


def test_a_reference_by_identifier_alone_goes_through_the_namespaces() -> None:
    body = ENCOUNTER | {"subject": {"identifier": {"system": "urn:oak:mrn", "value": "77"}}}
    said = interpreter(FHIR_SOURCE).interpret_resource(resource(**body), Arrived(CONDITION))
    assert Identifier("oak-mrn", "77") == encounter(said).patient


def test_a_path_to_a_whole_element_is_a_problem_and_not_its_text() -> None:
    source = FHIR_SOURCE.replace("code.coding.code", "code")
    said = interpreter(source).interpret_resource(resource(**ENCOUNTER), Arrived(CONDITION))
    assert ["session.diagnoses: a whole element stands here, not a value"] == [each.message for each in said.problems]


def test_no_problem_repeats_a_value_of_the_message() -> None:
    fields = {4: "Rivera", 6: "CG", 7: "Rivera", 9: "Rivera", 2: "T1"}
    source = HL7_SOURCE + "      note_signed: FT1-9\n      modality: FT1-9\n      level_of_care: FT1-9\n"
    said = interpreter(source).interpret_message(message("DFT^P03", PID, ("FT1", fields)), NOW)
    assert len(said.problems) >= 5
    assert not any("Rivera" in str(problem) for problem in said.problems)


def test_a_resource_may_give_a_record_for_each_of_its_groups() -> None:
    source = FHIR_SOURCE + (
        "  - name: line\n    record: authorization\n    from: Claim\n    each: item\n"
        "    identity: [{parts: [Claim.id, sequence], namespace: oak-line}]\n"
        "    fields: {patient: Claim.patient, units: quantity.value, service_codes: productOrService.coding.code}\n"
    )
    body = {
        "resourceType": "Claim",
        "id": "c9",
        "patient": {"reference": "Patient/p1"},
        "item": [
            {"sequence": 1, "quantity": {"value": 10.0}, "productOrService": {"coding": [{"code": "S9480"}]}},
            {"sequence": 2, "quantity": {"value": 2}, "productOrService": {"coding": [{"code": "90853"}]}},
        ],
    }
    said = interpreter(source).interpret_resource(resource(**body), Arrived())
    assert () == said.problems
    assert [
        AuthorizationRecord(
            identifiers=(Identifier("oak-line", f"c9/{number}"),),
            patient=Identifier("oak-hl7", "Patient/p1"),
            units=units,
            service_codes=(code,),
        )
        for number, units, code in ((1, 10, "S9480"), (2, 2, "90853"))
    ] == [mapped.record for mapped in said.records]
    assert "Claim.item[1].quantity.value" == said.records[1].origins["units"].source


def test_a_message_in_another_character_set_is_read_by_the_one_the_file_names() -> None:
    source = HL7_SOURCE.replace("time_zone:", "character_set: ISO-8859-1\ntime_zone:") + "      program: FT1-13\n"
    content = message("DFT^P03", PID, charge(f13="Peña")).decode().encode("latin-1")
    assert "Peña" == encounter(interpreter(source).interpret_message(content, NOW)).program
    with pytest.raises(FormatError):
        interpreter(HL7_SOURCE).interpret_message(content, NOW)


def test_conditions_may_ask_for_the_event_its_type_and_its_trigger() -> None:
    when = "when: event == 'DFT^P03' && type == 'DFT' && trigger == 'P03' && kind == 'CG'"
    source = HL7_SOURCE.replace("when: kind in ['CG', 'CR']", when)
    assert 1 == len(of_charges(charge(), source=source).records)
    source = HL7_SOURCE.replace("from: DFT^P03", "from: [DFT^*]").replace("when: kind in ['CG', 'CR']", when)
    assert 1 == len(of_charges(charge(), source=source).records)


def test_an_entry_may_hold_for_the_days_the_sender_speaks_its_way() -> None:
    until = HL7_SOURCE.replace("    each: FT1", "    until: 2026-08-02\n    each: FT1")
    since = HL7_SOURCE.replace("    each: FT1", "    since: 2026-08-03\n    each: FT1")
    assert () == of_charges(charge(), source=until).records
    assert 1 == len(of_charges(charge(), source=since).records)
    late_on_the_last_day = of_charges(charge(), source=until, recorded="20260803035959+0000")
    assert 1 == len(late_on_the_last_day.records)


def test_what_an_entry_says_of_its_alternatives_holds_for_each_of_them() -> None:
    source = HL7_SOURCE.replace("end_at: FT1-4.2", "end_at: {first_of: [PR1-7, FT1-10], minutes_after: start_at}")
    by_quantity = of_charges(charge(f10="50"), source=source)
    assert datetime(2026, 8, 3, 14, 50, tzinfo=UTC) == encounter(by_quantity).end_at
    source = HL7_SOURCE.replace("{from: FT1-7.1, codes: kinds}", "{first_of: [FT1-25.1, FT1-7.1], codes: kinds}")
    assert "meal" == encounter(of_charges(charge(f25="MEAL"), source=source)).session


def test_a_message_that_names_its_trigger_in_evn_alone_is_taken_all_the_same() -> None:
    content = message("DFT", ("EVN", {1: "P03"}), PID, charge())
    assert 1 == len(interpreter(HL7_SOURCE).interpret_message(content, NOW).records)


def test_a_field_that_should_stand_and_does_not_exist_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'stands' names 'diagnosis', which an encounter has not.*diagnoses"):
        interpreter(HL7_SOURCE.replace("    each: FT1\n", "    each: FT1\n    stands: [diagnosis]\n"))
