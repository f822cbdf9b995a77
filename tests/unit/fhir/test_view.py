"""Paths into FHIR resources: values, positions, references followed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhirpathpy import evaluate
from fhirpathpy.models import models
from hypothesis import given
from hypothesis import strategies as st

from adapters.fhir.paths import PathError
from adapters.fhir.view import FHIR_NOTATION, FhirView
from adapters.mapping.view import Notation, ResourceView
from gateway.ports import Resource

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter",
    "id": "e1",
    "identifier": [{"system": "https://x/visit", "value": "V1"}, {"system": "https://x/other", "value": "O1"}],
    "status": "finished",
    "class": {"code": "AMB"},
    "type": [{"coding": [{"system": "https://x/loc", "code": "IOP"}, {"system": "https://x/kind", "code": "GRP"}]}],
    "subject": {"reference": "Patient/p1"},
    "contained": [{"resourceType": "Location", "id": "home", "name": "room"}],
    "location": [{"location": {"reference": "#home"}}],
    "participant": [
        {"type": [{"coding": [{"code": "PPRF"}]}], "individual": {"reference": "Practitioner/d2"}},
        {
            "type": [{"coding": [{"code": "ATND"}]}, {"coding": [{"code": "ADM"}]}],
            "individual": {"reference": "https://x/fhir/Practitioner/d1/_history/4"},
        },
    ],
    "diagnosis": [
        {"condition": {"reference": "Condition/c2"}, "rank": 2},
        {"condition": {"reference": "Condition/c1"}, "rank": 1},
    ],
    "period": {"start": "2026-08-03T09:00:00-05:00"},
    "length": {"value": Decimal("185.50"), "unit": "min"},
    "extension": [
        {"url": "https://x/signed", "valueBoolean": False},
        {"url": "https://x/span", "valuePeriod": {"start": "2026-08-03"}},
    ],
}
OTHERS: dict[str, dict[str, Any]] = {
    "Patient/p1": {
        "resourceType": "Patient",
        "name": [{"use": "old", "family": "A"}, {"use": "official", "family": "B", "given": ["C", "D"]}],
        "managingOrganization": {"reference": "Organization/o1"},
    },
    "Practitioner/d1": {"resourceType": "Practitioner", "identifier": [{"system": "npi", "value": "1"}]},
    "Condition/c1": {"resourceType": "Condition", "code": {"coding": [{"system": ICD, "code": "F33.1"}]}},
    "Condition/c2": {"resourceType": "Condition", "code": {"coding": [{"system": ICD, "code": "F10.20"}]}},
    "Organization/o1": {"resourceType": "Organization", "name": "Riverbend"},
}
CLAIM: dict[str, Any] = {
    "resourceType": "Claim",
    "id": "k1",
    "use": "claim",
    "item": [
        {"sequence": 1, "productOrService": {"coding": [{"code": "S9480"}]}, "servicedDate": "2026-08-03"},
        {"sequence": 2, "productOrService": {"coding": [{"code": "H0015"}]}},
    ],
}


def resource(body: Mapping[str, Any]) -> Resource:
    at = datetime(2026, 8, 3, tzinfo=UTC)
    return Resource(type=body["resourceType"], id=body.get("id", "x"), version=1, updated_at=at, body=body)


class Finder:
    """Answers ``Type/id``, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, reference: str) -> Resource | None:
        self.asked.append(reference)
        return resource(OTHERS[reference]) if reference in OTHERS else None


def view(body: Mapping[str, Any] = ENCOUNTER) -> FhirView:
    return FhirView(resource(body), Finder())


