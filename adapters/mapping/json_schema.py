"""JSON Schema of the mapping files that this package reads, from the very shapes that read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from adapters.mapping.case_file import CASE_FILE
from adapters.mapping.catalogue import FACILITIES_FILE, PAYERS_FILE, SERVICES_FILE, SESSIONS_FILE
from adapters.mapping.code_files import CODE_FILES
from adapters.mapping.shapes import Schema, Shape
from adapters.mapping.source_file import SOURCE_FILE

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_SHAPES: Final[Mapping[str, Shape]] = {
    "case": CASE_FILE,
    "facilities": FACILITIES_FILE,
    "hcpcs": CODE_FILES["hcpcs"],
    "payers": PAYERS_FILE,
    "places-of-service": CODE_FILES["places_of_service"],
    "services": SERVICES_FILE,
    "sessions": SESSIONS_FILE,
    "source": SOURCE_FILE,
}


def schemas() -> dict[str, Any]:
    """The schemas by file name, such as `services.json`."""
    found: dict[str, Any] = {}
    for name, shape in _SHAPES.items():
        definitions: Schema = {}
        top = shape.schema(definitions)
        if shape is SOURCE_FILE:
            _free_changed_records(definitions)
        found[f"{name}.json"] = titled(name, top | {"$defs": dict(sorted(definitions.items()))})
    return found


def _free_changed_records(definitions: Schema) -> None:
    """In a source that extends another, a record by a name the other has too says only what differs.

    A field without a value takes the other's away.
    """
    record, source = definitions["record"], definitions["source-file"]
    given = {"fields": {"additionalProperties": {"type": ["string", "object"]}}}
    demand = {"required": record["required"], "properties": given}
    record["required"] = ["name"]
    record["properties"]["fields"]["additionalProperties"]["anyOf"].append({"type": "null"})
    source["anyOf"][0]["properties"] = {"records": {"items": demand}}


def titled(name: str, schema: Schema) -> Schema:
    """A schema under its name."""
    return {"$schema": _DIALECT, "title": f"cleanclaim mapping file: {name}"} | schema


def schema_text(schema: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=True) + "\n"
