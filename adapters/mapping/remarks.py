"""What is right in a mapping set but looks odd: entries nobody reaches, days that nothing covers, codes no list has.

Remarks keep no set out of force. They are made only of sets without a mistake.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

from adapters.mapping.catalogue import MappingSet
from adapters.mapping.catalogue_checks import definition_rank
from adapters.mapping.code_files import CodeRow
from adapters.mapping.payer_rules import remark_on_payer_rules
from adapters.mapping.yaml_reader import Problems
from gateway.claim.calendar import Span
from gateway.claim.contract import HalfDay, ItemisedService, Payer, ServiceDefinition
from gateway.claim.record import EpisodeRecord, LevelOfCare

_PROGRAMS: Final = (LevelOfCare.PHP, LevelOfCare.IOP)
_ONE_DAY: Final = timedelta(days=1)


def remark_on(loaded: MappingSet, remarks: Problems) -> None:
    """Every remark on a set."""
    for payer in loaded.catalogue.payers.values():
        _remark_on_payer(payer, loaded.catalogue.services, remarks)
    _remark_on_use(loaded, remarks)
    _remark_on_gaps(loaded, remarks)
    _remark_on_codes(loaded, remarks)
    _remark_on_charges(loaded, remarks)
    _remark_on_stays(loaded, remarks)


# --- payers and what they buy ----------------------------------------------------------------------------------------


def _is_for(service: ServiceDefinition, payer: Payer) -> bool:
    if service.payers:
        return payer.id in service.payers
    return payer.line_of_business in service.lines_of_business


def _remark_on_payer(payer: Payer, services: Sequence[ServiceDefinition], remarks: Problems) -> None:
    bought = {each.level_of_care for each in services if _is_for(each, payer)}
    missing = [level for level in payer.levels_of_care or _PROGRAMS if level not in bought]
    if not bought:
        remarks.add_at(payer.entry, f"no service definition says how {payer.id!r} is billed")
    for level in missing if bought else ():
        fix = "" if payer.levels_of_care else "; if it buys none, list what it buys under levels_of_care"
        remarks.add_at(payer.entry, f"no service definition says how {level} is billed to {payer.id!r}{fix}")
    remark_on_payer_rules(payer, remarks)
    if not payer.names:
        remarks.add_at(payer.entry, f"{payer.id!r} has no names: no feed's coverage will be recognised as this payer")
    if not payer.routes:
        remarks.add_at(payer.entry, f"{payer.id!r} has no route: its claims cannot be sent")


def _remark_on_use(loaded: MappingSet, remarks: Problems) -> None:
    """Definitions that no day of any payer can come to."""
    offers = {
        payer.id: [each for each in loaded.catalogue.services if _is_for(each, payer)]
        for payer in loaded.catalogue.payers.values()
    }
    payers_of: dict[str, list[str]] = defaultdict(list)
    for payer, services in offers.items():
        for each in services:
            payers_of[each.entry].append(payer)
    for each in loaded.catalogue.services:
        if each.entry not in payers_of:
            remarks.add_at(each.entry, f"service {each.id!r} is for payers of a kind that no payer file has")
            continue
        above = [_above(each, offers[payer]) for payer in payers_of[each.entry]]
        if all(first_gap(each.span, (other.span for other in others)) is None for others in above):
            names = ", ".join(sorted({f"{other.id} ({other.entry})" for others in above for other in others}))
            remarks.add_at(each.entry, f"service {each.id!r} is never reached: on all its days {names} come before it")


def _above(each: ServiceDefinition, offers: Sequence[ServiceDefinition]) -> list[ServiceDefinition]:
    """Of a payer's definitions those that win over this one wherever this one fits."""
    return [
        other
        for other in offers
        if other.level_of_care is each.level_of_care
        and definition_rank(other) > definition_rank(each)
        and _no_narrower(other, each)
    ]


def _no_narrower(other: ServiceDefinition, each: ServiceDefinition) -> bool:
    """Whether the other fits every day that this one fits, days of service and payers aside."""
    pairs: tuple[tuple[Sequence[str], Sequence[str]], ...] = (
        ([plan.casefold() for plan in other.plans], [plan.casefold() for plan in each.plans]),
        (other.program_kinds, each.program_kinds),
        (other.facilities, each.facilities),
    )
    within = all(not theirs or (ours and set(ours) <= set(theirs)) for theirs, ours in pairs)
    return within and (other.opps is None or other.opps is each.opps)


# --- days ------------------------------------------------------------------------------------------------------------


def first_gap(span: Span, others: Iterable[Span]) -> date | None:
    """The first day of a span that none of the others covers; None where they cover it all."""
    day = span.start_on
    for other in sorted(others, key=lambda each: each.start_on):
        if other.start_on > day:
            break
        if other.end_on is None:
            return None
        day = max(day, other.end_on + _ONE_DAY)
    return None if span.end_on is not None and day > span.end_on else day


def _remark_on_gaps(loaded: MappingSet, remarks: Problems) -> None:
    for what, entries in _series(loaded):
        ordered = sorted(entries, key=lambda each: each.span.start_on)
        covered: date | None = ordered[0].span.end_on
        for each in ordered[1:]:
            if covered is not None and each.span.start_on > covered + _ONE_DAY:
                last = each.span.start_on - _ONE_DAY
                remarks.add_at(each.entry, f"{what} has a gap: nothing holds from {covered + _ONE_DAY} to {last}")
            covered = None if covered is None or each.span.end_on is None else max(covered, each.span.end_on)


