from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.fhir.paths import CHOICE_STEMS
from adapters.fhir.shapes import resource_shape
from adapters.fhir.strict_json import read_json
from adapters.fhir.submission import SUPPORTED_TYPES
from adapters.fhir.validation import check_resource
from adapters.fhir.versions import ELEMENTS_ELSEWHERE
from tests.unit.fhir.samples import FAMILY_NAME, as_bytes, coverage, encounter, patient, visit_bundle

CLAIM = {
    "resourceType": "Claim",
    "status": "active",
    "type": {"text": "institutional"},
    "use": "claim",
    "patient": {"reference": "Patient/p1"},
    "created": "2026-08-03",
    "provider": {"display": "Riverbend"},
    "priority": {"text": "normal"},
    "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/c1"}}],
    "item": [
        {
            "sequence": 1,
            "productOrService": {"coding": [{"code": "S9480"}]},
            "servicedDate": "2026-08-03",
            "net": {"value": 350.5, "currency": "USD"},
        }
    ],
}


def found(body: Any) -> list[tuple[str, str]]:
    return [(issue.detail, issue.expression) for issue in check_resource(read_json(as_bytes(body)))]


@pytest.mark.parametrize("body", [patient(), coverage(), encounter(), visit_bundle()])
def test_a_valid_resource_has_no_issue(body: dict[str, Any]) -> None:
    assert [] == found(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (encounter(status="bogus"), ("code-not-in-value-set", "Encounter.status")),
        (encounter(status=None), ("element-missing", "Encounter.status")),
        (encounter(status=None, class_=None), ("element-missing", "Encounter.class")),
        (patient(gender="zzz"), ("code-not-in-value-set", "Patient.gender")),
        (coverage(status="on"), ("code-not-in-value-set", "Coverage.status")),
        (coverage(payor=None), ("element-missing", "Coverage.payor")),
        ({**CLAIM, "use": "bill"}, ("code-not-in-value-set", "Claim.use")),
        (patient(active="true"), ("value-wrong-type", "Patient.active")),
        (patient(birthDate="1998-02-30"), ("value-not-well-formed", "Patient.birthDate")),
        (patient(birthDate="11/04/1998"), ("value-not-well-formed", "Patient.birthDate")),
        (patient(birthDate=19980411), ("value-wrong-type", "Patient.birthDate")),
        (patient(birthDate=""), ("value-not-well-formed", "Patient.birthDate")),
        (patient(name=[]), ("element-empty", "Patient.name")),
        (patient(name=[{}]), ("element-empty", "Patient.name[0]")),
        (patient(name=[None]), ("element-null", "Patient.name[0]")),
        (patient(name={"family": "x"}), ("element-not-list", "Patient.name")),
        (patient(maritalStatus=[{"text": "x"}]), ("element-is-list", "Patient.maritalStatus")),
        (patient(gender=["male"]), ("element-is-list", "Patient.gender")),
        (patient(contact="x"), ("element-not-list", "Patient.contact")),
        (patient(managingOrganization="Organization/1"), ("value-wrong-type", "Patient.managingOrganization")),
        (patient(ssn="123"), ("element-unknown", "Patient.ssn")),
        (patient(id="not an id"), ("value-not-well-formed", "Patient.id")),
        (patient(multipleBirthBoolean=True, multipleBirthInteger=2), ("choice-repeated", "Patient.multipleBirth")),
        (encounter(length={"value": "60"}), ("value-wrong-type", "Encounter.length.value")),
        (encounter(length={"value": 60, "comparator": "~"}), ("code-not-in-value-set", "Encounter.length.comparator")),
        (encounter(diagnosis=[{"rank": 1}]), ("element-missing", "Encounter.diagnosis[0].condition")),
        (encounter(text={"status": "generated"}), ("element-missing", "Encounter.text.div")),
        (
            encounter(period={"start": "2026-08-03T12:00:00Z", "end": "2026-08-03T09:00:00Z"}),
            ("period-reversed", "Encounter.period"),
        ),
        (
            encounter(location=[{"location": {"display": "x"}, "period": {"start": "2026-08-04", "end": "2026-07"}}]),
            ("period-reversed", "Encounter.location[0].period"),
        ),
        (encounter(period={"start": "2026-08-03T09:00:00"}), ("value-not-well-formed", "Encounter.period.start")),
        (encounter(extension=[{"url": "https://x"}]), ("extension-value", "Encounter.extension[0]")),
        (encounter(extension=[{"valueString": "x"}]), ("element-missing", "Encounter.extension[0].url")),
        (
            encounter(contained=[{"resourceType": "Nothing"}]),
            ("resource-type-unknown", "Encounter.contained[0].resourceType"),
        ),
        ({"resourceType": "Nothing"}, ("resource-type-unknown", "resourceType")),
        ({"resourceType": 7}, ("resource-type-unknown", "resourceType")),
        ({"status": "finished"}, ("resource-type-missing", "resourceType")),
        ([1], ("resource-not-object", "")),
        ("Encounter", ("resource-not-object", "")),
        (patient(name=[{"family": "a\u0000b"}]), ("value-not-well-formed", "Patient.name[0].family")),
    ],
)
def test_what_is_wrong_is_found_at_its_place(body: Any, expected: tuple[str, str]) -> None:
    assert expected in found(body)


def test_everything_wrong_is_found_at_once() -> None:
    body = encounter(status=None, class_="outpatient", period={"start": "yesterday"}, length={"value": "60"}, foo=1)
    assert {
        "Encounter.status",
        "Encounter.class",
        "Encounter.period.start",
        "Encounter.length.value",
        "Encounter.foo",
    } <= {expression for _, expression in found(body)}


