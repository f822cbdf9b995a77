"""What must hold between the entries of a mapping set: names that exist, spans that do not clash, one answer a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from adapters.mapping.declared import Declared
from adapters.mapping.payer_rules import check_payer_rules
from adapters.mapping.source_file import SourceFile
from adapters.mapping.yaml_reader import Problems
from gateway.claim.contract import Charge, Facility, Payer, ServiceDefinition
from gateway.rules.rule import Rule


def check_ids(entries: Iterable[Any], what: str, problems: Problems, key: str = "id") -> None:
    """Each id belongs to one entry."""
    first: dict[str, str] = {}
    for each in entries:
        name = getattr(each, key)
        if not name:
            continue
        if name in first:
            problems.add_at(each.entry, f"{what} {name!r} is already at {first[name]}")
        else:
            first[name] = each.entry


def _whole_pairs(entries: Sequence[Any], problems: Problems) -> Iterator[tuple[Any, Any]]:
    """Every two entries that could be read whole: of a broken one nobody knows which days or services it is for."""
    return combinations([each for each in entries if not problems.is_partial(each.entry)], 2)


def _check_names(entries: Iterable[Any], what: str, problems: Problems) -> None:
    first: dict[Hashable, Any] = {}
    for each in entries:
        for name in each.names:
            other = first.setdefault(name, each)
            if other is not each:
                problems.add_at(
                    each.entry, f"the name {str(name)!r} already stands for {what} {other.id!r} ({other.entry})"
                )


def check_facilities(facilities: Sequence[Facility], declared: Declared, problems: Problems) -> None:
    """Facilities belong to organizations, and a feed's name stands for one of them."""
    for each in facilities:
        declared.check(each.entry, "organization", [each.organization], problems)
    _check_names(facilities, "facility", problems)


def check_charges(charges: Sequence[Charge], declared: Declared, problems: Problems) -> None:
    """Charges name what exists, and one service has one price on a day."""
    same: dict[Hashable, list[Charge]] = defaultdict(list)
    for each in charges:
        declared.check(each.entry, "organization", [each.organization], problems)
        declared.check(each.entry, "facility", [each.facility], problems)
        key = (each.organization, each.facility, each.revenue_code, each.hcpcs, frozenset(each.modifiers))
        same[key].append(each)
    for group in same.values():
        for one, other in _whole_pairs(group, problems):
            if one.span.overlaps(other.span):
                problems.add_at(
                    other.entry, f"prices the same service on the same days as {one.entry}; end one of them"
                )


def check_payers(payers: Sequence[Payer], declared: Declared, rules: Mapping[str, Rule], problems: Problems) -> None:
    """Routes lead to connections there are, one at a time, and a provider has one number on a day; rule settings name
    rules; a feed's name means one payer."""
    for each in payers:
        for route in each.routes:
            declared.check(route.entry, "connection", [route.connection], problems)
        for number in each.provider_numbers:
            declared.check(number.entry, "facility", [number.facility], problems)
        for first, second in _whole_pairs(each.provider_numbers, problems):
            same = (first.npi, first.facility) == (second.npi, second.facility)
            if same and first.span.overlaps(second.span):
                problems.add_at(second.entry, f"is a second number on the same days as {first.entry}; end one of them")
        for one, other in _whole_pairs(each.routes, problems):
            if one.span.overlaps(other.span):
                problems.add_at(other.entry, f"is a second route on the same days as {one.entry}; end one of them")
        if rules:
            check_payer_rules(each, rules, problems)
    _check_names(payers, "payer", problems)


def check_levels(services: Sequence[ServiceDefinition], payers: Sequence[Payer], problems: Problems) -> None:
    """Nothing defines for a payer what its file says it does not buy."""
    said = {each.id: each for each in payers if each.levels_of_care and not problems.is_partial(each.entry)}
    for service in services:
        for payer in (said[name] for name in service.payers if name in said):
            if service.level_of_care not in (None, *payer.levels_of_care):
                sentence = f"{payer.id!r} does not buy {service.level_of_care}: see its levels_of_care ({payer.entry})"
                problems.add_at(service.entry, sentence)


def check_services(services: Sequence[ServiceDefinition], declared: Declared, problems: Problems) -> None:
    """Services name what exists, and no day has two equally specific ones."""
    by_id: dict[str, list[ServiceDefinition]] = defaultdict(list)
    for each in services:
        by_id[each.id].append(each)
        declared.check(each.entry, "payer", each.payers, problems)
        declared.check(each.entry, "facility", each.facilities, problems)
        for item in each.items:
            declared.check(item.entry, "session", [item.session], problems)
    for name, versions in by_id.items():
        for one, other in _whole_pairs(versions, problems):
            if one.span.overlaps(other.span):
                problems.add_at(other.entry, f"service {name!r} is already at {one.entry} for some of the same days")
    for one, other in _rivals([each for each in services if not problems.is_partial(each.entry)]):
        if one.id != other.id and _tie(one, other):
            problems.add_at(
                other.entry,
                f"{other.id!r} and {one.id!r} ({one.entry}) can both apply to one day and are equally specific; "
                "name payers, plans, facilities, opps or program_kinds in one of them, or end it",
            )


def _rivals(services: Sequence[ServiceDefinition]) -> list[tuple[ServiceDefinition, ServiceDefinition]]:
    """Pairs of equally specific definitions of one level of care that name a payer, or a kind of payer, in common."""
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for place, each in enumerate(services):
        for key in each.payers or each.lines_of_business:
            alike[each.level_of_care, definition_rank(each), bool(each.payers), str(key)].append(place)
    pairs = {pair for places in alike.values() for pair in combinations(places, 2)}
    return [(services[one], services[other]) for one, other in sorted(pairs)]


def _tie(one: ServiceDefinition, other: ServiceDefinition) -> bool:
    """True when a day can have both of two rivals, so that the resolver (gateway.services.resolve) cannot choose."""
    return (
        one.span.overlaps(other.span)
        and _meet([each.casefold() for each in one.plans], [each.casefold() for each in other.plans])
        and _meet(one.program_kinds, other.program_kinds)
        and _meet(one.facilities, other.facilities)
        and (one.opps is None or other.opps is None or one.opps is other.opps)
    )


def definition_rank(each: ServiceDefinition) -> tuple[bool, ...]:
    """How specific a definition is; of those that fit a day the greatest wins (gateway.services.resolve)."""
    return bool(each.payers), bool(each.plans), bool(each.facilities), each.opps is not None, bool(each.program_kinds)


def _meet(one: Sequence[str], other: Sequence[str]) -> bool:
    """Two lists of conditions can hold together; an empty one asks for nothing."""
    return not one or not other or bool(set(one) & set(other))


def check_sources(sources: Sequence[SourceFile], declared: Declared, problems: Problems) -> None:
    """Sources belong to organizations and speak of sessions and facilities there are."""
    for each in sources:
        declared.check(each.entry, "organization", [each.organization], problems)
        for kind in ("session", "facility"):
            for place, word in each.words(kind):
                declared.check(place, kind, [word], problems)
