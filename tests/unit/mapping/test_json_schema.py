import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from adapters.mapping.mapping_files import read_mapping_files
from gateway.config import Listener, SenderSettings, Settings
from gateway.wiring.mapping_check import check_files, check_site_mappings
from gateway.wiring.mapping_schemas import mapping_schemas
from gateway.wiring.new_site import make_site
from tests.unit.docs.pages import ROOT, blocks

SCHEMAS = {name: json.loads(text) for name, text in mapping_schemas().items()}
SHIPPED = read_mapping_files(shipped=True, overlay=None)


def as_an_editor_sees_it(content: bytes) -> Any:
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(content), default=str))


def test_the_shipped_schemas_are_what_the_readers_say() -> None:
    folder = files("mappings") / "schema"
    shipped = {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".json")}
    assert mapping_schemas() == shipped, "run: cleanclaim mappings schemas mappings/schema"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("path", SHIPPED)
def test_every_shipped_file_names_its_schema_and_keeps_to_it(path: str) -> None:
    first = SHIPPED[path].decode().splitlines()[0]
    name = first.removeprefix("# yaml-language-server: $schema=../schema/")
    assert name in SCHEMAS, first
    errors = Draft202012Validator(SCHEMAS[name]).iter_errors(as_an_editor_sees_it(SHIPPED[path]))
    marked = [error for error in errors if not str(error.instance).startswith("<")]  # what a template leaves open
    assert [] == [f"{list(error.absolute_path)}: {error.message}" for error in marked]


KINDS = {
    "facilities": "facilities", "payers": "payers", "services": "services", "sources": "source",
    "clearinghouses": "clearinghouse",
}  # fmt: skip
# The reference's own examples: one set that holds, every key in it.
EXAMPLES = {
    block.file: block.content
    for block in blocks(ROOT / "docs" / "reference" / "mapping-files.md")
    if block.language == "yaml" and block.file.partition("/")[0] in KINDS
}


def checker_marks(path: str, text: str, folder: Path) -> list[str]:
    """What the checker says of one file of the examples, the others as they are."""
    codes = {name: content for name, content in SHIPPED.items() if name.startswith("codes/")}
    files = codes | {name: content.encode() for name, content in EXAMPLES.items()} | {path: text.encode()}
    settings = Settings(
        folder=folder, tenant="t", database="sqlite:///x", http=Listener(port=0),
        sender=SenderSettings(name="n", contact_name="c", contact_phone="1", time_zone="UTC"),
    )  # fmt: skip
    return [each for each in check_files(settings, files).problems if each.startswith(f"{path}:")]


def editor_marks(path: str, text: str) -> list[str]:
    schema = SCHEMAS[f"{KINDS[path.partition('/')[0]]}.json"]
    errors = Draft202012Validator(schema).iter_errors(as_an_editor_sees_it(text.encode()))
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in errors]


