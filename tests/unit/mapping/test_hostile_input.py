"""Whatever is in a file or a message, the engine answers with problems: it never falls over or repeats a value."""

import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import load_mapping_set, read_mapping_set
from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.explain import explain_message, explain_resource
from adapters.mapping.mapping_files import read_mapping_files
from adapters.mapping.yaml_reader import Problems, Table, read_yaml
from tests.unit.mapping.small_set import HL7_SOURCE, NOW, Arrived, a_set, message, resource

FILES = a_set(sources=HL7_SOURCE)
SHIPPED = load_mapping_set(read_mapping_files(shipped=True, overlay=None), [HL7_NOTATION, FHIR_NOTATION])
HL7 = SourceInterpreter(SHIPPED.source("generic-hl7"), HL7_NOTATION, {})
FHIR = SourceInterpreter(SHIPPED.source("generic-fhir"), FHIR_NOTATION, {})

MARK = "Zyxwvut"
"""Stands in every made-up value, so that a problem that repeats one is seen."""


@given(st.one_of(st.binary(max_size=300), st.text(alphabet="a:-[]{}'\"#|>&*!%@, \n", max_size=60).map(str.encode)))
def test_any_bytes_are_a_mapping_or_a_problem(content: bytes) -> None:
    problems = Problems()
    table = read_yaml("a.yaml", content, problems)
    assert isinstance(table, Table) or len(problems)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_set_is_read_or_refused_with_places(path: str, data: st.DataObject) -> None:
    text = FILES[path].decode()
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 30))
    inserted = data.draw(st.text(alphabet=":-[]{}'\"#|>&*!%@, \n\tabc019é", max_size=8))
    problems = Problems()
    read_mapping_set(FILES | {path: (text[:at] + inserted + text[at + length :]).encode()}, problems, [HL7_NOTATION])
    assert all(line.split(":")[1].isdigit() and line.split(":")[2].isdigit() for line in problems.lines())


words = st.one_of(
    st.text(alphabet=string.printable.replace("\r", "").replace("\n", "").replace("|", ""), max_size=12),
    st.sampled_from(["", '""', MARK, f"{MARK}^{MARK}", "20260803", "20260803090000", "CG", "CR", "1", "99999999999"]),
)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["ADT^A01", "ADT^A08", "ADT^A40", "DFT^P03", "SIU^S12", "SIU^S26"]),
    st.lists(
        st.tuples(
            st.sampled_from(["PID", "PV1", "IN1", "IN3", "FT1", "PR1", "DG1", "SCH", "AIS", "MRG", "ZZZ"]),
            st.dictionaries(st.integers(1, 50), words, min_size=1, max_size=20),
        ),
        max_size=6,
    ),
)
def test_any_message_gives_records_or_problems(event: str, segments: list[tuple[str, dict[int, str]]]) -> None:
    content = message(event, *segments)
    found = HL7.interpret_message(content, NOW)
    explain_message(HL7, content)
    assert not any(MARK in str(problem) for problem in found.problems)
    assert all(mapped.asserted_at.tzinfo for mapped in found.records)


leaves = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), words)
elements = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["reference", "identifier", "system", "value", "coding", "code", "family", "given", "start", "end"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(["Patient", "Encounter", "Coverage", "EpisodeOfCare", "Appointment", "Claim", "ClaimResponse"]),
    st.dictionaries(
        st.sampled_from(
            [
                *("identifier", "name", "status", "subject", "patient", "beneficiary", "period", "type", "birthDate"),
                *("use", "gender", "address", "payor", "subscriber", "order", "class", "diagnosis", "participant"),
                *("start", "item"),
            ]
        ),
        elements,
        max_size=8,
    ),
)
def test_any_resource_gives_records_or_problems(kind: str, body: dict[str, Any]) -> None:
    whole = resource(**(body | {"resourceType": kind, "id": "x"}))
    found = FHIR.interpret_resource(whole, Arrived())
    explain_resource(FHIR, whole, Arrived())
    assert not any(MARK in str(problem) for problem in found.problems)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 60), st.sampled_from(["", " [x, y]", " {a: b}", " zz", " -1"]))
def test_any_key_with_any_kind_of_value_is_a_mapping_or_a_problem(path: str, number: int, value: str) -> None:
    lines = FILES[path].decode().splitlines()
    at = number % len(lines)
    lines[at] = lines[at].partition(":")[0] + ":" + value
    problems = Problems()
    read_mapping_set({**FILES, path: "\n".join(lines).encode()}, problems, [HL7_NOTATION, FHIR_NOTATION])
    assert all(place.file in FILES for place, _ in problems.found())
