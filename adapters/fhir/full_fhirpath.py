"""Paths that need the whole of FHIRPath, compiled once by fhirpathpy; loaded only when a mapping file has one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhirpathpy import compile as compile_fhirpath
from fhirpathpy import parser as fhirpath_parser
from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.models import models

from adapters.fhir.paths import Node, PathError, Resolver


def compile_expression(text: str) -> Callable[[list[Node], Resolver], list[Node]]:
    """A function from nodes to the nodes the expression finds. Raises PathError.

    Positions name the expression, because fhirpathpy does not say where its results stood. An expression that does not
    fit what a resource holds (a text function on a number) finds nothing there.
    """
    _check_syntax(text)
    _check_functions(text)
    following = _Following()
    table = {"resolve": {"fn": following.resolve, "arity": {0: []}, "nullable": False}}
    try:
        evaluate: Any = compile_fhirpath(text, models["r4"], {"userInvocationTable": table})
    except Exception as error:
        raise PathError(f"this is not a FHIRPath: {type(error).__name__}") from None

    def read(nodes: list[Node], resolver: Resolver) -> list[Node]:
        found: list[Node] = []
        following.resolver = resolver
        for value, position, root in nodes:
            results = _evaluate(evaluate, value, root)
            found += [(_plain(each), f"{position} ({text})", root) for each in results]
        return found

    return read


def _evaluate(evaluate: Any, value: Any, root: Any) -> list[Any]:
    try:
        return list(evaluate(value, {"resource": root}))
    except Exception:  # fhirpathpy raises Exception itself where types do not fit
        return []


class _Following(threading.local):
    """The resolver of the reading in progress: fhirpathpy takes its functions once, at compile time."""

    resolver: Resolver | None = None

    def resolve(self, inputs: list[Any]) -> list[Any]:
        """What the references point at, as far as it has arrived."""
        if self.resolver is None:
            return []
        targets = (self.resolver.resolve(getattr(each, "data", each), None) for each in inputs)
        return [target[1] for target in targets if target is not None]


def _check_syntax(text: str) -> None:
    """Raise PathError unless the whole text is one expression; fhirpathpy goes on with whatever it understood."""
    grammar: Any = fhirpath_parser
    lexer = grammar.FHIRPathLexer(grammar.InputStream(text))
    tokens = grammar.CommonTokenStream(lexer)
    parser = grammar.FHIRPathParser(tokens)
    for reader in (lexer, parser):
        reader.removeErrorListeners()
    parser.expression()
    rest = tokens.LT(1)
    if parser.getNumberOfSyntaxErrors() or rest.type != grammar.Token.EOF:
        raise PathError("this is not a FHIRPath; look at its dots, quotes and parentheses")


def _check_functions(text: str) -> None:
    """Raise PathError for a function that does not exist or has no place here; fhirpathpy would notice at run time."""
    pending: list[Any] = [fhirpath_parser.parse(text)]  # type: ignore[no-untyped-call]
    while pending:
        node = pending.pop()
        children = node.get("children", [])
        pending += children
        if node.get("type") != "Functn":
            continue
        name = children[0]["text"]
        if name in _NOT_HERE:
            raise PathError(f"{name}() has no place in a mapping: {_NOT_HERE[name]}")
        if name != "resolve" and name not in invocation_registry:
            raise PathError(f"FHIRPath has no function {name}()")


_NOT_HERE = {
    **dict.fromkeys(("now", "today", "timeOfDay"), "the same resource must say the same tomorrow"),
    "trace": "it prints what patients' records say",
}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool | int | float | Decimal | dict | list) else str(value)
