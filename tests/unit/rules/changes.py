"""Apply what a rule case changes: a path such as ``claim.lines[0].units`` and a plain YAML value."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from msgspec import Struct, structs

from gateway.authorization.account import AuthorizationAccount, AuthorizationEntry
from gateway.claim.party import Identifier
from gateway.claim.record import AuthorizationRecord, AuthorizationStatus, EpisodeRecord
from gateway.rules.context import BilledLine, GateContext
from gateway.services.case import KnownEpisode
from tests.unit.rules.situations import Situation

_TOKEN = re.compile(r"(\w+)|\[(\d+)\]")
_OF_CONTEXT = {*GateContext.__struct_fields__} - {"catalogue", "codes", "days"}
# What a case need not say of a line of another claim, or of an authorization.
_UNSAID: dict[type, dict[str, Any]] = {
    AuthorizationAccount: {
        "payer": "acme",
        "week_start": 6,
        "entries": (),
        "opening": 0,
        "reserved": 0,
        "accrued": 0,
        "consumed": 0,
        "released": 0,
        "remaining": None,
        "first_day_beyond": None,
        "at_risk_cents": 0,
        "in_care": True,
    },
    KnownEpisode: {"id": "stay-2"},
    AuthorizationEntry: {"payer": "acme", "member": "ABC123456", "number": "AUTH1", "reason": "scheduled"},
    AuthorizationRecord: {
        "identifiers": (Identifier("authorization", "A1"),),
        "patient": Identifier("ehr", "P1"),
        "number": "AUTH1",
        "status": AuthorizationStatus.APPROVED,
    },
    BilledLine: {
        "claim_key": "another",
        "claim_number": "C00000000012",
        "organization": "harbor",
        "facility": "harbor-main",
        "level_of_care": "IOP",
        "modifiers": (),
        "per_diem": True,
        "condition_codes": (),
        "sent": True,
        "payer": "acme",
        "revenue_code": "0905",
        "hcpcs": "S9480",
    },
    EpisodeRecord: {"identifiers": (), "patient": Identifier("ehr", "P1")},
}


def apply_changes(start: Situation, changes: Mapping[str, Any]) -> Situation:
    """The situation with every change made, in the order they are written."""
    for path, raw in changes.items():
        start = _apply(start, _tokens(path), raw)
    return start


def _apply(start: Situation, tokens: Sequence[str | int], raw: Any) -> Situation:
    root, rest = tokens[0], tokens[1:]
    claim, context = start.claim, start.context
    if root == "claim":
        return replace(start, claim=_changed(claim, type(claim), rest, raw))
    if root == "definition":
        used = claim.lines[0].definition_id
        services = tuple(
            _changed(each, type(each), rest, raw) if each.id == used else each for each in context.catalogue.services
        )
        return replace(start, context=structs.replace(context, catalogue=replace(context.catalogue, services=services)))
    if root == "organization":
        owner = context.catalogue.organizations[claim.key.organization]
        organizations = {owner.id: _changed(owner, type(owner), rest, raw)}
        return replace(
            start, context=structs.replace(context, catalogue=replace(context.catalogue, organizations=organizations))
        )
    if root == "days":
        days = [context.days[on] for on in sorted(context.days)]
        if not rest:
            return replace(start, context=structs.replace(context, days={}))
        days[int(rest[0])] = _changed(days[int(rest[0])], type(days[0]), rest[1:], raw)
        return replace(start, context=structs.replace(context, days={day.on: day for day in days}))
    assert root in _OF_CONTEXT, f"a case cannot change {root}"
    return replace(start, context=_changed(context, GateContext, tokens, raw))


def _tokens(path: str) -> list[str | int]:
    return [word or int(number) for word, number in _TOKEN.findall(path)]


def _changed(value: Any, shape: Any, tokens: Sequence[str | int], raw: Any) -> Any:
    if not tokens:
        return built(shape, raw)
    first, rest = tokens[0], tokens[1:]
    if isinstance(first, int):
        items = list(value)
        items[first] = _changed(items[first], get_args(_known(shape))[0], rest, raw)
        return tuple(items)
    inner = get_type_hints(type(value))[first]
    changed = structs.replace if isinstance(value, Struct) else replace
    return changed(value, **{first: _changed(getattr(value, first), inner, rest, raw)})


def _known(shape: Any) -> Any:
    """The type without ``None``."""
    if get_origin(shape) in (types.UnionType, Union):
        return next(each for each in get_args(shape) if each is not type(None))
    return shape


def built(shape: Any, raw: Any) -> Any:
    """A value of the type from plain YAML."""
    if raw is None:
        return None
    shape = _known(shape)
    origin, arguments = get_origin(shape), get_args(shape)
    if origin in (tuple, frozenset):
        raw = [raw] if isinstance(raw, Mapping) else raw
        return origin(built(arguments[0], each) for each in raw)
    if origin is not None and issubclass(origin, Mapping):
        return {key: built(arguments[1], each) for key, each in raw.items()}
    if shape is Identifier and isinstance(raw, str):
        return Identifier(*raw.split("|"))
    if isinstance(shape, type) and (is_dataclass(shape) or issubclass(shape, Struct)):
        hints = get_type_hints(shape)
        return shape(**{**_UNSAID.get(shape, {}), **{name: built(hints[name], each) for name, each in raw.items()}})
    if isinstance(shape, type) and issubclass(shape, Enum):
        return shape(raw)
    if shape in (date, datetime):
        return raw if isinstance(raw, date) else shape.fromisoformat(raw)
    assert isinstance(raw, shape), f"{raw!r} is no {shape.__name__}: quote codes in the case"
    return raw
