"""CEL conditions of mapping files, compiled once. Evaluates nothing but CEL: no Python reaches a mapping file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from enum import Enum
from functools import partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import orjson
from msgspec import Struct

from adapters.mapping.yaml_reader import Place, Problems, nearest
from gateway.claim.claim import Claim
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    import cel

_COMPREHENSION = re.compile(r"\.(?:all|exists|exists_one|map|filter)\(\s*([A-Za-z_]\w*)\s*,")
_CLAIM_FIELD = re.compile(r"\bclaim\.([A-Za-z_]\w*)")
_WORD = re.compile(r"[A-Za-z_]\w*")
# What opens and closes brackets, and which of them a comprehension opened; texts in quotes are passed over.
_BRACKETS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\.\s*(all|exists|exists_one|map|filter)\s*\(|[()]""")
_LONGEST = 2000
_MOST_WITHIN = 2
"""Comprehensions within each other: with each one more, a short condition takes a thousand times as long."""
_MOST_MAPS = 1
"""Each may make what it goes over hundreds of times as large."""
_VERDICTS_KEPT = 4096
"""Of one condition over claims: most claims look alike in the few fields it names."""
_CEL_ERRORS = (RuntimeError, TypeError, ValueError, KeyError, IndexError, ArithmeticError)


class Condition:
    """One compiled condition over named values."""

    __slots__ = ("_execute", "names", "place", "source")

    def __init__(self, source: str, program: cel.Program, place: Place, names: Collection[str]) -> None:
        self.source = source
        self.place = place
        self.names = frozenset(names)
        self._execute = program.execute

    def holds(self, values: dict[str, Any]) -> bool:
        """Whether it is true of the values. Raises ConfigurationError, without values, when it cannot be said."""
        try:
            answer = self._execute(values)
        except _CEL_ERRORS as error:
            raise ConfigurationError([f"{self.place}: the condition fails with {type(error).__name__}"]) from error
        if not isinstance(answer, bool):
            raise ConfigurationError([f"{self.place}: the condition gives {type(answer).__name__}, not true or false"])
        return answer


def compile_condition(
    source: str, place: Place, known: Collection[str], problems: Problems, samples: dict[str, Any]
) -> Condition | None:
    """The condition over names from ``known``; None, with problems noted, where it is wrong.

    It is tried once on ``samples``, so that a condition of the wrong type is found when the file is read.
    """
    if len(source) > _LONGEST:
        problems.add(place, f"the condition is longer than {_LONGEST} characters")
        return None
    if _is_costly(source):
        problems.add(
            place,
            f"the condition has more than {_MOST_WITHIN} of all(), exists(), filter() and map() within each other, or "
            f"more than {_MOST_MAPS} map(): it could take for ever; name a value for a part of it",
        )
        return None
    import cel  # with the engine comes a shell of its own, which takes long to load: only who compiles pays for it

    try:
        program = cel.compile(source)
    except _CEL_ERRORS as error:
        problems.add(place, f"is not a CEL condition: {_first_line(error)}")
        return None
    used = set(program.variables()) - set(_COMPREHENSION.findall(source))
    unknown = sorted(used - set(known))
    for name in unknown:
        problems.add(place, f"unknown name {name!r} in the condition{nearest(name, known)}")
    if unknown:
        return None
    condition = Condition(source, program, place, used)
    try:
        condition.holds(samples)
    except ConfigurationError as error:
        cause = error.__cause__
        why = _first_line(cause) if isinstance(cause, Exception) else error.problems[0].removeprefix(f"{place}: ")
        if isinstance(cause, KeyError):
            why += nearest(str(cause.args[0]), sorted(_fields_of(samples)))
        problems.add(place, f"the condition does not work on a sample: {why}")
        return None
    return condition


def _is_costly(source: str) -> bool:
    opened: list[bool] = []
    maps = 0
    for each in _BRACKETS.finditer(source):
        if each[0] == ")":
            opened[-1:] = []
        elif each[0].endswith("("):
            opened.append(each[1] is not None)
            maps += each[1] == "map"
            if sum(opened) > _MOST_WITHIN or maps > _MOST_MAPS:
                return True
    return False


def _fields_of(sample: Any) -> set[str]:
    """Every field a condition could have meant, at any depth."""
    if isinstance(sample, Mapping):
        return {str(key) for key in sample}.union(*map(_fields_of, sample.values()))
    return set().union(*map(_fields_of, sample)) if isinstance(sample, list | tuple) else set()


def _first_line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r}"
    return str(error).splitlines()[0].strip() if str(error) else type(error).__name__


