"""The JSON Schemas of all mapping files, for editors: shipped in mappings/schema, and written beside a site's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from adapters.mapping.json_schema import schema_text, schemas, titled
from clearinghouse.profile_schema import profile_schema

FOLDER: Final = "schema"
_NAME: Final = "clearinghouse"


def mapping_schemas() -> dict[str, str]:
    """Each schema's file by name, such as ``services.json``."""
    every = {f"{_NAME}.json": titled(_NAME, profile_schema()), **schemas()}
    return {name: schema_text(schema) for name, schema in sorted(every.items())}


def write_schemas(folder: Path) -> dict[str, Any]:
    """Write them into a folder: {"folder", "files": [name], "changed": [name]}."""
    folder.mkdir(parents=True, exist_ok=True)
    files = mapping_schemas()
    changed = outdated(folder)
    for name in changed:
        (folder / name).write_text(files[name], "utf-8")
    return {"folder": str(folder), "files": list(files), "changed": changed}


def outdated(folder: Path) -> list[str]:
    """Schemas that are not in the folder as this version writes them."""
    return [name for name, text in mapping_schemas().items() if _content(folder / name) != text.encode()]


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
