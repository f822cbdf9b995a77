"""The bytes of an 835 to its values, one pass, streaming by claim, with the balance kept along the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache, partial

from msgspec import Struct
from msgspec.structs import replace

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.balance_835 import Balance, OutOfBalance, balance_of
from clearinghouse.x12.decoding import at
from clearinghouse.x12.parties import (
    Adjustment,
    Amount,
    DateSpan,
    Procedure,
    Quantity,
    Reference,
    UnreadSegment,
)
from clearinghouse.x12.read_835_claim import ClaimParts, claim_parts, one_day
from clearinghouse.x12.read_835_header import Stop, judge_stray, read_header
from clearinghouse.x12.remittance_835 import (
    ClaimGroup,
    ClaimPayment,
    ProviderAdjustment,
    RemarkCode,
    Remittance,
    RemittanceHeader,
    ServicePayment,
)
from clearinghouse.x12.tokens import Source
from clearinghouse.x12.transactions import Enclosure, read_sets
from clearinghouse.x12.unreadable_835 import unreadable


class RemittanceEnd(Struct, frozen=True, gc=False):
    """After the last claim of an ST: its provider adjustments, summed up groups, and whether it balances."""

    enclosure: Enclosure
    provider_adjustments: tuple[ProviderAdjustment, ...]
    out_of_balance: tuple[OutOfBalance, ...]
    claim_count: int
    groups: tuple[ClaimGroup, ...] = ()

    @property
    def balanced(self) -> bool:
        """Whether every equation holds."""
        return not self.out_of_balance


__all__ = ["OutOfBalance", "RemittanceEnd", "balance_of", "read_835", "read_remittance", "stream_835"]

RemittanceEvent = RemittanceHeader | ClaimPayment | RemittanceEnd


def read_835(source: Source) -> list[Remittance]:
    """Every 835 transaction set of a file. Raises X12FormatError."""
    found: list[Remittance] = []
    header: RemittanceHeader | None = None
    claims: list[ClaimPayment] = []
    for event in stream_835(source):
        if isinstance(event, RemittanceHeader):
            header, claims = event, []
        elif isinstance(event, ClaimPayment):
            claims.append(event)
        elif header is not None:
            found.append(Remittance(header, tuple(claims), event.provider_adjustments, event.groups))
    return found


def stream_835(source: Source) -> Iterator[RemittanceEvent]:
    """Header, claims, end of each 835 in order; nothing is kept but the claim in hand. Raises X12FormatError."""
    for enclosure, segments in read_sets(source, "835"):
        yield from read_remittance(enclosure, segments)


def read_remittance(enclosure: Enclosure, segments: Iterable[list[str]]) -> Iterator[RemittanceEvent]:
    """`stream_835` for the segments of one ST, from the one after it; without an SE no end comes out.

    Raises X12FormatError.
    """
    return _SetReader(enclosure, segments).events()


class _SetReader:
    """One ST read downwards: header, claims, lines. Each step returns the segment it stopped at, None for no more."""

    def __init__(self, enclosure: Enclosure, segments: Iterable[list[str]]) -> None:
        self.enclosure = enclosure
        self.procedure = lru_cache(maxsize=4096)(partial(read.procedure, component=enclosure.component))
        self.segments: Iterator[Stop] = enumerate(segments, 2)
        self.balance = Balance()
        self.group_number = 1
        self.groups: dict[int, ClaimGroup] = {}
        self.provider_adjustments: list[ProviderAdjustment] = []

    def events(self) -> Iterator[RemittanceEvent]:
        """Header, claims, end. Raises X12FormatError."""
        read_first = read_header(self.segments, self.enclosure.control_number)
        if read_first is None:
            return
        header, first = read_first
        yield header
        stop: Stop | None = first
        while stop is not None and stop[1][0] != "SE":
            if stop[1][0] == "CLP":
                claim, stop = self._claim(*stop)
                if stop is not None:
                    self.balance.add(claim)
                    yield claim
            else:
                self._between_claims(*stop)
                stop = next(self.segments, None)
        if stop is not None:
            adjustments = tuple(self.provider_adjustments)
            off = self.balance.close(header.payment.cents, adjustments)
            yield RemittanceEnd(self.enclosure, adjustments, off, self.balance.claims, tuple(self.groups.values()))

    def _between_claims(self, position: int, values: list[str]) -> None:
        name = values[0]
        try:
            if name == "LX":
                self.group_number = read.whole(at(values, 1))
            elif name == "TS3":
                self._sum_up(provider_summary=tuple(values[1:]))
            elif name == "TS2":
                self._sum_up(provider_supplemental=tuple(values[1:]))
            elif name == "PLB":
                self.provider_adjustments += _provider_adjustments(values, self.enclosure.component)
            else:
                judge_stray(values)
        except ValueError as problem:
            raise unreadable(values, position, problem) from None

    def _sum_up(self, **found: tuple[str, ...]) -> None:
        number = self.group_number
        self.groups[number] = replace(self.groups.get(number) or ClaimGroup(number), **found)

    def _claim(self, position: int, values: list[str]) -> tuple[ClaimPayment, Stop | None]:
        """One CLP and what follows it, lines included."""
        stop: Stop | None = None
        try:
            claim = claim_parts(values, self.group_number, self.balance.claims + 1)
            for position, values in self.segments:
                if values[0] in _CLAIM_ENDS:
                    stop = position, values
                    break
                if not claim.take(values):
                    claim.unread.append(UnreadSegment("2100", position, tuple(values)))
        except ValueError as problem:
            raise unreadable(values, position, problem) from None
        lines = []
        while stop is not None and stop[1][0] == "SVC":
            line, stop = self._line(claim, stop[0], stop[1])
            lines.append(line)
        return claim.finish(tuple(lines)), stop

    def _line(self, claim: ClaimParts, position: int, values: list[str]) -> tuple[ServicePayment, Stop | None]:
        """One SVC and what follows it; what belongs to a claim is its claim's even here."""
        stop: Stop | None = None
        adjustments: list[Adjustment] = []
        control_number = ""
        references: list[Reference] = []
        amounts: list[Amount] = []
        quantities: list[Quantity] = []
        remark_codes: list[RemarkCode] = []
        dates: DateSpan | None = None
        try:
            procedure, charge, paid, revenue_code, units, submitted, submitted_units = self._service(values)
            for position, values in self.segments:
                name = values[0]
                if name == "CAS":
                    if len(values) == 4:
                        adjustments.append(Adjustment(values[1], values[2], read.cents(values[3])))
                    else:
                        adjustments += read.adjustments(values)
                elif name == "REF":
                    if not control_number and len(values) > 2 and values[1] == "6R":
                        control_number = values[2]
                    else:
                        references.append(read.reference(values))
                elif name == "AMT":
                    amounts.append(read.amount(values))
                elif name == "DTM":
                    dates = _service_dates(dates, values)
                elif name in _CLAIM_ENDS:
                    stop = position, values
                    break
                elif name == "LQ":
                    remark_codes.append(RemarkCode(at(values, 2), at(values, 1)))
                elif name == "QTY":
                    quantities.append(read.quantity(values))
                elif not claim.take(values):
                    claim.unread.append(UnreadSegment("2110", position, tuple(values)))
        except ValueError as problem:
            raise unreadable(values, position, problem) from None
        line = ServicePayment(
            procedure,
            charge,
            paid,
            revenue_code,
            units,
            submitted,
            submitted_units,
            dates,
            tuple(adjustments),
            control_number,
            tuple(references),
            tuple(amounts),
            tuple(quantities),
            tuple(remark_codes),
        )
        return line, stop

    def _service(
        self, values: list[str]
    ) -> tuple[Procedure, int, int, str, Decimal | None, Procedure | None, Decimal | None]:
        """SVC as the first fields of a ServicePayment. Raises ValueError."""
        if len(values) < 8:
            values = values + _NOTHING
        procedure, submitted, submitted_units = self.procedure(values[1]), values[6], values[7]
        if procedure is None:
            raise ValueError("the procedure is missing")
        return (
            procedure,
            read.cents(values[2]),
            read.cents(values[3]),
            values[4],
            _units(values[5]),
            self.procedure(submitted) if submitted else None,
            _units(submitted_units) if submitted_units else None,
        )


def _service_dates(dates: DateSpan | None, values: list[str]) -> DateSpan | None:
    """The line's dates after one more DTM: 472 one day, 150 and 151 the first and the last of several."""
    on, qualifier = one_day(at(values, 2)), values[1]
    if qualifier == "151" and dates is not None:
        return replace(dates, through_on=on.from_on)
    return on if dates is None or qualifier in ("150", "472") else dates


def _provider_adjustments(values: list[str], component: str) -> Iterator[ProviderAdjustment]:
    period = read.day(at(values, 2))
    for index in range(3, len(values), 2):
        if values[index] or at(values, index + 1):
            reason, _, reference = values[index].partition(component)
            yield ProviderAdjustment(values[1], period, reason, read.cents(at(values, index + 1)), reference)


# Units repeat, as procedures do through a file: their values are shared.
_units = lru_cache(maxsize=1024)(read.optional_decimal)
_NOTHING = [""] * 8
_CLAIM_ENDS = frozenset(("SVC", "CLP", "LX", "PLB", "SE"))
