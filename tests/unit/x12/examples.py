"""Guide-shaped values the X12 tests share: synthetic names and numbers, NPIs that pass the check digit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

from clearinghouse.x12.claims_837 import (
    BillingProvider,
    Claim,
    ClaimTransaction,
    Diagnosis,
    InstitutionalFacts,
    LineAdjudication,
    OtherPayer,
    OtherSubscriber,
    Patient,
    Payer,
    Provider,
    ServiceLine,
    Submitter,
    Subscriber,
)
from clearinghouse.x12.envelope import Delimiters, Envelope
from clearinghouse.x12.parties import (
    Address,
    Adjustment,
    Contact,
    ContactNumber,
    DateSpan,
    Demographics,
    Name,
    Procedure,
    Reference,
)

ENVELOPE = Envelope(
    sender_qualifier="ZZ",
    sender_id="SUBMITTERID",
    receiver_qualifier="ZZ",
    receiver_id="CLEARINGHOUSE",
    application_sender_code="SUBMITTERID",
    application_receiver_code="CLEARINGHOUSE",
    usage="T",
    interchange_control_number=101,
    group_control_number=101,
    created_on=date(2026, 11, 23),
    created_time=time(7, 30),
    delimiters=Delimiters(newline=True),
)
CLINIC_ADDRESS = Address("100 Main St", "Austin", "TX", "787010000")
HOME = Address("1 Elm St", "Austin", "TX", "78702")
BORN = Demographics(date(1985, 2, 14), "F")


def person(last: str, first: str, qualifier: str = "", identifier: str = "") -> Name:
    return Name(last, first, id_qualifier=qualifier, identifier=identifier, entity_type="1")


def institutional_lines() -> tuple[ServiceLine, ...]:
    return tuple(
        ServiceLine(
            number=index,
            charge_cents=35000,
            units=Decimal(1),
            procedure=Procedure("S9480"),
            revenue_code="0905",
            service_dates=DateSpan(date(2026, 11, on)),
            control_number=f"LN000{index}",
        )
        for index, on in enumerate((2, 4, 6), 1)
    )


def professional_lines() -> tuple[ServiceLine, ...]:
    return tuple(
        ServiceLine(
            number=index,
            charge_cents=15000,
            units=Decimal(1),
            procedure=Procedure("H0015", ("HF",)),
            diagnosis_pointers=(1,),
            service_dates=DateSpan(date(2026, 11, on)),
            control_number=f"LN000{index}",
        )
        for index, on in enumerate((2, 4, 5), 1)
    )


def institutional_claim(**changes: object) -> Claim:
    claim = Claim(
        patient_control_number="PCN0000000001",
        total_charge_cents=105000,
        facility_code="13",
        frequency_code="2",
        statement_dates=DateSpan(date(2026, 11, 2), date(2026, 11, 6)),
        institutional=InstitutionalFacts("3", "1", "30"),
        references=(Reference("G1", "AUTH12345"), Reference("EA", "MRN1")),
        diagnoses=(Diagnosis("ABK", "F332"), Diagnosis("ABF", "F411")),
        condition_codes=("92",),
        providers=(Provider("71", person("Smith", "Alan", "XX", "1888888876"), taxonomy="2084P0800X"),),
        lines=institutional_lines(),
    )
    return replace(claim, **changes)  # type: ignore[arg-type]


def professional_claim(**changes: object) -> Claim:
    claim = Claim(
        patient_control_number="PCN0000000002",
        total_charge_cents=45000,
        facility_code="57",
        frequency_code="1",
        references=(Reference("G1", "AUTH777"),),
        diagnoses=(Diagnosis("ABK", "F1020"), Diagnosis("ABF", "F332")),
        providers=(Provider("82", person("Jones", "Beth", "XX", "1777777768"), taxonomy="101YA0400X"),),
        lines=professional_lines(),
    )
    return replace(claim, **changes)  # type: ignore[arg-type]


def subscriber(*claims: Claim, payer: Payer, **changes: object) -> Subscriber:
    values = Subscriber(
        payer_responsibility="P",
        claim_filing_indicator="CI",
        name=person("Doe", "Jane", "MI", "MEM123456"),
        payer=payer,
        claims=claims,
        group_number="GRP100",
        address=HOME,
        demographics=BORN,
    )
    return replace(values, **changes)  # type: ignore[arg-type]


def billing_provider(*subscribers: Subscriber, taxonomy: str) -> BillingProvider:
    return BillingProvider(
        name=Name("Gateway Clinic", id_qualifier="XX", identifier="1999999984"),
        address=CLINIC_ADDRESS,
        references=(Reference("EI", "123456789"),),
        subscribers=subscribers,
        taxonomy=taxonomy,
    )


def transaction(kind: str, reference: str, *providers: BillingProvider) -> ClaimTransaction:
    return ClaimTransaction(
        kind="institutional" if kind == "I" else "professional",
        reference=reference,
        created_on=date(2026, 11, 23),
        created_time=time(7, 30),
        submitter=Submitter(
            Name("Gateway Clinic", id_qualifier="46", identifier="SUBMITTERID"),
            (Contact("EDI Desk", (ContactNumber("TE", "5555550100"),)),),
        ),
        receiver=Name("Clearinghouse", id_qualifier="46", identifier="CLEARINGHOUSE"),
        billing_providers=providers,
    )


PLAN = Payer(Name("Example Health Plan", id_qualifier="PI", identifier="99999"))
MEDICAID = Payer(Name("Example Medicaid", id_qualifier="PI", identifier="88888"))


def institutional_transaction(*claims: Claim) -> ClaimTransaction:
    claims = claims or (institutional_claim(),)
    return transaction("I", "BATCH000101", billing_provider(subscriber(*claims, payer=PLAN), taxonomy="261QM0801X"))


def professional_transaction(*claims: Claim) -> ClaimTransaction:
    claims = claims or (professional_claim(),)
    member = subscriber(*claims, payer=MEDICAID, claim_filing_indicator="MC")
    return transaction("P", "BATCH000102", billing_provider(member, taxonomy="261QR0405X"))


def dependent_transaction() -> ClaimTransaction:
    """A child under the subscriber's coverage, billed to the secondary payer after the primary adjudicated each line."""
    child = Patient("19", person("Doe", "Sam"), HOME, Demographics(date(2012, 5, 1), "M"))
    lines = tuple(
        replace(
            line,
            adjudications=(
                LineAdjudication(
                    payer_id="77777",
                    paid_cents=20000,
                    procedure=line.procedure,
                    paid_units=Decimal(1),
                    adjudicated_on=date(2026, 11, 20),
                    adjustments=(
                        Adjustment("CO", "45", 10000),
                        Adjustment("PR", "1", 3000),
                        Adjustment("PR", "2", 2000),
                    ),
                    revenue_code="0905",
                    remaining_patient_cents=5000,
                ),
            ),
        )
        for line in institutional_lines()
    )
    earlier = OtherSubscriber(
        payer_responsibility="P",
        relationship="19",
        claim_filing_indicator="CI",
        name=person("Doe", "John", "MI", "OTH555"),
        payer=OtherPayer(Name("First Plan", id_qualifier="PI", identifier="77777"), references=()),
        payer_paid_cents=60000,
        remaining_patient_cents=15000,
    )
    claim = institutional_claim(lines=lines, patient=child, other_subscribers=(earlier,))
    member = subscriber(claim, payer=PLAN, payer_responsibility="S", relationship="", address=None, demographics=None)
    return transaction("I", "BATCH000103", billing_provider(member, taxonomy="261QM0801X"))
