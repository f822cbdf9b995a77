"""The bytes of an 835 to its values, one pass, streaming by claim, with the balance kept along the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.balance_835 import Balance, OutOfBalance, balance_of
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import (
    Address,
    Adjustment,
    Amount,
    DateSpan,
    Name,
    QualifiedDate,
    Quantity,
    Reference,
    UnreadSegment,
)
from clearinghouse.x12.remittance_835 import (
    ClaimGroup,
    ClaimPayment,
    Payee,
    Payment,
    ProviderAdjustment,
    RemarkCode,
    Remittance,
    RemittanceDelivery,
    RemittanceHeader,
    RemittancePayer,
    ServicePayment,
    Trace,
)
from clearinghouse.x12.tokens import Source
from clearinghouse.x12.transactions import Enclosure, read_lines


@dataclass(frozen=True, slots=True)
class RemittanceEnd:
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


__all__ = ["OutOfBalance", "RemittanceEnd", "RemittanceReader", "balance_of", "read_835", "stream_835"]

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
    reader: RemittanceReader | None = None
    for enclosure, values, position in read_lines(source, "835"):
        if position == 1:
            reader = RemittanceReader(enclosure)
            continue
        assert reader is not None
        events = reader.take(values, position)
        if events:
            yield from events


class RemittanceReader:
    """The state of one ST: header parts until the first claim, then the claim and line in hand."""

    def __init__(self, enclosure: Enclosure) -> None:
        self.enclosure = enclosure
        self.component = enclosure.component
        self.balance = Balance()
        self.header: RemittanceHeader | None = None
        self.parts: dict[str, Any] = {}
        self.party: dict[str, Any] | None = None
        self.claim: dict[str, Any] | None = None
        self.line: _Line | None = None
        self.lines: list[ServicePayment] = []
        self.group_number = 1
        self.groups: dict[int, ClaimGroup] = {}
        self.provider_adjustments: list[ProviderAdjustment] = []
        self.street: list[str] = []

    def take(self, values: list[str], position: int) -> tuple[RemittanceEvent, ...]:
        """One segment after ST; the header, claim or end it completes, mostly nothing. Raises X12FormatError."""
        name = values[0]
        events: tuple[RemittanceEvent, ...] = ()
        if name in _CLAIM_ENDS:
            events = self._completed(name, position)
        handler = _HANDLERS.get(name)
        if handler is not None:
            try:
                handler(self, values)
            except ValueError as problem:
                raise _blame(values, position, problem) from None
        elif name != "SE":
            self._unread(values, position)
        return events

    def _completed(self, name: str, position: int) -> tuple[RemittanceEvent, ...]:
        events: list[RemittanceEvent] = []
        if self.header is None:
            self.header = self._header(position)
            events.append(self.header)
        if self.claim is not None:
            events.append(self._finish_claim())
        if name == "SE":
            adjustments = tuple(self.provider_adjustments)
            off = self.balance.close(self.header.payment.cents, adjustments)
            groups = tuple(self.groups.values())
            events.append(RemittanceEnd(self.enclosure, adjustments, off, self.balance.claims, groups))
        return tuple(events)

    def _header(self, position: int) -> RemittanceHeader:
        parts = self.parts
        for wanted, title in (("payment", "BPR"), ("trace", "TRN"), ("PR", "N1*PR"), ("PE", "N1*PE")):
            if wanted not in parts:
                raise X12FormatError(f"{title} is missing before the first claim.", position)
        payer, payee = parts["PR"], parts["PE"]
        empty = Address("", "")
        return RemittanceHeader(
            payment=parts["payment"],
            trace=parts["trace"],
            payer=RemittancePayer(
                payer["name"], payer.get("address", empty), tuple(payer["references"]), tuple(payer["contacts"])
            ),
            payee=Payee(payee["name"], payee.get("address"), tuple(payee["references"]), payee.get("delivery")),
            produced_on=parts.get("produced_on"),
            references=tuple(parts.get("references", ())),
            control_number=self.enclosure.control_number,
            currency=parts.get("currency", ""),
            unread=tuple(parts.get("unread", ())),
        )

    def _finish_claim(self) -> ClaimPayment:
        self._finish_line()
        parts = self.claim
        assert parts is not None
        self.claim = None
        if self.lines:
            parts["lines"] = self.lines
            self.lines = []
        claim = ClaimPayment(**_frozen(parts))
        self.balance.add(claim)
        return claim

    def _finish_line(self) -> None:
        line = self.line
        if line is not None:
            self.line = None
            self.lines.append(line.finish())

    def _bpr(self, values: list[str]) -> None:
        values = [*values, *[""] * 16]
        # BPR06 to BPR15: the two bank accounts and the originating company, in element order.
        accounts = dict(zip(_ACCOUNT_FIELDS, values[5:16], strict=True))
        self.parts["payment"] = Payment(
            cents=read.cents(values[2]),
            effective_on=read.day(values[16]) if values[16] else None,
            handling=values[1],
            credit_or_debit=values[3],
            method=values[4],
            **accounts,
        )

    def _trn(self, values: list[str]) -> None:
        self.parts["trace"] = Trace(at(values, 2), at(values, 3), at(values, 4))

    def _n1(self, values: list[str]) -> None:
        self.party = {"name": read.party(values), "references": [], "contacts": []}
        self.parts[at(values, 1)] = self.party

    def _n3(self, values: list[str]) -> None:
        self.street = values

    def _n4(self, values: list[str]) -> None:
        if self.party is not None and self.claim is None:
            self.party["address"] = read.address(self.street, values)

    def _ref(self, values: list[str]) -> None:
        line = self.line
        if line is not None:
            if values[1:2] == ["6R"] and not line.control_number:
                line.control_number = at(values, 2)
            else:
                line.references.append(read.reference(values))
            return
        target = self.claim if self.claim is not None else self.party if self.party is not None else self.parts
        target.setdefault("references", []).append(read.reference(values))

    def _per(self, values: list[str]) -> None:
        here = self.claim if self.claim is not None else self.party
        if here is not None:
            here.setdefault("contacts", []).append(read.contact(values))

    def _dtm(self, values: list[str]) -> None:
        qualifier = at(values, 1)
        if self.line is not None:
            self.line.date(qualifier, at(values, 2))
        elif self.claim is not None:
            self.claim.setdefault("dates", []).append(QualifiedDate(qualifier, _one_day(at(values, 2))))
        elif qualifier == "405":
            self.parts["produced_on"] = read.day(at(values, 2))

    def _cur(self, values: list[str]) -> None:
        self.parts["currency"] = at(values, 2)

    def _rdm(self, values: list[str]) -> None:
        if self.party is not None:
            self.party["delivery"] = RemittanceDelivery(at(values, 1), at(values, 2), at(values, 3))

    def _lx(self, values: list[str]) -> None:
        self.group_number = read.whole(at(values, 1))

    def _ts3(self, values: list[str]) -> None:
        self._sum_up(provider_summary=tuple(values[1:]))

    def _ts2(self, values: list[str]) -> None:
        self._sum_up(provider_supplemental=tuple(values[1:]))

    def _sum_up(self, **found: tuple[str, ...]) -> None:
        number = self.group_number
        self.groups[number] = replace(self.groups.get(number, ClaimGroup(number)), **found)  # type: ignore[arg-type]

    def _unread(self, values: list[str], position: int) -> None:
        """Keep a segment the guide has no place for."""
        target = self.parts if self.claim is None else self.claim
        loop = "" if self.claim is None else "2100" if self.line is None else "2110"
        target.setdefault("unread", []).append(UnreadSegment(loop, position, tuple(values)))

    def _clp(self, values: list[str]) -> None:
        values = [*values, *[""] * 9]
        self.claim = {
            "patient_control_number": values[1],
            "status_code": values[2],
            "charge_cents": read.cents(values[3]),
            "paid_cents": read.cents(values[4]),
            "patient": _NOBODY,
            "patient_cents": read.optional_cents(values[5]),
            "claim_filing_indicator": values[6],
            "payer_claim_number": values[7],
            "facility_code": values[8],
            "frequency_code": values[9],
            "group_number": self.group_number,
            "position": self.balance.claims + 1,
        }
        if len(values) > _CLP_USUAL:
            self.claim |= {
                "drg_code": at(values, 11),
                "drg_weight": read.optional_decimal(at(values, 12)),
                "discharge_fraction": read.optional_decimal(at(values, 13)),
            }

    def _nm1(self, values: list[str]) -> None:
        role = _CLAIM_NAMES.get(at(values, 1))
        if self.claim is not None and role is not None:
            self.claim[role] = read.name(values)

    def _cas(self, values: list[str]) -> None:
        found = self._adjustments()
        if len(values) == 4:
            found.append(Adjustment(values[1], values[2], read.cents(values[3])))
        else:
            found += read.adjustments(values)

    def _adjustments(self) -> list[Adjustment]:
        if self.line is not None:
            return self.line.adjustments
        found: list[Adjustment] = [] if self.claim is None else self.claim.setdefault("adjustments", [])
        return found

    def _mia(self, values: list[str]) -> None:
        if self.claim is not None:
            self.claim["inpatient"] = read.inpatient(values)

    def _moa(self, values: list[str]) -> None:
        if self.claim is not None:
            self.claim["outpatient"] = read.outpatient(values)

    def _amt(self, values: list[str]) -> None:
        amount = Amount(at(values, 1), read.cents(at(values, 2)))
        if self.line is not None:
            self.line.amounts.append(amount)
        elif self.claim is not None:
            self.claim.setdefault("amounts", []).append(amount)

    def _qty(self, values: list[str]) -> None:
        if self.line is not None:
            self.line.quantities.append(read.quantity(values))
        elif self.claim is not None:
            self.claim.setdefault("quantities", []).append(read.quantity(values))

    def _svc(self, values: list[str]) -> None:
        if self.claim is None:
            raise ValueError("a service line stands outside any claim")
        if self.line is not None:
            self._finish_line()
        self.line = _Line(values, self.component)

    def _lq(self, values: list[str]) -> None:
        if self.line is not None:
            self.line.remark_codes.append(RemarkCode(at(values, 2), at(values, 1)))

    def _plb(self, values: list[str]) -> None:
        period = read.day(at(values, 2))
        for index in range(3, len(values), 2):
            if not values[index] and not at(values, index + 1):
                continue
            reason, _, reference = values[index].partition(self.component)
            amount = read.cents(at(values, index + 1))
            self.provider_adjustments.append(ProviderAdjustment(at(values, 1), period, reason, amount, reference))


class _Line:
    """One SVC and what follows it, until the next."""

    __slots__ = (
        "adjustments",
        "amounts",
        "control_number",
        "dates",
        "quantities",
        "references",
        "remark_codes",
        "service",
    )

    def __init__(self, values: list[str], component: str) -> None:
        padded = [*values, "", "", "", "", "", "", ""]
        procedure = _procedure(padded[1], component)
        if procedure is None:
            raise ValueError("the procedure is missing")
        self.service = (
            procedure,
            read.cents(padded[2]),
            read.cents(padded[3]),
            padded[4],
            _units(padded[5]),
            _procedure(padded[6], component),
            _units(padded[7]),
        )
        self.dates: DateSpan | None = None
        self.adjustments: list[Adjustment] = []
        self.control_number = ""
        self.references: list[Reference] = []
        self.amounts: list[Amount] = []
        self.quantities: list[Quantity] = []
        self.remark_codes: list[RemarkCode] = []

    def date(self, qualifier: str, text: str) -> None:
        on = _one_day(text)
        if qualifier == "151" and self.dates is not None:
            self.dates = replace(self.dates, through_on=on.from_on)
        elif self.dates is None or qualifier in ("150", "472"):
            self.dates = on

    def finish(self) -> ServicePayment:
        return ServicePayment(
            *self.service,
            self.dates,
            tuple(self.adjustments),
            self.control_number,
            tuple(self.references),
            tuple(self.amounts),
            tuple(self.quantities),
            tuple(self.remark_codes),
        )


def _frozen(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if value.__class__ is list else value for key, value in parts.items()}


def _blame(values: list[str], position: int, problem: ValueError) -> X12FormatError:
    """Which element of the segment could not be read: the first that its conversion refuses."""
    name = values[0]
    conversions = _CONVERSIONS[name](values) if name in _CONVERSIONS else ()
    for index, convert in conversions:
        try:
            convert(at(values, index))
        except ValueError as found:
            return X12FormatError(f"{found}.", position, f"{name}{index:02d}")
    return X12FormatError(f"{problem}.", position, name)


def _cas_conversions(values: list[str]) -> Iterator[tuple[int, Callable[[str], Any]]]:
    for index in range(2, len(values), 3):
        if values[index] or at(values, index + 1):
            yield index + 1, read.cents
            yield index + 2, read.optional_decimal


def _plb_conversions(values: list[str]) -> Iterator[tuple[int, Callable[[str], Any]]]:
    yield 2, read.day
    for index in range(4, len(values) + 1, 2):
        yield index, read.cents


# Dates of service, procedures and units repeat through a file: their values are shared.
_one_day = lru_cache(maxsize=4096)(lambda text: DateSpan(read.day(text)))
_procedure = lru_cache(maxsize=4096)(read.procedure)
_units = lru_cache(maxsize=1024)(read.optional_decimal)
_NOBODY = Name("")
_ACCOUNT_FIELDS = (
    "format_code",
    "sender_bank_qualifier",
    "sender_bank_id",
    "sender_account_qualifier",
    "sender_account",
    "originating_company_id",
    "originating_company_supplemental",
    "receiver_bank_qualifier",
    "receiver_bank_id",
    "receiver_account_qualifier",
    "receiver_account",
)
_Conversions = Callable[[list[str]], Iterable[tuple[int, Callable[[str], Any]]]]
_CONVERSIONS: dict[str, _Conversions] = {
    "BPR": lambda _: ((2, read.cents), (16, read.day)),
    "DTM": lambda _: ((2, read.day),),
    "LX": lambda _: ((1, read.whole),),
    "CLP": lambda _: (
        *((place, read.cents) for place in (3, 4)),
        (5, read.optional_cents),
        *((place, read.optional_decimal) for place in (12, 13)),
    ),
    "MOA": lambda _: ((1, read.optional_decimal), *((place, read.optional_cents) for place in (2, 8, 9))),
    "AMT": lambda _: ((2, read.cents),),
    "QTY": lambda _: ((2, read.decimal),),
    "SVC": lambda _: ((2, read.cents), (3, read.cents), (5, read.optional_decimal), (7, read.optional_decimal)),
    "CAS": _cas_conversions,
    "PLB": _plb_conversions,
}
# CLP as nearly everyone sends it, with the nine blanks it is padded with: no DRG.
_CLP_USUAL = 19
_CLAIM_ENDS = frozenset(("CLP", "LX", "PLB", "SE"))
_CLAIM_NAMES = {
    "QC": "patient",
    "IL": "subscriber",
    "74": "corrected_patient",
    "82": "rendering_provider",
    "TT": "crossover_carrier",
    "PR": "corrected_payer",
    "GB": "other_subscriber",
}
_HANDLERS: dict[str, Callable[[RemittanceReader, list[str]], None]] = {
    "BPR": RemittanceReader._bpr,
    "TRN": RemittanceReader._trn,
    "N1": RemittanceReader._n1,
    "N3": RemittanceReader._n3,
    "N4": RemittanceReader._n4,
    "REF": RemittanceReader._ref,
    "PER": RemittanceReader._per,
    "DTM": RemittanceReader._dtm,
    "CUR": RemittanceReader._cur,
    "RDM": RemittanceReader._rdm,
    "LX": RemittanceReader._lx,
    "TS3": RemittanceReader._ts3,
    "TS2": RemittanceReader._ts2,
    "CLP": RemittanceReader._clp,
    "NM1": RemittanceReader._nm1,
    "CAS": RemittanceReader._cas,
    "MIA": RemittanceReader._mia,
    "MOA": RemittanceReader._moa,
    "AMT": RemittanceReader._amt,
    "QTY": RemittanceReader._qty,
    "SVC": RemittanceReader._svc,
    "LQ": RemittanceReader._lq,
    "PLB": RemittanceReader._plb,
}
