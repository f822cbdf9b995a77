"""Record entries of a source file compiled once: paths, conditions, value maps and types, every mistake noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.mapping.conditions import Condition
from adapters.mapping.getters import Getter, SpecCompiler
from adapters.mapping.source_file import NamedValue, RecordEntry, SourceFile, ValueSpec
from adapters.mapping.targets import Target, builder_of, targets_of
from adapters.mapping.typing_values import Surroundings, spreadsheet_time
from adapters.mapping.values import text_of
from adapters.mapping.view import Notation, Reader, View
from adapters.mapping.yaml_reader import Problems, nearest
from gateway.claim.party import Identifier
from gateway.claim.record import FeedRecord, RecordKind

IDENTIFIERS: Final = Target("identifiers", Identifier, True, True)
_ASSERTED_AT: Final = Target("asserted_at", datetime, False, False)
_HL7_NAMES: Final = ("event", "type", "trigger")
_HL7_ASSERTED_AT: Final = ("EVN-2", "MSH-7")


@dataclass(frozen=True, slots=True)
class CompiledField:
    """One target of a record with its getter."""

    target: Target
    get: Getter
    spec: ValueSpec
    required: bool


@dataclass(frozen=True, slots=True)
class CompiledEntry:
    """One record entry, ready to apply."""

    entry: RecordEntry
    names: tuple[tuple[str, Callable[[View], Any]], ...]
    when: Condition | None
    identity: tuple[Getter, ...]
    asserted_at: Getter | None
    fields: tuple[CompiledField, ...]
    build: Callable[..., FeedRecord]


def compile_source(
    source: SourceFile, notation: Notation, facilities: Mapping[Identifier, str] | None, problems: Problems
) -> tuple[CompiledEntry, ...]:
    """Every entry of a source, compiled; what is wrong with any of them goes to ``problems``."""
    readable = (entry for entry in source.records if entry.record is not None)
    return tuple(
        _compile_entry(source, entry, compiler_of(source, entry, notation, facilities, problems), problems)
        for entry in readable
    )


def compiler_of(
    source: SourceFile,
    entry: RecordEntry,
    notation: Notation,
    facilities: Mapping[Identifier, str] | None,
    problems: Problems,
) -> SpecCompiler:
    """What compiles the values of one entry: it knows the names its conditions may use."""
    time_text = spreadsheet_time if source.format == "csv" else text_of
    around = Surroundings(source.source, source.time_zone, source.namespaces, facilities, time_text)
    ready_made = _HL7_NAMES if source.format == "hl7" else ()
    return SpecCompiler(source, notation, around, {**source.values, **entry.values}, ready_made, problems)


def _compile_entry(source: SourceFile, entry: RecordEntry, compiler: SpecCompiler, problems: Problems) -> CompiledEntry:
    values = {**source.values, **entry.values}
    when = compiler.condition(entry.when.value, entry.when.place) if entry.when else None
    used = _names_used(entry)
    names = tuple(
        (name, _named_reader(compiler.path(value.path, value.place), value))
        for name, value in values.items()
        if name in entry.values or used(name)
    )
    if entry.each and source.format == "csv":
        problems.add(entry.place, "a row has no groups: leave 'each' out")
    if not entry.identity and not problems.is_partial(entry.entry) and (source.format != "fhir" or entry.each):
        problems.add(
            entry.place, f"record {entry.name!r} needs its 'identity': what the {kind_of_entry(entry)} is known by"
        )
    asserted = entry.asserted_at or source.asserted_at or _usual_asserted_at(source, entry)
    fields = _compile_fields(entry, compiler, problems)
    return CompiledEntry(
        entry=entry,
        names=names,
        when=when,
        identity=tuple(compiler.getter(spec, IDENTIFIERS) for spec in entry.identity),
        asserted_at=compiler.getter(asserted, _ASSERTED_AT) if asserted else None,
        fields=fields,
        build=builder_of(entry.record, tuple(each.target.name for each in fields)),
    )


def _names_used(entry: RecordEntry) -> Callable[[str], bool]:
    """Whether a condition of the entry may name a value: file-wide values nobody asks for are not read."""
    conditions: list[str] = [entry.when.value] if entry.when else []
    specs = [*entry.identity, *entry.fields.values()]
    while specs:
        spec = specs.pop()
        conditions += [spec.when.value] if spec.when else []
        specs += spec.inner
    return lambda name: any(name in condition for condition in conditions)


def _named_reader(reader: Reader, value: NamedValue) -> Callable[[View], Any]:
    if value.every:
        return lambda view: [text_of(raw) for raw, _ in reader(view) if not isinstance(raw, dict | list)]

    def first(view: View) -> str:
        for raw, _ in reader(view):
            return "" if isinstance(raw, dict | list) else text_of(raw)
        return ""

    return first


def _usual_asserted_at(source: SourceFile, entry: RecordEntry) -> ValueSpec | None:
    if source.format != "hl7":
        return None
    paths = tuple(ValueSpec(place=entry.place, path=path) for path in _HL7_ASSERTED_AT)
    return ValueSpec(place=entry.place, first_of=paths)


def _compile_fields(entry: RecordEntry, compiler: SpecCompiler, problems: Problems) -> tuple[CompiledField, ...]:
    record: Any = entry.record
    targets = targets_of(record)
    compiled: list[CompiledField] = []
    for name, spec in entry.fields.items():
        target = targets.get(name)
        if target is None:
            problems.add(spec.place, f"{_with_article(entry)} has no field {name!r}{_nearest_target(name, targets)}")
            continue
        _check_minutes_after(spec, name, entry, problems)
        compiled.append(CompiledField(target, compiler.getter(spec, target), spec, target.required or spec.required))
    for target in targets.values():
        if target.required and target.name not in entry.fields and not problems.is_partial(entry.entry):
            problems.add(
                entry.place, f"record {entry.name!r} fills no {target.name!r}, which every {kind_of_entry(entry)} has"
            )
    heads = {name.partition(".")[0] for name in targets}
    for name in entry.stands:
        if name not in heads:
            problems.add(
                entry.place, f"'stands' names {name!r}, which {_with_article(entry)} has not{nearest(name, heads)}"
            )
    return tuple(sorted(compiled, key=lambda each: _depends(each.spec)))


def _with_article(entry: RecordEntry) -> str:
    kind = kind_of_entry(entry)
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _nearest_target(name: str, targets: Mapping[str, Target]) -> str:
    if name == "identifiers":
        return "; identifiers are given by 'identity'"
    below = [each for each in targets if each.startswith(name + ".")]
    return f"; fill its parts: {', '.join(below)}" if below else nearest(name, targets)


def _depends(spec: ValueSpec) -> bool:
    return bool(spec.minutes_after) or any(_depends(each) for each in spec.inner)


def _check_minutes_after(spec: ValueSpec, name: str, entry: RecordEntry, problems: Problems) -> None:
    for each in (spec, *spec.inner):
        if each.minutes_after and (each.minutes_after not in entry.fields or each.minutes_after == name):
            problems.add(
                each.place, f"'minutes_after' names {each.minutes_after!r}, which is no other field of this record"
            )


def kind_of_entry(entry: RecordEntry) -> str:
    """The word for what the entry makes: `encounter`, `coverage` ..."""
    kind: RecordKind = entry.record.kind
    return kind.value
