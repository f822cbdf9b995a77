"""The shapes of organization, facility, charge, payer, service and session files: each fills a class of gateway.claim.

Keys are the fields of those classes; what a type alone does not say (check digits, zones, patterns) is said here.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from zoneinfo import available_timezones

from adapters.mapping.conditions import ClaimCondition
from adapters.mapping.shapes import (
    BOOLEAN,
    BROKEN,
    ChoiceKind,
    Dated,
    DateKind,
    DollarsKind,
    IntegerKind,
    Key,
    Kind,
    ListKind,
    MapKind,
    Schema,
    Shape,
    TextKind,
    enum_kind,
)
from adapters.mapping.yaml_reader import Node, Problems, Text, nearest
from gateway.claim.claim import Claim
from gateway.claim.contract import (
    CertificationClock,
    Charge,
    ContractRate,
    Enrollment,
    Facility,
    HalfDay,
    ItemisedService,
    Organization,
    Payer,
    PayerRule,
    Program,
    ProviderNumber,
    Route,
    RuleSetting,
    ServiceDefinition,
    SessionKind,
    UnknownFacts,
    ValueCode,
)
from gateway.claim.identifiers import npi_is_valid, taxonomy_is_shaped
from gateway.claim.party import Address, Identifier

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NOT_DIGITS: Final = re.compile(r"\D")


def _digits(text: str) -> str:
    return _NOT_DIGITS.sub("", text)


def _check_npi(text: str) -> str:
    if npi_is_valid(text):
        return ""
    return f"{text!r} is not an NPI: ten digits whose last is the check digit (45 CFR 162.406)"


def _check_taxonomy(text: str) -> str:
    return "" if taxonomy_is_shaped(text) else f"{text!r} is not a taxonomy code: ten characters, the last an X"


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_time_zone(text: str) -> str:
    zones = _time_zones()
    return "" if text in zones else f"{text!r} is not a time zone{nearest(text, zones)}"


def _check_regex(text: str) -> str:
    if re.search(r"[*+}]\)*[*+{]|\([^()]*[*+|][^()]*\)[*+{]|\([^()]*\([^()]*\)[^()]*\)[*+{]", text):
        return "repeats a repetition (or a choice), which can take forever; write it without * or + around"
    try:
        re.compile(text)
    except re.error as error:
        return f"is not a regular expression: {error}"
    return ""


def _shaped(pattern: str, wanted: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        return "" if compiled.fullmatch(text) else f"{text!r} is not {wanted}"

    return check


def pattern_kind(pattern: str, wanted: str, convert: Callable[[str], str] | None = None) -> TextKind:
    """Text in a shape, with the words for what it should be."""
    return TextKind(wanted, _shaped(pattern, wanted), f"^(?:{pattern})$" if convert is None else "", convert)


IDENTIFIER_WORD: Final = pattern_kind(r"[a-z0-9][a-z0-9-]{0,62}", "an id of lower-case letters, digits and hyphens")
NPI: Final = TextKind("an NPI", _check_npi)
TIME_ZONE: Final = TextKind("a time zone such as America/Chicago", _check_time_zone)
HCPCS: Final = pattern_kind(r"[A-Z0-9]{5}", "a HCPCS or CPT code: five capitals and digits")
REVENUE_CODE: Final = pattern_kind(r"\d{4}", "a revenue code: four digits, with the leading zero")
MODIFIER: Final = pattern_kind(r"[A-Z0-9]{2}", "a modifier: two capitals or digits")
PLACE_OF_SERVICE: Final = pattern_kind(r"\d{2}", "a place of service code: two digits")

# What a field's name says beyond its type, wherever the name is used.
_BY_NAME: Final[Mapping[str, Kind]] = {
    "id": IDENTIFIER_WORD,
    "npi": NPI,
    "taxonomy": TextKind("a taxonomy code", _check_taxonomy),
    "tax_id": pattern_kind(r"\d{9}", "a tax id: nine digits", _digits),
    "contact_phone": pattern_kind(r"\d{10}", "a telephone number: ten digits", _digits),
    "postal_code": pattern_kind(r"\d{5}|\d{9}", "a ZIP code: five or nine digits", _digits),
    "state": pattern_kind(r"[A-Z]{2}", "a state: two capitals"),
    "time_zone": TIME_ZONE,
    "hcpcs": HCPCS,
    "revenue_code": REVENUE_CODE,
    "modifiers": ListKind(MODIFIER),
    "telehealth_modifiers": ListKind(MODIFIER),
    "off_campus_modifier": MODIFIER,
    "place_of_service": PLACE_OF_SERVICE,
    "telehealth_place_of_service": PLACE_OF_SERVICE,
    "bill_class": pattern_kind(r"\d{2}", "a bill class: the two digits after the zero of the type of bill"),
    "condition_codes": ListKind(pattern_kind(r"[A-Z0-9]{2}", "a condition code: two characters")),
    "diagnosis_prefixes": ListKind(pattern_kind(r"[A-Z][0-9A-Z]{0,6}", "the beginning of an ICD-10-CM code")),
    "claim_filing_code": pattern_kind(r"[A-Z0-9]{1,2}", "a claim filing code (SBR09): one or two characters"),
    "transaction": ChoiceKind({word: word for word in ("837I", "837P", "835", "EFT")}),
    "week_start": ChoiceKind({word: number for number, word in enumerate(_WEEKDAYS)}),
    "member_number_pattern": TextKind("a regular expression", _check_regex),
}


def kind_of(hint: Any) -> Kind:
    """The kind a type hint asks for; records become shapes of their own."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return kind_of(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        return ListKind(kind_of(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return MapKind(kind_of(arguments[1]))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _SHAPES.get(hint) or shape_of(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return enum_kind(hint)
    simple: dict[Any, Kind] = {bool: BOOLEAN, int: IntegerKind(), date: DateKind(), str: TextKind()}
    return simple[hint]


