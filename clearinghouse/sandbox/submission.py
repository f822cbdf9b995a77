"""What a submitter's file says, read segment by segment with an own eye: no code of the writing side is used.

A claim is read as far as a clearinghouse and a payer need it to route and price it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from clearinghouse.x12.envelope import Delimiters
from clearinghouse.x12.tokens import Body, Cut, Header, Noise, read_pieces, segments_of

Segment = list[str]


@dataclass(slots=True)
class SubmittedTransaction:
    """One ST to SE; `segments` starts with the ST, `closed` says whether the SE came."""

    segments: list[Segment]
    closed: bool = False

    @property
    def control_number(self) -> str:
        """ST02."""
        return at(self.segments[0], 2)


@dataclass(slots=True)
class SubmittedGroup:
    """One GS to GE with its transactions."""

    header: Segment
    transactions: list[SubmittedTransaction] = field(default_factory=list)
    trailer: Segment | None = None


@dataclass(slots=True)
class SubmittedInterchange:
    """One ISA to IEA. `complete` says whether the IEA came; `text` is everything of it as written."""

    header: Header
    groups: list[SubmittedGroup] = field(default_factory=list)
    trailer: Segment | None = None
    stray: int = 0
    """Segments that stand outside any group or transaction."""

    @property
    def complete(self) -> bool:
        """Whether the IEA came."""
        return self.trailer is not None

    @property
    def control_number(self) -> str:
        """ISA13 as written."""
        return self.header.elements[13]

    @property
    def delimiters(self) -> Delimiters:
        """The separators the submitter uses."""
        return self.header.delimiters


@dataclass(frozen=True, slots=True)
class SubmittedLine:
    """One service line. `place` is the line's own place of service, or the claim's."""

    number: int
    revenue_code: str
    code: str
    modifiers: tuple[str, ...]
    charge_cents: int
    units: Decimal
    from_on: date | None
    through_on: date | None
    place: str
    control_number: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named in a claim."""

    last: str
    first: str = ""
    middle: str = ""
    identifier: str = ""
    qualifier: str = ""
    entity_type: str = "1"


@dataclass(frozen=True, slots=True)
class SubmittedClaim:
    """One claim and what stands above it in its transaction.

    `places` are the stretches of segments it is made of (its provider, subscriber, patient, itself), ST counting as 1.
    """

    batch_reference: str
    submitter: Person
    billing: Person
    tax_id: str
    payer: Person
    filing_indicator: str
    responsibility: str
    """SBR01: P primary, S secondary, T tertiary."""
    subscriber: Person
    patient: Person
    claim_number: str
    charge_cents: int
    facility: str
    is_institutional: bool
    frequency: str
    original_number: str
    authorization_number: str
    statement_from_on: date | None
    statement_through_on: date | None
    diagnoses: tuple[str, ...]
    providers: tuple[Person, ...]
    lines: tuple[SubmittedLine, ...]
    prior_paid_cents: int = 0
    """What payers before this one paid (AMT*D of every 2320 loop)."""
    places: tuple[tuple[int, int], ...] = ()

    def covers(self, position: int) -> bool:
        """Whether the segment at a position belongs to this claim or to what stands above it."""
        return any(first <= position <= last for first, last in self.places)

    @property
    def service_dates(self) -> tuple[date, ...]:
        """Every day the lines speak of, or else the statement's, in order."""
        days = sorted({each for line in self.lines for each in (line.from_on, line.through_on) if each})
        return tuple(days or [each for each in (self.statement_from_on, self.statement_through_on) if each])


def at(segment: Segment, position: int) -> str:
    """Element `position` (1-based), blank when it is not there."""
    return segment[position] if len(segment) > position else ""


def cents(text: str) -> int | None:
    """An X12 amount as cents; None when it is none, or holds part of a cent."""
    if not re.fullmatch(r"-?[0-9]{0,12}(\.[0-9]{0,2})?", text) or not re.search("[0-9]", text):
        return None
    return int((Decimal(text) * 100).to_integral_value())


def read_interchanges(content: bytes) -> list[SubmittedInterchange]:
    """Every interchange of a file, complete or not. Empty when the file holds none."""
    found: list[SubmittedInterchange] = []
    for piece in read_pieces(content):
        if isinstance(piece, Header):
            found.append(SubmittedInterchange(piece))
        elif isinstance(piece, Body):
            for segment in segments_of(piece):
                _place(found[-1], segment.split(piece.header.delimiters.element))
        elif isinstance(piece, Cut) and found:
            found[-1].trailer = None
        elif isinstance(piece, Noise) and piece.reason and found:
            found[-1].stray += 1
    return found


