"""Value entries compiled to functions that find typed values in a view, each with its place and its entry.

What is not understood is noted on the run, never raised: one bad value costs one field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from adapters.mapping.conditions import Condition, compile_condition
from adapters.mapping.source_file import NamedValue, SourceFile, ValueSpec, with_inherited
from adapters.mapping.targets import Target
from adapters.mapping.typing_values import Surroundings, Typer, nearest_word, typer_for
from adapters.mapping.values import Moment, NotInMap, NotUnderstood, text_of
from adapters.mapping.view import Located, Notation, Reader, View
from adapters.mapping.yaml_reader import Place, Problems
from gateway.claim.party import Identifier
from gateway.errors import ConfigurationError, GatewayError


class Found(NamedTuple):
    """A typed value, where it stood in the message, and the entry that chose it."""

    value: Any
    position: str
    entry: str


class Note(NamedTuple):
    """Something about a value that somebody should know; ``lost`` when the value could not be used."""

    position: str
    entry: str
    message: str
    fix: str
    lost: bool


class Run:
    """One record being made from one view."""

    __slots__ = ("filled", "names", "notes", "view")

    def __init__(self, view: View, names: dict[str, Any]) -> None:
        self.view = view
        self.names = names
        self.filled: dict[str, Any] = {}
        self.notes: list[Note] = []

    def note(self, position: str, entry: str, error: NotUnderstood) -> None:
        """Keep why a value could not be used."""
        self.notes.append(Note(position, entry, str(error), error.fix, True))


Getter = Callable[[Run], list[Found]]

_AUTHORITY: Final = re.compile(r"/?[A-Z][A-Z0-9]{2}(?:\[[^\[\]]+\])?-\d+(?:\[[^\[\]]+\])?")
_TEXT: Final = Target("text", str, False, False)


def _nothing(_: Any) -> list[Any]:
    """A reader or getter that finds nothing: what stands where an entry is wrong, until the set is refused."""
    return []


class SpecCompiler:
    """Compiles the value entries of one source in one notation."""

    def __init__(
        self,
        source: SourceFile,
        notation: Notation,
        around: Surroundings,
        values: Mapping[str, NamedValue],
        ready_made: Collection[str],
        problems: Problems,
    ) -> None:
        self._source = source
        self._notation = notation
        self._around = around
        self._samples: dict[str, Any] = dict.fromkeys(ready_made, "")
        self._samples.update({name: [] if value.every else "" for name, value in values.items()})
        self._problems = problems

    def path(self, path: str, place: Place) -> Reader:
        """A path as a reader; a problem noted, and a reader of nothing, where it is not well formed."""
        try:
            return self._notation.compile(path)
        except (ValueError, GatewayError) as error:
            self._problems.add(place, f"is not a path of {self._notation.name}: {error}")
            return _nothing

    def condition(self, source: str, place: Place) -> Condition | None:
        """A condition over the names in reach."""
        return compile_condition(source, place, self._samples, self._problems, self._samples)

    def getter(self, spec: ValueSpec, target: Target) -> Getter:
        """The getter of one entry for one target, its condition and default included."""
        give = self._ways(spec, target)
        if spec.default is not None:
            give = _with_default(give, self._constant(spec, spec.default, target))
        if spec.when is not None:
            condition = self.condition(spec.when.value, spec.when.place)
            give = _with_condition(give, condition) if condition else _nothing
        return give

    def _ways(self, spec: ValueSpec, target: Target) -> Getter:
        if spec.value is not None:
            found = self._constant(spec, spec.value, target)
            return lambda _: found
        if spec.first_of:
            return _first_of([self.getter(with_inherited(each, spec), target) for each in spec.first_of])
        if spec.all_of:
            if not target.many:
                self._problems.add(spec.place, f"'all_of' fills lists; {target.name!r} takes one value: use 'first_of'")
            return _all_of([self.getter(with_inherited(each, spec), target) for each in spec.all_of])
        if spec.parts:
            if spec.minutes_after:
                self._problems.add(spec.place, "'minutes_after' takes one value; 'parts' makes a text of several")
                return _nothing
            for each in spec.parts[1:]:
                if each.namespace:
                    self._problems.add(each.place, "of parts only the first, a stay's number, may have a namespace")
            parts = [self.getter(each, _TEXT) for each in spec.parts]
            joined = _joined(parts, self._typer(spec, target), spec.place.entry)
            return _moments(joined, spec.place.entry) if target.type is datetime else joined
        return self._from_path(spec, target)

    def _from_path(self, spec: ValueSpec, target: Target) -> Getter:
        assert spec.path is not None, "a spec without any way was refused when it was read"
        entry = spec.place.entry
        reader = self.path(spec.path, spec.place)
        if target.type is Identifier and self._notation.name == "hl7" and not spec.namespace:
            return self._by_authority(spec, reader, target.many)
        if target.type is Identifier and self._notation.name == "csv" and not spec.namespace:
            self._problems.add(spec.place, "an identifier from a column needs its namespace")
            return _nothing
        typer = self._typer(spec, target)
        if spec.minutes_after:
            return _minutes_after(reader, typer, spec.minutes_after, entry)
        if target.type is datetime:
            return _moments(_one_value(reader, typer, entry), entry)
        return _all_values(reader, typer, entry) if target.many else _one_value(reader, typer, entry)

    def _by_authority(self, spec: ValueSpec, reader: Reader, many: bool) -> Getter:
        """HL7 identifiers (CX) whose assigning authority, by name or universal id, the source's namespaces know."""
        assert spec.path is not None, "only paths come here"
        if not _AUTHORITY.fullmatch(spec.path.strip()):
            self._problems.add(
                spec.place,
                "an identifier from one component needs its namespace; or give the whole field, such as PID-3",
            )
            return _nothing
        authorities = [self.path(f"{spec.path.strip()}{tail}", spec.place) for tail in (".4", ".4.2")]
        return _authority_getter(reader, authorities, self._around.namespaces, spec.place.entry, many)

    def _typer(self, spec: ValueSpec, target: Target) -> Typer:
        found_map = self._source.map_of(spec)
        if spec.lookup and not spec.namespace:
            self._problems.add(spec.place, "'lookup' needs the namespace of the names it looks up")
        if found_map is not None:
            bad = False
            for word, ours in found_map.words.items():
                bad |= self._constant_problem(ours, spec, target, found_map.places[word])
            if bad:
                return lambda _: None
        return typer_for(target, spec, found_map, self._around)

    def _constant_problem(self, word: str, spec: ValueSpec, target: Target, place: Place) -> bool:
        try:
            typer_for(target, spec, None, self._around)(word)
        except NotUnderstood as error:
            hint = nearest_word(target, word)
            self._problems.add(place, f"{word!r} does not fit {target.name!r}: {error}{hint if '?' in hint else ''}")
            return True
        return False

    def _constant(self, spec: ValueSpec, word: str, target: Target) -> list[Found]:
        if self._constant_problem(word, spec, target, spec.place):
            return []
        value = typer_for(target, spec, None, self._around)(word)
        return [Found(value.at if isinstance(value, Moment) else value, f"(constant: {spec.reason})", spec.place.entry)]


