"""The bytes of a 271 to its values, one transaction set at a time. Knows no payer of ours."""

from __future__ import annotations

from dataclasses import dataclass, field

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.benefits_271 import Benefit, BenefitTransaction, Member, PayerAnswer, Rejection, RelatedEntity
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import Name, QualifiedDate, Reference
from clearinghouse.x12.tokens import Source
from clearinghouse.x12.transactions import Enclosure, read_lines

_PAYER, _RECEIVER, _SUBSCRIBER, _DEPENDENT = "20", "21", "22", "23"
_LEVELS = frozenset({_PAYER, _RECEIVER, _SUBSCRIBER, _DEPENDENT})


def read_271(source: Source) -> list[BenefitTransaction]:
    """Every 271 transaction set of a file. Raises X12FormatError, also for a file that holds none."""
    found: list[BenefitTransaction] = []
    reader: _Reader | None = None
    for enclosure, values, position in read_lines(source, "271"):
        if position == 1:
            reader = _Reader(enclosure)
            continue
        assert reader is not None, "a transaction set begins with ST"
        if values[0] == "SE":
            found.append(reader.finish(position))
        else:
            reader.take(values, position)
    if not found:
        raise X12FormatError("the file holds no 271.")
    return found


@dataclass(slots=True)
class _OpenBenefit:
    benefit: Benefit
    dates: list[QualifiedDate] = field(default_factory=list)
    entities: list[RelatedEntity] = field(default_factory=list)

    def close(self) -> Benefit:
        given = self.benefit
        return Benefit(
            given.code,
            given.service_types,
            given.insurance_type,
            given.plan,
            given.period,
            given.cents,
            tuple(self.dates),
            tuple(self.entities),
        )


@dataclass(slots=True)
class _OpenMember:
    position: int
    subscriber: Name | None
    name: Name = field(default_factory=lambda: Name(""))
    trace: str = ""
    references: list[Reference] = field(default_factory=list)
    dates: list[QualifiedDate] = field(default_factory=list)
    benefits: list[_OpenBenefit] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    def close(self) -> Member:
        return Member(
            self.position,
            self.name,
            self.subscriber,
            self.trace,
            tuple(self.references),
            tuple(self.dates),
            tuple(each.close() for each in self.benefits),
            tuple(self.rejections),
        )


@dataclass(slots=True)
class _OpenPayer:
    position: int
    name: Name = field(default_factory=lambda: Name(""))
    members: list[_OpenMember] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    def close(self) -> PayerAnswer:
        return PayerAnswer(
            self.position, self.name, tuple(each.close() for each in self.members), tuple(self.rejections)
        )


class _Reader:
    def __init__(self, enclosure: Enclosure) -> None:
        self._repetition = enclosure.header.delimiters.repetition
        self._control_number = enclosure.control_number
        self._header: list[str] = []
        self._header_position = 0
        self._level = ""
        self._payers: list[_OpenPayer] = []
        self._member: _OpenMember | None = None
        self._subscriber: Name | None = None
        self._in_entities = False

    def take(self, values: list[str], position: int) -> None:
        name = values[0]
        if name == "BHT":
            self._header, self._header_position = values, position
        elif name == "HL":
            self._open(at(values, 3), position)
        elif name in ("LS", "LE"):
            self._in_entities = name == "LS"
        elif name == "AAA":
            self._reject(values)
        elif self._member is not None:
            self._about_member(self._member, values, position)
        elif name == "NM1" and self._level == _PAYER:
            self._payers[-1].name = read.name(values)

    def finish(self, position: int) -> BenefitTransaction:
        if not self._header:
            raise X12FormatError("BHT is missing.", position)
        return BenefitTransaction(
            created_on=read.reading(read.day, self._header, 4, self._header_position),
            control_number=self._control_number,
            payers=tuple(each.close() for each in self._payers),
        )

    def _open(self, level: str, position: int) -> None:
        if level not in _LEVELS:
            raise X12FormatError("the hierarchical level code is unknown.", position, "HL03")
        self._level, self._member, self._in_entities = level, None, False
        if level == _PAYER:
            self._payers.append(_OpenPayer(position))
            return
        if not self._payers:
            raise X12FormatError("the level stands under no payer.", position, "HL03")
        if level == _RECEIVER:
            return
        if level == _SUBSCRIBER:
            self._subscriber = None
        elif self._subscriber is None:
            raise X12FormatError("the dependent stands under no subscriber.", position, "HL03")
        self._member = _OpenMember(position, self._subscriber if level == _DEPENDENT else None)
        self._payers[-1].members.append(self._member)

    def _reject(self, values: list[str]) -> None:
        target = self._member or (self._payers[-1] if self._payers else None)
        if target is not None:
            target.rejections.append(Rejection(at(values, 3), at(values, 4)))

    def _about_member(self, member: _OpenMember, values: list[str], position: int) -> None:
        name = values[0]
        benefit = member.benefits[-1] if member.benefits else None
        if name == "EB":
            self._in_entities = False
            member.benefits.append(_OpenBenefit(self._benefit(values, position)))
        elif name == "NM1" and benefit is not None:
            benefit.entities.append(RelatedEntity(at(values, 1), read.name(values)))
        elif name == "NM1":
            member.name = read.name(values)
            if self._level == _SUBSCRIBER:
                self._subscriber = member.name
        elif name == "TRN":
            member.trace = member.trace or at(values, 2)
        elif name == "REF" and benefit is None:
            member.references.append(read.reference(values))
        elif name == "DTP" and not self._in_entities:
            span = read.reading(lambda text: read.span(at(values, 2), text), values, 3, position)
            (member.dates if benefit is None else benefit.dates).append(QualifiedDate(at(values, 1), span))

    def _benefit(self, values: list[str], position: int) -> Benefit:
        return Benefit(
            code=at(values, 1),
            service_types=tuple(filter(None, at(values, 3).split(self._repetition))),
            insurance_type=at(values, 4),
            plan=at(values, 5),
            period=at(values, 6),
            cents=read.reading(read.optional_cents, values, 7, position),
        )
