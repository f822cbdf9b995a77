"""Applies one source's mapping file: a message or resource in, records with their origins out.

Knows no format's syntax. Everything is compiled when the interpreter is made. A value that is not understood costs its
field, or the record where it cannot do without: it is always listed, never dropped, and its text is never repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from adapters.mapping.compiled import CompiledEntry, CompiledField, compile_source, compiler_of, kind_of_entry
from adapters.mapping.getters import Note, Run, SpecCompiler
from adapters.mapping.source_file import CSV_ROW, RecordEntry, SourceFile
from adapters.mapping.values import text_of
from adapters.mapping.view import FindResource, Notation, ResourceView, View
from adapters.mapping.yaml_reader import Problems
from gateway.claim.contract import Facility
from gateway.claim.finding import Origin
from gateway.claim.origins import UNSAID
from gateway.claim.party import Identifier
from gateway.claim.record import MoveRecord
from gateway.errors import ConfigurationError
from gateway.ports import Interpretation, MappedRecord, MappingProblem, Resource

_LONGEST_EVENT: Final = 7
"""`ADT^A01`: what is longer is no event, and may be anything."""
_REVERSIBLE: Final = (("start_at", "end_at"), ("start_on", "end_on"), ("admitted_on", "discharged_on"))


@dataclass(slots=True)
class _Outcome:
    """What one message gave so far."""

    records: list[MappedRecord] = field(default_factory=list)
    problems: list[MappingProblem] = field(default_factory=list)


def facility_names(facilities: Iterable[Facility]) -> dict[Identifier, str]:
    """Facility ids by every name a feed uses for them."""
    return {name: each.id for each in facilities for name in each.names}


class SourceInterpreter:
    """Applies one source's mapping file to its messages or resources."""

    def __init__(
        self, source: SourceFile, notation: Notation, facilities: Mapping[Identifier, str] | None = None
    ) -> None:
        """Compile the file. Raises ConfigurationError with every mistake in it."""
        problems = Problems()
        self.source = source
        self._notation = notation
        self._facilities = facilities
        self.entries = compile_source(source, notation, facilities, problems)
        problems.raise_if_any()
        self._by_source: dict[str, list[CompiledEntry]] = defaultdict(list)
        for compiled in self.entries:
            for name in compiled.entry.sources:
                self._by_source[name].append(compiled)
        if source.format == "hl7":
            self._event = [notation.compile(path) for path in ("MSH-9.1", "MSH-9.2", "EVN-1")]

    def interpret_message(self, content: bytes, received_at: datetime) -> Interpretation:
        """Records of one HL7 message or CSV row. Raises FormatError when the bytes are none."""
        view = self.open_message(content)
        names = self.event_names(view)
        outcome = _Outcome()
        chosen = self.entries_for_event(names)
        if not chosen and not names_of_event(names) & {*self.source.passed_over}:
            outcome.problems.append(_not_made(self.source, names))
        for compiled in chosen:
            for each in views_of(compiled, view):
                self._apply(compiled, each, names, (), received_at, outcome)
        return Interpretation(records=tuple(outcome.records), problems=tuple(outcome.problems))

    def interpret_resource(self, resource: Resource, find: FindResource) -> Interpretation:
        """Records of one FHIR resource, and the resources its mapping followed."""
        view = self.open_resource(resource, find)
        own = Identifier(self.source.source, f"{resource.type}/{resource.id}")
        outcome = _Outcome()
        for compiled in self._by_source.get(resource.type, ()):
            given = () if compiled.entry.each else (own,)
            for each in views_of(compiled, view):
                self._apply(compiled, each, {}, given, resource.updated_at, outcome)
        return Interpretation(
            records=tuple(outcome.records),
            problems=tuple(outcome.problems),
            references=tuple(view.references),
            missing=tuple(view.missing),
        )

    def open_message(self, content: bytes) -> View:
        """The view of an HL7 message or CSV row. Raises FormatError."""
        if self._notation.open_message is None:
            raise ConfigurationError([f"{self.source.entry}: {self.source.source!r} takes no messages or rows"])
        return self._notation.open_message(content, self.source.character_set)

    def open_resource(self, resource: Resource, find: FindResource) -> ResourceView:
        """The view of a FHIR resource."""
        if self._notation.open_resource is None:
            raise ConfigurationError([f"{self.source.entry}: {self.source.source!r} is not a FHIR source"])
        return self._notation.open_resource(resource, find)

    def event_names(self, view: View) -> dict[str, Any]:
        """The ready-made names of HL7 conditions: event (`ADT^A01`), type, trigger. Every row of a CSV is a `row`."""
        if self.source.format == "csv":
            return {"event": CSV_ROW, "type": CSV_ROW}
        kind, trigger, event = (text_of(found[0][0]) if (found := read(view)) else "" for read in self._event)
        trigger = trigger or event
        return {"event": f"{kind}^{trigger}", "type": kind, "trigger": trigger}

    def compiler_of(self, compiled: CompiledEntry) -> SpecCompiler:
        """What compiled the entry's values: for whoever asks after a part of one."""
        return compiler_of(self.source, compiled.entry, self._notation, self._facilities, Problems())

    def entries_for_event(self, names: Mapping[str, Any]) -> list[CompiledEntry]:
        """The entries an HL7 event is for, in the order of the file."""
        wanted = names_of_event(names)
        return [each for each in self.entries if wanted.intersection(each.entry.sources)]

    def entries_for_type(self, resource_type: str) -> Sequence[CompiledEntry]:
        """The entries a FHIR resource type is for, in the order of the file."""
        return self._by_source.get(resource_type, ())

    def _apply(
        self,
        compiled: CompiledEntry,
        view: View,
        names: Mapping[str, Any],
        given: tuple[Identifier, ...],
        otherwise_at: datetime,
        outcome: _Outcome,
    ) -> None:
        run = Run(view, names_of(compiled, view, names))
        at = said_at(compiled, run) or otherwise_at
        if not compiled.entry.span.covers(at.astimezone(self.source.time_zone).date()):
            return
        if compiled.when is not None:
            try:
                if not compiled.when.holds(run.names):
                    return
            except ConfigurationError as error:
                outcome.problems.append(_undecided(compiled.entry, view, error))
                return
        origins: dict[str, Origin] = {}
        identifiers = _identify(compiled, run, given, origins)
        if not identifiers:
            outcome.problems.extend(_unidentified(compiled.entry, run))
        lost = _fill(compiled, run, origins, outcome.problems)
        if lost or not identifiers:
            return
        if compiled.entry.record is MoveRecord and not _moves(run, identifiers):
            outcome.problems.append(_unmoved(compiled.entry, view))
            return
        record = compiled.build(run.filled, identifiers, _incomplete(compiled.entry, view, outcome.problems))
        outcome.records.append(MappedRecord(record=record, asserted_at=at, origins=origins))