def _place(interchange: SubmittedInterchange, segment: Segment) -> None:
    group = interchange.groups[-1] if interchange.groups and interchange.groups[-1].trailer is None else None
    transaction = group.transactions[-1] if group and group.transactions and not group.transactions[-1].closed else None
    match segment[0]:
        case "ISA":
            pass
        case "IEA":
            interchange.trailer = segment
        case "GS":
            interchange.groups.append(SubmittedGroup(segment))
        case "GE" if group is not None:
            group.trailer = segment
        case "ST" if group is not None:
            group.transactions.append(SubmittedTransaction([segment]))
        case "SE" if transaction is not None:
            transaction.segments.append(segment)
            transaction.closed = True
        case _ if transaction is not None:
            transaction.segments.append(segment)
        case _:
            interchange.stray += 1


def read_claims(transaction: SubmittedTransaction, delimiters: Delimiters) -> Iterator[SubmittedClaim]:
    """The claims of an 837 that passed the guide check; what cannot be read comes as blank, zero or None."""
    reading = _Reading(delimiters.component)
    for position, segment in enumerate(transaction.segments, 1):
        yield from reading.take(segment, position)


class _Reading:
    """Where we are in the hierarchy: the loops above a claim are kept, a claim is filled until the next one starts."""

    def __init__(self, component: str) -> None:
        self._component = component
        self._above: dict[str, Any] = {}
        self._claim: dict[str, Any] | None = None
        self._lines: list[dict[str, Any]] = []
        self._other_payer = False
        self._level = ""
        self._places: dict[str, tuple[int, int]] = {}
        """Where the provider, subscriber and patient above stand, by level code."""

    def take(self, segment: Segment, position: int) -> Iterator[SubmittedClaim]:
        name = segment[0]
        if name in ("HL", "CLM", "SE"):
            yield from self._finish(position - 1)
        if name == "HL":
            self._open_level(at(segment, 3), position)
        elif name == "CLM":
            self._open_claim(segment, position)
        elif self._claim is None:
            if self._level:
                self._places[self._level] = (self._places[self._level][0], position)
            self._take_above(name, segment)
        elif name == "LX":
            self._lines.append({"number": len(self._lines) + 1})
            self._other_payer = False
        elif self._lines:
            self._take_line(name, segment)
        else:
            self._take_claim(name, segment)

    def _open_level(self, code: str, position: int) -> None:
        self._level = code
        self._places = {level: place for level, place in self._places.items() if level < code}
        self._places[code] = (position, position)
        if code in ("20", "22"):
            keep = {"reference", "submitter"} | ({"billing", "tax_id"} if code == "22" else set())
            self._above = {key: value for key, value in self._above.items() if key in keep}
        elif code == "23":
            self._above.pop("patient", None)

    def _take_above(self, name: str, segment: Segment) -> None:
        if name == "BHT":
            self._above["reference"] = at(segment, 3)
        elif name == "SBR":
            self._above |= {"filing": at(segment, 9), "responsibility": at(segment, 1)}
        elif name == "REF" and at(segment, 1) in ("EI", "SY") and self._level == "20":
            self._above["tax_id"] = at(segment, 2)
        elif name == "NM1":
            role = {"41": "submitter", "85": "billing", "IL": "subscriber", "QC": "patient", "PR": "payer"}
            self._above[role.get(at(segment, 1), "other")] = _person(segment)

    def _open_claim(self, segment: Segment, position: int) -> None:
        place = at(segment, 5).split(self._component)
        self._claim = {
            "position": position,
            "claim_number": at(segment, 1),
            "charge_cents": cents(at(segment, 2)) or 0,
            "facility": place[0],
            "is_institutional": place[1:2] == ["A"],
            "frequency": place[2] if len(place) > 2 else "",
            "providers": [],
            "diagnoses": [],
        }

    def _take_claim(self, name: str, segment: Segment) -> None:
        claim = self._claim
        if claim is None:
            return
        if name == "SBR":
            self._other_payer = True
        if self._other_payer:
            if name == "AMT" and at(segment, 1) == "D":
                claim["prior_paid"] = claim.get("prior_paid", 0) + (cents(at(segment, 2)) or 0)
            return
        if name == "REF" and at(segment, 1) in ("F8", "G1"):
            claim[at(segment, 1)] = at(segment, 2)
        elif name == "DTP" and at(segment, 1) == "434":
            claim["statement"] = _days(segment)
        elif name == "HI":
            claim["diagnoses"] += [
                code
                for kind, code in (_pair(each, self._component) for each in segment[1:])
                if kind in ("ABK", "ABF", "BK", "BF")
            ]
        elif name == "NM1":
            claim["providers"].append(_person(segment))

    def _take_line(self, name: str, segment: Segment) -> None:
        line = self._lines[-1]
        if name == "SV2":
            line |= self._procedure(at(segment, 2))
            line |= {
                "revenue_code": at(segment, 1),
                "charge_cents": cents(at(segment, 3)) or 0,
                "units": at(segment, 5),
            }
        elif name == "SV1":
            line |= self._procedure(at(segment, 1))
            line |= {"charge_cents": cents(at(segment, 2)) or 0, "units": at(segment, 4), "place": at(segment, 5)}
        elif name == "DTP" and at(segment, 1) == "472":
            line["days"] = _days(segment)
        elif name == "REF" and at(segment, 1) == "6R":
            line["control_number"] = at(segment, 2)

    def _procedure(self, composite: str) -> dict[str, Any]:
        parts = composite.split(self._component)
        return {"code": parts[1] if len(parts) > 1 else "", "modifiers": tuple(filter(None, parts[2:6]))}

    def _finish(self, last_position: int) -> Iterator[SubmittedClaim]:
        claim, lines = self._claim, self._lines
        self._claim, self._lines, self._other_payer = None, [], False
        if claim is None:
            return
        above = self._above
        nobody = Person("")
        subscriber = above.get("subscriber", nobody)
        statement = claim.get("statement", (None, None))
        yield SubmittedClaim(
            batch_reference=above.get("reference", ""),
            submitter=above.get("submitter", nobody),
            billing=above.get("billing", nobody),
            tax_id=above.get("tax_id", ""),
            payer=above.get("payer", nobody),
            filing_indicator=above.get("filing", ""),
            responsibility=above.get("responsibility", ""),
            subscriber=subscriber,
            patient=above.get("patient", subscriber),
            claim_number=claim["claim_number"],
            charge_cents=claim["charge_cents"],
            facility=claim["facility"],
            is_institutional=claim["is_institutional"],
            frequency=claim["frequency"],
            original_number=claim.get("F8", ""),
            authorization_number=claim.get("G1", ""),
            statement_from_on=statement[0],
            statement_through_on=statement[1],
            diagnoses=tuple(claim["diagnoses"]),
            providers=tuple(claim["providers"]),
            lines=tuple(_line(line, claim) for line in lines),
            prior_paid_cents=claim.get("prior_paid", 0),
            places=(*self._places.values(), (claim["position"], last_position)),
        )


def _line(line: dict[str, Any], claim: dict[str, Any]) -> SubmittedLine:
    from_on, through_on = line.get("days", (None, None))
    return SubmittedLine(
        number=line["number"],
        revenue_code=line.get("revenue_code", ""),
        code=line.get("code", ""),
        modifiers=line.get("modifiers", ()),
        charge_cents=line.get("charge_cents", 0),
        units=_number(line.get("units", "")),
        from_on=from_on,
        through_on=through_on,
        place=line.get("place", "") or ("" if claim["is_institutional"] else claim["facility"]),
        control_number=line.get("control_number", ""),
    )


def _person(segment: Segment) -> Person:
    return Person(
        last=at(segment, 3),
        first=at(segment, 4),
        middle=at(segment, 5),
        qualifier=at(segment, 8),
        identifier=at(segment, 9),
        entity_type=at(segment, 2),
    )


def _pair(composite: str, component: str) -> tuple[str, str]:
    kind, _, rest = composite.partition(component)
    return kind, rest.partition(component)[0]


def _days(segment: Segment) -> tuple[date | None, date | None]:
    first, _, last = at(segment, 3).partition("-")
    return _day(first), _day(last) if last else _day(first)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


def _number(text: str) -> Decimal:
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        return Decimal(0)
