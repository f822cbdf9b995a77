"""Values of the 835 remittance guide (005010X221A1), in the guide's words. Knows no claim or ledger of ours."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from clearinghouse.x12.parties import (
    Address,
    Adjustment,
    Amount,
    Contact,
    DateSpan,
    InpatientAdjudication,
    Name,
    OutpatientAdjudication,
    Procedure,
    QualifiedDate,
    Quantity,
    Reference,
    UnreadSegment,
)

GUIDE = "005010X221A1"


class Payment(Struct, frozen=True, gc=False):
    """BPR: how the money moves.

    `handling` BPR01 (I, H, D, C, P, U, X), `cents` BPR02, `credit_or_debit` BPR03, `method` BPR04 (ACH, CHK, NON,
    FWT, BOP),
    `effective_on` BPR16 (None when a payer left it out). Account numbers are BPR06-09 and BPR12-15.
    """

    cents: int
    effective_on: date | None
    handling: str = "I"
    credit_or_debit: str = "C"
    method: str = "ACH"
    format_code: str = ""
    sender_bank_qualifier: str = ""
    sender_bank_id: str = ""
    sender_account_qualifier: str = ""
    sender_account: str = ""
    originating_company_id: str = ""
    originating_company_supplemental: str = ""
    receiver_bank_qualifier: str = ""
    receiver_bank_id: str = ""
    receiver_account_qualifier: str = ""
    receiver_account: str = ""


class Trace(Struct, frozen=True, gc=False):
    """TRN: `number` TRN02 (check or EFT number), `payer_id` TRN03 ("1" + TIN), `supplemental` TRN04."""

    number: str
    payer_id: str
    supplemental: str = ""


class RemittancePayer(Struct, frozen=True, gc=False):
    """Loop 1000A: N1*PR and its contacts. The guide requires one PER*BL."""

    name: Name
    address: Address
    references: tuple[Reference, ...] = ()
    contacts: tuple[Contact, ...] = ()


class RemittanceDelivery(Struct, frozen=True, gc=False):
    """RDM: how the remittance is sent where not by this file (BM, EM, FT, OL), to whom, and the number or address."""

    method: str
    name: str = ""
    number: str = ""


class Payee(Struct, frozen=True, gc=False):
    """Loop 1000B: N1*PE (id qualifier XX, FI or XV); REF*TJ is the tax id when N1 holds the NPI."""

    name: Name
    address: Address | None = None
    references: tuple[Reference, ...] = ()
    delivery: RemittanceDelivery | None = None


class ClaimGroup(Struct, frozen=True, gc=False):
    """Loop 2000 where the payer sums it up: LX01, and the elements of TS3 and TS2 (`provider_summary[0]` is TS301)."""

    number: int
    provider_summary: tuple[str, ...] = ()
    provider_supplemental: tuple[str, ...] = ()


class RemarkCode(Struct, frozen=True, gc=False):
    """One LQ: qualifier (HE = RARC, RX = NCPDP reject) and code."""

    code: str
    qualifier: str = "HE"


class ServicePayment(Struct, frozen=True, gc=False):
    """Loop 2110: one service line.

    `charge_cents` SVC02, `paid_cents` SVC03, `revenue_code` SVC04, `paid_units` SVC05 (None = one),
    `submitted_procedure`
    SVC06 when it differs, `submitted_units` SVC07. `line_control_number` is REF*6R. `service_dates` is DTM*472 or
    150/151.
    """

    procedure: Procedure
    charge_cents: int
    paid_cents: int
    revenue_code: str = ""
    paid_units: Decimal | None = None
    submitted_procedure: Procedure | None = None
    submitted_units: Decimal | None = None
    service_dates: DateSpan | None = None
    adjustments: tuple[Adjustment, ...] = ()
    line_control_number: str = ""
    references: tuple[Reference, ...] = ()
    amounts: tuple[Amount, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    remark_codes: tuple[RemarkCode, ...] = ()


class ClaimPayment(Struct, frozen=True, gc=False):
    """Loop 2100 and below.

    `patient_control_number` CLP01 (our CLM01), `status_code` CLP02, `charge_cents` CLP03, `paid_cents` CLP04,
    `patient_cents` CLP05 (None when not sent), `claim_filing_indicator` CLP06, `payer_claim_number` CLP07,
    `facility_code` CLP08, `frequency_code` CLP09. `position` is the CLP's ordinal in its transaction, from 1.
    `group_number` is LX01 of the header it stands under. `drg_code`, `drg_weight`, `discharge_fraction` are CLP11-13.
    """

    patient_control_number: str
    status_code: str
    charge_cents: int
    paid_cents: int
    patient: Name
    patient_cents: int | None = None
    claim_filing_indicator: str = ""
    payer_claim_number: str = ""
    facility_code: str = ""
    frequency_code: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    subscriber: Name | None = None
    corrected_patient: Name | None = None
    rendering_provider: Name | None = None
    crossover_carrier: Name | None = None
    corrected_payer: Name | None = None
    inpatient: InpatientAdjudication | None = None
    outpatient: OutpatientAdjudication | None = None
    references: tuple[Reference, ...] = ()
    dates: tuple[QualifiedDate, ...] = ()
    contacts: tuple[Contact, ...] = ()
    amounts: tuple[Amount, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    lines: tuple[ServicePayment, ...] = ()
    group_number: int = 1
    position: int = 0
    drg_code: str = ""
    drg_weight: Decimal | None = None
    discharge_fraction: Decimal | None = None
    other_subscriber: Name | None = None
    unread: tuple[UnreadSegment, ...] = ()


class ProviderAdjustment(Struct, frozen=True, gc=False):
    """One reason of a PLB: provider, fiscal period end, reason (PLB03-1), reference (PLB03-2), cents (positive
    reduces).
    """

    provider_id: str
    fiscal_period_on: date
    reason: str
    cents: int
    reference: str = ""


class RemittanceHeader(Struct, frozen=True, gc=False):
    """Everything of an 835 above its claims. `currency` is CUR02."""

    payment: Payment
    trace: Trace
    payer: RemittancePayer
    payee: Payee
    produced_on: date | None = None
    references: tuple[Reference, ...] = ()
    control_number: str = "0001"
    currency: str = ""
    unread: tuple[UnreadSegment, ...] = ()


class Remittance(Struct, frozen=True, gc=False):
    """One ST of an 835. `groups` are the LX loops that say more than their number."""

    header: RemittanceHeader
    claims: tuple[ClaimPayment, ...] = ()
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    groups: tuple[ClaimGroup, ...] = ()
