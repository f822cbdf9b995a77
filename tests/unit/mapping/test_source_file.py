# ruff: noqa: E501 - the tables hold one mistake a line
"""What can be wrong in a source's file, each found with its place when the set is read."""

import pytest

from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import read_mapping_set
from adapters.mapping.yaml_reader import Problems
from tests.unit.mapping.small_set import HL7_SOURCE, a_set

AT = "sources/oak-hl7.yaml"


def problems_of(source: str) -> list[str]:
    problems = Problems()
    read_mapping_set(a_set(sources=source), problems, [HL7_NOTATION, FHIR_NOTATION])
    return problems.lines()


def test_the_small_source_holds() -> None:
    assert [] == problems_of(HL7_SOURCE)


def with_field(text: str) -> str:
    return HL7_SOURCE + f"      {text}\n"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (with_field("sesion: FT1-7"), f"{AT}:22:15: an encounter has no field 'sesion'; did you mean 'session'?"),
        (with_field("attending: PV1-7"), f"{AT}:22:18: an encounter has no field 'attending'; fill its parts: attending.npi, "),
        (with_field("identifiers: PV1-7"), f"{AT}:22:20: an encounter has no field 'identifiers'; identifiers are given by 'identity'"),
        (with_field("program: PV1.10"), f"{AT}:22:16: is not a path of hl7: "),
        (with_field("program: {from: PV1-10, vale: x}"), f"{AT}:22:31: unknown key 'vale' in value; did you mean 'value'?"),
        (with_field("program: {from: PV1-10, first_of: [PV1-3]}"), f"{AT}:22:16: a value is given by exactly one of from, value, first_of, all_of, parts; found from and first_of"),
        (with_field("program: {codes: kinds}"), f"{AT}:22:16: a value is given by exactly one of from, value, first_of, all_of, parts; found none"),
        (with_field("program: {value: oak-iop}"), f"{AT}:22:16: a constant or a default needs its reason"),
        (with_field("program: {from: PV1-10, default: oak-iop}"), f"{AT}:22:16: a constant or a default needs its reason"),
        (with_field("program: {from: PV1-10, miss: ignore}"), f"{AT}:22:16: 'miss' belongs to a value map or a lookup"),
        (with_field("program: {from: PV1-10, codes: kinds, miss: default}"), f"{AT}:22:45: 'miss: default' needs the key 'default'"),
        (with_field("program: {from: PV1-10, codes: kind}"), f"{AT}:22:16: no value map 'kind' in this file; did you mean 'kinds'?"),
        (with_field("program: {from: PV1-10, codes: kinds, miss: drop}"), f"{AT}:22:51: 'drop' is not a word known here"),
        (with_field("modality: {value: inperson, reason: r}"), f"{AT}:22:17: 'inperson' does not fit 'modality': expected one of in-person, telehealth-home, telehealth-other; did you mean 'in-person'?"),
        (with_field("modality: {from: FT1-26, codes: {GT: remote}}"), f"{AT}:22:44: 'remote' does not fit 'modality': "),
        (with_field("note_signed: {from: FT1-9, codes: {S: signed}}"), f"{AT}:22:45: 'signed' does not fit 'note_signed': expected true or false"),
        (with_field("program: {all_of: [PV1-10, PV1-3]}"), f"{AT}:22:16: 'all_of' fills lists; 'program' takes one value: use 'first_of'"),
        (with_field("program: {from: PV1-10, when: kin == 'x'}"), f"{AT}:22:37: unknown name 'kin' in the condition; did you mean 'kind'?"),
        (with_field("episode: PV1-19.1"), f"{AT}:22:16: an identifier from one component needs its namespace"),
        (with_field("facility: {from: PV1-3.4, lookup: facility}"), f"{AT}:22:17: 'lookup' needs the namespace of the names it looks up"),
        (with_field("place_of_service: {from: FT1-9, minutes_after: begin}"), f"{AT}:22:25: 'minutes_after' names 'begin'"),
        (with_field("program: {first_of: []}"), f"{AT}:22:27: the list is empty"),
        (with_field("program: [PV1-10]"), f"{AT}:22:16: expected a mapping with"),
        (HL7_SOURCE.replace("source: oak-hl7", "source: oak"), f"{AT}:1:9: the source is called 'oak' and its file 'oak-hl7'"),
        (HL7_SOURCE.replace("DFT^P03", "Encounter"), f"{AT}:9:5: 'from' should name an HL7 event such as ADT^A01 in a hl7 source"),
        (HL7_SOURCE.replace("DFT^P03", "DFT_P03"), f"{AT}:11:11: 'DFT_P03' is not a FHIR resource type, an HL7 event such as"),
        (HL7_SOURCE.replace("record: encounter", "record: encuonter"), f"{AT}:10:13: 'encuonter' is not a word known here; did you mean 'encounter'?"),
        (HL7_SOURCE.replace("    identity: [{from: FT1-2, namespace: oak-charge}]\n", ""), f"{AT}:9:5: record 'charge' needs its 'identity'"),
        (HL7_SOURCE.replace('      patient: {from: "PID-3[5=MR].1", namespace: oak-mrn}\n', ""), f"{AT}:9:5: record 'charge' fills no 'patient', which every encounter has"),
        (HL7_SOURCE.replace("when: kind in ['CG', 'CR']", "when: kind"), f"{AT}:14:11: the condition does not work on a sample: the condition gives str"),
        (HL7_SOURCE.replace("values: {kind: FT1-6}", "values: {the-kind: FT1-6}"), f"{AT}:13:24: conditions cannot name 'the-kind'"),
        (HL7_SOURCE.replace("format: hl7", "format: hl8"), f"{AT}:2:9: 'hl8' is not a word known here; did you mean 'hl7'?"),
        (HL7_SOURCE + HL7_SOURCE[HL7_SOURCE.index("  - name: charge"):], f"{AT}:22:5: record 'charge' is already at {AT}:9"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_file_line_and_column(source: str, problem: str) -> None:
    found = problems_of(source)
    assert any(each.startswith(problem) for each in found), found


def test_a_fhir_path_is_judged_by_fhirs_own_reader() -> None:
    source = """\
source: oak-hl7
format: fhir
organization: oak
time_zone: America/Chicago
records:
  - name: session
    record: encounter
    from: Encounter
    fields:
      patient: "subject..reference"
"""
    (found,) = problems_of(source)
    assert found.startswith(f"{AT}:10:16: is not a path of fhir: ")
