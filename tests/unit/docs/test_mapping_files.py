"""The reference of mapping files: its examples are one set that holds, and it leaves no key out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.case_file import read_case
from adapters.mapping.check import check_mappings
from adapters.mapping.json_schema import schemas
from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.record import FEED_RECORDS
from gateway.rules.gate import RULES_BY_NAME
from gateway.wiring.mapping_check import read_connection
from tests.unit.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "reference" / "mapping-files.md"
WORDS = frozenset(re.findall(r"\w+", PAGE.read_text()))


def test_the_examples_are_one_set_that_holds() -> None:
    files = {path: text for path, text in read_mapping_files(True, None).items() if path.startswith("codes/")}
    shown = {block.file: block.content.encode() for block in blocks(PAGE) if block.language == "yaml"}
    ((case, content),) = [each for each in shown.items() if each[0].startswith("tests/")]
    assert {"cedar-hl7", "cedar-fhir"} == {each.source or "cedar-hl7" for each in read_case(case, content).messages}
    files |= {path: content for path, content in shown.items() if path != case}
    assert len(files) == 3 + 6
    checked = check_mappings(files, (FHIR_NOTATION, HL7_NOTATION), RULES_BY_NAME)
    assert () == checked.problems
    for connection in checked.loaded.connections.values():
        assert read_connection(connection).profile_id == "cedar-clearinghouse"


def test_every_field_of_every_record_is_named() -> None:
    named = {field.name for record in FEED_RECORDS for field in dataclasses.fields(record)} - {"identifiers"}
    assert set() == named - WORDS


def test_every_key_that_a_file_may_have_is_on_the_page() -> None:
    read = schemas()
    known = {key for name in OURS for key in _keys(read[f"{name}.json"])}
    assert len(known) > 100
    assert set() == known - WORDS


OURS = ("facilities", "payers", "services", "source", "sessions", "case")


def _keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        yield from schema.get("properties", {})
        for below in schema.values():
            yield from _keys(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from _keys(below)


def test_the_readmes_first_file_has_the_mistakes_that_are_shown_and_no_other() -> None:
    readme = ROOT / "README.md"
    (example,) = (block for block in blocks(readme) if block.language == "yaml")
    shown = [line for line in readme.read_text().splitlines() if line.startswith(f"{example.file}:")]
    files = read_mapping_files(True, None)
    notations, rules = (FHIR_NOTATION, HL7_NOTATION), RULES_BY_NAME
    assert shown == list(check_mappings({**files, example.file: example.text.encode()}, notations, rules).problems)
    mended = example.text.replace(": 905", ": 0905").replace("minimum_minutes:", "minimum_minutes_day:")
    assert () == check_mappings({**files, example.file: mended.encode()}, notations, rules).problems
