"""JSON Schema of every kind of mapping file, from the very shapes that read them; shipped in mappings/schema.

``python -m adapters.mapping.json_schema DIR`` writes the files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
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
# The partner profile types its own values; an editor learns its sections here.
_CLEARINGHOUSE: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["profile"],
    "properties": {
        "profile": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        **{
            name: {"type": "object"}
            for name in ("sftp", "folder", "upload", "download", "envelope", "control", "acks", "schedule", "test")
        },
        "referee": {"enum": ["pyx12", "none"]},
    },
}


def schemas() -> dict[str, Any]:
    """The schemas by file name, such as `services.json`."""
    found: dict[str, Any] = {"clearinghouse.json": _titled("clearinghouse", _CLEARINGHOUSE)}
    for name, shape in _SHAPES.items():
        definitions: Schema = {}
        top = shape.schema(definitions)
        if shape is SOURCE_FILE:
            _free_changed_records(definitions)
        found[f"{name}.json"] = _titled(name, top | {"$defs": dict(sorted(definitions.items()))})
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


def _titled(name: str, schema: Schema) -> Schema:
    return {"$schema": _DIALECT, "title": f"cleanclaim mapping file: {name}"} | schema


def schema_text(schema: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=True) + "\n"


def _write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(schema_text(schema), "utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
