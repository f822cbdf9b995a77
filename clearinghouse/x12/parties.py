"""Pieces every X12 guide repeats: names, addresses, references, contacts, dates, adjustments. Knows no transaction."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct


class Name(Struct, frozen=True, gc=False):
    """One NM1 (or N1): a person (`entity_type` "1") or an organization ("2") with its identifier.

    `id_qualifier`/`identifier` are NM108/NM109 ("XX" + NPI, "MI" + member id, "PI" + payer id, "46" + submitter id
    ...).
    """

    last_or_organization: str
    first: str = ""
    middle: str = ""
    suffix: str = ""
    id_qualifier: str = ""
    identifier: str = ""
    entity_type: str = "2"


class Address(Struct, frozen=True, gc=False):
    """N3 and N4.

    `postal_code` is digits only (nine for a billing provider); `country` is blank inside the United States.
    """

    line_1: str
    city: str
    state: str = ""
    postal_code: str = ""
    line_2: str = ""
    country: str = ""
    subdivision: str = ""


class Demographics(Struct, frozen=True, gc=False):
    """DMG: date of birth and gender code F, M or U."""

    born_on: date
    gender: str


class Reference(Struct, frozen=True, gc=False):
    """One REF: qualifier and value (EI tax id, G1 prior authorization, F8 payer claim control number, 6R line
    control ...).
    """

    qualifier: str
    value: str


class ContactNumber(Struct, frozen=True, gc=False):
    """One communication number of a PER: qualifier TE, EM, FX, EX or UR and the number."""

    qualifier: str
    number: str


class Contact(Struct, frozen=True, gc=False):
    """One PER: function code (IC, CX, BL), name, up to three numbers."""

    name: str = ""
    numbers: tuple[ContactNumber, ...] = ()
    function: str = "IC"


class DateSpan(Struct, frozen=True, gc=False):
    """A DTP value: one day (D8, `through_on` None) or a range (RD8)."""

    from_on: date
    through_on: date | None = None

    @property
    def last_on(self) -> date:
        """The last day: `through_on`, or the single day itself."""
        return self.through_on or self.from_on


class QualifiedDate(Struct, frozen=True, gc=False):
    """One DTP (or DTM) with its qualifier: 573 adjudication, 050 received, 232/233 claim statement period ..."""

    qualifier: str
    span: DateSpan


class Amount(Struct, frozen=True, gc=False):
    """One AMT: qualifier (D payer paid, EAF remaining patient liability, F3, F5, A8, B6 ...) and cents."""

    qualifier: str
    cents: int


class Quantity(Struct, frozen=True, gc=False):
    """One QTY: qualifier and number."""

    qualifier: str
    value: Decimal


class Adjustment(Struct, frozen=True, gc=False):
    """One reason of a CAS: group CO, PR, OA, PI (CR only inside 837 coordination of benefits), reason (CARC), cents.

    A positive amount reduces the payment. Writers pack equal neighbouring groups into CAS segments of up to six
    reasons.
    """

    group: str
    reason: str
    cents: int
    quantity: Decimal | None = None


class InpatientAdjudication(Struct, frozen=True, gc=False):
    """MIA: covered days, remark codes, and every other element kept by position (`elements[0]` is MIA01)."""

    elements: tuple[str, ...]
    remark_codes: tuple[str, ...] = ()


class OutpatientAdjudication(Struct, frozen=True, gc=False):
    """MOA: reimbursement rate (a fraction), payable HCPCS cents, up to five remark codes (MOA03-07).

    `esrd_cents` is MOA08, `professional_component_cents` MOA09 (not payable).
    """

    reimbursement_rate: Decimal | None = None
    payable_cents: int | None = None
    remark_codes: tuple[str, ...] = ()
    esrd_cents: int | None = None
    professional_component_cents: int | None = None


class UnreadSegment(Struct, frozen=True, gc=False):
    """A segment of a stranger's file that says more than the values have fields for, as it stood.

    `position` counts from ST = 1, `elements[0]` is the segment id. No writer writes one: such a file is passed on as
    it came.
    """

    loop: str
    position: int
    elements: tuple[str, ...]


class Procedure(Struct, frozen=True, gc=False):
    """A composite medical procedure: qualifier (HC; NU = revenue code only in an 835), code, up to four modifiers."""

    code: str
    modifiers: tuple[str, ...] = ()
    qualifier: str = "HC"
    description: str = ""
