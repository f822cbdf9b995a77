"""Files for the X12 stage: 837I claims and 835 claims whose every name, number, date and amount differs."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from random import Random

from clearinghouse.x12.claims_837 import (
    BillingProvider,
    Claim,
    ClaimTransaction,
    Diagnosis,
    InstitutionalFacts,
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
    Reference,
)
from clearinghouse.x12.remittance_835 import (
    ClaimPayment,
    Payee,
    Payment,
    Remittance,
    RemittanceHeader,
    RemittancePayer,
    ServicePayment,
    Trace,
)
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from gateway.demo.people import make_npi

LINES = 5
_DIAGNOSES = ("F332", "F411", "F3181", "F331", "F603", "F4312", "F330", "F422", "F1020", "F1120", "F1520", "F1420")
_STATES = ("TX", "IL", "CA", "NY", "FL", "OH", "WA", "MN", "GA", "PA")
_ADJUSTMENTS = (("CO", "45"), ("PR", "1"), ("PR", "2"), ("PR", "3"), ("CO", "253"))
_CREATED_ON, _CREATED_AT = date(2026, 9, 1), time(7, 30)
_CLINIC = "1999999984"


def claims_file(seed: str, count: int) -> bytes:
    """One 837I of weekly IOP claims, each for another subscriber, five lines on five dates."""
    random = Random(seed)  # noqa: S311 - reproducible fiction, no secret
    subscribers = tuple(_subscriber(random, number) for number in range(count))
    clinic = BillingProvider(
        name=Name("Gateway Clinic", id_qualifier="XX", identifier=_CLINIC),
        address=_address(random),
        references=(Reference("EI", "123456789"),),
        subscribers=subscribers,
        taxonomy="261QM0801X",
    )
    transaction = ClaimTransaction(
        kind="institutional",
        reference=f"B{random.randrange(10**9):09d}",
        created_on=_CREATED_ON,
        created_time=_CREATED_AT,
        submitter=Submitter(
            Name("Gateway Clinic", id_qualifier="46", identifier="SUBMITTERID"),
            (Contact("EDI Desk", (ContactNumber("TE", "5555550100"),)),),
        ),
        receiver=Name("Clearinghouse", id_qualifier="46", identifier="CLEARINGHOUSE"),
        billing_providers=(clinic,),
    )
    return write_837(transaction, _envelope(random))


def remittance_file(seed: str, count: int) -> bytes:
    """One balanced 835 of that many claims of two to five lines, every line adjusted."""
    random = Random(seed)  # noqa: S311 - reproducible fiction, no secret
    claims = tuple(_payment(random, number) for number in range(1, count + 1))
    header = RemittanceHeader(
        payment=_transfer(random, sum(claim.paid_cents for claim in claims)),
        trace=Trace(f"EFT{random.randrange(10**9):09d}", "1123456789"),
        payer=RemittancePayer(
            Name("Example Health Plan"),
            _address(random),
            contacts=(Contact("EDI", (ContactNumber("TE", "5555550101"),), "BL"),),
        ),
        payee=Payee(
            Name("Gateway Clinic", id_qualifier="XX", identifier=_CLINIC), references=(Reference("TJ", "123456789"),)
        ),
        produced_on=_CREATED_ON,
    )
    return write_835(Remittance(header=header, claims=claims), _envelope(random))


def segments_in(content: bytes) -> int:
    """How many segments a file of ours has."""
    return content.count(b"~")


# --- claims ----------------------------------------------------------------------------------------------------------


def _subscriber(random: Random, number: int) -> Subscriber:
    return Subscriber(
        payer_responsibility="P",
        claim_filing_indicator="CI",
        name=_person(random, "MI", f"M{random.randrange(10**10):010d}"),
        payer=Payer(Name("Example Health Plan", id_qualifier="PI", identifier=f"{random.randrange(10**5):05d}")),
        claims=(_claim(random, number),),
        group_number=f"G{random.randrange(10**6):06d}",
        address=_address(random),
        demographics=Demographics(_day(random, date(1940, 1, 1), 25_000), random.choice("FM")),
    )


def _claim(random: Random, number: int) -> Claim:
    monday = _day(random, date(2026, 1, 5), 230)
    lines = tuple(_line(random, monday + timedelta(days=place), place + 1) for place in range(LINES))
    principal, *others = random.sample(_DIAGNOSES, 3)
    return Claim(
        patient_control_number=f"C{number:05d}{random.randrange(10**9):09d}",
        total_charge_cents=sum(line.charge_cents for line in lines),
        facility_code="13",
        frequency_code="2",
        statement_dates=DateSpan(monday, monday + timedelta(days=LINES - 1)),
        institutional=InstitutionalFacts("3", "1", "30"),
        references=(
            Reference("G1", f"AU{random.randrange(10**8):08d}"),
            Reference("EA", f"{random.randrange(10**8):08d}"),
        ),
        diagnoses=(Diagnosis("ABK", principal), *(Diagnosis("ABF", code) for code in others)),
        condition_codes=("92",),
        providers=(Provider("71", _person(random, "XX", make_npi(random.randrange(10**8))), taxonomy="2084P0800X"),),
        lines=lines,
    )


def _line(random: Random, on: date, number: int) -> ServiceLine:
    return ServiceLine(
        number=number,
        charge_cents=random.randint(10_000, 99_999),
        units=Decimal(1),
        procedure=Procedure("S9480"),
        revenue_code="0905",
        service_dates=DateSpan(on),
        control_number=f"L{random.randrange(10**10):010d}",
    )


# --- payments --------------------------------------------------------------------------------------------------------


def _transfer(random: Random, cents: int) -> Payment:
    return Payment(
        cents=cents,
        effective_on=_CREATED_ON,
        format_code="CCP",
        sender_bank_qualifier="01",
        sender_bank_id=f"{random.randrange(10**9):09d}",
        sender_account_qualifier="DA",
        sender_account=f"{random.randrange(10**9):09d}",
        originating_company_id="1123456789",
        receiver_bank_qualifier="01",
        receiver_bank_id=f"{random.randrange(10**9):09d}",
        receiver_account_qualifier="DA",
        receiver_account=f"{random.randrange(10**9):09d}",
    )


def _payment(random: Random, number: int) -> ClaimPayment:
    monday = _day(random, date(2026, 1, 5), 230)
    lines = tuple(_paid_line(random, monday + timedelta(days=place)) for place in range(random.randint(2, LINES)))
    return ClaimPayment(
        patient_control_number=f"C{number:05d}{random.randrange(10**9):09d}",
        status_code="1",
        charge_cents=sum(line.charge_cents for line in lines),
        paid_cents=sum(line.paid_cents for line in lines),
        patient_cents=sum(each.cents for line in lines for each in line.adjustments if each.group == "PR"),
        patient=_person(random, "MI", f"M{random.randrange(10**10):010d}"),
        claim_filing_indicator="12",
        payer_claim_number=f"ICN{random.randrange(10**9):09d}",
        facility_code="13",
        frequency_code="1",
        rendering_provider=_person(random, "XX", make_npi(random.randrange(10**8))),
        outpatient=OutpatientAdjudication(remark_codes=("MA01",)),
        references=(Reference("EA", f"{random.randrange(10**8):08d}"),),
        dates=(QualifiedDate("050", DateSpan(monday + timedelta(days=20))),),
        amounts=(Amount("AU", sum(line.charge_cents for line in lines)),),
        lines=lines,
        position=number,
    )


def _paid_line(random: Random, on: date) -> ServicePayment:
    charge_cents = random.randint(20_000, 99_999)
    kept = tuple(
        Adjustment(group, reason, random.randint(1, charge_cents // 6))
        for group, reason in random.sample(_ADJUSTMENTS, random.randint(1, 3))
    )
    return ServicePayment(
        procedure=Procedure("S9480", ("HF",)),
        charge_cents=charge_cents,
        paid_cents=charge_cents - sum(each.cents for each in kept),
        revenue_code="0905",
        paid_units=Decimal(1),
        service_dates=DateSpan(on),
        adjustments=kept,
        line_control_number=f"L{random.randrange(10**10):010d}",
        amounts=(Amount("B6", charge_cents),),
    )


# --- pieces ----------------------------------------------------------------------------------------------------------


def _person(random: Random, qualifier: str, identifier: str) -> Name:
    return Name(_word(random), _word(random), id_qualifier=qualifier, identifier=identifier, entity_type="1")


def _address(random: Random) -> Address:
    zip_code = f"{random.randint(10_000, 99_999)}{random.randint(1000, 9998)}"
    return Address(f"{random.randint(1, 9999)} {_word(random)} St", _word(random), random.choice(_STATES), zip_code)


def _word(random: Random) -> str:
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(5, 10))).capitalize()


def _day(random: Random, first: date, days: int) -> date:
    return first + timedelta(days=random.randrange(days))


def _envelope(random: Random) -> Envelope:
    number = random.randint(1, 999_999_999)
    return Envelope(
        sender_qualifier="ZZ",
        sender_id="SUBMITTERID",
        receiver_qualifier="ZZ",
        receiver_id="CLEARINGHOUSE",
        application_sender_code="SUBMITTERID",
        application_receiver_code="CLEARINGHOUSE",
        usage="T",
        interchange_control_number=number,
        group_control_number=number,
        created_on=_CREATED_ON,
        created_time=_CREATED_AT,
        delimiters=Delimiters(),
    )
