"""Drafts a source file from samples: of a template's entries and paths, those that found something, the rest left out.

What is guessed is marked as guessed. Of a sample only words of code lists and names of places and payers are repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adapters.mapping.compiled import IDENTIFIERS, CompiledEntry, kind_of_entry
from adapters.mapping.engine import SourceInterpreter, names_of, said_at, views_of
from adapters.mapping.getters import Getter, Run, SpecCompiler
from adapters.mapping.source_file import Miss, NamedValue, SourceFile, ValueSpec, with_inherited
from adapters.mapping.targets import Target
from adapters.mapping.values import text_of
from adapters.mapping.view import View
from adapters.mapping.yaml_writer import Tree, below, lines, written
from gateway.claim.party import Identifier
from gateway.errors import ConfigurationError

_WORD_BYTES: Final = 60
_HINTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "session": (
        ("family-psychotherapy", r"FAM"),
        ("education-training", r"EDU|PSYCHOED"),
        ("group-psychotherapy", r"GRP|GROUP|PROCESS"),
        ("individual-psychotherapy-60", r"IND"),
        ("skills-group", r"SKILL|DBT"),
        ("activity-therapy", r"ACTIV|RECREAT|ART|MUSIC"),
        ("occupational-therapy", r"OCCUP|\bOT\b"),
        ("psychiatric-evaluation", r"PSYCH.*EVAL|MED.*MGMT"),
    ),
    "status": (
        ("no-show", r"NO.?SHOW|ABSENT|MISSED"),
        ("cancelled", r"CANC|RESCHED"),
        ("attended", r"ATTEND|PRESENT|COMPLETE|SHOWED|\A(Y|YES|P|X)\Z"),
        ("planned", r"SCHED|PLANNED"),
    ),
    "level_of_care": (("PHP", r"PHP|PARTIAL|DAY ?HOSP"), ("IOP", r"IOP|INTENSIVE|EVENING")),
}
"""What a sender's word for a thing of ours often has in it."""