def test_entries_of_a_bundle_are_placed_by_their_index() -> None:
    body = visit_bundle()
    body["entry"][2]["resource"]["status"] = "bogus"
    assert [("code-not-in-value-set", "Bundle.entry[2].resource.status")] == found(body)


def test_periods_are_compared_across_time_zones_and_only_as_far_as_they_are_precise() -> None:
    right = (
        {"start": "2026-08-03T23:00:00-05:00", "end": "2026-08-04T05:00:00Z"},
        {"start": "2026-08-03", "end": "2026-08"},
    )
    for period in right:
        assert [] == found(encounter(period=period))


def test_an_extension_may_stand_in_for_a_required_value() -> None:
    said = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    assert [] == found(encounter(status=None, _status=said))


def test_null_in_a_list_of_values_stands_for_an_extension_only() -> None:
    extended = [None, {"extension": [{"url": "https://x", "valueString": "y"}]}]
    assert [] == found(patient(name=[{"given": ["Ana", None], "_given": extended}]))
    assert [("element-null", "Patient.name[0].given[1]")] == found(patient(name=[{"given": ["Ana", None]}]))


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (encounter(class_="outpatient", patient={"reference": "Patient/1"}), "DSTU2"),
        (patient(name=[{"family": ["Moreno"]}]), "DSTU2"),
        ({"resourceType": "MedicationOrder"}, "DSTU2"),
        ({"resourceType": "Condition", "subject": {"display": "x"}, "clinicalStatus": "active"}, "STU3"),
        (encounter(class_=[{"coding": [{"code": "AMB"}]}], actualPeriod={"start": "2026-08-03"}, period=None), "R5"),
        ({"resourceType": "Permission"}, "R5"),
    ],
)
def test_another_fhir_version_is_named_plainly(body: dict[str, Any], version: str) -> None:
    issues = check_resource(body)
    assert any(
        issue.detail == "fhir-version-wrong" and version in issue.message and "R4" in issue.message for issue in issues
    )


def test_signs_of_other_versions_are_no_elements_of_r4() -> None:
    names = {shape for shape, _ in ELEMENTS_ELSEWHERE}
    known = {name: shape for name in names if (shape := resource_shape(name))}
    assert [] == [(name, each) for name, each in ELEMENTS_ELSEWHERE if name in known and each in known[name].elements]


def test_no_issue_repeats_a_value_that_was_sent() -> None:
    body = patient(
        name=[{"family": [FAMILY_NAME], "use": FAMILY_NAME}],
        birthDate=FAMILY_NAME,
        active=FAMILY_NAME,
        gender=FAMILY_NAME,
        id=f"{FAMILY_NAME} {FAMILY_NAME}",
        deceasedDateTime=FAMILY_NAME,
        **{f"{FAMILY_NAME} x": 1},
    )
    issues = check_resource(body)
    assert len(issues) >= 7
    assert not [issue for issue in issues if FAMILY_NAME in repr(issue)]


def test_decimals_are_taken_as_numbers_only() -> None:
    assert [] == found(CLAIM)
    quoted = copy.deepcopy(CLAIM)
    quoted["item"][0]["net"]["value"] = "350.50"  # type: ignore[index]
    assert [("value-wrong-type", "Claim.item[0].net.value")] == found(quoted)


def test_choice_names_of_paths_are_those_of_the_standard() -> None:
    stems = {choice.stem for name in SUPPORTED_TYPES if (shape := resource_shape(name)) for choice in shape.choices}
    assert stems <= CHOICE_STEMS


# --- fhir.resources as referee ---------------------------------------------------------------------------------------

SAMPLES = [patient(), coverage(), encounter(diagnosis=[{"condition": {"display": "x"}, "rank": 1}]), visit_bundle()]
OTHER_VALUES = st.sampled_from(
    [None, True, "true", "", " ", 0, -1, 1.5, "3", [], {}, [None], [{}], "2026-13-01", {"x": 1}, ["a"], [["a"]], "a b"]
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in [(*at, key), *places(each, (*at, key))]]


def changed(value: Any, place: tuple[Any, ...], how: str, other: Any) -> Any:
    copied = json.loads(json.dumps(value))
    holder = copied
    for key in place[:-1]:
        holder = holder[key]
    key = place[-1]
    if how == "remove":
        del holder[key]
    elif how == "replace":
        holder[key] = other
    elif how == "list":
        holder[key] = [holder[key]]
    elif isinstance(holder, dict):
        holder[f"{key}X"] = holder.pop(key)
    return copied


def refused_by_fhir_resources(body: Any) -> bool:
    try:
        get_fhir_model_class(body["resourceType"]).model_validate(body)
    except ValidationError:
        return True
    except (KeyError, TypeError, ValueError, AttributeError):  # it fails on these instead of refusing them
        return True
    return False


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLES), st.data())
def test_what_fhir_resources_refuses_is_refused(sample: dict[str, Any], data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places(sample)))
    how = data.draw(st.sampled_from(["remove", "replace", "list", "rename"]))
    body = changed(sample, place, how, data.draw(OTHER_VALUES))
    if not isinstance(body.get("resourceType"), str):
        assert check_resource(body)
    elif not check_resource(read_json(as_bytes(body))):
        assert not refused_by_fhir_resources(body), (place, how)


NAMES = ["resourceType", "entry", "resource", "name", "extension", "identifier", "_status", "contained"]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
)


@settings(max_examples=200)
@given(ANY_JSON, st.sampled_from(["Patient", "Bundle", "Encounter"]))
def test_no_json_crashes_the_check(value: Any, type: str) -> None:
    check_resource(value)
    if isinstance(value, dict):
        assert isinstance(check_resource({**value, "resourceType": type}), list)