def _series(loaded: MappingSet) -> Iterator[tuple[str, list[Any]]]:
    """Entries that follow one another in time, with the words for what they are about."""
    series: dict[Hashable, tuple[str, list[Any]]] = {}

    def add(key: Hashable, what: str, entry: Any) -> None:
        series.setdefault(key, (what, []))[1].append(entry)

    for service in loaded.catalogue.services:
        add(("service", service.id), f"service {service.id!r}", service)
    for each in loaded.catalogue.charges:
        price = (each.organization, each.facility, each.revenue_code, each.hcpcs, frozenset(each.modifiers))
        add(("charge", price), f"the charge for {_codes(each)}", each)
    for payer in loaded.catalogue.payers.values():
        for route in payer.routes:
            add(("route", payer.id), f"the route of {payer.id!r}", route)
        for one in payer.enrollments or ():
            what = f"the {one.transaction} enrollment of NPI {one.npi}"
            add(("enrollment", payer.id, one.npi, one.transaction), what, one)
        for number in payer.provider_numbers:
            what = f"the provider number of NPI {number.npi}"
            add(("number", payer.id, number.npi, number.facility), what, number)
    yield from series.values()


# --- codes -----------------------------------------------------------------------------------------------------------

_Billed = ServiceDefinition | ItemisedService | HalfDay


def _billed(service: ServiceDefinition) -> list[_Billed]:
    whole: list[_Billed] = [] if service.bundling == "itemised" else [service]
    return [*whole, *service.items, *([service.half_day] if service.half_day else [])]


def _codes(each: Any) -> str:
    return " ".join(part for part in (each.revenue_code, each.hcpcs) if part)


def _remark_on_codes(loaded: MappingSet, remarks: Problems) -> None:
    """Codes that the lists under codes/ do not have; CPT codes are in none that is shipped."""
    hcpcs, places = _days_of(loaded.hcpcs), _days_of(loaded.places_of_service)
    for service in loaded.catalogue.services:
        for each in _billed(service):
            _remark_on_code(each.hcpcs, hcpcs, "hcpcs", each.entry or service.entry, service.span, remarks)
        for place in (service.place_of_service, service.telehealth_place_of_service):
            _remark_on_code(place, places, "places-of-service", service.entry, service.span, remarks)
    for charge in loaded.catalogue.charges:
        _remark_on_code(charge.hcpcs, hcpcs, "hcpcs", charge.entry, charge.span, remarks)
    for facility in loaded.catalogue.facilities.values():
        _remark_on_code(facility.place_of_service, places, "places-of-service", facility.entry, None, remarks)
    for payer in loaded.catalogue.payers.values():
        for rate in payer.rates:
            _remark_on_code(rate.hcpcs, hcpcs, "hcpcs", rate.entry, rate.span, remarks)


def _days_of(rows: Iterable[CodeRow]) -> dict[str, list[Span]]:
    days: dict[str, list[Span]] = defaultdict(list)
    for row in rows:
        days[row.code].append(row.span)
    return days


def _remark_on_code(
    code: str, known: dict[str, list[Span]], file: str, entry: str, span: Span | None, remarks: Problems
) -> None:
    if not code or (file == "hcpcs" and not code[:1].isalpha()):
        return
    if code not in known:
        remarks.add_at(entry, f"{code} is not in codes/{file}.yaml; add it there if it is right")
        return
    gap = first_gap(span, known[code]) if span is not None else None
    if gap is not None:
        remarks.add_at(entry, f"{code} is not in codes/{file}.yaml on {gap}, a day this entry holds")


def _remark_on_charges(loaded: MappingSet, remarks: Problems) -> None:
    """What is billed and has no price at any facility, or a price that ends before it does."""
    for service in loaded.catalogue.services:
        for one in _billed(service):
            prices = [
                charge.span
                for charge in loaded.catalogue.charges
                if charge.revenue_code in ("", one.revenue_code)
                and charge.hcpcs in ("", one.hcpcs)
                and set(charge.modifiers) <= set(one.modifiers)
            ]
            entry = one.entry or service.entry
            if not prices:
                remarks.add_at(entry, f"no charge prices {_codes(one)} at any facility")
                continue
            begin = max(service.span.start_on, min(price.start_on for price in prices))
            ended = service.span.end_on is not None and service.span.end_on < begin
            gap = None if ended else first_gap(Span(begin, service.span.end_on), prices)
            if gap is not None:
                remarks.add_at(entry, f"no charge prices {_codes(one)} from {gap} on, and the service goes on")


# --- feeds -----------------------------------------------------------------------------------------------------------


def _remark_on_stays(loaded: MappingSet, remarks: Problems) -> None:
    for source in loaded.sources.values():
        stays = [each for each in source.records if each.record is EpisodeRecord]
        if stays and not any("admitted_on" in each.fields for each in stays):
            what = f"{source.source} never says admitted_on: its stays hold no day, and no claim has their diagnoses"
            remarks.add_at(stays[0].entry, what)
