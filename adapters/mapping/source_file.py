"""A source's mapping file as typed values: which records, from what, field by field. Compiles and applies nothing."""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.mapping.contract_shapes import IDENTIFIER_WORD, TIME_ZONE, pattern_kind
from adapters.mapping.shapes import (
    BOOLEAN,
    BROKEN,
    ChoiceKind,
    Dated,
    IntegerKind,
    Key,
    Kind,
    ListKind,
    MapKind,
    Schema,
    Shape,
    TextKind,
    enum_kind,
)
from adapters.mapping.yaml_reader import Node, Place, Problems, Table, Text, nearest
from gateway.claim.calendar import Span
from gateway.claim.contract import ALWAYS
from gateway.claim.record import FEED_RECORDS, EncounterRecord, FeedRecord


class Miss(StrEnum):
    """What a value that its map does not know becomes."""

    PROBLEM = "problem"
    KEEP = "keep"
    IGNORE = "ignore"
    DEFAULT = "default"


class Convert(StrEnum):
    """What is done to a value before it is typed."""

    START_OF_DAY = "start-of-day"
    MINUTE = "minute"
    DIGITS = "digits"
    UPPER = "upper"
    LOWER = "lower"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """The sender's words to ours."""

    words: Mapping[str, str]
    place: Place
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSpec:
    """How one value is found: exactly one of path, value, first_of, all_of and parts is given."""

    place: Place
    path: str | None = None
    value: str | None = None
    first_of: tuple[ValueSpec, ...] = ()
    all_of: tuple[ValueSpec, ...] = ()
    parts: tuple[ValueSpec, ...] = ()
    codes: ValueMap | str | None = None
    """A map, or the name of one of the file's."""
    miss: Miss | None = None
    convert: Convert | None = None
    minutes_after: str = ""
    namespace: str = ""
    lookup: str = ""
    default: str | None = None
    reason: str = ""
    when: Text | None = None
    required: bool = False

    @property
    def inner(self) -> tuple[ValueSpec, ...]:
        """The specs this one is made of."""
        return self.first_of or self.all_of or self.parts

    @property
    def in_words(self) -> str:
        """What the value is made of, in the words of the file."""
        if self.path is not None:
            return self.path
        if self.value is not None:
            return f"constant {self.value!r}"
        joiner = " + " if self.all_of else " / " if self.parts else " or "
        return joiner.join(each.in_words for each in self.inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValue:
    """A value conditions may name: the first text at a path ('' when absent), or with ``every`` the list of all."""

    place: Place
    path: str
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """One kind of record one kind of message or resource gives."""

    name: str
    record: type[FeedRecord]
    sources: tuple[str, ...]
    """FHIR resource types, HL7 events such as `ADT^A01` and `SIU^*`, or `row`."""
    fields: Mapping[str, ValueSpec]
    each: str = ""
    values: Mapping[str, NamedValue] = field(default_factory=dict)
    when: Text | None = None
    identity: tuple[ValueSpec, ...] = ()
    asserted_at: ValueSpec | None = None
    stands: tuple[str, ...] = ()
    """Fields of which what the feed said before stands where a message says nothing."""
    span: Span = ALWAYS
    """The days on which the sender speaks this way, by what it says was the time, in the source's time zone."""
    place: Place
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One EHR feed."""

    source: str
    format: str
    organization: str
    time_zone: ZoneInfo
    records: tuple[RecordEntry, ...]
    character_set: str = ""
    namespaces: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, NamedValue] = field(default_factory=dict)
    codes: Mapping[str, ValueMap] = field(default_factory=dict)
    asserted_at: ValueSpec | None = None
    precedence: int = 100
    """Which source's word counts where two tell of one thing; the lower number wins."""
    medical_record_number: str = ""
    """The namespace whose identifier goes on a claim as the medical record number."""
    passed_over: tuple[str, ...] = ()
    """HL7 events of which nothing has to be known; any other that no record is made of is a finding."""
    verified: bool = False
    entry: str = ""

    def map_of(self, spec: ValueSpec) -> ValueMap | None:
        """The spec's value map, found by name where it is named."""
        return self.codes.get(spec.codes) if isinstance(spec.codes, str) else spec.codes

    @property
    def built_names(self) -> Mapping[str, str]:
        """Namespaces of encounters' names made of parts of which the first is a number, with the number's namespace."""
        identities = (spec for each in self.records if each.record is EncounterRecord for spec in each.identity)
        return {
            spec.namespace: spec.parts[0].namespace for spec in identities if spec.parts and spec.parts[0].namespace
        }

    def words(self, target: str) -> Iterator[tuple[Place, str]]:
        """(place, word) of every constant, default and map value that would fill a field of this name."""
        for record in self.records:
            spec = record.fields.get(target)
            if spec is not None:
                yield from self._words_of(spec)

    def _words_of(self, spec: ValueSpec) -> Iterator[tuple[Place, str]]:
        for word in (spec.value, spec.default):
            if word is not None:
                yield spec.place, word
        found = None if spec.lookup else self.map_of(spec)
        if found is not None:
            for key, word in found.words.items():
                yield found.places[key], word
        for inner in spec.inner:
            yield from self._words_of(inner)


class _CodesKind:
    """A value map in place, or the name of one."""

    def read(self, node: Node, problems: Problems) -> Any:
        return node.value if isinstance(node, Text) else _VALUE_MAP.read(node, problems)

    def schema(self, definitions: Schema, /) -> Schema:
        return {"anyOf": [{"type": "string"}, _VALUE_MAP.schema(definitions)]}


class _ValueMapKind:
    """Words to words, each with its place."""

    def read(self, node: Node, problems: Problems) -> Any:
        words = MapKind(TextKind()).read(node, problems)
        if words is BROKEN or not isinstance(node, Table):
            return BROKEN
        return ValueMap(words=words, place=node.place, places={key: each.place for key, each in node.entries.items()})

    def schema(self, definitions: Schema, /) -> Schema:
        return MapKind(TextKind()).schema(definitions)


class _ConditionKind:
    """The text of a CEL condition with its place, compiled once the names are known."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, Text):
            return node
        problems.add(node.place, "expected a CEL condition, such as status == 'finished'")
        return BROKEN

    def schema(self, _definitions: Schema, /) -> Schema:
        return {"type": "string"}


class _SpecKind:
    """A path alone, or a mapping that says how a value is found."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, Text):
            return ValueSpec(place=node.place, path=node.value)
        return _SPEC.read(node, problems)

    def schema(self, definitions: Schema, /) -> Schema:
        return {"anyOf": [{"type": "string"}, _SPEC.schema(definitions)]}


class _NamedValueKind:
    """A path alone, or `{all: PATH}` for the list of all values."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, Text):
            return NamedValue(place=node.place, path=node.value)
        return _EVERY_VALUE.read(node, problems)

    def schema(self, definitions: Schema, /) -> Schema:
        return {"anyOf": [{"type": "string"}, _EVERY_VALUE.schema(definitions)]}


class _ZoneKind:
    """A time zone, ready to use."""

    def read(self, node: Node, problems: Problems) -> Any:
        name = TIME_ZONE.read(node, problems)
        return ZoneInfo(name) if isinstance(name, str) else BROKEN

    def schema(self, definitions: Schema, /) -> Schema:
        return TIME_ZONE.schema(definitions)


_VALUE_MAP: Final = _ValueMapKind()
_SPEC_KIND: Final[Kind] = _SpecKind()
_WAYS: Final = {"path": "from", "value": "value", "first_of": "first_of", "all_of": "all_of", "parts": "parts"}


def _check_way(spec: ValueSpec, _: Table, problems: Problems) -> None:
    given = [key for name, key in _WAYS.items() if getattr(spec, name) not in (None, ())]
    if len(given) != 1:
        found = f"found {' and '.join(given)}" if given else "found none"
        problems.add(spec.place, f"a value is given by exactly one of {', '.join(_WAYS.values())}; {found}")


def _check_reason(spec: ValueSpec, _: Table, problems: Problems) -> None:
    if (spec.value is not None or spec.default is not None) and not spec.reason:
        problems.add(spec.place, "a constant or a default needs its reason: why the feed need not say it")


def _check_miss(spec: ValueSpec, table: Table, problems: Problems) -> None:
    if spec.miss is Miss.DEFAULT and spec.default is None:
        problems.add(table.key_places["miss"], "'miss: default' needs the key 'default'")


_SPEC: Final = Shape(
    "value",
    ValueSpec,
    {
        "from": Key(TextKind("a path"), field="path", says="Path in the feed's own notation"),
        "value": Key(TextKind(), says="A constant; needs a reason"),
        "first_of": Key(ListKind(_SPEC_KIND, filled=True), says="The first of these that gives something"),
        "all_of": Key(ListKind(_SPEC_KIND, filled=True), says="Everything these give, each once"),
        "parts": Key(ListKind(_SPEC_KIND, filled=True), says="These joined with /; nothing when one is missing"),
        "codes": Key(_CodesKind(), says="The sender's words to ours, or the name of such a map"),
        "miss": Key(enum_kind(Miss), says="What a word the map does not know becomes"),
        "convert": Key(enum_kind(Convert)),
        "minutes_after": Key(TextKind(), says="The value is a number of minutes after this field's time"),
        "namespace": Key(IDENTIFIER_WORD, says="The identifier's namespace"),
        "lookup": Key(ChoiceKind({"facility": "facility"}), says="Find our id by the name a feed uses"),
        "default": Key(TextKind(), says="What holds when nothing is found; needs a reason"),
        "reason": Key(TextKind(), says="Why a default stands in, for the next reader"),
        "when": Key(_ConditionKind(), says="CEL over the named values"),
        "required": Key(BOOLEAN, says="Without it there is no record"),
    },
    checks=(_check_way, _check_reason, _check_miss),
    places=True,
)
_EVERY_VALUE: Final = Shape(
    "named value",
    lambda path, place: NamedValue(place=place, path=path, every=True),
    {"all": Key(TextKind("a path"), required=True, field="path")},
    places=True,
)


def _check_codec(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        return f"{name!r} is no character set known here; write it as Python does, such as cp1252 or iso8859-1"
    return ""


_RECORDS: Final = {record.kind.value: record for record in FEED_RECORDS}

_EVENT: Final = pattern_kind(r"[A-Z][A-Z0-9]{2}\^(?:[A-Z0-9]{3}|\*)", "an HL7 event such as ORU^R01 or ORU^*")
_FROM: Final = pattern_kind(
    r"[A-Z][A-Za-z]+|[A-Z][A-Z0-9]{2}\^(?:[A-Z0-9]{3}|\*)|row",
    "a FHIR resource type, an HL7 event such as ADT^A01 or SIU^*, or row",
)
CSV_ROW: Final = "row"
"""What every record of a CSV source is made of."""
_WANTED: Final = {"fhir": "a FHIR resource type", "hl7": "an HL7 event such as ADT^A01", "csv": f"{CSV_ROW!r}"}
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_VALUES: Final = MapKind(_NamedValueKind())

RECORD: Final = Shape(
    "record",
    RecordEntry,
    {
        "name": Key(IDENTIFIER_WORD, required=True),
        "record": Key(ChoiceKind(_RECORDS), required=True, says="What each match becomes"),
        "from": Key(ListKind(_FROM, single=True, filled=True), required=True, field="sources"),
        "each": Key(TextKind("a group"), says="One record for each of these (HL7 segment, FHIR path)"),
        "values": Key(_VALUES, says="Names for conditions"),
        "when": Key(_ConditionKind(), says="CEL over the named values; false: no record"),
        "identity": Key(ListKind(_SPEC_KIND, filled=True), says="What this record is known by"),
        "asserted_at": Key(_SPEC_KIND, says="When the sender says it said so"),
        "stands": Key(ListKind(TextKind()), says="Fields that stand as said before where a message says nothing"),
        "fields": Key(MapKind(_SPEC_KIND), required=True, says="Our fields, each with a path or a value"),
    },
    Dated.MAY,
    entry=True,
    places=True,
)

SOURCE_FILE: Final = Shape(
    "source file",
    SourceFile,
    {
        "source": Key(IDENTIFIER_WORD, required=True, says="The feed's name: the name of this file"),
        "format": Key(ChoiceKind({name: name for name in _WANTED}), required=True, says="What the feed sends"),
        "organization": Key(IDENTIFIER_WORD, required=True),
        "time_zone": Key(_ZoneKind(), required=True, says="Of times without an offset, and of the days of times"),
        "character_set": Key(
            TextKind(check=_check_codec),
            says="Of HL7 messages not in the one they declare; of CSV files that are not UTF-8",
        ),
        "namespaces": Key(MapKind(IDENTIFIER_WORD), says="Identifier system or assigning authority to our namespace"),
        "values": Key(_VALUES, says="Names for the conditions of every record"),
        "codes": Key(MapKind(_VALUE_MAP), says="Named value maps"),
        "asserted_at": Key(_SPEC_KIND, says="When the sender says it said so"),
        "precedence": Key(IntegerKind(1), says="Whose word counts where two sources tell of one thing; lower wins"),
        "medical_record_number": Key(IDENTIFIER_WORD, says="Namespace of the number that goes on claims"),
        "passed_over": Key(ListKind(_EVENT), says="HL7 events of which nothing has to be known"),
        "verified": Key(BOOLEAN, says="Whether somebody has seen this work against the real feed"),
        "records": Key(ListKind(RECORD, filled=True), required=True),
    },
    entry=True,
    extends=True,
)


def read_source(table: Table, problems: Problems) -> SourceFile | None:
    """The source a file describes; None, with problems noted, when it cannot be read."""
    read = SOURCE_FILE.read(table, problems)
    if read is BROKEN:
        return None
    source: SourceFile = read
    stem = table.place.file.rpartition("/")[2].rpartition(".")[0]
    if source.source and source.source != stem:
        problems.add(table.entries["source"].place, f"the source is called {source.source!r} and its file {stem!r}")
    _check_names(source, problems)
    return source


def _check_names(source: SourceFile, problems: Problems) -> None:
    for name, value in [*source.values.items(), *(each for one in source.records for each in one.values.items())]:
        if not _NAME.fullmatch(name):
            problems.add(value.place, f"conditions cannot name {name!r}; use lower-case letters, digits and _")
    seen: dict[str, RecordEntry] = {}
    for record in source.records:
        if record.name in seen:
            problems.add(record.place, f"record {record.name!r} is already at {seen[record.name].entry}")
        seen[record.name] = record
        for spec in [*record.identity, *record.fields.values()]:
            if spec.miss is not None and spec.codes is None and not spec.lookup:
                problems.add(spec.place, "'miss' belongs to a value map or a lookup; give 'codes' or 'lookup' too")
        for spec in _all_specs([*record.identity, *record.fields.values()]):
            if isinstance(spec.codes, str) and spec.codes not in source.codes:
                problems.add(spec.place, f"no value map {spec.codes!r} in this file{nearest(spec.codes, source.codes)}")
        wanted = _WANTED.get(source.format)
        for name in record.sources if wanted else ():
            if _format_of(name) != source.format:
                problems.add(record.place, f"'from' should name {wanted} in a {source.format} source")


def _format_of(name: str) -> str:
    """The format that has things of this name."""
    return "hl7" if "^" in name else "csv" if name == CSV_ROW else "fhir"


def _all_specs(specs: list[ValueSpec]) -> Iterator[ValueSpec]:
    for spec in specs:
        yield spec
        yield from _all_specs(list(spec.inner))


def with_inherited(spec: ValueSpec, outer: ValueSpec) -> ValueSpec:
    """The inner spec with what the outer says of all its alternatives, where the inner does not say it itself."""
    return dataclasses.replace(
        spec,
        codes=spec.codes if spec.codes is not None else outer.codes,
        miss=spec.miss or outer.miss,
        convert=spec.convert or outer.convert,
        minutes_after=spec.minutes_after or outer.minutes_after,
        namespace=spec.namespace or outer.namespace,
        lookup=spec.lookup or outer.lookup,
    )
