"""The bytes of a 277CA to its values, one transaction set at a time. Knows no claim of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import Amount, Name, Procedure, QualifiedDate, Reference, UnreadSegment
from clearinghouse.x12.status_277ca import (
    ClaimStatus,
    LineStatus,
    ProviderStatus,
    ReceiverStatus,
    SourceStatus,
    Status,
    StatusCode,
    StatusTransaction,
)
from clearinghouse.x12.tokens import Source
from clearinghouse.x12.transactions import Enclosure, read_lines

_LEVELS = {"20": "source", "21": "receiver", "19": "provider", "PT": "claim"}
_ORDER = ("source", "receiver", "provider", "claim")
_LETTERS = {"source": "A", "receiver": "B", "provider": "C", "claim": "D"}
_NAMED_REFERENCES = {"1K": "payer_claim_number", "D9": "clearinghouse_trace", "BLT": "bill_type"}


def read_277ca(source: Source) -> list[tuple[Enclosure, StatusTransaction]]:
    """Every 277CA transaction set of a file with the envelope it came in. Raises X12FormatError."""
    found: list[tuple[Enclosure, StatusTransaction]] = []
    reader: _Reader | None = None
    for enclosure, values, position in read_lines(source, "277"):
        if position == 1:
            reader = _Reader(enclosure)
            continue
        assert reader is not None
        if values[0] == "SE":
            found.append((enclosure, reader.finish(position)))
        else:
            reader.take(values, position)
    return found


def stream_277ca(source: Source) -> Iterator[tuple[str, str, ClaimStatus]]:
    """Every claim as it ends, with who says it (NM101 of its source) and our batch (TRN02 of its receiver).

    Raises X12FormatError.
    """
    reader: _ClaimReader | None = None
    for enclosure, values, position in read_lines(source, "277"):
        if position == 1:
            reader = _ClaimReader(enclosure)
            continue
        assert reader is not None
        if values[0] == "SE":
            reader.finish(position)
        else:
            reader.take(values, position)
        yield from reader.ended
        reader.ended.clear()


class _Level:
    """One open HL level, or the line or further claim inside it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.name = Name("")
        self.role = ""
        self.trace = ""
        self.statuses: list[Status] = []
        self.references: list[Reference] = []
        self.dates: list[QualifiedDate] = []
        self.quantities: list[Any] = []
        self.amounts: list[Amount] = []
        self.children: list[Any] = []
        self.service: dict[str, Any] = {}


class _Reader:
    def __init__(self, enclosure: Enclosure) -> None:
        self.component = enclosure.component
        self.control_number = enclosure.control_number
        self.header: list[str] = []
        self.header_position = 0
        self.open: list[_Level] = []
        self.line: _Level | None = None
        self.sources: list[SourceStatus] = []
        self.unread: list[UnreadSegment] = []

    def take(self, values: list[str], position: int) -> None:
        name = values[0]
        if name == "BHT":
            self.header, self.header_position = values, position
        elif name == "HL":
            self._level(values, position)
        elif self.open:
            self._inside(name, values, position)
        else:
            self._keep(values, position)

    def _keep(self, values: list[str], position: int) -> None:
        """Keep a segment there is no value for, with the loop of the level it stands in."""
        loop = "" if not self.open else "2220D" if self.line is not None else f"2200{_LETTERS[self.open[-1].kind]}"
        self.unread.append(UnreadSegment(loop, position, tuple(values)))

    def finish(self, position: int) -> StatusTransaction:
        self._close_to(0)
        if not self.header:
            raise X12FormatError("BHT is missing.", position)
        return StatusTransaction(
            reference=at(self.header, 3),
            created_on=read.reading(read.day, self.header, 4, self.header_position),
            created_time=read.reading(read.clock, self.header, 5, self.header_position),
            sources=tuple(self.sources),
            control_number=self.control_number,
            unread=tuple(self.unread),
        )

    def _level(self, values: list[str], position: int) -> None:
        kind = _LEVELS.get(at(values, 3))
        if kind is None:
            raise X12FormatError("the hierarchical level code is unknown.", position, "HL03")
        depth = _ORDER.index(kind)
        self._close_to(depth)
        if len(self.open) != depth:
            raise X12FormatError("the level stands under no level it belongs to.", position, "HL03")
        self.open.append(_Level(kind))

    def _close_to(self, depth: int) -> None:
        while len(self.open) > depth:
            self._close_line()
            level = self.open.pop()
            value: Any = _BUILD[level.kind](level)
            if self.open:
                self._add(value)
            else:
                self.sources.append(value)

    def _add(self, value: Any) -> None:
        """Put what has ended into the level it stands in."""
        self.open[-1].children.append(value)

    def _close_line(self) -> None:
        if self.line is not None:
            self.open[-1].children.append(_line(self.line))
            self.line = None

    def _inside(self, name: str, values: list[str], position: int) -> None:
        level = self.open[-1]
        target = self.line if self.line is not None else level
        if name == "NM1":
            level.name, level.role = read.name(values), at(values, 1)
        elif name == "TRN":
            self._trace(level, values)
        elif name == "STC":
            target.statuses.append(self._status(values, position))
        elif name == "REF":
            target.references.append(read.reference(values))
        elif name == "DTP":
            dates = read.reading(lambda text: read.span(at(values, 2), text), values, 3, position)
            target.dates.append(QualifiedDate(at(values, 1), dates))
        elif name == "QTY":
            target.quantities.append(read.reading(lambda _: read.quantity(values), values, 2, position))
        elif name == "AMT":
            target.amounts.append(Amount(at(values, 1), read.reading(read.cents, values, 2, position)))
        elif name == "SVC":
            self._service(values, position)
        else:
            self._keep(values, position)

    def _trace(self, level: _Level, values: list[str]) -> None:
        """A second TRN*2 under one patient opens a second claim of that patient."""
        if level.kind == "claim" and level.trace:
            self._close_line()
            done = self.open.pop()
            self._add(_claim(done))
            level = _Level("claim")
            level.name = done.name
            self.open.append(level)
        level.trace = at(values, 2)

    def _service(self, values: list[str], position: int) -> None:
        self._close_line()
        self.line = _Level("line")
        self.line.service = {
            "procedure": read.procedure(at(values, 1), self.component) or Procedure("", qualifier=""),
            "charge_cents": read.reading(read.cents, values, 2, position),
            "revenue_code": at(values, 4),
            "units": read.reading(read.optional_decimal, values, 7, position),
        }

    def _status(self, values: list[str], position: int) -> Status:
        codes = []
        for place in (1, 10, 11):
            parts = at(values, place).split(self.component)
            if parts[0]:
                codes.append(StatusCode(parts[0], at(parts, 1), at(parts, 2), at(parts, 3)))
        return Status(
            codes=tuple(codes),
            effective_on=read.reading(read.day, values, 2, position) if at(values, 2) else None,
            action=at(values, 3),
            charge_cents=read.reading(read.optional_cents, values, 4, position),
            message=at(values, 12),
        )