def names_of_event(names: Mapping[str, Any]) -> set[str]:
    """What a mapping file may call an event: `SIU^S12` and `SIU^*`."""
    return {names["event"], f"{names['type']}^*"}


def _not_made(source: SourceFile, names: Mapping[str, Any]) -> MappingProblem:
    event = names["event"] if names["event"].isprintable() and len(names["event"]) <= _LONGEST_EVENT else "this event"
    return MappingProblem(
        place="MSH-9",
        mapping=source.entry,
        message=f"no record is made of {event}",
        fix="Add the event to the 'from' of a record, or to 'passed_over' where nothing of it has to be known.",
        fatal=False,
    )


def views_of(compiled: CompiledEntry, view: View) -> Sequence[View]:
    """The views an entry makes records of: the whole, or each of its groups."""
    return view.groups(compiled.entry.each) if compiled.entry.each else (view,)


def said_at(compiled: CompiledEntry, run: Run) -> datetime | None:
    """When the sender says it said so; None where it does not."""
    found = compiled.asserted_at(run) if compiled.asserted_at else ()
    run.notes.clear()
    return found[0].value if found else None


def names_of(compiled: CompiledEntry, view: View, names: Mapping[str, Any]) -> dict[str, Any]:
    """The named values conditions may use."""
    return {**names, **{name: read(view) for name, read in compiled.names}}


def _identify(
    compiled: CompiledEntry, run: Run, given: tuple[Identifier, ...], origins: dict[str, Origin]
) -> tuple[Identifier, ...]:
    identifiers = list(given)
    if given:
        origins["identifiers"] = Origin(source=f"{run.view.position}.id", mapping=compiled.entry.entry)
    for get in compiled.identity:
        for found in get(run):
            identifiers.append(found.value)
            origins.setdefault("identifiers", Origin(source=found.position, mapping=found.entry))
    return tuple(dict.fromkeys(identifiers))


