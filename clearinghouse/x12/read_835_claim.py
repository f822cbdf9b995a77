"""One claim of an 835 while it is read: its CLP, then segment by segment what belongs to it. Knows no line."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from clearinghouse.x12 import decoding as read
from clearinghouse.x12.decoding import at
from clearinghouse.x12.parties import (
    Adjustment,
    Amount,
    Contact,
    DateSpan,
    InpatientAdjudication,
    Name,
    OutpatientAdjudication,
    QualifiedDate,
    Quantity,
    Reference,
    UnreadSegment,
)
from clearinghouse.x12.remittance_835 import ClaimPayment, ServicePayment


class ClaimParts(Struct):
    """What has been read of a claim, from its CLP on, besides its lines."""

    payment: list[str]
    group_number: int
    position: int
    charge_cents: int
    paid_cents: int
    patient_cents: int | None
    drg_weight: Decimal | None
    discharge_fraction: Decimal | None
    adjustments: list[Adjustment] = []
    names: dict[str, Name] = {}
    inpatient: InpatientAdjudication | None = None
    outpatient: OutpatientAdjudication | None = None
    references: list[Reference] = []
    dates: list[QualifiedDate] = []
    contacts: list[Contact] = []
    amounts: list[Amount] = []
    quantities: list[Quantity] = []
    unread: list[UnreadSegment] = []

    def take(self, values: list[str]) -> bool:
        """One segment; whether a claim has a place for it. Raises ValueError."""
        name = values[0]
        if name == "NM1":
            self.names[at(values, 1)] = read.name(values)
        elif name == "REF":
            self.references.append(read.reference(values))
        elif name == "DTM":
            self.dates.append(QualifiedDate(at(values, 1), one_day(at(values, 2))))
        elif name == "AMT":
            self.amounts.append(read.amount(values))
        elif name == "MOA":
            self.outpatient = read.outpatient(values)
        elif name == "CAS":
            self.adjustments += read.adjustments(values)
        elif name == "PER":
            self.contacts.append(read.contact(values))
        elif name == "QTY":
            self.quantities.append(read.quantity(values))
        elif name == "MIA":
            self.inpatient = read.inpatient(values)
        else:
            return False
        return True

    def finish(self, lines: tuple[ServicePayment, ...]) -> ClaimPayment:
        """The claim with its lines."""
        payment, name_of = self.payment, self.names.get
        return ClaimPayment(
            payment[1],
            payment[2],
            self.charge_cents,
            self.paid_cents,
            name_of("QC", _NOBODY),
            self.patient_cents,
            payment[6],
            payment[7],
            payment[8],
            payment[9],
            tuple(self.adjustments),
            name_of("IL"),
            name_of("74"),
            name_of("82"),
            name_of("TT"),
            name_of("PR"),
            self.inpatient,
            self.outpatient,
            tuple(self.references),
            tuple(self.dates),
            tuple(self.contacts),
            tuple(self.amounts),
            tuple(self.quantities),
            lines,
            self.group_number,
            self.position,
            payment[11],
            self.drg_weight,
            self.discharge_fraction,
            name_of("GB"),
            tuple(self.unread),
        )


def claim_parts(values: list[str], group_number: int, position: int) -> ClaimParts:
    """CLP. Raises ValueError."""
    values = values + _NOTHING
    return ClaimParts(
        values,
        group_number,
        position,
        read.cents(values[3]),
        read.cents(values[4]),
        read.optional_cents(values[5]),
        read.optional_decimal(values[12]),
        read.optional_decimal(values[13]),
    )


# Dates of service repeat through a file: their values are shared.
one_day = lru_cache(maxsize=4096)(lambda text: DateSpan(read.day(text)))
_NOBODY = Name("")
_NOTHING = [""] * 14
