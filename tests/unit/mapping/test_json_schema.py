import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from adapters.mapping.json_schema import schema_text, schemas
from adapters.mapping.mapping_files import read_mapping_files

SHIPPED = read_mapping_files(shipped=True, overlay=None)


def as_an_editor_sees_it(content: bytes) -> Any:
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(content), default=str))


def test_the_shipped_schemas_are_what_the_readers_say() -> None:
    folder = files("mappings") / "schema"
    shipped = {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".json")}
    assert {name: schema_text(schema) for name, schema in schemas().items()} == shipped, (
        "run: python -m adapters.mapping.json_schema mappings/schema"
    )


@pytest.mark.parametrize("name", sorted(schemas()))
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schemas()[name])


@pytest.mark.parametrize("path", SHIPPED)
def test_every_shipped_file_names_its_schema_and_keeps_to_it(path: str) -> None:
    first = SHIPPED[path].decode().splitlines()[0]
    name = first.removeprefix("# yaml-language-server: $schema=../schema/")
    assert name in schemas(), first
    errors = Draft202012Validator(schemas()[name]).iter_errors(as_an_editor_sees_it(SHIPPED[path]))
    assert [] == [f"{list(error.absolute_path)}: {error.message}" for error in errors]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("payers.json", "payers: [{id: a, name: b, line_of_business: comercial, claim_filing_code: CI, names: []}]"),
        ("payers.json", "payers: [{id: a, nmae: b, line_of_business: commercial, claim_filing_code: CI, names: []}]"),
        ("services.json", "services: [{id: a, level_of_care: IOP, form: 837I}]"),
        ("source.json", "source: a"),
        ("clearinghouse.json", "sftp: {}"),
    ],
)
def test_an_editor_marks_what_the_reader_would_refuse(name: str, text: str) -> None:
    assert list(Draft202012Validator(schemas()[name]).iter_errors(as_an_editor_sees_it(text.encode())))
