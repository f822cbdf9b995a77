"""Cases beside mapping files: messages in, what has to come of them out. Reads, compares and writes; runs nothing.

What comes of messages is a tree of texts, as the file has it: amounts in dollars, days as 2026-08-03, no empty values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.mapping.contract_shapes import IDENTIFIER_WORD
from adapters.mapping.shapes import BROKEN, ChoiceKind, Key, ListKind, Schema, Shape, TextKind
from adapters.mapping.yaml_reader import Items, Node, Nothing, Place, Problems, Table, Text, read_yaml
from adapters.mapping.yaml_writer import Tree, below, written
from gateway.errors import ConfigurationError

PARTS: Final = ("messages", "encounters", "days", "claims")
_NAMED_BY: Final = ("start", "on", "from", "payer", "number", "rule", "revenue_code", "hcpcs")
"""What tells the items of a list apart, so that a change to one is not told as a change to all."""
_EXPECT: Final = re.compile(r"^expect:.*\Z", re.MULTILINE | re.DOTALL)


class _MomentKind:
    """A moment with its offset."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, Text):
            try:
                moment = datetime.fromisoformat(node.value)
            except ValueError:
                moment = None
            if moment is not None and moment.tzinfo is not None:
                return moment
        problems.add(node.place, "expected a moment with its offset, such as 2026-08-10T08:00:00-05:00")
        return BROKEN

    def schema(self, _definitions: Schema, /) -> Schema:
        return {"type": "string", "format": "date-time"}


class _ExpectedKind:
    """What is expected, compared as it stands."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, Table):
            for name, place in node.key_places.items():
                if name not in PARTS:
                    problems.add(place, f"nothing called {name!r} comes of messages; expected {', '.join(PARTS)}")
            return node
        problems.add(node.place, f"expected a mapping with {', '.join(PARTS)}")
        return BROKEN

    def schema(self, _definitions: Schema, /) -> Schema:
        part: Schema = {"type": "array", "items": {"type": "object"}}
        return {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(PARTS, part)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMessage:
    """One file of messages, told by a source."""

    file: str
    source: str = ""
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as its file has it."""

    now: datetime
    messages: tuple[CaseMessage, ...]
    source: str = ""
    part: bool = False
    """Only what is written is compared; anything else may come of the messages too."""
    expect: Table | None = None
    place: Place


class _MessageKind:
    """The name of a file beside the case, or the name with the source that tells it."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, Text):
            return CaseMessage(file=node.value, place=node.place)
        return _MESSAGE.read(node, problems)

    def schema(self, definitions: Schema, /) -> Schema:
        return {"anyOf": [{"type": "string"}, _MESSAGE.schema(definitions)]}


_MESSAGE: Final = Shape(
    "message",
    CaseMessage,
    {"file": Key(TextKind("a file"), required=True), "source": Key(IDENTIFIER_WORD, required=True)},
    places=True,
)

CASE_FILE: Final = Shape(
    "case",
    Case,
    {
        "source": Key(IDENTIFIER_WORD, says="Whose messages these are, where they do not name another"),
        "now": Key(_MomentKind(), required=True, says="The pretended present: when the messages are taken in"),
        "messages": Key(ListKind(_MessageKind(), filled=True), required=True, says="Files beside this one, in order"),
        "match": Key(
            ChoiceKind({"whole": False, "part": True}),
            field="part",
            says="part: compare only what is written here; anything else may come too",
        ),
        "expect": Key(_ExpectedKind(), says="What comes of it; 'mappings test --accept' writes it. The last key"),
    },
    places=True,
)


def read_case(file: str, content: bytes) -> Case:
    """The case of a file. Raises ConfigurationError with everything wrong, as file:line:column."""
    problems = Problems()
    table = read_yaml(file, content, problems)
    read: Any = CASE_FILE.read(table, problems) if table is not None else BROKEN
    if read is not BROKEN:
        for each in read.messages:
            if not (each.source or read.source):
                problems.add(each.place, "no source tells this message; give the case its 'source'")
    problems.raise_if_any()
    case: Case = read
    return case


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as expected; an empty text is nothing at all."""

    place: Place
    path: str
    expected: str
    found: str


