"""The bytes of an 835 to its values, one pass, streaming by claim, with the balance kept along the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import Address, Adjustment, Amount, DateSpan, Name, QualifiedDate
from clearinghouse.x12.remittance_835 import (
    ClaimPayment,
    InpatientAdjudication,
    OutpatientAdjudication,
    Payee,
    Payment,
    ProviderAdjustment,
    RemarkCode,
    Remittance,
    RemittanceHeader,
    RemittancePayer,
    ServicePayment,
    Trace,
)
from clearinghouse.x12.tokens import Source
from clearinghouse.x12.transactions import Enclosure, read_lines

_REMARKS_MIA = (5, 20, 21, 22, 23)


@dataclass(frozen=True, slots=True)
class OutOfBalance:
    """One equation of an 835 that does not hold: where ("transaction", "claim 3", "claim 3 line 2"), cents both
    ways.
    """

    where: str
    expected_cents: int
    found_cents: int


@dataclass(frozen=True, slots=True)
class RemittanceEnd:
    """After the last claim of an ST: its provider adjustments and whether it balances."""

    enclosure: Enclosure
    provider_adjustments: tuple[ProviderAdjustment, ...]
    out_of_balance: tuple[OutOfBalance, ...]
    claim_count: int

    @property
    def balanced(self) -> bool:
        """Whether every equation holds."""
        return not self.out_of_balance


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
            found.append(Remittance(header, tuple(claims), event.provider_adjustments))
    return found


def stream_835(source: Source) -> Iterator[RemittanceEvent]:
    """Header, claims, end of each 835 in order; nothing is kept but the claim in hand. Raises X12FormatError."""
    reader: RemittanceReader | None = None
    for enclosure, values, position in read_lines(source, "835"):
        if position == 1:
            reader = RemittanceReader(enclosure)
            continue
        assert reader is not None
        yield from reader.take(values, position)


def balance_of(remittance: Remittance) -> tuple[OutOfBalance, ...]:
    """The equations of an 835 that do not hold: each line, each claim, the transaction."""
    balance = _Balance()
    for claim in remittance.claims:
        balance.add(claim)
    return balance.close(remittance.header.payment.cents, remittance.provider_adjustments)


class _Balance:
    """SVC02 - CAS = SVC03; CLP03 - all CAS = CLP04; sum of CLP04 - sum of PLB = BPR02 (X221 balancing)."""

    def __init__(self) -> None:
        self.paid_cents = 0
        self.claims = 0
        self.found: list[OutOfBalance] = []

    def add(self, claim: ClaimPayment) -> None:
        self.claims += 1
        self.paid_cents += claim.paid_cents
        adjusted = 0
        for adjustment in claim.adjustments:
            adjusted += adjustment.cents
        claim_level, line_paid = adjusted, 0
        for index, line in enumerate(claim.lines, 1):
            own = 0
            for adjustment in line.adjustments:
                own += adjustment.cents
            adjusted += own
            line_paid += line.paid_cents
            if line.charge_cents - own != line.paid_cents:
                self._off(f"claim {self.claims} line {index}", line.charge_cents - own, line.paid_cents)
        if claim.charge_cents - adjusted != claim.paid_cents:
            self._off(f"claim {self.claims}", claim.charge_cents - adjusted, claim.paid_cents)
        elif claim.lines and line_paid - claim_level != claim.paid_cents:
            self._off(f"claim {self.claims} lines", line_paid - claim_level, claim.paid_cents)

    def close(self, payment_cents: int, adjustments: tuple[ProviderAdjustment, ...]) -> tuple[OutOfBalance, ...]:
        expected = self.paid_cents - sum(adjustment.cents for adjustment in adjustments)
        if expected != payment_cents:
            self._off("transaction", expected, payment_cents)
        return tuple(self.found)

    def _off(self, where: str, expected: int, found: int) -> None:
        self.found.append(OutOfBalance(where, expected, found))


class RemittanceReader:
    """The state of one ST: header parts until the first claim, then the claim and line in hand."""

    def __init__(self, enclosure: Enclosure) -> None:
        self.enclosure = enclosure
        self.component = enclosure.component
        self.balance = _Balance()
        self.header: RemittanceHeader | None = None
        self.parts: dict[str, Any] = {}
        self.party: dict[str, Any] | None = None
        self.claim: dict[str, Any] | None = None
        self.line: dict[str, Any] | None = None
        self.group_number = 1
        self.provider_adjustments: list[ProviderAdjustment] = []
        self.street: list[str] = []

    def take(self, values: list[str], position: int) -> Iterator[RemittanceEvent]:
        """One segment after ST; the header, claim or end it completes. Raises X12FormatError."""
        name = values[0]
        if name in _CLAIM_ENDS:
            if self.header is None:
                self.header = self._header(position)
                yield self.header
            if self.claim is not None:
                yield self._finish_claim()
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(self, values, position)
        elif name == "SE":
            adjustments = tuple(self.provider_adjustments)
            assert self.header is not None
            off = self.balance.close(self.header.payment.cents, adjustments)
            yield RemittanceEnd(self.enclosure, adjustments, off, self.balance.claims)

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
            payee=Payee(payee["name"], payee.get("address"), tuple(payee["references"])),
            produced_on=parts.get("produced_on"),
            references=tuple(parts.get("references", ())),
            control_number=self.enclosure.control_number,
        )

    def _finish_claim(self) -> ClaimPayment:
        self._finish_line()
        parts = self.claim
        assert parts is not None
        self.claim = None
        claim = ClaimPayment(**_frozen(parts))
        self.balance.add(claim)
        return claim

    def _finish_line(self) -> None:
        line = self.line
        if line is None:
            return
        self.line = None
        assert self.claim is not None
        lines = self.claim.setdefault("lines", [])
        lines.append(ServicePayment(**_frozen(line)))

    def _here(self) -> dict[str, Any] | None:
        """The parts of the line in hand, else of the claim in hand."""
        return self.line if self.line is not None else self.claim

    def _bpr(self, values: list[str], position: int) -> None:
        self.parts["payment"] = Payment(
            cents=read.reading(read.cents, values, 2, position),
            effective_on=read.reading(read.day, values, 16, position) if at(values, 16) else None,
            handling=at(values, 1),
            credit_or_debit=at(values, 3),
            method=at(values, 4),
            format_code=at(values, 5),
            sender_bank_qualifier=at(values, 6),
            sender_bank_id=at(values, 7),
            sender_account_qualifier=at(values, 8),
            sender_account=at(values, 9),
            originating_company_id=at(values, 10),
            originating_company_supplemental=at(values, 11),
            receiver_bank_qualifier=at(values, 12),
            receiver_bank_id=at(values, 13),
            receiver_account_qualifier=at(values, 14),
            receiver_account=at(values, 15),
        )

    def _trn(self, values: list[str], _position: int) -> None:
        self.parts["trace"] = Trace(at(values, 2), at(values, 3), at(values, 4))

    def _n1(self, values: list[str], _position: int) -> None:
        self.party = {"name": read.party(values), "references": [], "contacts": []}
        self.parts[at(values, 1)] = self.party

    def _n3(self, values: list[str], _position: int) -> None:
        self.street = values

    def _n4(self, values: list[str], _position: int) -> None:
        if self.party is not None and self.claim is None:
            self.party["address"] = read.address(self.street, values)

    def _ref(self, values: list[str], _position: int) -> None:
        here = self._here()
        if here is None:
            target = self.parts if self.party is None else self.party
            target.setdefault("references", []).append(read.reference(values))
        elif here is self.line and at(values, 1) == "6R" and "line_control_number" not in here:
            here["line_control_number"] = at(values, 2)
        else:
            here.setdefault("references", []).append(read.reference(values))

    def _per(self, values: list[str], _position: int) -> None:
        here = self.claim if self.claim is not None else self.party
        if here is not None:
            here.setdefault("contacts", []).append(read.contact(values))

    def _dtm(self, values: list[str], position: int) -> None:
        qualifier, on = at(values, 1), read.reading(read.day, values, 2, position)
        if self.line is not None:
            self._service_date(self.line, qualifier, on)
        elif self.claim is not None:
            self.claim.setdefault("dates", []).append(QualifiedDate(qualifier, DateSpan(on)))
        elif qualifier == "405":
            self.parts["produced_on"] = on

    def _service_date(self, line: dict[str, Any], qualifier: str, on: date) -> None:
        known: DateSpan | None = line.get("service_dates")
        if qualifier == "151" and known is not None:
            line["service_dates"] = replace(known, through_on=on)
        elif known is None or qualifier in ("150", "472"):
            line["service_dates"] = DateSpan(on)

    def _lx(self, values: list[str], position: int) -> None:
        self.group_number = read.reading(read.whole, values, 1, position)

    def _clp(self, values: list[str], position: int) -> None:
        self.claim = {
            "patient_control_number": at(values, 1),
            "status_code": at(values, 2),
            "charge_cents": read.reading(read.cents, values, 3, position),
            "paid_cents": read.reading(read.cents, values, 4, position),
            "patient": _NOBODY,
            "patient_cents": read.reading(read.optional_cents, values, 5, position),
            "claim_filing_indicator": at(values, 6),
            "payer_claim_number": at(values, 7),
            "facility_code": at(values, 8),
            "frequency_code": at(values, 9),
            "group_number": self.group_number,
            "position": self.balance.claims + 1,
        }

    def _nm1(self, values: list[str], _position: int) -> None:
        role = _CLAIM_NAMES.get(at(values, 1))
        if self.claim is not None and role is not None:
            self.claim[role] = read.name(values)

    def _cas(self, values: list[str], position: int) -> None:
        here = self._here()
        if here is not None:
            found: list[Adjustment] = here.setdefault("adjustments", [])
            found += read.adjustments(values, position)

    def _mia(self, values: list[str], _position: int) -> None:
        if self.claim is not None:
            remarks = tuple(at(values, place) for place in _REMARKS_MIA if at(values, place))
            self.claim["inpatient"] = InpatientAdjudication(tuple(values[1:]), remarks)

    def _moa(self, values: list[str], position: int) -> None:
        if self.claim is not None:
            self.claim["outpatient"] = OutpatientAdjudication(
                reimbursement_rate=read.reading(read.optional_decimal, values, 1, position),
                payable_cents=read.reading(read.optional_cents, values, 2, position),
                remark_codes=tuple(code for code in values[3:8] if code),
            )

    def _amt(self, values: list[str], position: int) -> None:
        here = self._here()
        if here is not None:
            amount = Amount(at(values, 1), read.reading(read.cents, values, 2, position))
            here.setdefault("amounts", []).append(amount)

    def _qty(self, values: list[str], position: int) -> None:
        here = self._here()
        if here is not None:
            here.setdefault("quantities", []).append(read.quantity(values, position))

    def _svc(self, values: list[str], position: int) -> None:
        if self.claim is None:
            raise X12FormatError("a service line stands outside any claim.", position)
        self._finish_line()
        procedure = read.procedure(at(values, 1), self.component)
        if procedure is None:
            raise X12FormatError("the procedure is missing.", position, "SVC01")
        self.line = {
            "procedure": procedure,
            "charge_cents": read.reading(read.cents, values, 2, position),
            "paid_cents": read.reading(read.cents, values, 3, position),
            "revenue_code": at(values, 4),
            "paid_units": _units(values, 5, position),
            "submitted_procedure": read.procedure(at(values, 6), self.component),
            "submitted_units": _units(values, 7, position),
        }

    def _lq(self, values: list[str], _position: int) -> None:
        if self.line is not None:
            self.line.setdefault("remark_codes", []).append(RemarkCode(at(values, 2), at(values, 1)))

    def _plb(self, values: list[str], position: int) -> None:
        period = read.reading(read.day, values, 2, position)
        for index in range(3, len(values), 2):
            if not values[index]:
                continue
            reason, _, reference = values[index].partition(self.component)
            amount = read.reading(read.cents, values, index + 1, position)
            self.provider_adjustments.append(ProviderAdjustment(at(values, 1), period, reason, amount, reference))


def _frozen(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if value.__class__ is list else value for key, value in parts.items()}


def _units(values: list[str], index: int, position: int) -> Decimal | None:
    return read.reading(read.optional_decimal, values, index, position)


_NOBODY = Name("")
_CLAIM_ENDS = frozenset(("CLP", "LX", "PLB", "SE"))
_CLAIM_NAMES = {
    "QC": "patient",
    "IL": "subscriber",
    "74": "corrected_patient",
    "82": "rendering_provider",
    "TT": "crossover_carrier",
    "PR": "corrected_payer",
}
_HANDLERS: dict[str, Callable[[RemittanceReader, list[str], int], None]] = {
    "BPR": RemittanceReader._bpr,
    "TRN": RemittanceReader._trn,
    "N1": RemittanceReader._n1,
    "N3": RemittanceReader._n3,
    "N4": RemittanceReader._n4,
    "REF": RemittanceReader._ref,
    "PER": RemittanceReader._per,
    "DTM": RemittanceReader._dtm,
    "LX": RemittanceReader._lx,
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
