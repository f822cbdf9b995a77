"""YAML 1.2 to nodes: every scalar as text with its place, duplicate keys refused. Knows no kind of file.

Anchors, aliases and tags are refused: a mapping file says each thing where it stands.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from gateway.errors import ConfigurationError

_RESOLVED: Final = ("int", "float", "bool", "null", "timestamp", "merge", "value")
_NOTHING: Final = frozenset({"", "~", "null"})
# What the resolver gives scalars that carry no tag of their own.
_TEXT_TAGS: Final = frozenset({"tag:yaml.org,2002:str", "!"})
_USUAL_TAGS: Final = _TEXT_TAGS | {f"tag:yaml.org,2002:{kind}" for kind in _RESOLVED}
_COLLECTION_TAGS: Final = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_NO_TAGS: Final = "tags (!) are not used in mapping files: every value is text until it is typed"
_DEEPEST = 40
_LARGEST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a mapping file; lines and columns are counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def entry(self) -> str:
        """``file:line``, the way an entry is named everywhere outside."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar; never empty."""

    place: Place
    value: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """A key without a value, or an explicit null."""

    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; keys in the order of the file."""

    place: Place
    entries: dict[str, Node]
    key_places: dict[str, Place]
    orphan: bool = False
    """What it extends is not there: which keys it would have had nobody knows."""


Node = Text | Nothing | Items | Table


class Problems:
    """Collects what is wrong over all files, and turns it into one error."""

    def __init__(self) -> None:
        self._found: dict[tuple[Place, str], None] = {}
        self._entries: dict[str, Table] = {}
        self._partial: set[str] = set()

    def add(self, place: Place, sentence: str) -> None:
        """Note one problem; the same sentence about the same place counts once."""
        self._found[place, sentence] = None

    def remember(self, table: Table) -> None:
        """Keep where an entry and its keys stand, so that a later check can point at a word of it."""
        self._entries[table.place.entry] = table

    def note_partial(self, place: Place) -> None:
        """Keep that something of an entry could not be read: what it lacks says nothing about it."""
        self._partial.add(place.entry)

    def is_partial(self, entry: str) -> bool:
        """Whether something of the entry at this ``file:line`` could not be read."""
        return entry in self._partial

    def beside(self) -> Problems:
        """An empty collector that knows the same entries."""
        other = Problems()
        other._entries = self._entries
        return other

    def add_at(self, entry: str, sentence: str) -> None:
        """Note a problem with an entry by its ``file:line``."""
        self.add(self.place_of(entry), sentence)

    def place_of(self, entry: str, word: str = "", keys: Iterable[str] = ()) -> Place:
        """Where the entry at a ``file:line`` begins, or where the word stands under one of these of its keys."""
        file, _, line = entry.rpartition(":")
        table = self._entries.get(entry)
        if table is None:
            return Place(file, int(line))
        for node in (table.entries[key] for key in keys if key in table.entries):
            for each in node.nodes if isinstance(node, Items) else (node,):
                if isinstance(each, Text) and each.value == word:
                    return each.place
        return table.place

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines())

    def found(self) -> tuple[tuple[Place, str], ...]:
        """Each problem's place and sentence, in order of place."""
        return tuple(sorted(self._found))

    def lines(self) -> list[str]:
        """``file:line:column: sentence`` for each, in order of place."""
        return [f"{place}: {sentence}" for place, sentence in sorted(self._found)]

    def raise_if_any(self) -> None:
        """Raise ConfigurationError with all of them, when there are any."""
        if self._found:
            raise ConfigurationError(self.lines())


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty where none is close."""
    words = list(known)
    close = difflib.get_close_matches(word, words, 1, 0.6)
    if not close:
        folded = {each.casefold(): each for each in words}
        close = [folded[each] for each in difflib.get_close_matches(word.casefold(), list(folded), 1, 0.6)]
    return close[0] if close else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known word is close, `; expected one of ...` where they are few, or nothing."""
    words = list(known)
    close = closest(word, words)
    if close:
        return f"; did you mean {close!r}?"
    if 0 < len(words) <= 12:
        return "; expected " + (repr(words[0]) if len(words) == 1 else f"one of {', '.join(map(repr, words))}")
    return ""


