"""Claims of ours that the 837 tests share: made-up people and numbers, NPIs that pass the check digit."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from msgspec.structs import replace

from clearinghouse.claim_loops import receiver_name, submitter_loop
from clearinghouse.claims_to_837 import transaction_837
from clearinghouse.x12.claims_837 import ClaimTransaction
from clearinghouse.x12.envelope import Delimiters, Envelope
from clearinghouse.x12.write_837 import write_837
from gateway.claim.claim import BillingProvider, Claim, ClaimKey, ClaimLine, Insured, ServiceFacility
from gateway.claim.contract import ClaimForm, LineOfBusiness, ProgramKind
from gateway.claim.identifiers import claim_number
from gateway.claim.party import Address, Person, PersonName, Practitioner, Relationship, Sex
from gateway.claim.record import LevelOfCare
from gateway.ports import NumberedClaim

CREATED_AT = datetime(2026, 8, 10, 6, 30, 15, tzinfo=UTC)
ENVELOPE = Envelope(
    sender_qualifier="ZZ",
    sender_id="RIVERBEND",
    receiver_qualifier="ZZ",
    receiver_id="SANDBOX",
    application_sender_code="RIVERBEND",
    application_receiver_code="SANDBOX",
    usage="T",
    interchange_control_number=17,
    group_control_number=17,
    created_on=CREATED_AT.date(),
    created_time=time(6, 30),
    delimiters=Delimiters(newline=True),
)
CLINIC = BillingProvider(
    name="Riverbend Behavioral Health",
    npi="1991000104",
    tax_id="990000017",
    taxonomy="283Q00000X",
    address=Address(line1="100 River Road", city="Riverbend", state="IL", postal_code="620990100"),
    contact_name="Billing Office",
    contact_phone="(618) 555-0100",
)
RECOVERY = ServiceFacility(
    name="Riverbend Recovery Center",
    npi="1991000302",
    address=Address(line1="7 Tamarack Lane", city="Larkton", state="IL", postal_code="620960007"),
)
PSYCHIATRIST = Practitioner(
    npi="1882001013", name=PersonName(family="Thornbury", given="Isolde"), taxonomy="2084P0800X"
)
COUNSELOR = Practitioner(npi="1882001112", name=PersonName(family="Clearwater", given="Hester"), taxonomy="101YA0400X")
OTHER_COUNSELOR = Practitioner(
    npi="1882001120", name=PersonName(family="Stonebridge", given="Lionel"), taxonomy="101YA0400X"
)
HOME = Address(line1="119 Hickory Avenue", line2="Apt 4", city="Mill Hollow", state="IL", postal_code="620953161")
PATIENT = Person(
    name=PersonName(family="Fernhollow", given="Jasper", middle="A"),
    birth_on=date(1976, 7, 5),
    sex=Sex.MALE,
    address=HOME,
)
ADOLESCENT = Person(
    name=PersonName(family="Dalehaven", given="Wren"), birth_on=date(2010, 3, 2), sex=Sex.FEMALE, address=HOME
)
PARENT = Person(
    name=PersonName(family="Dalehaven", given="Orrin"), birth_on=date(1980, 1, 9), sex=Sex.MALE, address=HOME
)
COMMERCIAL = Insured(
    coverage_id="cov-1",
    payer="prairie-mutual",
    payer_name="Prairie Mutual",
    payer_number="PRMT1",
    line_of_business=LineOfBusiness.COMMERCIAL,
    claim_filing_code="CI",
    sequence="P",
    member_number="PMX000019803",
    group_number="G41899",
    group_name="Riverbend Mills",
)
MEDICAID = replace(
    COMMERCIAL,
    payer="river-state-medicaid",
    payer_name="River State Medicaid",
    payer_number="MCAID",
    line_of_business=LineOfBusiness.MEDICAID,
    claim_filing_code="MC",
    member_number="9000022814",
    group_number="",
    group_name="",
)
PARENTS_POLICY = replace(
    COMMERCIAL, coverage_id="cov-2", member_number="PMX000016692", relationship=Relationship.CHILD, subscriber=PARENT
)


def program_day(number: int, on: date) -> ClaimLine:
    return ClaimLine(number=number, service_on=on, revenue_code="0905", hcpcs="S9480", charge_cents=46500, units=1)


def recovery_day(number: int, on: date, counselor: Practitioner = COUNSELOR) -> ClaimLine:
    return ClaimLine(
        number=number,
        service_on=on,
        hcpcs="H0015",
        modifiers=("HF",),
        charge_cents=26550,
        units=1,
        place_of_service="57",
        diagnosis_pointers=(1, 2),
        rendering=counselor,
    )


def institutional() -> Claim:
    """A week of commercial intensive outpatient care, three program days."""
    days = (date(2026, 8, 3), date(2026, 8, 5), date(2026, 8, 7))
    return Claim(
        key=ClaimKey(
            organization="riverbend",
            patient_id="p1",
            payer="prairie-mutual",
            facility="riverbend-hospital",
            program="mh-iop",
            level_of_care=LevelOfCare.IOP,
            period_start_on=date(2026, 8, 2),
        ),
        form=ClaimForm.INSTITUTIONAL,
        program_kind=ProgramKind.MENTAL_HEALTH,
        frequency="1",
        bill_class="13",
        billing_provider=CLINIC,
        insured=COMMERCIAL,
        patient=PATIENT,
        medical_record_number="700019",
        statement_from_on=days[0],
        statement_through_on=days[-1],
        admission_type="3",
        point_of_origin="1",
        patient_status="30",
        diagnoses=("F331", "F411"),
        authorization_number="AU0000191",
        attending=PSYCHIATRIST,
        lines=tuple(program_day(number, on) for number, on in enumerate(days, 1)),
    )


def professional() -> Claim:
    """A week of Medicaid substance use intensive outpatient care, the second day by another counselor."""
    days = (date(2026, 8, 3), date(2026, 8, 4), date(2026, 8, 6))
    lines = tuple(
        recovery_day(number, on, OTHER_COUNSELOR if number == 2 else COUNSELOR) for number, on in enumerate(days, 1)
    )
    return replace(
        institutional(),
        form=ClaimForm.PROFESSIONAL,
        program_kind=ProgramKind.SUBSTANCE_USE,
        bill_class="",
        place_of_service="57",
        service_facility=RECOVERY,
        insured=MEDICAID,
        statement_from_on=days[0],
        statement_through_on=days[-1],
        admission_type="",
        point_of_origin="",
        patient_status="",
        diagnoses=("F1020", "F331"),
        authorization_number="AU0000221",
        attending=None,
        rendering=COUNSELOR,
        lines=lines,
    )


def adolescent() -> Claim:
    """The same week for an adolescent on a parent's policy."""
    return replace(institutional(), insured=PARENTS_POLICY, patient=ADOLESCENT, medical_record_number="700016")


def numbered(*claims: Claim) -> list[NumberedClaim]:
    return [NumberedClaim(claim=claim, claim_number=claim_number(at)) for at, claim in enumerate(claims, 1)]


def transaction(*claims: Claim) -> ClaimTransaction:
    return transaction_837(
        numbered(*claims),
        batch_reference="01J4YBATCH0000000000000017",
        created_at=CREATED_AT,
        submitter=submitter_loop(CLINIC, "RIVERBEND"),
        receiver=receiver_name("Sandbox Clearinghouse", "SANDBOX"),
    )


def written(*claims: Claim) -> bytes:
    return write_837(transaction(*claims), ENVELOPE)


def segments(content: bytes) -> list[str]:
    return content.decode("ascii").replace("~", "").splitlines()