class _ClaimReader(_Reader):
    """Hands claims out in place of gathering them."""

    def __init__(self, enclosure: Enclosure) -> None:
        super().__init__(enclosure)
        self.ended: list[tuple[str, str, ClaimStatus]] = []

    def _add(self, value: Any) -> None:
        if isinstance(value, ClaimStatus):
            source, receiver = self.open[:2]
            self.ended.append((source.role, receiver.trace, value))
        else:
            super()._add(value)

    def _keep(self, values: list[str], position: int) -> None:
        """What there is no value for is of no use to who asks for claims."""


def _claim(level: _Level) -> ClaimStatus:
    named: dict[str, str] = {}
    others: list[Reference] = []
    for reference in level.references:
        field = _NAMED_REFERENCES.get(reference.qualifier)
        if field is not None and field not in named:
            named[field] = reference.value
        else:
            others.append(reference)
    return ClaimStatus(
        patient=level.name,
        trace_number=level.trace,
        statuses=tuple(level.statuses),
        references=tuple(others),
        service_dates=_service_dates(level),
        lines=tuple(level.children),
        **named,
    )


def _line(level: _Level) -> LineStatus:
    control = next((entry.value for entry in level.references if entry.qualifier == "FJ"), "")
    return LineStatus(
        statuses=tuple(level.statuses),
        line_control_number=control,
        references=tuple(entry for entry in level.references if entry.qualifier != "FJ"),
        service_dates=_service_dates(level),
        **level.service,
    )


def _service_dates(level: _Level) -> Any:
    return next((entry.span for entry in level.dates if entry.qualifier == "472"), None)


def _provider(level: _Level) -> ProviderStatus:
    return ProviderStatus(
        provider=level.name,
        claims=tuple(level.children),
        trace_number=level.trace,
        statuses=tuple(level.statuses),
        references=tuple(level.references),
        quantities=tuple(level.quantities),
        amounts=tuple(level.amounts),
    )


def _receiver(level: _Level) -> ReceiverStatus:
    return ReceiverStatus(
        receiver=level.name,
        trace_number=level.trace,
        statuses=tuple(level.statuses),
        providers=tuple(level.children),
        quantities=tuple(level.quantities),
        amounts=tuple(level.amounts),
    )


def _source(level: _Level) -> SourceStatus:
    return SourceStatus(
        source=level.name,
        role=level.role,
        trace_number=level.trace,
        dates=tuple(level.dates),
        receivers=tuple(level.children),
    )


_BUILD = {"source": _source, "receiver": _receiver, "provider": _provider, "claim": _claim}