class ClaimCondition:
    """A condition over ``claim`` as the function that says whether it is so; compiled when it is first asked."""

    __slots__ = ("_compiled", "_source", "place")

    def __init__(self, source: str, place: Place) -> None:
        self.place = place
        self._source = source
        self._compiled: Callable[[Claim], bool] | None = None

    def __call__(self, claim: Claim) -> bool:
        """Whether it holds. Raises ConfigurationError when it cannot be said."""
        if self._compiled is None:
            problems = Problems()
            self.compile(problems)
            problems.raise_if_any()
        assert self._compiled is not None, "what is wrong was raised"
        return self._compiled(claim)

    def compile(self, problems: Problems) -> None:
        """Compile it now; problems noted where it is wrong."""
        self._compiled = _compile_claim_condition(self._source, self.place, problems)


def _compile_claim_condition(source: str, place: Place, problems: Problems) -> Callable[[Claim], bool] | None:
    """The condition over ``claim`` as a function; None, with problems noted, where it is wrong."""
    fields = sorted(set(_CLAIM_FIELD.findall(source)))
    known = _CLAIM_HINTS.keys()
    unknown = [name for name in fields if name not in known]
    for name in unknown:
        problems.add(place, f"a claim has no field {name!r}{nearest(name, known)}")
    if unknown:
        return None
    sample = {"claim": {name: _SAMPLE[name] for name in fields}}
    condition = compile_condition(source, place, {"claim"}, problems, sample)
    if condition is None:
        return None

    words = frozenset(_WORD.findall(source))
    views = [(name, _view_of(_CLAIM_HINTS[name], words)) for name in fields]
    verdicts: dict[bytes, bool] = {}

    def fails(claim: Claim) -> bool:
        seen = {name: view(getattr(claim, name)) if view else getattr(claim, name) for name, view in views}
        shown = orjson.dumps(seen)
        verdict = verdicts.get(shown)
        if verdict is None:
            if len(verdicts) >= _VERDICTS_KEPT:
                verdicts.clear()
            verdict = verdicts[shown] = condition.holds({"claim": seen})
        return verdict

    return fails


def plain(value: Any) -> Any:
    """A domain value as CEL sees it: dates and enumerations as text, records as maps, tuples as lists."""
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if _is_record(type(value)):
        return {name: plain(getattr(value, name)) for name in _field_names(type(value))}
    return str(value)


def _is_record(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint) or (isinstance(hint, type) and issubclass(hint, Struct))


def _field_names(record: Any) -> Sequence[str]:
    return (
        record.__struct_fields__ if issubclass(record, Struct) else [each.name for each in dataclasses.fields(record)]
    )


_View = Callable[[Any], Any]


def _view_of(hint: Any, words: frozenset[str]) -> _View | None:
    """What turns a value of the type into what CEL sees of it; None where it is that already.

    Worked out once from the type, and of records only the fields named in ``words``: the engine copies whatever it is
    handed, so a condition is handed nothing it does not name.
    """
    if _is_record(hint):
        hints = get_type_hints(hint)
        return _record_view({name: _view_of(hints[name], words) for name in hints if name in words})
    if get_origin(hint) is tuple:
        each = _view_of(get_args(hint)[0], words)
        return list if each is None else partial(_list_view, each)
    if get_origin(hint) in (Union, UnionType):
        inner = _view_of(next(each for each in get_args(hint) if each is not NoneType), words)
        return None if inner is None else partial(_optional_view, inner)
    if hint in (str, int, bool):
        return None
    return plain


def _record_view(fields: Mapping[str, _View | None]) -> _View:
    shown = tuple(fields.items())

    def view(record: Any) -> dict[str, Any]:
        return {name: turn(getattr(record, name)) if turn else getattr(record, name) for name, turn in shown}

    return view


def _list_view(view: _View, values: tuple[Any, ...]) -> list[Any]:
    return [view(each) for each in values]


def _optional_view(view: _View, value: Any) -> Any:
    return None if value is None else view(value)


def _sample_of(hint: Any) -> Any:
    """A made-up value of a type, for trying a condition: text `X`, number 1, lists of one."""
    if _is_record(hint):
        hints = get_type_hints(hint)
        return {name: _sample_of(hints[name]) for name in _field_names(hint)}
    arguments = [each for each in getattr(hint, "__args__", ()) if each is not type(None)]
    origin = getattr(hint, "__origin__", None)
    if origin is tuple:
        return [_sample_of(arguments[0])]
    if origin is not None:
        return {}
    if arguments:
        return _sample_of(arguments[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return str(next(iter(hint)).value)
    if hint in (bool, int):
        return hint(1)
    return "2026-08-03" if hint is date else "X"


_SAMPLE: dict[str, Any] = _sample_of(Claim) | {"charge_cents": 1}
_CLAIM_HINTS: dict[str, Any] = get_type_hints(Claim) | {"charge_cents": int}
