"""FHIRPath as mapping files use it, compiled once: plain paths to direct look-ups, the rest to fhirpathpy.

Plain are names, ``[n]``, ``first()``, ``last()``, ``where(a.b='x' and c=1)``, ``extension('url')``, ``ofType(T)``,
``resolve()`` and ``|``. Knows no mapping.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

Node = tuple[Any, str, Any]
"""A value, where it stands, and the resource it stands in."""
Located = tuple[Any, str]

CHOICE_STEMS = frozenset(
    {
        "value", "performed", "occurrence", "onset", "abatement", "deceased", "multipleBirth", "effective", "serviced",
        "timing", "location", "product", "quantity", "diagnosis", "procedure", "allowed", "used", "event", "medication",
        "asNeeded", "author", "born", "age", "defaultValue", "fixed", "pattern", "reported", "rate", "dose", "bounds",
        "subject", "definition", "entity", "item", "scheduled", "content",
    }
)  # fmt: skip
"""Names FHIR R4 uses for elements of several types: ``performed`` is ``performedPeriod`` or ``performedDateTime``."""


class PathError(ValueError):
    """This is not a FHIRPath this gateway can read."""


class Resolver(Protocol):
    """Follows references on behalf of a path."""

    def resolve(self, reference: Any, within: Any) -> tuple[str, Any] | None:
        """``Type`` and body of what a Reference or reference text points at; None when it is not there."""


Step = Callable[[list[Node], Resolver], list[Node]]


@dataclass(frozen=True, slots=True)
class CompiledPath:
    """A path ready to be read, any number of times, from any resource."""

    text: str
    type: str
    """The resource type the path begins with; empty when it is relative."""
    read: Callable[[list[Node], Resolver], list[Node]]
    """From the nodes to begin at to the nodes found."""


def compile_path(text: str) -> tuple[CompiledPath, ...]:
    """The alternatives of a path (``a | b``), in order. Raises PathError with a sentence."""
    if not text.strip():
        raise PathError("the path is empty")
    try:
        return tuple(_compile_plain(tokens, text) for tokens in _alternatives(_tokens(text)))
    except _NotPlain:
        from adapters.fhir import full_fhirpath  # takes half a second to load, and few files need it

        return (CompiledPath(text, "", full_fhirpath.compile_expression(text)),)


class _NotPlain(Exception):
    """The path needs the whole of FHIRPath."""


# --- reading the text ------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|`(?P<quoted>[^`]+)`|'(?P<text>(?:[^'\\]|\\.)*)'"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<sign>[.\[\]()=|]))",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
Token = tuple[str, str]


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise _NotPlain
        kind = str(match.lastgroup)
        token = match[kind]
        if kind == "text":
            token = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), token)
        tokens.append(("name" if kind == "quoted" else kind, token))
        at = match.end()
    return tokens


def _alternatives(tokens: list[Token]) -> list[list[Token]]:
    """The token lists between bars that stand outside parentheses."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token[0] == "sign":
            depth += {"(": 1, ")": -1}.get(token[1], 0)
        if token == ("sign", "|") and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found


def _compile_plain(tokens: list[Token], text: str) -> CompiledPath:
    reader = _TokenReader(tokens)
    steps: list[Step] = []
    type = ""
    first = reader.take("name")
    before = ""
    if first[:1].isupper() and not reader.sees("("):
        type = first
    else:
        steps.append(_step(first, reader, before))
        before = first
    while not reader.done:
        if reader.sees("["):
            steps.append(_index_step(reader))
            continue
        reader.expect(".")
        name = reader.take("name")
        steps.append(_step(name, reader, before))
        before = name
    chain = tuple(steps)

    def read(nodes: list[Node], resolver: Resolver) -> list[Node]:
        for step in chain:
            if not nodes:
                break
            nodes = step(nodes, resolver)
        return nodes

    return CompiledPath(text, type, read)