def read_yaml(file: str, content: bytes, problems: Problems) -> Table | None:
    """The mapping at the top of a file; None, with a problem noted, where there is none that can be read.

    The same bytes under the same name are read once in a process: a set is checked again at every edit of one file.
    """
    table, found = _read_once(file, content)
    for place, sentence in found:
        problems.add(place, sentence)
    return table


@lru_cache(maxsize=1024)
def _read_once(file: str, content: bytes) -> tuple[Table | None, tuple[tuple[Place, str], ...]]:
    problems = Problems()
    table = _read_file(file, content, problems)
    return table, problems.found()


def _read_file(file: str, content: bytes, problems: Problems) -> Table | None:
    top = Place(file)
    text = _decode(content, top, problems)
    if text is None:
        return None
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        problems.add(_place_of_error(file, error), f"is not YAML: {_sentence(error)}")
        return None
    except (YAMLError, ValueError, RecursionError) as error:
        problems.add(top, f"is not YAML: {type(error).__name__}")
        return None
    if node is None:
        problems.add(top, "holds nothing; expected a mapping of keys to values")
        return None
    read = _Reading(file, problems).read(node, 0)
    if isinstance(read, Table):
        return read
    problems.add(top, "should be a mapping of keys to values at the top")
    return None


def _decode(content: bytes, top: Place, problems: Problems) -> str | None:
    if len(content) > _LARGEST_BYTES:
        problems.add(top, f"is larger than {_LARGEST_BYTES // 1024 // 1024} MB")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        problems.add(Place(top.file, line, column), "is not UTF-8 text; save the file as UTF-8")
        return None


def _place_of_error(file: str, error: MarkedYAMLError) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def _sentence(error: MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return ", ".join(" ".join(str(part).split()) for part in parts) or "the text is not well formed"


class _Reading:
    """One file being turned from ruamel's nodes into ours."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._seen: set[int] = set()

    def read(self, node: Any, depth: int) -> Node:
        place = self._place(node)
        if depth > _DEEPEST:
            self._problems.add(place, f"is nested more than {_DEEPEST} deep")
            return Nothing(place)
        if node.anchor or id(node) in self._seen:
            self._problems.add(place, "anchors (&) and aliases (*) are not used in mapping files; write the value out")
            return Nothing(place)
        self._seen.add(id(node))
        if not isinstance(node, ScalarNode) and str(node.tag) not in _COLLECTION_TAGS:
            self._problems.add(place, _NO_TAGS)
        if isinstance(node, MappingNode):
            return self._table(node, place, depth)
        if isinstance(node, SequenceNode):
            return Items(place, tuple(self.read(each, depth + 1) for each in node.value))
        return self._scalar(node, place)

    def _place(self, node: Any) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _scalar(self, node: ScalarNode, place: Place) -> Node:
        plain = node.style is None
        if str(node.tag) not in (_USUAL_TAGS if plain else _TEXT_TAGS):
            self._problems.add(place, _NO_TAGS)
        if not node.value.strip() or (plain and node.value in _NOTHING):
            return Nothing(place)
        return Text(place, node.value)

    def _table(self, node: MappingNode, place: Place, depth: int) -> Table:
        entries: dict[str, Node] = {}
        key_places: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key_place = self._place(key_node)
            if not isinstance(key_node, ScalarNode):
                self._problems.add(key_place, "a key must be a word, not a list or a mapping")
                continue
            key = str(key_node.value)
            if key in entries:
                self._problems.add(key_place, f"key {key!r} is already there in line {key_places[key].line}")
                continue
            key_places[key] = key_place
            entries[key] = self.read(value_node, depth + 1)
        return Table(place, entries, key_places)
