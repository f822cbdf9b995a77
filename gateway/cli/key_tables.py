"""The keys of every kind of mapping file as Markdown, from the JSON Schemas that editors go by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.wiring.mapping_schemas import mapping_schemas

Schema = Mapping[str, Any]
_HEAD = """\
# Keys of the mapping files

Written from the JSON Schemas of `mappings/schema/` by `python -m gateway.cli.reference docs/reference`; a test keeps it
current. What the files are for, and an example of each, is on the page of [mapping files](mapping-files.md).

A key in **bold** must be there (an entry that begins with `extends:` may leave it to the other one). *Text* is any
value: it is read as it stands. Any entry may have `note`, and most have `source`.
"""
_FILES = {
    "facilities": "facilities/*.yaml",
    "payers": "payers/*.yaml",
    "services": "services/*.yaml",
    "source": "sources/*.yaml",
    "clearinghouse": "clearinghouses/*.yaml",
    "sessions": "codes/sessions.yaml",
    "hcpcs": "codes/hcpcs.yaml",
    "places-of-service": "codes/places-of-service.yaml",
    "case": "tests/*.yaml",
}
_EVERYWHERE = ("note",)


def key_tables() -> str:
    """The page: each kind of file, and under it each kind of entry with its keys."""
    schemas = {name.removesuffix(".json"): json.loads(text) for name, text in mapping_schemas().items()}
    assert schemas.keys() == _FILES.keys(), "a schema is on no page, or a file has none"
    parts = [_HEAD]
    for name, path in _FILES.items():
        parts.append(f"## {path}\n")
        parts += [f"{title}\n\n{table}" for title, table in _tables(schemas[name])]
    return "\n".join(parts)


def _tables(schema: Schema) -> Iterator[tuple[str, str]]:
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    top = schema["$ref"].rpartition("/")[2] if "$ref" in schema else ""
    waiting: list[tuple[str, Schema]] = [(top, definitions[top] if top else schema)]
    done = set()
    while waiting:
        title, definition = waiting.pop(0)
        if title in done:
            continue
        done.add(title)
        waiting += [(name, definitions[name]) for name in _referred(definition)]
        waiting += [(key, each) for key, each in definition.get("properties", {}).items() if "properties" in each]
        heading = "The file:" if not title or title.endswith("-file") else f"`{title}`:"
        yield heading, _table(definition)


def _referred(schema: Any) -> Iterator[str]:
    """The definitions a schema leads to, in the order they are met."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for each in schema.values():
            yield from _referred(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _referred(each)


def _table(definition: Schema) -> str:
    needed = {*definition.get("required", ()), *_demanded(definition)}
    rows = ["| key | takes | means |", "|---|---|---|"]
    for key, schema in sorted(definition.get("properties", {}).items(), key=lambda each: each[0] not in needed):
        if key not in _EVERYWHERE:
            name = f"**`{key}`**" if key in needed else f"`{key}`"
            rows.append(f"| {name} | {_cell(_takes(schema, key))} | {_cell(schema.get('description', ''))} |")
    return "\n".join(rows) + "\n"


def _demanded(definition: Schema) -> Iterator[str]:
    """What must be there unless the entry extends another."""
    for choice in (*definition.get("anyOf", ()), definition.get("then", {})):
        yield from () if "extends" in choice.get("required", ()) else choice.get("required", ())


def _takes(schema: Schema, key: str = "") -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return ", ".join(dict.fromkeys(f"`{each}`" for each in map(str, schema["enum"])))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_takes(each) for each in schema["anyOf"]))
    if "properties" in schema:
        return f"`{key}`"
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_takes(schema.get('items', {}))}"
    if kind == "object":
        of = schema.get("additionalProperties")
        return f"mapping to {_takes(of)}" if isinstance(of, Mapping) else "mapping"
    return _scalar(schema)


def _scalar(schema: Schema) -> str:
    kind, pattern = schema.get("type"), schema.get("pattern", "")
    if kind in ("boolean", "null"):
        return "true or false" if kind == "boolean" else "nothing"
    if kind == "integer":
        return f"whole number from {schema['minimum']}" if schema.get("minimum") else "whole number"
    if kind == ["number", "string"]:
        return "dollars, `350.00`"
    if pattern == r"^\d{4}-\d{2}-\d{2}$":
        return "date, `2026-08-03`"
    return "text"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
