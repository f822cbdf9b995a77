"""Decisions as 835 values: payments, reversals with corrections, provider adjustments; balanced by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from clearinghouse.sandbox.payer import Decision, LineDecision
from clearinghouse.sandbox.payer_table import SimulatedPayer
from clearinghouse.sandbox.submission import Person, SubmittedClaim, SubmittedLine
from clearinghouse.x12.parties import (
    Address,
    Adjustment,
    Amount,
    Contact,
    ContactNumber,
    DateSpan,
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
    ProviderAdjustment,
    RemarkCode,
    Remittance,
    RemittanceHeader,
    RemittancePayer,
    ServicePayment,
    Trace,
)

REVERSAL = "22"
_PROCESSED_AS = {"P": "1", "S": "2", "T": "3"}
# What CLP06 may say (005010X221A1): narrower than the SBR09 of a claim, which may say CI or BL.
_FILING_INDICATORS = frozenset(
    ("12", "13", "14", "15", "16", "17", "AM", "CH", "DS", "HM", "LM", "MA", "MB", "MC", "OF", "TV", "VA", "WC", "ZZ")
)
_PAYER_ADDRESS = Address("PO BOX 1000", "SPRINGFIELD", "IL", "627010000")
_PAYER_CONTACT = Contact("PROVIDER SERVICES", (ContactNumber("TE", "5555550199"),), "BL")


@dataclass(frozen=True, slots=True)
class Owed:
    """What one remittance pays: to whom, its claims, and interest by payer claim number."""

    payee: Person
    tax_id: str
    claims: tuple[ClaimPayment, ...]
    interest: tuple[tuple[str, int], ...] = ()


def claim_payment(claim: SubmittedClaim, decision: Decision, payer: SimulatedPayer, number: str) -> ClaimPayment:
    """A decided claim; `number` is the payer's claim control number."""
    status = payer.status_of_denied if decision.is_denial else _PROCESSED_AS.get(claim.responsibility, "1")
    dates = []
    if claim.statement_from_on and claim.statement_through_on:
        dates = [
            QualifiedDate("232", DateSpan(claim.statement_from_on)),
            QualifiedDate("233", DateSpan(claim.statement_through_on)),
        ]
    return ClaimPayment(
        patient_control_number=claim.claim_number,
        status_code=status,
        charge_cents=sum(line.line.charge_cents for line in decision.lines),
        paid_cents=decision.paid_cents,
        patient_cents=decision.patient_cents,
        patient=_name(claim.patient),
        subscriber=_name(claim.subscriber) if claim.subscriber != claim.patient else None,
        claim_filing_indicator=claim.filing_indicator if claim.filing_indicator in _FILING_INDICATORS else "ZZ",
        payer_claim_number=number,
        facility_code=claim.facility,
        frequency_code=claim.frequency,
        adjustments=(Adjustment("OA", "23", decision.prior_cents),) if decision.prior_cents else (),
        outpatient=OutpatientAdjudication(remark_codes=decision.remarks) if decision.remarks else None,
        dates=tuple(dates),
        lines=tuple(_line_payment(each) for each in decision.lines),
    )


def reversal_of(paid: ClaimPayment) -> ClaimPayment:
    """The same claim taken back: status 22, every amount and quantity negated."""
    return replace(
        paid,
        status_code=REVERSAL,
        charge_cents=-paid.charge_cents,
        paid_cents=-paid.paid_cents,
        patient_cents=-paid.patient_cents if paid.patient_cents is not None else None,
        adjustments=_negated(paid.adjustments),
        lines=tuple(
            replace(
                line,
                charge_cents=-line.charge_cents,
                paid_cents=-line.paid_cents,
                paid_units=-line.paid_units if line.paid_units is not None else None,
                adjustments=_negated(line.adjustments),
                amounts=tuple(replace(each, cents=-each.cents) for each in line.amounts),
            )
            for line in paid.lines
        ),
    )


def remittance(
    payer: SimulatedPayer, owed: Owed, trace: str, paid_on: date, carried: tuple[int, str] = (0, "")
) -> tuple[Remittance, int]:
    """The 835 values of one payment, and the cents (zero or more) that it leaves to be recovered from the next one.

    `carried` is what the previous one left: cents and its trace. A payment is never negative: the rest goes forward.
    """
    provider = owed.payee.identifier
    year_end = date(paid_on.year, 12, 31)
    adjustments = [ProviderAdjustment(provider, year_end, "L6", -cents, number) for number, cents in owed.interest]
    if carried[0]:
        adjustments.append(ProviderAdjustment(provider, year_end, "FB", carried[0], carried[1]))
    total = sum(claim.paid_cents for claim in owed.claims) - sum(each.cents for each in adjustments)
    forwarded = max(0, -total)
    if forwarded:
        adjustments.append(ProviderAdjustment(provider, year_end, "FB", -forwarded, trace))
    header = RemittanceHeader(
        payment=_payment(max(0, total), payer, paid_on),
        trace=Trace(trace, "1" + payer.tin),
        payer=RemittancePayer(
            Name(payer.name, id_qualifier="XV", identifier=payer.id),
            _PAYER_ADDRESS,
            (Reference("2U", payer.id),),
            (_PAYER_CONTACT,),
        ),
        payee=Payee(
            replace(_name(owed.payee), id_qualifier="XX"),
            references=(Reference("TJ", owed.tax_id),) if owed.tax_id else (),
        ),
        produced_on=paid_on,
    )
    claims = tuple(replace(claim, position=place) for place, claim in enumerate(owed.claims, 1))
    return Remittance(header, claims, tuple(adjustments)), forwarded


def _payment(cents: int, payer: SimulatedPayer, paid_on: date) -> Payment:
    if cents == 0:
        return Payment(0, paid_on, handling="H", method="NON")
    return Payment(
        cents,
        paid_on,
        format_code="CCP",
        sender_bank_qualifier="01",
        sender_bank_id="999999992",
        sender_account_qualifier="DA",
        sender_account="100200300",
        originating_company_id="1" + payer.tin,
        receiver_bank_qualifier="01",
        receiver_bank_id="999988880",
        receiver_account_qualifier="DA",
        receiver_account="400500600",
    )


def _line_payment(decided: LineDecision) -> ServicePayment:
    line = decided.line
    dates = (
        DateSpan(line.from_on, line.through_on if line.through_on != line.from_on else None) if line.from_on else None
    )
    return ServicePayment(
        procedure=_procedure(line),
        charge_cents=line.charge_cents,
        paid_cents=decided.paid_cents,
        revenue_code=line.revenue_code if line.code else "",
        paid_units=line.units if decided.allowed_cents else Decimal(0),
        submitted_units=None if decided.allowed_cents else line.units,
        service_dates=dates,
        adjustments=decided.adjustments,
        line_control_number=line.control_number,
        amounts=(Amount("B6", decided.allowed_cents),) if decided.allowed_cents else (),
        remark_codes=tuple(RemarkCode(code) for code in decided.remarks),
    )


def _procedure(line: SubmittedLine) -> Procedure:
    if not line.code:
        return Procedure(line.revenue_code, qualifier="NU")
    return Procedure(line.code, line.modifiers)


def _negated(adjustments: Sequence[Adjustment]) -> tuple[Adjustment, ...]:
    return tuple(replace(each, cents=-each.cents) for each in adjustments)


def _name(person: Person) -> Name:
    return Name(
        last_or_organization=person.last or "UNKNOWN",
        first=person.first,
        middle=person.middle,
        id_qualifier=(person.qualifier or "MI") if person.identifier else "",
        identifier=person.identifier,
        entity_type=person.entity_type,
    )
