"""Declares what a mapping file may hold, once: the same shapes read nodes into values and give the JSON Schema.

A reader never raises for what is in a file: it notes the problem with its place and returns BROKEN. Lists, mappings and
entries go on without the parts that are broken, so that one run tells every mistake; such a set is never put in force.
Knows no kind of file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final, Protocol

from adapters.mapping.field_notes import field_notes, summary
from adapters.mapping.yaml_reader import Items, Node, Nothing, Problems, Table, Text, closest, nearest
from gateway.claim.calendar import Span
from gateway.claim.contract import ALWAYS
from gateway.claim.money import cents_from_text

Schema = dict[str, Any]

# A YAML editor types scalars before it checks them; we read 0905, NO and 1e5 as the text they are.
_SCALAR = ["string", "number", "boolean"]


class _Broken:
    def __repr__(self) -> str:
        return "BROKEN"


OWN_KEYS: Final = frozenset({"id", "name", "names", "source", "profile", "since", "until", "note", "verified"})
"""What an entry says of itself alone: its name, its days, what vouches for it. ``extends`` hands none of it on."""

BROKEN: Final = _Broken()
"""What reading gives where the file is wrong; the problem is noted already."""


class Kind(Protocol):
    """One kind of value: how to read it, and its JSON Schema (shapes go into ``definitions`` by name)."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The value, or BROKEN with a problem noted."""

    def schema(self, definitions: Schema, /) -> Schema:
        """The JSON Schema."""


def _refuse(node: Node, problems: Problems, wanted: str) -> _Broken:
    found = {Text: "a single value", Items: "a list", Table: "a mapping", Nothing: "nothing"}[type(node)]
    problems.add(node.place, f"expected {wanted}, found {found}")
    return BROKEN


_ANY_TEXT: Final = "a single value"


@dataclass(frozen=True, slots=True)
class TextKind:
    """Text. ``check`` gives a sentence about a text that will not do, or an empty one."""

    wanted: str = _ANY_TEXT
    check: Callable[[str], str] | None = None
    pattern: str = ""
    convert: Callable[[str], str] | None = None

    def read(self, node: Node, problems: Problems) -> Any:
        """The text."""
        if not isinstance(node, Text):
            return _refuse(node, problems, self.wanted)
        value = self.convert(node.value) if self.convert else node.value
        sentence = self.check(value) if self.check else ""
        if sentence:
            problems.add(node.place, sentence)
            return BROKEN
        return value

    def schema(self, _definitions: Schema, /) -> Schema:
        """A scalar; the pattern binds what an editor takes for a string."""
        shape: Schema = {"type": _SCALAR}
        if self.pattern:
            shape["pattern"] = self.pattern
        return shape


@dataclass(frozen=True, slots=True)
class IntegerKind:
    """A whole number from ``minimum``."""

    minimum: int = 0

    def read(self, node: Node, problems: Problems) -> Any:
        """The number."""
        if not isinstance(node, Text):
            return _refuse(node, problems, "a whole number")
        if not (node.value.isascii() and node.value.isdigit() and len(node.value) < 10):
            problems.add(node.place, f"{node.value!r} is not a whole number")
            return BROKEN
        number = int(node.value)
        if number < self.minimum:
            problems.add(node.place, f"{number} is less than {self.minimum}")
            return BROKEN
        return number

    def schema(self, _definitions: Schema, /) -> Schema:
        """An integer."""
        return {"type": "integer", "minimum": self.minimum}


@dataclass(frozen=True, slots=True)
class DollarsKind:
    """An amount of dollars and cents, read as integer cents."""

    def read(self, node: Node, problems: Problems) -> Any:
        """Cents."""
        if not isinstance(node, Text):
            return _refuse(node, problems, "an amount such as 350.00")
        try:
            cents = cents_from_text(node.value)
        except ValueError:
            problems.add(node.place, f"{node.value!r} is not an amount of dollars and cents such as 350.00")
            return BROKEN
        if cents < 0:
            problems.add(node.place, "an amount here is never negative")
            return BROKEN
        return cents

    def schema(self, _definitions: Schema, /) -> Schema:
        """A number or text with at most two decimals."""
        return {"type": ["number", "string"], "minimum": 0, "pattern": r"^\d+(\.\d{1,2})?$"}


@dataclass(frozen=True, slots=True)
class DateKind:
    """A calendar day, ``2026-08-03``."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The date."""
        if not isinstance(node, Text):
            return _refuse(node, problems, "a date such as 2026-08-03")
        try:
            if len(node.value) != 10:
                raise ValueError
            return date.fromisoformat(node.value)
        except ValueError:
            problems.add(node.place, f"{node.value!r} is not a date such as 2026-08-03")
            return BROKEN

    def schema(self, _definitions: Schema, /) -> Schema:
        """Text in the shape of a date."""
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