def _fill(compiled: CompiledEntry, run: Run, origins: dict[str, Origin], problems: list[MappingProblem]) -> bool:
    """Fill every field that can be; True when the record cannot be made."""
    lost = False
    unsaid = {*compiled.entry.stands}
    for each in compiled.fields:
        run.notes.clear()
        found = each.get(run)
        missing = each.required and not found
        if run.notes:
            problems.extend(_problem(compiled.entry, each.target.name, note, missing) for note in run.notes)
        elif missing:
            problems.append(_missing(compiled.entry, each, run.view))
        lost |= missing
        if found or run.notes:  # what was said and not understood is not left unsaid
            unsaid.discard(each.target.name.partition(".")[0])
        if found:
            first = found[0]
            many = each.target.many
            run.filled[each.target.name] = tuple(dict.fromkeys(one.value for one in found)) if many else first.value
            origins[each.target.name] = Origin(source=first.position, mapping=first.entry)
    origins.update((name, Origin(source=UNSAID, mapping=compiled.entry.entry)) for name in sorted(unsaid))
    _tell_reversed(compiled.entry, run, origins, problems)
    return lost


def _tell_reversed(entry: RecordEntry, run: Run, origins: Mapping[str, Origin], problems: list[MappingProblem]) -> None:
    """Both values are kept as they were said: what is made of them must not look as if the end were open."""
    for start, end in _REVERSIBLE:
        begin, finish = run.filled.get(start), run.filled.get(end)
        if begin is not None and finish is not None and finish < begin:
            origin = origins[end]
            message = f"{entry.name}.{end}: lies before {start}"
            fix = "Correct the times at their source, or map the right fields."
            problems.append(
                MappingProblem(place=origin.source, mapping=origin.mapping, message=message, fix=fix, fatal=False)
            )


def _problem(entry: RecordEntry, name: str, note: Note, fatal: bool) -> MappingProblem:
    message = f"{entry.name}.{name}: {note.message}"
    return MappingProblem(
        place=note.position, mapping=note.entry, message=message, fix=note.fix, fatal=fatal and note.lost
    )


def _missing(entry: RecordEntry, field_: CompiledField, view: View) -> MappingProblem:
    return MappingProblem(
        place=view.position,
        mapping=field_.spec.place.entry,
        message=f"{entry.name}.{field_.target.name}: {field_.spec.in_words} gives nothing, and every "
        f"{kind_of_entry(entry)} needs it",
        fix="Have the sender fill it, or map a field that is filled.",
    )


def _unidentified(entry: RecordEntry, run: Run) -> list[MappingProblem]:
    if run.notes:
        return [_problem(entry, "identity", note, True) for note in run.notes]
    place = entry.identity[0].place.entry if entry.identity else entry.entry
    tried = " or ".join(each.in_words for each in entry.identity) or "the resource"
    return [
        MappingProblem(
            place=run.view.position,
            mapping=place,
            message=f"{entry.name}.identity: {tried} gives no identifier in a known namespace for this "
            f"{kind_of_entry(entry)}",
            fix="Map an identifier the sender fills, or add its system or authority to the source's namespaces.",
        )
    ]


def _moves(run: Run, identifiers: tuple[Identifier, ...]) -> bool:
    """True where a move says what changed: the patient, the account or the number."""
    filed_elsewhere = run.filled.get("moved_from") not in (None, run.filled["patient"])
    return filed_elsewhere or "account" in run.filled or len(identifiers) > 1


def _unmoved(entry: RecordEntry, view: View) -> MappingProblem:
    return MappingProblem(
        place=view.position,
        mapping=entry.entry,
        message=f"{entry.name}: the message names one number and one patient, so it does not say what moved from where",
        fix="Have the sender give the earlier patient or number (MRG), or move the records by hand.",
    )


def _undecided(entry: RecordEntry, view: View, error: ConfigurationError) -> MappingProblem:
    place = entry.when.place.entry if entry.when else entry.entry
    message = f"{entry.name}.when: {error.problems[0]}"
    return MappingProblem(place=view.position, mapping=place, message=message, fix="Correct the condition.")


def _incomplete(entry: RecordEntry, view: View, problems: list[MappingProblem]) -> Callable[[str, str], None]:
    def note(name: str, part: str) -> None:
        spec = next((spec for target, spec in entry.fields.items() if target.startswith(name + ".")), None)
        problems.append(
            MappingProblem(
                place=view.position,
                mapping=spec.place.entry if spec else entry.entry,
                message=f"{entry.name}.{name}: left out, because its {part} is missing",
                fix=f"Have the sender fill the {part}, or map a field that has it.",
                fatal=False,
            )
        )

    return note
