"""JSON Schema of a partner profile, noted down while the very reader of profiles asks for its keys."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time, timedelta, tzinfo
from typing import Any, Final

from clearinghouse.profile_fields import Choice, Fields
from clearinghouse.profile_reading import TEST_SECTIONS, read_folder, read_top

Schema = dict[str, Any]

# An editor types scalars before it checks them; the reader takes all of them as text.
_SCALAR: Final = ["string", "number", "boolean"]
_FOLDER: Final = "folder"


def profile_schema() -> Schema:
    """The schema of a clearinghouse file; one that extends another may leave out what the other says."""
    noted = NotedFields(absent={_FOLDER})
    read_top(noted)
    folder = NotedFields()
    read_folder(folder)
    whole = noted.schema()
    whole["properties"][_FOLDER] = folder.schema()["properties"][_FOLDER]
    keys = _keys(whole)
    of_test = {name: keys["properties"][name] for name in TEST_SECTIONS}
    keys["properties"] |= {
        "test": {"type": "object", "additionalProperties": False, "properties": of_test},
        "extends": {"type": "string", "description": "Another connection; see the reference"},
    }
    demands = _demands(whole) | {"oneOf": [{"required": ["sftp"]}, {"required": [_FOLDER]}]}
    return keys | {"required": ["profile"], "if": {"not": {"required": ["extends"]}}, "then": demands}


def _keys(schema: Schema) -> Schema:
    """The same keys, none of which must be there."""
    kept = {key: value for key, value in schema.items() if key != "required"}
    if "properties" in kept:
        kept["properties"] = {name: _keys(each) for name, each in kept["properties"].items()}
    return kept


def _demands(schema: Schema) -> Schema:
    """Which keys must be there, and nothing else."""
    below = {name: _demands(each) for name, each in schema.get("properties", {}).items()}
    kept: Schema = {"required": schema["required"]} if "required" in schema else {}
    demanding = {name: each for name, each in below.items() if each}
    return kept | ({"properties": demanding} if demanding else {})


class NotedFields(Fields):
    """A level of a profile that is not there: every key is noted as it is asked for, and read as its default."""

    def __init__(self, absent: Collection[str] = ()) -> None:
        super().__init__({}, "", [])
        self._absent = absent
        self._noted: Schema = {}
        self._levels: dict[str, NotedFields] = {}
        self._required: set[str] = set()
        self._optional: set[str] = set()

    def schema(self) -> Schema:
        """What was noted; a key is required that has no default and whose presence was not asked for first."""
        levels = {name: level.schema() for name, level in self._levels.items()}
        lists = {
            name: each | {"items": levels.pop(name)} if each.get("items") == {} else each
            for name, each in self._noted.items()
        }
        needed = self._required | {name for name, level in levels.items() if level.get("required")}
        schema: Schema = {"type": "object", "additionalProperties": False, "properties": levels | lists}
        required = sorted(needed - self._optional)
        return schema | ({"required": required} if required else {})

    def note(self, key: str, message: str) -> None:
        """Nothing is wrong with what is not there."""

    def has(self, key: str) -> bool:
        """Whatever may be there is there, so that all its keys are asked for."""
        self._optional.add(key)
        return key not in self._absent

    def text(self, key: str, default: str | None = None, pattern: str = "", wanted: str = "") -> str:
        """One value; where it is required, text that fits nowhere."""
        described = ({"pattern": f"^(?:{pattern})$"} if pattern else {}) | ({"description": wanted} if wanted else {})
        self._note(key, {"type": _SCALAR} | described, default is None)
        return default or ""

    def integer(self, key: str, default: int | None = None, minimum: int = 0, maximum: int = 2**31) -> int:
        """A whole number."""
        self._note(key, {"type": "integer", "minimum": minimum, "maximum": maximum}, default is None)
        return minimum if default is None else default

    def boolean(self, key: str, default: bool) -> bool:
        """`true` or `false`."""
        self._note(key, {"type": "boolean"})
        return default

    def choice(self, key: str, kind: type[Choice], default: Choice) -> Choice:
        """One of the words of `kind`."""
        words = {"enum": [str(member.value) for member in kind]}
        self._note(key, words | {"description": (kind.__doc__ or "").partition("\n")[0].rstrip(".")})
        return default

    def duration(self, key: str, default: timedelta, wanted: str = "a duration such as 30s, 5m, 4h or 2d") -> timedelta:
        """A number with its unit."""
        self._note(key, {"type": ["string", "integer"], "pattern": "^[0-9]{1,9}[smhd]?$", "description": wanted})
        return default

    def octets(self, key: str, default: int) -> int:
        """A size with its unit."""
        self._note(key, {"type": ["string", "integer"], "pattern": "^[0-9]{1,12}(B|KB|MB|GB)?$"})
        return default

    def day(self, key: str) -> date | None:
        """A date."""
        self._note(key, {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"})
        return None

    def days(self, key: str) -> list[date]:
        """A list of dates."""
        self._note(key, {"type": "array", "items": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}})
        return []

    def time_of_day(self, key: str) -> time | None:
        """An hour."""
        self._note(key, {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
        return None

    def time_zone(self, key: str, default: tzinfo) -> tzinfo:
        """The name of a time zone."""
        self._note(key, {"type": "string"})
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        self._note(key, {"type": "array", "items": {"type": _SCALAR}})
        return ()

    def section(self, key: str) -> NotedFields:
        """The level below a key."""
        return self._levels.setdefault(key, NotedFields())

    def sections(self, key: str) -> list[Fields]:
        """One level that stands for each in the list."""
        self._note(key, {"type": "array", "items": {}})
        return [self.section(key)]

    def _note(self, key: str, schema: Schema, required: bool = False) -> None:
        self._noted.setdefault(key, schema)
        if required:
            self._required.add(key)