@dataclass(frozen=True, slots=True)
class ChoiceKind:
    """One of a fixed list of words."""

    words: Mapping[str, Any]

    def read(self, node: Node, problems: Problems) -> Any:
        """What the word stands for."""
        if not isinstance(node, Text):
            return _refuse(node, problems, f"one of {', '.join(map(repr, self.words))}")
        if node.value not in self.words:
            problems.add(node.place, f"{node.value!r} is not a word known here{nearest(node.value, self.words)}")
            return BROKEN
        return self.words[node.value]

    def schema(self, _definitions: Schema, /) -> Schema:
        """An enumeration; true and false are booleans to an editor."""
        if set(self.words) == {"true", "false"}:
            return {"type": "boolean"}
        numbers = [int(word) for word in self.words if word.isdigit() and word == str(int(word))]
        return {"enum": [*self.words, *numbers]}


BOOLEAN: Final = ChoiceKind({"true": True, "false": False})


def enum_kind(words: type[Enum]) -> ChoiceKind:
    """The values of an enumeration as words."""
    return ChoiceKind({str(word.value): word for word in words})


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list of one kind, read as a tuple; where ``single`` a lone value counts as a list of one."""

    item: Kind
    single: bool = False
    filled: bool = False

    def read(self, node: Node, problems: Problems) -> Any:
        """The items that can be read, problems noted for the others."""
        if self.single and isinstance(node, Text | Table):
            node = Items(node.place, (node,))
        if not isinstance(node, Items):
            return _refuse(node, problems, "a list")
        if self.filled and not node.nodes:
            problems.add(node.place, "the list is empty")
            return BROKEN
        return tuple(value for each in node.nodes if (value := self.item.read(each, problems)) is not BROKEN)

    def schema(self, definitions: Schema, /) -> Schema:
        """An array, or the item alone."""
        item = self.item.schema(definitions)
        several: Schema = {"type": "array", "items": item} | ({"minItems": 1} if self.filled else {})
        return {"anyOf": [several, item]} if self.single else several


@dataclass(frozen=True, slots=True)
class MapKind:
    """A mapping from free keys to one kind."""

    value: Kind

    def read(self, node: Node, problems: Problems) -> Any:
        """What can be read, in the order of the file."""
        if not isinstance(node, Table):
            return _refuse(node, problems, "a mapping")
        values = {key: self.value.read(each, problems) for key, each in node.entries.items()}
        return {key: value for key, value in values.items() if value is not BROKEN}

    def schema(self, definitions: Schema, /) -> Schema:
        """An object with free keys."""
        return {"type": "object", "additionalProperties": self.value.schema(definitions)}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a shape: its kind, whether it must be there, and the field it fills where that is named otherwise."""

    kind: Kind
    required: bool = False
    field: str = ""
    says: str = ""


class _UnreadField(Exception):
    """A check asked for a field that could not be read, so there is nothing to judge."""


class _Readable:
    """A value as a check may see it: asking for what could not be read ends the check."""

    __slots__ = ("_unread", "_value")

    def __init__(self, value: Any, unread: Set[str]) -> None:
        self._value = value
        self._unread = unread

    def __getattr__(self, name: str) -> Any:
        if name in self._unread:
            raise _UnreadField
        return getattr(self._value, name)


class Dated(Enum):
    """Whether an entry has ``since`` and ``until``, and whether ``since`` may be left out (then: always)."""

    NOT = "not"
    MAY = "may"
    MUST = "must"