class _TokenReader:
    """Takes tokens one by one; whatever is not plain raises _NotPlain."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at >= len(self._tokens)

    def sees(self, sign: str) -> bool:
        return not self.done and self._tokens[self._at] == ("sign", sign)

    def take(self, kind: str) -> str:
        if self.done or self._tokens[self._at][0] != kind:
            raise _NotPlain
        self._at += 1
        return self._tokens[self._at - 1][1]

    def expect(self, sign: str) -> None:
        if not self.sees(sign):
            raise _NotPlain
        self._at += 1

    def literal(self) -> Any:
        """A string, number or boolean."""
        if self.done:
            raise _NotPlain
        kind, token = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            return token
        if kind == "number":
            return Decimal(token)
        if kind == "name" and token in {"true", "false"}:
            return token == str(True).lower()
        raise _NotPlain

    def word(self, word: str) -> bool:
        """Take the word if it comes next."""
        if self.done or self._tokens[self._at] != ("name", word):
            return False
        self._at += 1
        return True


# --- steps -----------------------------------------------------------------------------------------------------------


def _step(name: str, reader: _TokenReader, before: str) -> Step:
    if not reader.sees("("):
        return _name_step(name)
    reader.expect("(")
    make = _FUNCTIONS.get(name)
    if make is None or (make is _of_type and before not in CHOICE_STEMS | {"resolve"}):
        raise _NotPlain
    step = make(reader)
    reader.expect(")")
    return step


def _name_step(name: str) -> Step:
    by_choice = name in CHOICE_STEMS

    def step(nodes: list[Node], _: Resolver) -> list[Node]:
        found: list[Node] = []
        for value, position, root in nodes:
            if type(value) is not dict:
                continue
            inner = value.get(name)
            key = name
            if inner is None:
                if not by_choice:
                    continue
                key = _chosen(name, value)
                inner = value.get(key)
            if type(inner) is list:
                found += [
                    (each, f"{position}.{key}[{index}]", root) for index, each in enumerate(inner) if each is not None
                ]
            elif inner is not None:
                found.append((inner, f"{position}.{key}", root))
        return found

    return step


def _chosen(stem: str, node: dict[str, Any]) -> str:
    """``performedPeriod`` for ``performed``, whichever type the sender chose."""
    begin = len(stem)
    return next((key for key in node if key.startswith(stem) and key[begin : begin + 1].isupper()), stem)


def _index_step(reader: _TokenReader) -> Step:
    reader.expect("[")
    index = int(reader.take("number"))
    reader.expect("]")
    return lambda nodes, _: nodes[index : index + 1]


def _first(_: _TokenReader) -> Step:
    return lambda nodes, _: nodes[:1]


def _last(_: _TokenReader) -> Step:
    return lambda nodes, _: nodes[-1:]


def _where(reader: _TokenReader) -> Step:
    conditions = [_condition(reader)]
    while reader.word("and"):
        conditions.append(_condition(reader))
    tests = tuple(conditions)

    def step(nodes: list[Node], _: Resolver) -> list[Node]:
        return [node for node in nodes if all(test(node[0]) for test in tests)]

    return step


def _condition(reader: _TokenReader) -> Callable[[Any], bool]:
    """``a.b = 'x'``: true when any of the values at the path is the literal."""
    names = [reader.take("name")]
    while reader.sees("."):
        reader.expect(".")
        names.append(reader.take("name"))
    if reader.sees("("):
        raise _NotPlain
    reader.expect("=")
    wanted = reader.literal()
    path = tuple(names)
    return lambda value: _has(value, path, wanted)


def _has(value: Any, names: Sequence[str], wanted: Any) -> bool:
    if type(value) is list:
        return any(_has(each, names, wanted) for each in value)
    if not names:
        return type(value) is not dict and _equals(value, wanted)
    if type(value) is not dict:
        return False
    name = names[0]
    inner = value.get(name)
    if inner is None and name in CHOICE_STEMS:
        inner = value.get(_chosen(name, value))
    return inner is not None and _has(inner, names[1:], wanted)


def _equals(value: Any, wanted: Any) -> bool:
    if type(wanted) is Decimal and type(value) in (int, float, Decimal):
        return Decimal(str(value)) == wanted
    return type(value) is type(wanted) and value == wanted


def _extension(reader: _TokenReader) -> Step:
    url = reader.take("text")

    def step(nodes: list[Node], _: Resolver) -> list[Node]:
        found: list[Node] = []
        for value, position, root in nodes:
            extensions = value.get("extension") if type(value) is dict else None
            if type(extensions) is list:
                found += [
                    (each, f"{position}.extension[{index}]", root)
                    for index, each in enumerate(extensions)
                    if type(each) is dict and each.get("url") == url
                ]
        return found

    return step


def _of_type(reader: _TokenReader) -> Step:
    wanted = reader.take("name")
    suffix = wanted[:1].upper() + wanted[1:]

    def step(nodes: list[Node], _: Resolver) -> list[Node]:
        return [
            node
            for node in nodes
            if (type(node[0]) is dict and node[0].get("resourceType") == wanted) or node[1].endswith(suffix)
        ]

    return step


def _resolve(_: _TokenReader) -> Step:
    def step(nodes: list[Node], resolver: Resolver) -> list[Node]:
        found: list[Node] = []
        for value, position, root in nodes:
            target = resolver.resolve(value, root)
            if target is not None:
                found.append((target[1], f"{position} -> {target[0]}", target[1]))
        return found

    return step


_FUNCTIONS: dict[str, Callable[[_TokenReader], Step]] = {
    "first": _first,
    "last": _last,
    "where": _where,
    "extension": _extension,
    "ofType": _of_type,
    "resolve": _resolve,
}