def differences(case: Case, found: Mapping[str, Tree]) -> list[Difference]:
    """Where what came is not what the case expects, field by field."""
    if case.expect is None:
        return [Difference(case.place, "expect", "", "nothing is expected yet; --accept writes what comes of it")]
    return list(_compared(case.expect, dict(found), "", whole=not case.part))


def _compared(expected: Node, found: Tree | None, path: str, *, whole: bool) -> Iterator[Difference]:
    if isinstance(expected, Table) and isinstance(found, dict):
        for name, node in expected.entries.items():
            yield from _compared(node, found.get(name), f"{path}.{name}".lstrip("."), whole=whole)
        for name in found if whole else ():
            if name not in expected.entries:
                yield Difference(expected.place, f"{path}.{name}".lstrip("."), "", written(found[name]))
    elif isinstance(expected, Items) and isinstance(found, list) and not _is_words(expected):
        yield from _compared_lists(expected, found, path, whole=whole)
    elif _text(expected) != (written(found) if found is not None else ""):
        yield Difference(expected.place, path, _text(expected), written(found) if found is not None else "")


def _is_words(expected: Items) -> bool:
    """A list whose order counts, such as modifiers; an empty one expects nothing at all."""
    return not any(isinstance(each, Table) for each in expected.nodes)


def _compared_lists(expected: Items, found: Sequence[Tree], path: str, *, whole: bool) -> Iterator[Difference]:
    pairs, beyond = _paired([_tree(each) for each in expected.nodes], found)
    for index, node in enumerate(expected.nodes):
        place = pairs.get(index)
        yield from _compared(node, None if place is None else found[place], f"{path}[{index}]", whole=whole)
    for place in beyond if whole else ():
        yield Difference(expected.place, f"{path}[+]", "", written(found[place]))


def _paired(expected: Sequence[Tree], found: Sequence[Tree]) -> tuple[dict[int, int], list[int]]:
    """Which expected item is which found one: first those that are the same, then the same by name, then in order."""
    pairs: dict[int, int] = {}
    free = list(range(len(found)))
    for same in (_is_same, _is_named_same, lambda one, other: True):  # noqa: ARG005 - whatever is left
        for index, wanted in enumerate(expected):
            if index not in pairs:
                place = next((each for each in free if same(wanted, found[each])), None)
                if place is not None:
                    pairs[index] = place
                    free.remove(place)
    return pairs, free


def _is_same(one: Tree, other: Tree) -> bool:
    return one == other


def _is_named_same(one: Tree, other: Tree) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    names = [name for name in _NAMED_BY if name in one]
    return bool(names) and all(one[name] == other.get(name) for name in names)


def _tree(node: Node) -> Tree:
    if isinstance(node, Table):
        return {name: _tree(each) for name, each in node.entries.items() if not isinstance(each, Nothing)}
    if isinstance(node, Items):
        return [_tree(each) for each in node.nodes]
    return node.value if isinstance(node, Text) else ""


def _text(node: Node) -> str:
    return "" if isinstance(node, Nothing) else written(_tree(node))


def accepted(text: str, found: Mapping[str, Tree]) -> str:
    """The text of a case with what came as its expectation; everything before the key ``expect`` stays as it is.

    Raises ConfigurationError where ``expect`` is not the last key.
    """
    expected = ["expect:"]
    for part, items in found.items():
        expected += [f"  {part}:", *below(items, 4)]
    match = _EXPECT.search(text)
    before = text if match is None else text[: match.start()]
    if match is not None and re.search(r"^[A-Za-z_]+:", match.group().partition("\n")[2], re.MULTILINE):
        raise ConfigurationError(["'expect' is not the last key of the case; move it to the end, then accept again"])
    return before + ("" if not before or before.endswith("\n") else "\n") + "\n".join(expected) + "\n"
