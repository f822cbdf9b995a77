"""Guide-shaped values the X12 tests share: synthetic names and numbers, NPIs that pass the check digit."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from msgspec.structs import replace

from clearinghouse.x12.acknowledgement_999 import (
    Acknowledgement,
    Context,
    ElementError,
    SegmentError,
    TransactionResponse,
)
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
    Amount,
    Contact,
    ContactNumber,
    DateSpan,
    Demographics,
    Name,
    OutpatientAdjudication,
    Procedure,
    QualifiedDate,
    Quantity,
    Reference,
)
from clearinghouse.x12.remittance_835 import (
    ClaimPayment,
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
    """A child under the subscriber's coverage, billed to the secondary payer after the primary decided."""
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


def remittance(**changes: object) -> Remittance:
    """A balanced 835: one claim paid with patient share, one denied, one recovered by a provider adjustment."""
    paid = ClaimPayment(
        patient_control_number="PCN0000000001",
        status_code="1",
        charge_cents=70000,
        paid_cents=40000,
        patient_cents=10000,
        patient=person("Doe", "Jane", "MI", "MEM123456"),
        claim_filing_indicator="12",
        payer_claim_number="ICN0001",
        facility_code="13",
        frequency_code="1",
        rendering_provider=person("Smith", "Alan", "XX", "1888888876"),
        outpatient=OutpatientAdjudication(remark_codes=("MA01",)),
        references=(Reference("EA", "MRN1"),),
        dates=(QualifiedDate("050", DateSpan(date(2026, 11, 24))),),
        amounts=(Amount("AU", 50000),),
        lines=tuple(
            ServicePayment(
                procedure=Procedure("S9480", ("HF",)),
                charge_cents=35000,
                paid_cents=20000,
                revenue_code="0905",
                paid_units=Decimal(1),
                service_dates=DateSpan(date(2026, 11, on)),
                adjustments=(Adjustment("CO", "45", 10000), Adjustment("PR", "2", 5000)),
                line_control_number=f"LN000{on}",
                amounts=(Amount("B6", 25000),),
                remark_codes=(RemarkCode("N822"),),
            )
            for on in (2, 4)
        ),
    )
    denied = ClaimPayment(
        patient_control_number="PCN0000000002",
        status_code="4",
        charge_cents=12345,
        paid_cents=0,
        patient=person("Roe", "Pat"),
        claim_filing_indicator="12",
        payer_claim_number="ICN0002",
        adjustments=(Adjustment("CO", "197", 12345),),
        position=2,
    )
    values = Remittance(
        header=RemittanceHeader(
            payment=Payment(cents=35000, effective_on=date(2026, 11, 30)),
            trace=Trace("EFT123", "1123456789"),
            payer=RemittancePayer(
                Name("Example Health Plan"),
                Address("9 Plan Way", "Austin", "TX", "78701"),
                contacts=(Contact("EDI", (ContactNumber("TE", "5555550101"),), "BL"),),
            ),
            payee=Payee(
                Name("Gateway Clinic", id_qualifier="XX", identifier="1999999984"),
                references=(Reference("TJ", "123456789"),),
            ),
            produced_on=date(2026, 11, 29),
        ),
        claims=(replace(paid, position=1), denied),
        provider_adjustments=(ProviderAdjustment("1999999984", date(2026, 12, 31), "WO", 5000, "ICN0000"),),
    )
    return replace(values, **changes)  # type: ignore[arg-type]


def acknowledgement() -> Acknowledgement:
    """A 999 for a group of three: accepted, accepted with errors, rejected."""
    error = SegmentError(
        "CLM",
        21,
        "8",
        "2300",
        contexts=(Context(name="CLM01", value="PCN0000000003"),),
        elements=(ElementError(5, "7", component_position=1, data_element="1331", bad_value="XX"),),
    )
    missing = SegmentError(
        "REF",
        22,
        "I6",
        "2300",
        contexts=(
            Context("SITUATIONAL TRIGGER", "", "CLM", 21, "2300", 5, 3),
            Context(name="CLM01", value="PCN0000000003"),
        ),
    )
    return Acknowledgement(
        functional_code="HC",
        group_control_number="101",
        group_guide="005010X223A2",
        responses=(
            TransactionResponse("837", "0001", "A", "005010X223A2"),
            TransactionResponse("837", "0002", "E", "005010X223A2", (error,)),
            TransactionResponse("837", "0003", "R", "005010X223A2", (error, missing), ("5",)),
        ),
        group_code="P",
        included_count=3,
        received_count=3,
        accepted_count=2,
    )


def status_transaction() -> StatusTransaction:
    """A 277CA: one claim accepted, one rejected with a line."""
    on = date(2026, 11, 24)
    accepted = ClaimStatus(
        patient=person("Doe", "Jane", "MI", "MEM123456"),
        trace_number="PCN0000000001",
        statuses=(Status((StatusCode("A2", "20", "PR"),), on, "WQ", 105000),),
        payer_claim_number="ICN0001",
        clearinghouse_trace="CH1",
        bill_type="132",
        service_dates=DateSpan(date(2026, 11, 2), date(2026, 11, 6)),
    )
    rejected = ClaimStatus(
        patient=person("Roe", "Pat", "MI", "MEM999"),
        trace_number="PCN0000000002",
        statuses=(
            Status((StatusCode("A7", "562", "85"), StatusCode("A7", "507", "")), on, "U", 45000, "NPI not on file"),
        ),
        service_dates=DateSpan(date(2026, 11, 2)),
        lines=(
            LineStatus(
                procedure=Procedure("H0015", ("HF",)),
                charge_cents=15000,
                statuses=(Status((StatusCode("A7", "507"),), on, "U"),),
                units=Decimal(1),
                line_control_number="LN0001",
                service_dates=DateSpan(date(2026, 11, 2)),
            ),
        ),
    )
    provider = ProviderStatus(
        provider=Name("Gateway Clinic", id_qualifier="XX", identifier="1999999984"),
        claims=(accepted, rejected),
        trace_number="0",
        statuses=(Status((StatusCode("A1", "19", "PR"),), None, "WQ", 105000),),
        quantities=(Quantity("QA", Decimal(1)), Quantity("QC", Decimal(1))),
        amounts=(Amount("YU", 105000), Amount("YY", 45000)),
    )
    receiver = ReceiverStatus(
        receiver=Name("Gateway Clinic", id_qualifier="46", identifier="SUBMITTERID"),
        trace_number="BATCH000101",
        statuses=(Status((StatusCode("A1", "19", "PR"),), on, "WQ", 150000),),
        providers=(provider,),
        quantities=(Quantity("90", Decimal(1)), Quantity("AA", Decimal(1))),
        amounts=(Amount("YU", 105000), Amount("YY", 45000)),
    )
    source = SourceStatus(
        source=Name("Example Health Plan", id_qualifier="PI", identifier="99999"),
        role="PR",
        trace_number="PAYERTRACE1",
        dates=(
            QualifiedDate("050", DateSpan(date(2026, 11, 23))),
            QualifiedDate("009", DateSpan(date(2026, 11, 24))),
        ),
        receivers=(receiver,),
    )
    return StatusTransaction("STATUS1", on, time(8, 15), (source,))
