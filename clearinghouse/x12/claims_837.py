"""Values of the 837 claim guides (837I 005010X223A2, 837P 005010X222A1), in the guides' words.

Knows no claim of ours.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from clearinghouse.x12.parties import (
    Address,
    Adjustment,
    Amount,
    Contact,
    DateSpan,
    Demographics,
    InpatientAdjudication,
    Name,
    OutpatientAdjudication,
    Procedure,
    QualifiedDate,
    Reference,
    UnreadSegment,
)

ClaimKind = Literal["institutional", "professional"]

GUIDES: dict[ClaimKind, str] = {"institutional": "005010X223A2", "professional": "005010X222A1"}

# NM101 of the providers each place may name and the loop each is, in the guide's order.
CLAIM_PROVIDERS: dict[ClaimKind, dict[str, str]] = {
    "institutional": {"71": "2310A", "72": "2310B", "ZZ": "2310C", "82": "2310D", "77": "2310E", "DN": "2310F"},
    "professional": {
        "DN": "2310A",
        "P3": "2310A",
        "82": "2310B",
        "77": "2310C",
        "DQ": "2310D",
        "PW": "2310E",
        "45": "2310F",
    },
}
OTHER_PAYER_PROVIDERS: dict[ClaimKind, dict[str, str]] = {
    "institutional": {
        "71": "2330C",
        "72": "2330D",
        "ZZ": "2330E",
        "77": "2330F",
        "82": "2330G",
        "DN": "2330H",
        "85": "2330I",
    },
    "professional": {"DN": "2330C", "P3": "2330C", "82": "2330D", "77": "2330E", "DQ": "2330F", "85": "2330G"},
}
LINE_PROVIDERS: dict[ClaimKind, dict[str, str]] = {
    "institutional": {"72": "2420A", "ZZ": "2420B", "82": "2420C", "DN": "2420D"},
    "professional": {
        "82": "2420A",
        "QB": "2420B",
        "77": "2420C",
        "DQ": "2420D",
        "DK": "2420E",
        "DN": "2420F",
        "P3": "2420F",
        "PW": "2420G",
        "45": "2420H",
    },
}


class Provider(Struct, frozen=True, gc=False):
    """A provider of a claim, a line or another payer (loops 2310x, 2420x, 2330C and on). `role` is NM101.

    71 attending, 72 operating, ZZ other operating, 82 rendering, 77 service facility, DN referring, P3 primary care,
    DQ supervising, DK ordering, QB purchased service, PW pick-up, 45 drop-off, 85 billing. `taxonomy` becomes PRV (AT
    for 71, PE for 82); `address` is for 77, DK, PW and 45. Of another payer's providers only REF says anything.
    """

    role: str
    name: Name
    taxonomy: str = ""
    address: Address | None = None
    references: tuple[Reference, ...] = ()
    contact: Contact | None = None


class Diagnosis(Struct, frozen=True, gc=False):
    """One HI diagnosis: qualifier (ABK principal, ABF other, ABJ admitting, APR reason for visit, ABN external cause).

    `code` has no dot. `present_on_admission` is Y, N, U, W or blank (inpatient only).
    """

    qualifier: str
    code: str
    present_on_admission: str = ""


class Occurrence(Struct, frozen=True, gc=False):
    """One occurrence code (HI*BH) with its date."""

    code: str
    occurred_on: date


class OccurrenceSpan(Struct, frozen=True, gc=False):
    """One occurrence span code (HI*BI) with its first and last day."""

    code: str
    from_on: date
    through_on: date


class ValueCode(Struct, frozen=True, gc=False):
    """One value code (HI*BE).

    `value` is written as HI05 writes it: an amount or number with an optional decimal point.
    """

    code: str
    value: Decimal


class InpatientProcedure(Struct, frozen=True, gc=False):
    """One HI procedure of an inpatient claim: qualifier BBR principal or BBQ other (ICD-10-PCS), code, its day."""

    qualifier: str
    code: str
    performed_on: date


class OtherCode(Struct, frozen=True, gc=False):
    """One HI code that is a qualifier and a code alone: DR diagnosis related group, TC treatment, BP/BO anesthesia."""

    qualifier: str
    code: str


class InstitutionalFacts(Struct, frozen=True, gc=False):
    """CL1: admission type, point of origin ("admission source"), patient status."""

    admission_type: str
    admission_source: str
    patient_status: str


class Note(Struct, frozen=True, gc=False):
    """One NTE: reference code (ADD, DCP, TPO ...) and text."""

    code: str
    text: str


class Attachment(Struct, frozen=True, gc=False):
    """One PWK: report type, transmission code, control number (PWK06 under PWK05 AC)."""

    report_type: str
    transmission: str
    control_number: str = ""


class LineAdjudication(Struct, frozen=True, gc=False):
    """Loop 2430: what another payer (SVD01 = its 2330B NM109) decided on this line.

    `remaining_patient_cents` is AMT*EAF. `bundled_into` is SVD06, the line number this one was bundled into.
    """

    payer_id: str
    paid_cents: int
    procedure: Procedure | None
    paid_units: Decimal
    adjudicated_on: date | None
    adjustments: tuple[Adjustment, ...] = ()
    revenue_code: str = ""
    remaining_patient_cents: int | None = None
    bundled_into: int | None = None


class ServiceLine(Struct, frozen=True, gc=False):
    """Loop 2400. Institutional lines use SV2 (revenue code), professional ones SV1 (place, pointers).

    `units` has up to three decimals; `unit_basis` is UN, DA (institutional) or MJ (professional). `control_number` is
    REF*6R. `diagnosis_pointers` are 1-based positions among the claim's diagnoses. `fixed_format` is K3
    (professional).
    """

    number: int
    charge_cents: int
    units: Decimal
    procedure: Procedure | None = None
    revenue_code: str = ""
    unit_basis: str = "UN"
    non_covered_cents: int | None = None
    place_of_service: str = ""
    diagnosis_pointers: tuple[int, ...] = ()
    emergency: bool = False
    service_dates: DateSpan | None = None
    control_number: str = ""
    dates: tuple[QualifiedDate, ...] = ()
    references: tuple[Reference, ...] = ()
    amounts: tuple[Amount, ...] = ()
    notes: tuple[Note, ...] = ()
    providers: tuple[Provider, ...] = ()
    adjudications: tuple[LineAdjudication, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    fixed_format: tuple[str, ...] = ()


class OtherPayer(Struct, frozen=True, gc=False):
    """Loop 2330B: the other payer. `adjudicated_on` is DTP*573; REF holds F8 (its claim number), G1, 2U, T4 ..."""

    name: Name
    address: Address | None = None
    adjudicated_on: date | None = None
    references: tuple[Reference, ...] = ()


class OtherSubscriber(Struct, frozen=True, gc=False):
    """Loops 2320 and 2330A to 2330I: one other coverage and what it decided at claim level.

    `payer_paid_cents` AMT*D (zero is sent as 0, None is not sent), `remaining_patient_cents` AMT*EAF,
    `non_covered_cents` AMT*A8. `benefits_assigned` OI03, `release_of_information` OI06. `inpatient_adjudication` is
    MIA (institutional). `providers` are the numbers this payer knows the claim's providers by.
    """

    payer_responsibility: str
    relationship: str
    claim_filing_indicator: str
    name: Name
    payer: OtherPayer
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    payer_paid_cents: int | None = None
    remaining_patient_cents: int | None = None
    non_covered_cents: int | None = None
    benefits_assigned: str = "Y"
    patient_signature_source: str = ""
    release_of_information: str = "Y"
    outpatient_adjudication: OutpatientAdjudication | None = None
    address: Address | None = None
    references: tuple[Reference, ...] = ()
    inpatient_adjudication: InpatientAdjudication | None = None
    providers: tuple[Provider, ...] = ()


class Patient(Struct, frozen=True, gc=False):
    """Loop 2000C/2010CA: a patient who is a dependent. `relationship` is PAT01 (01 spouse, 19 child, G8 other ...).

    The guides require address and demographics; None writes a loop that the guide check refuses.
    """

    relationship: str
    name: Name
    address: Address | None
    demographics: Demographics | None
    references: tuple[Reference, ...] = ()
    died_on: date | None = None
    unread: tuple[UnreadSegment, ...] = ()


class Claim(Struct, frozen=True, gc=False):
    """Loop 2300 and below.

    `patient_control_number` CLM01, `total_charge_cents` CLM02, `facility_code` CLM05-1 (bill type digits 2-3, or
    place of
    service), `frequency_code` CLM05-3, `signature_on_file` CLM06 (professional), `assignment_code` CLM07,
    `benefits_assigned` CLM08, `release_of_information` CLM09, `patient_signature_source` CLM10, `delay_reason_code`
    CLM20.
    `references` holds G1, 9F, F8, EA, D9, 4N, G4, LU ... `statement_dates` is DTP*434 (institutional);
    `admitted_at` is DTP*435: a date, or a datetime where the hour is sent; `discharge_time` is DTP*096 where it holds
    an hour. `fixed_format` is K3. `unread` holds what a stranger's claim says beyond these fields, at any depth below
    2300.
    """

    patient_control_number: str
    total_charge_cents: int
    facility_code: str
    frequency_code: str
    lines: tuple[ServiceLine, ...]
    diagnoses: tuple[Diagnosis, ...]
    signature_on_file: str = "Y"
    assignment_code: str = "A"
    benefits_assigned: str = "Y"
    release_of_information: str = "Y"
    patient_signature_source: str = ""
    delay_reason_code: str = ""
    statement_dates: DateSpan | None = None
    admitted_at: datetime | date | None = None
    discharge_time: time | None = None
    institutional: InstitutionalFacts | None = None
    dates: tuple[QualifiedDate, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    patient_amount_cents: int | None = None
    amounts: tuple[Amount, ...] = ()
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    condition_codes: tuple[str, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    occurrence_spans: tuple[OccurrenceSpan, ...] = ()
    value_codes: tuple[ValueCode, ...] = ()
    providers: tuple[Provider, ...] = ()
    other_subscribers: tuple[OtherSubscriber, ...] = ()
    patient: Patient | None = None
    fixed_format: tuple[str, ...] = ()
    procedures: tuple[InpatientProcedure, ...] = ()
    other_codes: tuple[OtherCode, ...] = ()
    unread: tuple[UnreadSegment, ...] = ()


class Payer(Struct, frozen=True, gc=False):
    """Loop 2010BB: the destination payer; `references` are secondary ids (2U, FY, NF) and billing ids (G2, LU)."""

    name: Name
    address: Address | None = None
    references: tuple[Reference, ...] = ()


class Subscriber(Struct, frozen=True, gc=False):
    """Loops 2000B, 2010BA, 2010BB with the claims filed under it.

    `payer_responsibility` SBR01 (P, S, T ...); `relationship` SBR02 is "18" when the patient is the subscriber and
    blank
    when the patient is a dependent; `address` and `demographics` are required when the patient is the subscriber.
    """

    payer_responsibility: str
    claim_filing_indicator: str
    name: Name
    payer: Payer
    claims: tuple[Claim, ...]
    relationship: str = "18"
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""
    address: Address | None = None
    demographics: Demographics | None = None
    references: tuple[Reference, ...] = ()
    unread: tuple[UnreadSegment, ...] = ()


class PayToPlan(Struct, frozen=True, gc=False):
    """Loop 2010AC: the health plan a subrogation claim is paid to. `references` hold 2U, FY or NF, and EI."""

    name: Name
    address: Address
    references: tuple[Reference, ...] = ()


class BillingProvider(Struct, frozen=True, gc=False):
    """Loops 2000A, 2010AA to 2010AC with its subscribers. `references` must hold REF*EI or REF*SY (tax id)."""

    name: Name
    address: Address
    references: tuple[Reference, ...]
    subscribers: tuple[Subscriber, ...]
    taxonomy: str = ""
    contacts: tuple[Contact, ...] = ()
    pay_to_address: Address | None = None
    pay_to_plan: PayToPlan | None = None
    unread: tuple[UnreadSegment, ...] = ()


class Submitter(Struct, frozen=True, gc=False):
    """Loop 1000A: NM1*41 (identifier with qualifier 46) and one or two contacts."""

    name: Name
    contacts: tuple[Contact, ...]


class ClaimTransaction(Struct, frozen=True, gc=False):
    """One ST of an 837.

    `reference` is BHT03 (<= 30 characters, comes back in the 277CA), `purpose_code` BHT02 (00 original, 18 reissue),
    `transaction_type_code` BHT06 (CH charges, RP reporting, 31 subrogation), `control_number` ST02 (4-9 characters).
    """

    kind: ClaimKind
    reference: str
    created_on: date
    created_time: time
    submitter: Submitter
    receiver: Name
    billing_providers: tuple[BillingProvider, ...]
    transaction_type_code: str = "CH"
    purpose_code: str = "00"
    control_number: str = "0001"
    unread: tuple[UnreadSegment, ...] = ()

    @property
    def guide(self) -> str:
        """The implementation guide announced in GS08 and ST03."""
        return GUIDES[self.kind]


class FiledClaim(Struct, frozen=True, gc=False):
    """One claim met while streaming an 837, with what stands above it.

    `header` is the transaction without billing providers, `billing_provider` is without subscribers, `subscriber`
    without
    claims, so that nothing of the file is held but the claim in hand.
    """

    header: ClaimTransaction
    billing_provider: BillingProvider
    subscriber: Subscriber
    claim: Claim
