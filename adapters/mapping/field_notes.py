"""What the fields of a record mean, in the words that stand beside them in the code: editors show them at the key."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any


@cache
def field_notes(record: Any) -> Mapping[str, str]:
    """The docstring under each field of a dataclass, as one line of plain words; nothing of anything else."""
    if not (isinstance(record, type) and dataclasses.is_dataclass(record)):
        return {}
    (described,) = ast.parse(textwrap.dedent(inspect.getsource(record))).body
    assert isinstance(described, ast.ClassDef), "the source of a dataclass is a class"
    return dict(_notes(described))


def _notes(described: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(described.body, described.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, _plain(text)


def summary(described: Any) -> str:
    """The first sentence of a class's docstring, as one line of plain words."""
    text = (described.__doc__ or "") if isinstance(described, type) else ""
    return _plain(text.partition("\n\n")[0].partition(". ")[0])


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).rstrip(". ")