_FREE: Final = {"source": "The public or contract document this follows", "note": "Free text for the next reader"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A mapping with known keys, read into one value by ``build``; unknown keys are problems."""

    name: str
    build: Callable[..., Any]
    keys: Mapping[str, Key]
    dated: Dated = Dated.NOT
    entry: bool = False
    """Pass ``entry=file:line`` to ``build``."""
    checks: tuple[Callable[[Any, Table, Problems], None], ...] = ()
    """What must hold between its fields; each ends where it asks for a field that could not be read."""
    free: Mapping[str, str] = field(default_factory=lambda: _FREE)
    """Keys anybody may write that fill nothing."""
    places: bool = False
    """Pass ``place`` (of the mapping) to ``build``."""
    extends: bool = False
    """May begin with another entry of its kind (adapters.mapping.inheritance)."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The built value; of an entry with mistakes what can be read, noted as partial; of another shape BROKEN."""
        if not isinstance(node, Table):
            return _refuse(node, problems, f"a mapping with {self._expected()}")
        before = len(problems)
        unread = self._refuse_unknown(node, problems)
        values = self._blanks() | self._values(node, unread, problems)
        if self.entry:
            problems.remember(node)
            values["entry"] = node.place.entry
        if self.places:
            values["place"] = node.place
        value = self.build(**values)
        self._judge(value, unread, node, problems)
        if len(problems) == before and not node.orphan:
            return value
        if not (self.entry or self.build is dict):
            return BROKEN
        problems.note_partial(node.place)
        return value

    def _judge(self, value: Any, unread: set[str], node: Table, problems: Problems) -> None:
        seen = _Readable(value, unread) if unread else value
        for check in self.checks:
            with contextlib.suppress(_UnreadField):
                check(seen, node, problems)

    def _blanks(self) -> dict[str, Any]:
        """What stands for required keys that cannot be read."""
        return {
            key.field or name: () if isinstance(key.kind, ListKind) else {} if isinstance(key.kind, MapKind) else None
            for name, key in self.keys.items()
            if key.required
        }

    def _expected(self) -> str:
        required = [name for name, key in self.keys.items() if key.required]
        return ", ".join(required or list(self.keys)[:4])

    def _known(self) -> list[str]:
        dates = [] if self.dated is Dated.NOT else ["since", "until"]
        free = [name for name in self.free if name not in self.keys]
        return [*self.keys, *dates, *free, *(["extends"] if self.extends else [])]

    def _field(self, key: str) -> str:
        return (self.keys[key].field if key in self.keys else "") or key

    def _refuse_unknown(self, node: Table, problems: Problems) -> set[str]:
        """Note every key the shape does not know, with the nearest right name; the fields that were probably meant."""
        known, meant = self._known(), set()
        for name, place in node.key_places.items():
            if name not in known:
                problems.add(place, f"unknown key {name!r} in {self.name}{nearest(name, known)}")
                meant.add(self._field(closest(name, known)))
        return meant

    def _values(self, node: Table, unread: set[str], problems: Problems) -> dict[str, Any]:
        """The values by field; what is not as it should be is noted, and its field added to ``unread``."""
        values: dict[str, Any] = {}
        for name, key in self.keys.items():
            given, before = node.entries.get(name), len(problems)
            field_name = key.field or name
            if given is None:
                if key.required and (not node.orphan or name in OWN_KEYS):
                    problems.add(node.place, f"{self.name} needs the key {name!r}")
                if node.orphan:
                    unread.add(field_name)
            elif isinstance(given, Nothing):
                if key.required:
                    problems.add(node.key_places[name], f"{name!r} has no value")
            else:
                value = key.kind.read(given, problems)
                if value is not BROKEN:
                    values[field_name] = value
            if len(problems) > before:
                unread.add(field_name)
        if self.dated is not Dated.NOT:
            span = _read_span(node, self.dated, problems)
            values["span"] = ALWAYS if isinstance(span, _Broken) else span
        return values

    def schema(self, definitions: Schema, /) -> Schema:
        """A reference to the shape's definition."""
        title = self.name.replace(" ", "-")
        if title not in definitions:
            definitions[title] = {}
            definitions[title].update(self._definition(definitions))
        return {"$ref": f"#/$defs/{title}"}

    def _definition(self, definitions: Schema) -> Schema:
        properties: Schema = {}
        notes = field_notes(self.build)
        for name, key in self.keys.items():
            given = key.kind.schema(definitions)
            says = key.says or notes.get(key.field or name) or _meaning(key.kind)
            properties[name] = given | {"description": says} if says else given
        if self.dated is not Dated.NOT:
            properties["since"] = DateKind().schema(definitions) | {"description": "First day"}
            properties["until"] = DateKind().schema(definitions) | {"description": "Last day"}
        for name, says in self.free.items():
            properties.setdefault(name, {"type": "string", "description": says})
        if self.extends:
            properties["extends"] = {"type": "string", "description": "Another entry of this kind; see the reference"}
        required = [name for name, key in self.keys.items() if key.required]
        if self.dated is Dated.MUST:
            required.append("since")
        definition: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
        if not required:
            return definition
        demand: Schema = {"required": required}
        rest = {"required": ["extends", *(name for name in required if name in OWN_KEYS)]}
        return definition | ({"anyOf": [demand, rest]} if self.extends else demand)


def _meaning(kind: Kind) -> str:
    """What any value of a kind is, where the kind says it."""
    if isinstance(kind, TextKind):
        return "" if kind.wanted == _ANY_TEXT else kind.wanted[:1].upper() + kind.wanted[1:]
    if isinstance(kind, ListKind):
        return _meaning(kind.item)
    if isinstance(kind, Shape):
        return summary(kind.build)
    if isinstance(kind, ChoiceKind):
        return _words_meaning(kind)
    return ""


def _words_meaning(kind: ChoiceKind) -> str:
    word = next(iter(kind.words.values()))
    return summary(type(word)) if isinstance(word, Enum) else ""


def _read_span(table: Table, dated: Dated, problems: Problems) -> Span | _Broken:
    ends: dict[str, Any] = {}
    for name in ("since", "until"):
        node = table.entries.get(name)
        if node is not None and not isinstance(node, Nothing):
            ends[name] = DateKind().read(node, problems)
    if BROKEN in ends.values():
        return BROKEN
    if "since" not in ends and dated is Dated.MUST:
        problems.add(table.place, "needs the key 'since': the first day it holds, such as 2026-01-01")
        return BROKEN
    span = Span(ends.get("since", ALWAYS.start_on), ends.get("until"))
    if span.end_on is not None and span.end_on < span.start_on:
        problems.add(table.key_places["until"], f"'until' {span.end_on} lies before 'since' {span.start_on}")
        return BROKEN
    return span
