"""``extends:``: an entry laid over another of its kind."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import MappingSet, load_mapping_set
from adapters.mapping.check import check_mappings
from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.explain import explain_message
from adapters.mapping.json_schema import schemas
from tests.unit.mapping.small_set import FACILITIES, HL7_SOURCE, PAYERS, SERVICES, a_set, message

ELM = """\
source: elm-hl7
extends: oak-hl7
namespaces: {ELM: elm-mrn}
records:
  - name: charge
    fields:
      session: {value: meal, reason: the ward is fed}
      end_at:
  - name: stay
    record: episode
    from: ADT^A01
    identity: [{from: PV1-19, namespace: oak-visit}]
    fields: {patient: {from: PID-3.1, namespace: elm-mrn}}
"""


def a_set_with(**changes: Any) -> dict[str, bytes]:
    return a_set(sources=HL7_SOURCE, **changes)


def with_elm(elm: str = ELM) -> dict[str, bytes]:
    return {**a_set_with(), "sources/elm-hl7.yaml": elm.encode()}


def loaded(files: dict[str, bytes]) -> MappingSet:
    return load_mapping_set(files, [HL7_NOTATION])


def test_a_source_has_what_it_extends_but_for_what_it_says_itself() -> None:
    elm, oak = loaded(with_elm()).source("elm-hl7"), loaded(with_elm()).source("oak-hl7")
    assert (oak.organization, oak.time_zone) == (elm.organization, elm.time_zone)
    assert {**oak.namespaces, "ELM": "elm-mrn"} == dict(elm.namespaces)
    assert ["charge", "stay"] == [each.name for each in elm.records]
    charge, base = elm.records[0], oak.records[0]
    assert set(base.fields) - {"end_at"} == set(charge.fields)
    assert ("meal", base.fields["start_at"]) == (charge.fields["session"].value, charge.fields["start_at"])


def test_two_feeds_of_one_base_have_their_patient_numbers_apart() -> None:
    base = HL7_SOURCE.replace("oak-mrn", "oak-hl7-mrn")
    files = {**a_set(sources=base), "sources/elm-hl7.yaml": b"source: elm-hl7\nextends: oak-hl7\n"}
    elm, oak = loaded(files).source("elm-hl7"), loaded(files).source("oak-hl7")
    patients = [source.records[0].fields["patient"].namespace for source in (oak, elm)]
    assert ["oak-hl7-mrn", "elm-hl7-mrn"] == patients
    assert set(oak.namespaces) == set(elm.namespaces)
    assert ["oak-hl7-mrn"] == [each for each in oak.namespaces.values() if each.endswith("mrn")]
    assert ["elm-hl7-mrn"] == [each for each in elm.namespaces.values() if each.endswith("mrn")]


def test_explain_names_the_file_and_line_an_inherited_value_stands_in() -> None:
    interpreter = SourceInterpreter(loaded(with_elm()).source("elm-hl7"), HL7_NOTATION)
    sent = message("DFT^P03", ("PID", {3: "77^^^OAK^MR"}), ("FT1", {2: "T1", 4: "202608030900", 6: "CG"}))
    fields = {each.name: each for each in explain_message(interpreter, sent)[0].fields}
    assert "sources/oak-hl7.yaml:20" == fields["start_at"].entry
    assert "sources/elm-hl7.yaml:7" == fields["session"].entry


def test_a_payer_and_a_service_of_a_new_year_say_only_what_differs() -> None:
    services = SERVICES.replace("    since: 2026-01-01", "    since: 2026-01-01\n    until: 2026-12-31") + (
        "  - {id: acme-iop, extends: acme-iop, since: 2027-01-01, hcpcs: H0015}\n"
    )
    payers = PAYERS + "  - {id: beta, extends: acme, name: Beta, names: []}\n"
    catalogue = loaded(a_set_with(payers=payers, services=services)).catalogue
    first, second = catalogue.services
    assert (date(2027, 1, 1), None, "H0015", "0905") == (
        second.span.start_on, second.span.end_on, second.hcpcs, second.revenue_code,
    )  # fmt: skip
    assert (first.payers, "services/oak.yaml:10") == (second.payers, second.entry)
    assert catalogue.payers["acme"].routes == catalogue.payers["beta"].routes
    assert ("Beta", ()) == (catalogue.payers["beta"].name, catalogue.payers["beta"].names)


def test_a_clearinghouse_lays_its_sections_over_anothers() -> None:
    house = "profile: {id: second}\nextends: house\nsftp: {username: other}\n"
    first = "profile: {id: house}\nsftp: {host: a.example, username: one}\n"
    files = a_set_with() | {"clearinghouses/oak.yaml": first.encode(), "clearinghouses/two.yaml": house.encode()}
    assert {"profile": {"id": "second"}, "sftp": {"host": "a.example", "username": "other"}} == dict(
        loaded(files).connections["second"].settings
    )


@pytest.mark.parametrize(
    ("payer", "problems"),
    [
        (
            "  - {id: beta, extends: acne, name: Beta, names: []}\n",
            ["payers/oak.yaml:8:25: no payer 'acne' to extend; did you mean 'acme'?"],
        ),
        (
            "  - {id: beta, extends: [acme], name: Beta, names: []}\n",
            ["payers/oak.yaml:8:16: expected the name of the payer this one extends"],
        ),
        (
            "  - {id: beta, extends: acme, name: Beta, names: []}\n"
            "  - {id: gamma, extends: beta, name: Gamma, names: []}\n",
            [
                "payers/oak.yaml:9:26: payer 'beta' extends another itself (payers/oak.yaml:8); one level is all there "
                "is"
            ],
        ),
        (
            "  - {id: beta, extends: acme, nmae: Beta, names: []}\n",
            [
                "payers/oak.yaml:8:5: payer needs the key 'name'",
                "payers/oak.yaml:8:31: unknown key 'nmae' in payer; did you mean 'name'?",
            ],
        ),
    ],
)
def test_what_cannot_be_extended_is_told_once(payer: str, problems: list[str]) -> None:
    assert problems == list(check_mappings(a_set_with(payers=PAYERS + payer)).problems)


def test_the_days_and_the_source_of_an_entry_are_its_own() -> None:
    services = SERVICES + "    source: contract 2026\n  - {id: acme-iop-2, extends: acme-iop, hcpcs: H0015}\n"
    assert ["services/oak.yaml:10:5: needs the key 'since': the first day it holds, such as 2026-01-01"] == list(
        check_mappings(a_set_with(services=services)).problems
    )


def test_a_charge_extends_nothing() -> None:
    charges = FACILITIES + "  - {extends: oak, organization: oak, hcpcs: S9480, charge: 1.00, since: 2025-01-01}\n"
    (problem,) = check_mappings(a_set_with(facilities=charges)).problems
    assert problem.startswith("facilities/oak.yaml:22:6: unknown key 'extends' in charge")


@pytest.mark.parametrize(
    ("schema", "text", "holds"),
    [
        ("source.json", ELM, True),
        ("source.json", ELM.replace("extends: oak-hl7\n", ""), False),
        ("source.json", ELM.replace("extends: oak-hl7\n", "").replace("      end_at:\n", ""), False),
        ("source.json", ELM.replace("    record: episode\n", ""), True),
        ("payers.json", "payers: [{id: beta, extends: acme}]", False),
        ("payers.json", "payers: [{id: beta, extends: acme, name: Beta, names: []}]", True),
    ],
)
def test_an_editor_asks_an_extending_entry_only_for_what_is_its_own(schema: str, text: str, holds: bool) -> None:
    assert holds is Draft202012Validator(schemas()[schema]).is_valid(YAML(typ="safe", pure=True).load(text))