def read(path: str, body: Mapping[str, Any] = ENCOUNTER) -> list[tuple[Any, str]]:
    return FhirView.compile(path)(view(body))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("status", [("finished", "Encounter.status")]),
        ("Encounter.status", [("finished", "Encounter.status")]),
        ("Patient.status", []),
        ("nothing.at.all", []),
        ("status.code", []),
        ("class.code", [("AMB", "Encounter.class.code")]),
        ("subject", [({"reference": "Patient/p1"}, "Encounter.subject")]),
        ("length.value", [(Decimal("185.50"), "Encounter.length.value")]),
        ("identifier.value", [("V1", "Encounter.identifier[0].value"), ("O1", "Encounter.identifier[1].value")]),
        ("identifier[1].value", [("O1", "Encounter.identifier[1].value")]),
        ("identifier[7].value", []),
        ("identifier.first().value", [("V1", "Encounter.identifier[0].value")]),
        ("identifier.last().value", [("O1", "Encounter.identifier[1].value")]),
        ("identifier.where(system='https://x/other').value", [("O1", "Encounter.identifier[1].value")]),
        ("identifier.where(system = 'https://x/other' and value='O2').value", []),
        ("type.coding.where(system='https://x/kind').code", [("GRP", "Encounter.type[0].coding[1].code")]),
        ("diagnosis.where(rank=1).condition", [({"reference": "Condition/c1"}, "Encounter.diagnosis[1].condition")]),
        ("diagnosis.where(rank=1.0).rank", [(1, "Encounter.diagnosis[1].rank")]),
        ("extension('https://x/signed').value", [(False, "Encounter.extension[0].valueBoolean")]),
        ("extension.where(valueBoolean=false).url", [("https://x/signed", "Encounter.extension[0].url")]),
        ("extension('https://x/span').value.start", [("2026-08-03", "Encounter.extension[1].valuePeriod.start")]),
        ("extension.value.ofType(boolean)", [(False, "Encounter.extension[0].valueBoolean")]),
        ("period.end | period.start", [("2026-08-03T09:00:00-05:00", "Encounter.period.start")]),
        ("`class`.code", [("AMB", "Encounter.class.code")]),
    ],
)  # fmt: skip
def test_a_path_gives_values_with_their_places(path: str, expected: list[tuple[Any, str]]) -> None:
    assert expected == read(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "subject.resolve().name.where(use='official').given[1]",
            [("D", "Encounter.subject -> Patient.name[1].given[1]")],
        ),
        (
            "participant.where(type.coding.code='ATND').individual.resolve().identifier.value",
            [("1", "Encounter.participant[1].individual -> Practitioner.identifier[0].value")],
        ),
        (
            "diagnosis.where(rank=1).condition.resolve().code.coding.code",
            [("F33.1", "Encounter.diagnosis[1].condition -> Condition.code.coding[0].code")],
        ),
        (
            "subject.resolve().managingOrganization.resolve().name",
            [("Riverbend", "Encounter.subject -> Patient.managingOrganization -> Organization.name")],
        ),
        ("subject.resolve().ofType(Practitioner).name", []),
        ("location.location.resolve().name", [("room", "Encounter.location[0].location -> Location.name")]),
        ("subject.reference.resolve().name.family", [
            ("A", "Encounter.subject.reference -> Patient.name[0].family"),
            ("B", "Encounter.subject.reference -> Patient.name[1].family"),
        ]),
    ],
)  # fmt: skip
def test_references_are_followed(path: str, expected: list[tuple[Any, str]]) -> None:
    assert expected == read(path)


def test_what_was_followed_is_remembered_with_what_was_missing_and_asked_for_once() -> None:
    finder = Finder()
    seen = FhirView(resource(ENCOUNTER), finder)
    for path in ("participant.individual.resolve().name.family", "participant.individual.resolve().identifier.value"):
        FhirView.compile(path)(seen)
    FhirView.compile("subject.resolve().birthDate")(seen)
    assert ["Practitioner/d2", "Practitioner/d1", "Patient/p1"] == list(seen.references) == finder.asked
    assert ["Practitioner/d2"] == list(seen.missing)


def test_a_reference_by_identifier_alone_is_asked_for_by_it() -> None:
    named = {"type": "Patient", "identifier": {"system": "https://x/mrn", "value": "M|1"}}
    asked: list[str] = []

    def find(reference: str) -> Resource | None:
        asked.append(reference)
        return resource(OTHERS["Patient/p1"]) if reference == "Patient?identifier=https://x/mrn|M|1" else None

    seen = FhirView(resource({**ENCOUNTER, "subject": named}), find)
    assert [("B", "Encounter.subject -> Patient.name[1].family")] == FhirView.compile(
        "subject.resolve().name.where(use='official').family"
    )(seen)
    assert ["Patient?identifier=https://x/mrn|M|1"] == asked == list(seen.references)
    assert [] == list(seen.missing)
    for unnamed in ({"identifier": named["identifier"]}, {"type": "Patient"}, {"type": "Patient", "identifier": {}}):
        assert [] == FhirView.compile("subject.resolve().name")(
            FhirView(resource({**ENCOUNTER, "subject": unnamed}), find)
        )


def test_a_group_is_read_first_then_the_resource_around_it() -> None:
    whole = view(CLAIM)
    first, second = whole.groups("item")
    assert ("Claim", "Claim.item[0]", "Claim.item[1]") == (whole.position, first.position, second.position)
    code, day, use = (FhirView.compile(path) for path in ("productOrService.coding.code", "serviced", "use"))
    assert [("H0015", "Claim.item[1].productOrService.coding[0].code")] == code(second)
    assert ([("2026-08-03", "Claim.item[0].servicedDate")], []) == (day(first), day(second))
    assert [("claim", "Claim.use")] == use(second)
    assert [(1, "Claim.item[0].sequence"), (2, "Claim.item[1].sequence")] == FhirView.compile("Claim.item.sequence")(
        second
    )
    (inner,) = second.groups("productOrService")
    assert [("H0015", "Claim.item[1].productOrService.coding[0].code")] == FhirView.compile("coding.code")(inner)


