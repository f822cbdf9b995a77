"""The header of an 835: payment, trace, payer and payee, read up to the first claim. Knows no claim."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.decoding import X12FormatError, at
from clearinghouse.x12.parties import Address, Contact, Name, Reference, UnreadSegment
from clearinghouse.x12.remittance_835 import (
    Payee,
    Payment,
    RemittanceDelivery,
    RemittanceHeader,
    RemittancePayer,
    Trace,
)
from clearinghouse.x12.unreadable_835 import unreadable

Stop = tuple[int, list[str]]


def read_header(segments: Iterator[Stop], control_number: str) -> tuple[RemittanceHeader, Stop] | None:
    """The header and the segment it ends before (CLP, LX, PLB, SE) with its position; None if there is no such end.

    Raises X12FormatError.
    """
    parts = _HeaderParts()
    position, values = 0, [""]
    try:
        for position, values in segments:
            if values[0] in _HEADER_ENDS:
                return parts.finish(control_number, position), (position, values)
            if not parts.take(values):
                judge_stray(values)
                parts.unread.append(UnreadSegment("", position, tuple(values)))
    except ValueError as problem:
        raise unreadable(values, position, problem) from None
    return None


def judge_stray(values: list[str]) -> None:
    """Refuse a line outside any claim; money that belongs to no claim is not counted, but must be legible.

    Raises ValueError.
    """
    if values[0] == "SVC":
        raise ValueError("a service line stands outside any claim")
    if values[0] == "CAS":
        read.adjustments(values)
    elif values[0] == "AMT":
        read.amount(values)


class _HeaderParts:
    """What of the header has been read."""

    def __init__(self) -> None:
        self.payment: Payment | None = None
        self.trace: Trace | None = None
        self.produced_on: date | None = None
        self.currency = ""
        self.references: list[Reference] = []
        self.parties: dict[str, _Party] = {}
        self.party: _Party | None = None
        self.unread: list[UnreadSegment] = []

    def take(self, values: list[str]) -> bool:
        """One segment; whether it has a place here. Raises ValueError."""
        name, party = values[0], self.party
        if name == "BPR":
            self.payment = _payment(values)
        elif name == "TRN":
            self.trace = Trace(at(values, 2), at(values, 3), at(values, 4))
        elif name == "DTM":
            if at(values, 1) == "405":
                self.produced_on = read.day(at(values, 2))
        elif name == "REF":
            (self if party is None else party).references.append(read.reference(values))
        elif name == "N1":
            self.party = self.parties[at(values, 1)] = _Party(read.party(values))
        elif name == "CUR":
            self.currency = at(values, 2)
        else:
            return party is not None and party.take(values)
        return True

    def finish(self, control_number: str, position: int) -> RemittanceHeader:
        """The header. Raises X12FormatError naming the first part that is missing."""
        payment, trace = self.payment, self.trace
        payer, payee = self.parties.get("PR"), self.parties.get("PE")
        if payment is None or trace is None or payer is None or payee is None:
            parts = {"BPR": payment, "TRN": trace, "N1*PR": payer, "N1*PE": payee}
            missing = next(title for title, part in parts.items() if part is None)
            raise X12FormatError(f"{missing} is missing before the first claim.", position)
        return RemittanceHeader(
            payment=payment,
            trace=trace,
            payer=RemittancePayer(
                payer.name, payer.address or _NO_ADDRESS, tuple(payer.references), tuple(payer.contacts)
            ),
            payee=Payee(payee.name, payee.address, tuple(payee.references), payee.delivery),
            produced_on=self.produced_on,
            references=tuple(self.references),
            control_number=control_number,
            currency=self.currency,
            unread=tuple(self.unread),
        )


class _Party:
    """One N1 and what follows it."""

    def __init__(self, name: Name) -> None:
        self.name = name
        self.street: list[str] = []
        self.address: Address | None = None
        self.references: list[Reference] = []
        self.contacts: list[Contact] = []
        self.delivery: RemittanceDelivery | None = None

    def take(self, values: list[str]) -> bool:
        """One segment but a REF; whether it is a party's."""
        if values[0] == "N3":
            self.street = values
        elif values[0] == "N4":
            self.address = read.address(self.street, values)
        elif values[0] == "PER":
            self.contacts.append(read.contact(values))
        elif values[0] == "RDM":
            self.delivery = RemittanceDelivery(at(values, 1), at(values, 2), at(values, 3))
        else:
            return False
        return True


def _payment(values: list[str]) -> Payment:
    _, handling, amount, credit_or_debit, method, *accounts, effective_on = (values + _NOTHING)[:17]
    effective = read.day(effective_on) if effective_on else None
    return Payment(read.cents(amount), effective, handling, credit_or_debit, method, *accounts)


_NO_ADDRESS = Address("", "")
_NOTHING = [""] * 17
_HEADER_ENDS = frozenset(("CLP", "LX", "PLB", "SE"))