def shape_of(
    record: type[Any],
    name: str = "",
    dated: Dated = Dated.NOT,
    checks: tuple[Callable[[Any, Any, Problems], None], ...] = (),
    named: Mapping[str, Key] = types.MappingProxyType({}),
    *,
    extends: bool = False,
) -> Shape:
    """The shape whose keys are the fields of a dataclass, but for those given here by key."""
    hints = get_type_hints(record, localns={"Claim": Claim})
    keys: dict[str, Key] = {}
    replaced = {key.field or key_name for key_name, key in named.items()}
    fields = [field for field in dataclasses.fields(record) if field.name not in ("entry", "span")]
    for field in fields:
        if field.name in replaced:
            continue
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        keys[field.name] = Key(_BY_NAME.get(field.name) or kind_of(hints[field.name]), required)
    has_entry = any(field.name == "entry" for field in dataclasses.fields(record))
    has_source = any(field.name == "source" for field in fields)
    free = {"note": "Free text for the next reader"} if has_source else None
    shape = Shape(
        name or record.__name__.lower(), record, keys | dict(named), dated, has_entry, checks, extends=extends
    )
    return dataclasses.replace(shape, free=free) if free else shape


class _ClaimCondition:
    """A CEL condition over ``claim``, read as the function that says whether a claim fails."""

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node, Text):
            problems.add(node.place, "expected a CEL condition over claim, such as claim.charge_cents > 100000")
            return BROKEN
        return ClaimCondition(node.value, node.place)

    def schema(self, _definitions: Schema, /) -> Schema:
        return {"type": "string"}