def _with_condition(give: Getter, condition: Condition) -> Getter:
    def get(run: Run) -> list[Found]:
        try:
            return give(run) if condition.holds(run.names) else []
        except ConfigurationError as error:
            note = Note(run.view.position, condition.place.entry, error.problems[0], "Correct the condition.", True)
            run.notes.append(note)
            return []

    return get


def _with_default(give: Getter, default: list[Found]) -> Getter:
    def get(run: Run) -> list[Found]:
        noted = len(run.notes)
        found = give(run)
        return found if found or len(run.notes) > noted else default

    return get


def _first_of(ways: list[Getter]) -> Getter:
    def get(run: Run) -> list[Found]:
        for way in ways:
            found = way(run)
            if found:
                return found
        return []

    return get


def _all_of(ways: list[Getter]) -> Getter:
    return lambda run: [found for way in ways for found in way(run)]


def _joined(parts: list[Getter], typer: Typer, entry: str) -> Getter:
    def get(run: Run) -> list[Found]:
        pieces: list[Found] = []
        for part in parts:
            found = part(run)
            if not found:
                return []
            pieces.append(found[0])
        position = "+".join(piece.position for piece in pieces if not piece.position.startswith("("))
        try:
            value = typer("/".join(piece.value for piece in pieces))
        except NotUnderstood as error:
            run.note(position, entry, error)
            return []
        return [] if value is None else [Found(value, position, entry)]

    return get