@dataclass(slots=True)
class _Seen:
    """What the samples had for one value: which alternatives gave something, or stood over what nobody understands."""

    found: int = 0
    misread: bool = False
    ways: set[int] = field(default_factory=set)
    words: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _EntrySeen:
    applied: int = 0
    values: dict[str, _Seen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a draft says of itself and where: the site's own facts that no sample holds."""

    organization: str
    time_zone: str
    namespaces: Mapping[str, str]
    sessions: Collection[str]


class Drafting:
    """Looks at samples through a template, then writes what of the template they bear out."""

    def __init__(self, template: SourceInterpreter, why_guessed: Callable[[str], str]) -> None:
        """``why_guessed`` says why a path of the template is a guess; nothing where it is none."""
        self._template = template
        self._why_guessed = why_guessed
        self._seen = {id(each): _EntrySeen() for each in template.entries}
        self._compilers = {id(each): template.compiler_of(each) for each in template.entries}

    @property
    def source(self) -> SourceFile:
        """The template."""
        return self._template.source

    def look(self, entries: Iterable[CompiledEntry], view: View, names: Mapping[str, Any]) -> None:
        """One message or resource, by the entries that are for it."""
        for compiled in entries:
            for each in views_of(compiled, view):
                run = Run(each, names_of(compiled, each, names))
                said_at(compiled, run)
                if compiled.when is None or _holds(compiled, run):
                    self._look_at(compiled, run)

    def _look_at(self, compiled: CompiledEntry, run: Run) -> None:
        seen, compiler = self._seen[id(compiled)], self._compilers[id(compiled)]
        seen.applied += 1
        for number, (spec, get) in enumerate(zip(compiled.entry.identity, compiled.identity, strict=True)):
            self._note(seen.values.setdefault(f"identity {number}", _Seen()), IDENTIFIERS, spec, get, run, compiler)
        for each in compiled.fields:
            note = seen.values.setdefault(each.target.name, _Seen())
            self._note(note, each.target, each.spec, each.get, run, compiler)

    def _note(
        self, seen: _Seen, target: Target, spec: ValueSpec, get: Getter, run: Run, compiler: SpecCompiler
    ) -> None:
        found = get(run)
        seen.found += bool(found)
        seen.misread |= bool(run.notes) and not found
        if found and not target.many:
            run.filled[target.name] = found[0].value
        run.notes.clear()
        for number, way in enumerate(spec.first_of or spec.all_of or (spec,)):
            whole = with_inherited(way, spec)
            words = self._unknown_words(target, whole, run, compiler)
            seen.words |= words
            gives = bool(compiler.getter(whole, target)(run))
            misread = bool(run.notes)
            run.notes.clear()
            if words or gives or misread:
                seen.ways.add(number)
            if gives and not spec.all_of:
                break

    def _unknown_words(self, target: Target, spec: ValueSpec, run: Run, compiler: SpecCompiler) -> dict[str, None]:
        """Words at a path that a map, or the site's places and payers, would have to know."""
        known = self.source.map_of(spec)
        named = spec.lookup or (target.type is Identifier and target.name == "payer" and spec.namespace)
        if spec.path is None or (known is None and not named):
            return {}
        texts = [text_of(raw) for raw, _ in compiler.path(spec.path, spec.place)(run.view) if isinstance(raw, str)]
        return {each: None for each in texts if (known is None or each not in known.words) and _is_word(each)}

    # --- writing -----------------------------------------------------------------------------------------------------

    def text(self, told: Told, unread: Sequence[str]) -> str:
        """The draft."""
        return "\n".join([*self._head(told), "", *self._codes(told), "records:", *self._records(), *_end(unread), ""])

    @property
    def kept(self) -> list[CompiledEntry]:
        """The entries that the samples bear out."""
        return [each for each in self._template.entries if self._bears_out(each)]

    @property
    def left_out(self) -> list[CompiledEntry]:
        """The others."""
        return [each for each in self._template.entries if not self._bears_out(each)]

    def _bears_out(self, compiled: CompiledEntry) -> bool:
        seen = self._seen[id(compiled)]
        kept = [
            each
            for each in compiled.fields
            if seen.applied and self._is_kept(compiled, each.target.name, each.required)
        ]
        return bool(kept) and all(seen.values[each.target.name].found for each in kept if each.required)

    def _head(self, told: Told) -> Iterator[str]:
        source = self.source
        yield "# yaml-language-server: $schema=../schema/source.json"
        yield "# Drafted from samples: of what is usual, the paths at which the samples have something."
        yield "# All of it is a guess until somebody who knows the feed has looked; then say 'verified: true'."
        yield f"source: {source.source}"
        yield f"format: {source.format}"
        yield f"organization: {told.organization}  # guess: the site's first"
        yield f"time_zone: {told.time_zone}  # guess: of its first facility"
        yield f"precedence: {source.precedence}"
        if source.medical_record_number:
            yield f"medical_record_number: {source.medical_record_number}"
        yield "verified: false"
        if told.namespaces:
            yield "namespaces:"
            yield from (f"  {written(each)}: {name}  # guess" for each, name in told.namespaces.items())
        if source.values:
            yield f"values: {written({name: _named(value) for name, value in source.values.items()})}"

    def _codes(self, told: Told) -> Iterator[str]:
        used = {spec.codes for spec in self._kept_specs() if isinstance(spec.codes, str)}
        if used:
            yield "codes:"
        for name, words in self.source.codes.items():
            guesses = list(self._guesses(name, told))
            if name in used and guesses:
                yield f"  {name}:"
                yield from below(dict(words.words), 4)
                yield from guesses
            elif name in used:
                yield from lines(name, dict(words.words), 2)

    def _guesses(self, name: str, told: Told) -> Iterator[str]:
        """The words of the samples that the template's map does not know, with what they may mean."""
        guessed: dict[str, str] = {}
        for compiled in self.kept:
            for each in compiled.fields:
                if self._map_name(each.spec) == name:
                    for word in self._seen[id(compiled)].values[each.target.name].words:
                        guessed[word] = guessed.get(word) or _guess(each.target.name, word, told.sessions)
        for word, meaning in guessed.items():
            if meaning:
                yield f"    {written(word)}: {meaning}  # guess: by the sound of it"
            else:
                yield f"    # {written(word)}: ...  # guess: the samples have this word; say what it means"

    def _map_name(self, spec: ValueSpec) -> str:
        names = [each.codes for each in (spec, *spec.inner) if isinstance(each.codes, str)]
        return names[0] if names else ""

    def _kept_specs(self) -> Iterator[ValueSpec]:
        for compiled in self.kept:
            for each in compiled.fields:
                if self._is_kept(compiled, each.target.name, each.required):
                    yield each.spec
                    yield from each.spec.inner

    def _is_kept(self, compiled: CompiledEntry, name: str, required: bool) -> bool:
        seen = self._seen[id(compiled)].values[name]
        return bool(required or seen.found or seen.words or seen.misread)

    def _records(self) -> Iterator[str]:
        for compiled in self.kept:
            entry, seen = compiled.entry, self._seen[id(compiled)].values
            yield f"  - name: {entry.name}"
            yield f"    record: {kind_of_entry(entry)}"
            yield from lines("from", list(entry.sources), 4)
            if entry.each:
                yield f"    each: {written(entry.each)}"
            if entry.values:
                yield f"    values: {written({name: _named(value) for name, value in entry.values.items()})}"
            if entry.when:
                yield f"    when: {written(entry.when.value)}"
            yield from self._identity(compiled)
            yield "    fields:"
            for name, spec in entry.fields.items():
                required = any(each.required for each in compiled.fields if each.target.name == name)
                if name in seen and self._is_kept(compiled, name, required):
                    narrowed = _narrowed(spec, seen[name].ways)
                    yield from self._marked([narrowed], lines(name, _tree(narrowed), 6))
                    yield from _remarks(spec, seen[name].words)
            yield ""

    def _identity(self, compiled: CompiledEntry) -> Iterator[str]:
        if not compiled.entry.identity:
            return
        seen = self._seen[id(compiled)].values
        numbered = list(enumerate(compiled.entry.identity))
        given = [(number, spec) for number, spec in numbered if seen[f"identity {number}"].found] or numbered
        narrowed = [_narrowed(spec, seen[f"identity {number}"].ways) for number, spec in given]
        yield from self._marked(narrowed, iter(["    identity:"]))
        yield from below([_tree(each) for each in narrowed], 6)

    def _marked(self, specs: Iterable[ValueSpec], written_as: Iterator[str]) -> Iterator[str]:
        """The lines, the first with why what they read is a guess."""
        why = "; ".join(
            dict.fromkeys(why for each in specs for path in _paths(each) if (why := self._why_guessed(path)))
        )
        yield next(written_as) + (f"  # guess: {why}" if why else "")
        yield from written_as


def _paths(spec: ValueSpec) -> Iterator[str]:
    if spec.path is not None:
        yield spec.path
    for each in spec.inner:
        yield from _paths(each)


def _holds(compiled: CompiledEntry, run: Run) -> bool:
    assert compiled.when is not None, "asked only of entries with a condition"
    try:
        return compiled.when.holds(run.names)
    except ConfigurationError:
        return False


def _is_word(text: str) -> bool:
    return bool(text) and text.isprintable() and len(text.encode()) <= _WORD_BYTES


def _guess(target: str, word: str, sessions: Collection[str]) -> str:
    for meaning, pattern in _HINTS.get(target, ()):
        if re.search(pattern, word.upper()) and (target != "session" or meaning in sessions):
            return meaning
    return ""


def _remarks(spec: ValueSpec, words: Iterable[str]) -> Iterator[str]:
    """What somebody has to add elsewhere for a word of the samples to be understood."""
    looked_up = next((each for each in (spec, *spec.inner) if each.lookup or each.namespace), None)
    named = spec.lookup or any(each.lookup for each in spec.inner)
    inline = next(
        (each for each in (spec, *spec.inner) if each.codes is not None and not isinstance(each.codes, str)), None
    )
    for word in words:
        if inline is not None and Miss.IGNORE not in (spec.miss, inline.miss):
            yield f"      # guess: the samples have {written(word)} here too; add it to the words above"
        elif inline is None and looked_up is not None:
            owner = "facility" if named else "payer"
            name = written({"namespace": looked_up.namespace or spec.namespace, "value": word})
            yield f"      # guess: the {owner}'s file needs this among its names: {name}"


def _narrowed(spec: ValueSpec, ways: Collection[int]) -> ValueSpec:
    """The spec with the alternatives that the samples bear out, and the constants among them."""
    listed = spec.first_of or spec.all_of
    if not listed:
        return spec
    kept = tuple(each for number, each in enumerate(listed) if number in ways or each.value is not None) or listed
    if len(kept) == 1 and kept[0].when is None and spec.when is None and spec.first_of:
        return replace(
            with_inherited(kept[0], spec),
            default=spec.default,
            reason=kept[0].reason or spec.reason,
            required=spec.required,
        )
    return replace(spec, first_of=kept) if spec.first_of else replace(spec, all_of=kept)


def _named(value: NamedValue) -> Tree:
    return {"all": value.path} if value.every else value.path


def _tree(spec: ValueSpec) -> Tree:
    """A value as a file says it: a path alone, or its keys."""
    said: dict[str, Tree] = {}
    for key, given in (("from", spec.path), ("value", spec.value)):
        if given is not None:
            said[key] = given
    for key, several in (("first_of", spec.first_of), ("all_of", spec.all_of), ("parts", spec.parts)):
        if several:
            said[key] = [_tree(each) for each in several]
    if spec.codes is not None:
        said["codes"] = spec.codes if isinstance(spec.codes, str) else dict(spec.codes.words)
    for key in ("miss", "convert", "minutes_after", "namespace", "lookup", "default", "reason"):
        if getattr(spec, key):
            said[key] = str(getattr(spec, key))
    if spec.when is not None:
        said["when"] = spec.when.value
    if spec.required:
        said["required"] = "true"
    return said["from"] if set(said) == {"from"} else said


def _end(unread: Sequence[str]) -> Iterator[str]:
    if unread:
        yield "# In the samples, and read by nothing above:"
        yield from (f"#   {each}" for each in unread)