@pytest.mark.parametrize("path", sorted(EXAMPLES))
def test_neither_the_editor_nor_the_checker_marks_an_example_of_the_reference(path: str, tmp_path: Path) -> None:
    assert ([], []) == (editor_marks(path, EXAMPLES[path]), checker_marks(path, EXAMPLES[path], tmp_path))


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("facilities/cedar.yaml", "bill_class: 13", "bill_class: A3"),
        ("facilities/cedar.yaml", "time_zone:", "timezone:"),
        ("facilities/cedar.yaml", "charge: 650.00,", ""),
        ("facilities/cedar.yaml", "charge: 650.00", "charge: much"),
        ("facilities/cedar.yaml", "kind: MH", "kind: MHX"),
        ("facilities/cedar.yaml", "since: 2026-01-01}", "since: January}"),
        ("facilities/cedar.yaml", "eligibility: block", "eligibility: maybe"),
        ("payers/prairie.yaml", "line_of_business: commercial", "line_of_business: comercial"),
        ("payers/prairie.yaml", "    name: Prairie Health Plan\n", ""),
        ("payers/prairie.yaml", "split_on: [month-end, authorization]", "split_on: month-end"),
        ("payers/prairie.yaml", "timely_filing_days: 180", "timely_filing_days: soon"),
        ("payers/prairie.yaml", "members_are_subscribers: false", "members_are_subscribers: perhaps"),
        ("payers/prairie.yaml", "rate: 310.00", "rate: -310.00"),
        ("payers/prairie.yaml", "owner: billing", "owner: nobody"),
        ("payers/prairie.yaml", "    routes:", "    extends: [acme]\n    routes:"),
        ("services/prairie.yaml", "    since: 2026-01-01\n    until: 2026-12-31\n", ""),
        ("services/prairie.yaml", "form: 837I", "form: 837"),
        ("services/prairie.yaml", "hcpcs: S9480", "hcpcs: s9480"),
        ("services/prairie.yaml", "minimum_minutes_day: 180", "minimum_minutes: 180"),
        ("services/prairie.yaml", "half_day: {minimum_minutes: 120,", "half_day: {minutes: 120,"),
        ("clearinghouses/cedar-clearinghouse.yaml", "  host: sftp.clearinghouse.example\n", ""),
        ("clearinghouses/cedar-clearinghouse.yaml", "  publish: rename_same_dir", "  publish: rename"),
        ("clearinghouses/cedar-clearinghouse.yaml", "  max_bytes: 10MB", "  max_bytes: ten"),
        ("clearinghouses/cedar-clearinghouse.yaml", "op_timeout_s", "operation_timeout_s"),
        ("clearinghouses/cedar-clearinghouse.yaml", "secret_ref: env:CEDAR_SFTP_PASSWORD", "secret_ref: hunter2"),
        ("clearinghouses/cedar-clearinghouse.yaml", "  dir: upload\n", ""),
        ("clearinghouses/cedar-clearinghouse.yaml", "usage: T}", "usage: X}"),
        ("sources/cedar-fhir.yaml", "format: fhir", "format: xml"),
        ("sources/cedar-fhir.yaml", "organization: cedar\n", ""),
        ("sources/cedar-fhir.yaml", "precedence: 10", "precedence: 0"),
        ("sources/cedar-fhir.yaml", "miss: ignore", "miss: forget"),
        ("sources/cedar-fhir.yaml", "    record: encounter\n", ""),
        ("sources/cedar-hl7.yaml", "    from: [DFT^P03]", "    from: [charge]"),
        ("sources/cedar-hl7.yaml", "convert: minute", "convert: minutes"),
        ("sources/cedar-hl7.yaml", "required: true", "needed: true"),
        ("sources/cedar-hl7.yaml", "      start_at: FT1-4.1", "      start_at: [FT1-4.1]"),
    ],
)
def test_what_the_editor_marks_the_checker_refuses(path: str, right: str, wrong: str, tmp_path: Path) -> None:
    assert right in EXAMPLES[path]
    text = EXAMPLES[path].replace(right, wrong, 1)
    assert editor_marks(path, text)
    assert checker_marks(path, text, tmp_path)


@pytest.mark.parametrize("demo", [True, False])
def test_what_init_writes_names_schemas_that_lie_where_it_says(demo: bool, tmp_path: Path) -> None:
    make_site(tmp_path / "site", demo=demo, database="sqlite:///x.sqlite", samples={})
    mappings = tmp_path / "site" / "mappings"
    assert set(SCHEMAS) == {each.name for each in (mappings / "schema").iterdir()}
    for file in mappings.rglob("*.yaml"):
        line = file.read_text().splitlines()[0]
        assert (file.parent / line.removeprefix("# yaml-language-server: $schema=")).is_file()
    assert [] == check_site_mappings(tmp_path / "site")["problems"]


def test_a_feed_of_the_site_without_a_mapping_file_and_an_old_schema_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    make_site(folder, demo=False, database="sqlite:///x.sqlite", samples={})
    settings = folder / "site.yaml"
    settings.write_text(settings.read_text().replace("name: generic-hl7,", "name: generic-hl,"))
    (folder / "mappings" / "schema" / "payers.json").write_text("{}")
    found = check_site_mappings(folder)
    assert [
        {
            "place": "sources/generic-hl.yaml:1:1",
            "message": "is not there, and site.yaml names the feed 'generic-hl'; did you mean 'generic-hl7'?",
        }
    ] == found["problems"]
    assert ["schema/payers.json:1:1"] == [each["place"] for each in found["remarks"]]