def _one_value(reader: Reader, typer: Typer, entry: str) -> Getter:
    """The first value that is understood, else the first to be kept all the same; troubles count when none is."""

    def get(run: Run) -> list[Found]:
        noted = len(run.notes)
        kept: list[Found] = []
        for raw, position in reader(run.view):
            try:
                value = typer(raw)
            except NotUnderstood as error:
                run.note(position, entry, error)
                kept += _kept(error, position, entry)
                continue
            if value is not None and value != "":
                del run.notes[noted:]
                return [Found(value, position, entry)]
        return kept[:1]

    return get


def _kept(error: NotUnderstood, position: str, entry: str) -> list[Found]:
    """The word that no map knows, where the file says to keep it: it is listed, and a person sees it as it was said."""
    kept = error.kept if isinstance(error, NotInMap) else None
    return [] if kept in (None, "") else [Found(kept, position, entry)]


def _all_values(reader: Reader, typer: Typer, entry: str) -> Getter:
    def get(run: Run) -> list[Found]:
        found: list[Found] = []
        for raw, position in reader(run.view):
            try:
                value = typer(raw)
            except NotUnderstood as error:
                run.note(position, entry, error)
                found += _kept(error, position, entry)
                continue
            if value is not None and value != "":
                found.append(Found(value, position, entry))
        return found

    return get


def _moments(one: Getter, entry: str) -> Getter:
    def get(run: Run) -> list[Found]:
        found = one(run)
        if not found:
            return []
        moment: Moment = found[0].value
        position = found[0].position
        if moment.note:
            fix = "Have the sender give the offset from UTC with its times."
            run.notes.append(Note(position, entry, moment.note, fix, False))
        return [Found(moment.at, position, entry)]

    return get


def _minutes_after(reader: Reader, typer: Typer, start: str, entry: str) -> Getter:
    one = _one_value(reader, typer, entry)

    def get(run: Run) -> list[Found]:
        begin = run.filled.get(start)
        if begin is None:
            return []
        found = one(run)
        if not found:
            return []
        length: timedelta = found[0].value
        return [Found(begin + length, found[0].position, entry)]

    return get


def _authority_getter(
    reader: Reader, authorities: list[Reader], namespaces: Mapping[str, str], entry: str, many: bool
) -> Getter:
    def namespace_of(position: str, by_place: list[dict[str, str]]) -> str | None:
        given = [places.get(position + tail) for tail, places in zip((".4", ".4.2"), by_place, strict=True)]
        if not any(given):
            return namespaces.get("")
        return next((namespaces[name] for name in given if name and name in namespaces), None)

    def get(run: Run) -> list[Found]:
        values: list[Located] = reader(run.view)
        if not values:
            return []
        by_place = [{place: text_of(text) for text, place in authority(run.view)} for authority in authorities]
        found = []
        for raw, position in values:
            name = namespace_of(position, by_place)
            if name:
                found.append(Found(Identifier(name, text_of(raw)), position, entry))
        return found if many else found[:1]

    return get