def test_groups_share_what_was_followed_with_the_whole() -> None:
    whole = view()
    for group in whole.groups("diagnosis"):
        FhirView.compile("condition.resolve().code.coding.code")(group)
    assert ["Condition/c2", "Condition/c1"] == list(whole.references)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("diagnosis.count()", [2]),
        ("period.start.substring(0, 10)", ["2026-08-03"]),
        ("diagnosis.where(rank > 1).condition.reference", ["Condition/c2"]),
        ("iif(status = 'finished', 'yes', 'no')", ["yes"]),
        ("participant.where(type.coding.exists(code = 'ATND')).individual.resolve().identifier.value", ["1"]),
        ("length.ofType(Quantity).unit", []),
        ("identifier.select(system & '|' & value)", ["https://x/visit|V1", "https://x/other|O1"]),
        ("extension.where(url.endsWith('signed')).value", [False]),
        ("status.substring('x')", []),
    ],
)
def test_the_rest_of_fhirpath_is_there_with_the_expression_as_its_place(path: str, values: list[Any]) -> None:
    before = copy.deepcopy(ENCOUNTER)
    found = read(path)
    assert values == [value for value, _ in found]
    assert {position for _, position in found} <= {f"Encounter ({path})"}
    assert before == ENCOUNTER, "reading changes nothing"


def test_two_threads_follow_their_own_references() -> None:
    compiled = FhirView.compile("subject.resolve().name.family.first().upper()")
    bodies = [{**ENCOUNTER, "subject": {"reference": f"Patient/{number}"}} for number in range(40)]

    def find(reference: str) -> Resource:
        return resource({"resourceType": "Patient", "name": [{"family": f"n{reference.rpartition('/')[2]}"}]})

    def family(body: dict[str, Any]) -> str:
        return str(compiled(FhirView(resource(body), find))[0][0])

    with ThreadPoolExecutor(4) as pool:
        assert [f"N{number}" for number in range(40)] == list(pool.map(family, bodies))


@pytest.mark.parametrize(
    "path",
    [
        *("", "   ", "a..b", "a.b(", "where(", "'x", "a b", "a.where(b='x'", "a[", "a.b)", "!"),
        *("a.whre(b='x')", "a.select(b.unheard())", "today()", "a.trace('t')"),
    ],
)
def test_what_is_no_path_is_refused_when_it_is_compiled(path: str) -> None:
    with pytest.raises(PathError):
        FhirView.compile(path)


PLAIN_PATHS = [
    "status",
    "Encounter.identifier.value",
    "identifier[1].system",
    "identifier.where(system='https://x/visit').value",
    "type.coding.code",
    "type.coding.where(code='GRP').system",
    "diagnosis.where(rank=2).condition.reference",
    "extension.value",
    "extension.where(url='https://x/signed').value",
    "extension('https://x/span').value.start",
    "extension.value.ofType(boolean)",
    "period.start | length.unit",
    "participant.individual.reference",
    "location.first().location.reference",
    "length.value",
    "contained.name",
]


@given(st.sampled_from(PLAIN_PATHS), st.sets(st.sampled_from(sorted(set(ENCOUNTER) - {"resourceType"})), max_size=4))
def test_plain_paths_find_what_fhirpathpy_finds(path: str, left_out: set[str]) -> None:
    body = {name: value for name, value in ENCOUNTER.items() if name not in left_out}
    expected = evaluate(copy.deepcopy(body), path, {}, models["r4"])
    assert [str(each) for each in expected] == [str(value) for value, _ in read(path, body)]


def test_the_notation_is_what_the_mapping_engine_asks_for() -> None:
    notation: Notation = FHIR_NOTATION
    assert notation.open_resource is not None
    opened: ResourceView = notation.open_resource(resource(ENCOUNTER), Finder())
    assert [("finished", "Encounter.status")] == notation.compile("status")(opened)


@pytest.mark.parametrize("word", ["entered-in-error", "refuted"])
def test_a_reference_to_what_was_an_error_leads_nowhere(word: str) -> None:
    wrong = OTHERS["Condition/c1"] | {"verificationStatus": {"coding": [{"code": word}]}}
    seen = FhirView(resource(ENCOUNTER), lambda _: resource(wrong))
    assert [] == FhirView.compile("diagnosis.where(rank=1).condition.resolve().code.coding.code")(seen)
