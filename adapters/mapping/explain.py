"""Says, for one message, what every mapping entry made of it and why: field by field, entry by entry.

Explanations hold the message's values, for the person who asked; they are shown, never logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.mapping.compiled import IDENTIFIERS, CompiledEntry
from adapters.mapping.conditions import plain
from adapters.mapping.engine import SourceInterpreter, names_of, said_at, views_of
from adapters.mapping.getters import Found, Run, SpecCompiler
from adapters.mapping.source_file import RecordEntry, ValueSpec, with_inherited
from adapters.mapping.targets import Target
from adapters.mapping.view import FindResource, View
from adapters.mapping.yaml_reader import Text
from gateway.errors import ConfigurationError
from gateway.ports import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWay:
    """One of several alternatives for a value."""

    entry: str
    tried: str
    why: str
    """Why it gave nothing, or was not asked; empty for one whose value was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedField:
    """One field of one record: what it got, from where, by which entry; or what was tried and why it gave nothing."""

    name: str
    entry: str
    tried: str
    """What the entry says it is made of, in the file's words."""
    values: tuple[Any, ...] = ()
    positions: tuple[str, ...] = ()
    chosen_by: str = ""
    """``file:line`` of the alternative that gave it."""
    notes: tuple[str, ...] = ()
    why: str = ""
    """Why there is no value, where no note says it."""
    ways: tuple[ExplainedWay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedEntry:
    """One entry against one view of the message."""

    name: str
    record: str
    entry: str
    applies: bool
    why: str
    """Why it does not apply, or the condition that held."""
    place: str = ""
    names: Mapping[str, Any] | None = None
    fields: tuple[ExplainedField, ...] = ()


def explain_message(interpreter: SourceInterpreter, content: bytes) -> list[ExplainedEntry]:
    """Every entry of the source against one HL7 message. Raises FormatError when the bytes are no message."""
    view = interpreter.open_message(content)
    names = interpreter.event_names(view)
    chosen = interpreter.entries_for_event(names)
    return _explain(interpreter, chosen, view, names, f"the message is {names['event']}", None)


def explain_resource(interpreter: SourceInterpreter, resource: Resource, find: FindResource) -> list[ExplainedEntry]:
    """Every entry of the source against one FHIR resource."""
    view = interpreter.open_resource(resource, find)
    chosen = list(interpreter.entries_for_type(resource.type))
    return _explain(interpreter, chosen, view, {}, f"the resource is {resource.type}", resource.updated_at)


def _explain(
    interpreter: SourceInterpreter,
    chosen: list[CompiledEntry],
    view: View,
    names: Mapping[str, Any],
    what_it_is: str,
    came_at: datetime | None,
) -> list[ExplainedEntry]:
    explained: list[ExplainedEntry] = []
    for compiled in interpreter.entries:
        if compiled not in chosen:
            wanted = ", ".join(compiled.entry.sources)
            explained.append(_passed_over(compiled.entry, f"is for {wanted}; {what_it_is}"))
            continue
        views = views_of(compiled, view)
        if not views:
            explained.append(_passed_over(compiled.entry, f"the message has no {compiled.entry.each}"))
        explained.extend(_explain_view(interpreter, compiled, each, names, came_at) for each in views)
    return explained


def _passed_over(entry: RecordEntry, why: str) -> ExplainedEntry:
    return ExplainedEntry(name=entry.name, record=entry.record.kind.value, entry=entry.entry, applies=False, why=why)


def _explain_view(
    interpreter: SourceInterpreter,
    compiled: CompiledEntry,
    view: View,
    given: Mapping[str, Any],
    came_at: datetime | None,
) -> ExplainedEntry:
    entry = compiled.entry
    run = Run(view, names_of(compiled, view, given))
    said = said_at(compiled, run) or came_at
    on = said.astimezone(interpreter.source.time_zone).date() if said else None
    if on is not None and not entry.span.covers(on):
        end = f" to {entry.span.end_on}" if entry.span.end_on else ""
        return _passed_over(entry, f"holds from {entry.span.start_on}{end}; this was said on {on}")
    applies, why = _condition_of(compiled, run)
    return ExplainedEntry(
        name=entry.name,
        record=entry.record.kind.value,
        entry=entry.entry,
        applies=applies,
        why=why,
        place=view.position,
        names=dict(run.names),
        fields=_fields_of(compiled, run, interpreter.compiler_of(compiled)) if applies else (),
    )


def _condition_of(compiled: CompiledEntry, run: Run) -> tuple[bool, str]:
    if compiled.when is None:
        return True, ""
    try:
        holds = compiled.when.holds(run.names)
    except ConfigurationError as error:
        return False, error.problems[0]
    return holds, f"{compiled.when.source} is {'true' if holds else 'false'} ({compiled.when.place.entry})"


def _fields_of(compiled: CompiledEntry, run: Run, compiler: SpecCompiler) -> tuple[ExplainedField, ...]:
    explained = []
    for spec, get in zip(compiled.entry.identity, compiled.identity, strict=True):
        explained.append(_explained(IDENTIFIERS, spec, get(run), run, compiler))
    for each in compiled.fields:
        found = each.get(run)
        if found:
            values = tuple(one.value for one in found)
            run.filled[each.target.name] = values if each.target.many else values[0]
        explained.append(_explained(each.target, each.spec, found, run, compiler))
    return tuple(explained)


def _explained(target: Target, spec: ValueSpec, found: list[Found], run: Run, compiler: SpecCompiler) -> ExplainedField:
    notes = tuple(f"{note.position}: {note.message} ({note.entry})" for note in run.notes)
    run.notes.clear()
    return ExplainedField(
        name=target.name,
        entry=spec.place.entry,
        tried=spec.in_words,
        values=tuple(plain(one.value) for one in found),
        positions=tuple(one.position for one in found),
        chosen_by=found[0].entry if found else "",
        notes=notes,
        why="" if found or notes else _why_nothing(spec, run, compiler),
        ways=_ways(target, spec, run, compiler),
    )


def _ways(target: Target, spec: ValueSpec, run: Run, compiler: SpecCompiler) -> tuple[ExplainedWay, ...]:
    """Each alternative of a value that has several, asked by itself."""
    taken = False
    ways = []
    for each in () if spec.when is not None and not _holds(spec.when, run, compiler) else spec.first_of or spec.all_of:
        whole = with_inherited(each, spec)
        if taken and spec.first_of:
            why = "not asked: one before it gave a value"
        elif compiler.getter(whole, target)(run):
            taken, why = True, ""
        elif run.notes:
            why = f"{run.notes[0].position}: {run.notes[0].message}"
        else:
            why = _why_nothing(whole, run, compiler)
        run.notes.clear()
        ways.append(ExplainedWay(entry=each.place.entry, tried=each.in_words, why=why))
    return tuple(ways)


def _why_nothing(spec: ValueSpec, run: Run, compiler: SpecCompiler) -> str:
    if spec.when is not None and not _holds(spec.when, run, compiler):
        return f"{spec.when.value} is not true"
    if spec.path is None:
        return "one of its parts is not there" if spec.parts else "none of its alternatives gave anything"
    raw = compiler.path(spec.path, spec.place)(run.view)
    if not raw:
        return f"nothing is at {spec.path}"
    if spec.minutes_after and spec.minutes_after not in run.filled:
        return f"{spec.minutes_after} is not known"
    reason = f", and 'miss: {spec.miss}' leaves it out" if spec.miss else ""
    return f"{raw[0][1]} has nothing that can be used{reason}"


def _holds(when: Text, run: Run, compiler: SpecCompiler) -> bool:
    condition = compiler.condition(when.value, when.place)
    try:
        return condition is not None and condition.holds(run.names)
    except ConfigurationError:
        return False
