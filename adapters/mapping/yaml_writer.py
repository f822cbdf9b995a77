"""Writes values as a mapping file has them: on one line where they fit, quoted only where YAML needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Tree = str | list["Tree"] | dict[str, "Tree"]
"""What a mapping file says, before any of it is typed."""

_PLAIN: Final = re.compile(r"(?!null\Z)[A-Za-z0-9_](?:[A-Za-z0-9_./+^();'-]|:(?=[^ ])| (?=[^ #]))*(?<![ :])")
_WIDTH: Final = 118


def written(tree: Tree) -> str:
    """A tree in one line."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{written(name)}: {written(below)}" for name, below in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(written, tree)) + "]"
    if _PLAIN.fullmatch(tree):
        return tree
    if "'" in tree and not re.search(r'["\\]', tree):
        return f'"{tree}"'
    return "'" + tree.replace("'", "''") + "'"


def lines(name: str, tree: Tree, indent: int) -> Iterator[str]:
    """A key with its value: in one line where it fits, else one line for each thing in it."""
    flat = f"{' ' * indent}{written(name)}: {written(tree)}"
    if isinstance(tree, str) or not tree or len(flat) <= _WIDTH:
        yield flat
    else:
        yield f"{' ' * indent}{written(name)}:"
        yield from below(tree, indent + 2)


def below(tree: Tree, indent: int) -> Iterator[str]:
    """The lines below a key whose value does not fit beside it."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from lines(name, value, indent)
    elif isinstance(tree, list):
        for each in tree:
            yield from _item(each, indent)


def _item(tree: Tree, indent: int) -> Iterator[str]:
    flat = f"{' ' * indent}- {written(tree)}"
    if len(flat) <= _WIDTH or not isinstance(tree, dict):
        yield flat
        return
    first, *rest = below(tree, indent + 2)
    yield f"{' ' * indent}- {first.strip()}"
    yield from rest