def _check_buyers(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if not service.payers and not service.lines_of_business:
        problems.add(table.place, "a service names its payers or its lines_of_business")


def _check_bundling(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if service.bundling == "itemised":
        if not service.items:
            problems.add(table.place, "an itemised service lists its items: one for each kind of session it buys")
    elif not service.revenue_code and not service.hcpcs:
        problems.add(table.place, "a per-diem service needs a revenue_code, an hcpcs, or both")
    elif bool(service.items) is not (service.partial_day == "itemise"):
        problems.add(table.place, "items belong to services with bundling: itemised, or partial_day: itemise")


def _check_items(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    seen = [item.session for item in service.items]
    for word in sorted({word for word in seen if seen.count(word) > 1}):
        problems.add(table.place, f"two items bill the session {word!r}")


def _check_half_day(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if service.bundling == "itemised" and service.half_day:
        problems.add(table.place, "half_day belongs to per-diem services")


def _check_partial_day(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if bool(service.lower_level) is not (service.partial_day == "lower-level"):
        problems.add(table.place, "partial_day: lower-level and lower_level belong together")


def _billed(service: ServiceDefinition) -> list[Any]:
    whole: list[Any] = [] if service.bundling == "itemised" else [service]
    return [*whole, *service.items, *([service.half_day] if service.half_day else [])]


def _check_line_codes(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if service.form == "837I" and any(not each.revenue_code for each in _billed(service)):
        problems.add(table.place, "every line of an 837I has a revenue_code")
    if service.form == "837P" and any(not each.hcpcs for each in _billed(service)):
        problems.add(table.place, "every line of an 837P has an hcpcs")


def _check_value_codes(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if service.form == "837P" and service.value_codes:
        problems.add(table.place, "value_codes belong to the 837I")


def _check_bill_class(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if service.form == "837P" and service.bill_class:
        problems.add(table.place, "bill_class belongs to the 837I; an 837P has a place_of_service")


def _check_modifiers(service: ServiceDefinition, table: Any, problems: Problems) -> None:
    if any(len(each.modifiers) > 4 or len(set(each.modifiers)) < len(each.modifiers) for each in _billed(service)):
        problems.add(table.place, "a line has at most four modifiers, each once")


_SERVICE_CHECKS: Final = (
    _check_buyers,
    _check_bundling,
    _check_items,
    _check_half_day,
    _check_partial_day,
    _check_line_codes,
    _check_value_codes,
    _check_bill_class,
    _check_modifiers,
)


def _check_clock(clock: CertificationClock, table: Any, problems: Problems) -> None:
    if min(clock.first_days, clock.then_days) < 1:
        problems.add(table.place, "a certification covers at least one day")


def _check_charge(charge: Charge, table: Any, problems: Problems) -> None:
    if not charge.revenue_code and not charge.hcpcs:
        problems.add(table.place, "a charge needs a revenue_code, an hcpcs, or both")


# Shapes that differ from what their class alone says, in the order in which they need one another.
_SHAPES: dict[type[Any], Shape] = {}
_SHAPES[Identifier] = shape_of(Identifier, "name")
_SHAPES[Address] = shape_of(Address)
_SHAPES[Program] = shape_of(Program)
_SHAPES[UnknownFacts] = shape_of(UnknownFacts, "unknown facts")
_SHAPES[Route] = shape_of(Route, dated=Dated.MAY)
_SHAPES[Enrollment] = shape_of(Enrollment, dated=Dated.MUST)
_SHAPES[ItemisedService] = shape_of(ItemisedService, "item")
_SHAPES[ValueCode] = shape_of(
    ValueCode,
    "value code",
    named={
        "code": Key(pattern_kind(r"[A-Z0-9]{2}", "a value code: two characters"), required=True),
        "amount": Key(pattern_kind(r"\d{1,9}(\.\d{1,2})?", "an amount such as 3210.00"), required=True),
    },
)
_SHAPES[ProviderNumber] = shape_of(ProviderNumber, "provider number", dated=Dated.MAY)
_SHAPES[HalfDay] = shape_of(HalfDay, "half_day")
_SHAPES[CertificationClock] = shape_of(CertificationClock, "certification", checks=(_check_clock,))
_SHAPES[RuleSetting] = shape_of(RuleSetting, "rule setting", Dated.MAY)
_SHAPES[ContractRate] = shape_of(
    ContractRate,
    "rate",
    Dated.MUST,
    named={"rate": Key(DollarsKind(), required=True, field="cents", says="What the contract pays a unit")},
)
_SHAPES[PayerRule] = shape_of(
    PayerRule,
    "own rule",
    Dated.MAY,
    named={
        "name": Key(IDENTIFIER_WORD, required=True),
        "fails_when": Key(_ClaimCondition(), required=True, field="fails", says="CEL over claim; true: it fails"),
    },
)

SESSION: Final = shape_of(SessionKind, "session", named={"name": Key(IDENTIFIER_WORD, required=True)})
ORGANIZATION: Final = shape_of(Organization, extends=True)
FACILITY: Final = shape_of(Facility, extends=True)
CHARGE: Final = shape_of(
    Charge,
    "charge",
    Dated.MUST,
    (_check_charge,),
    {"charge": Key(DollarsKind(), required=True, field="cents", says="The price of a unit")},
)
PAYER: Final = shape_of(Payer, named={"rules": Key(MapKind(ListKind(_SHAPES[RuleSetting], single=True)))}, extends=True)
SERVICE: Final = shape_of(ServiceDefinition, "service", Dated.MUST, _SERVICE_CHECKS, extends=True)
