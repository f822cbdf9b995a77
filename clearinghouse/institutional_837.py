"""A claim of ours as the 837I (005010X223A2) has it: bill type, statement dates, revenue lines. Knows no bytes."""

from __future__ import annotations

from decimal import Decimal

from clearinghouse.claim_loops import (
    claim_references,
    diagnoses,
    individual,
    line_control_number,
    line_rendering,
    patient_loop,
    service_facility_loop,
)
from clearinghouse.x12 import claims_837 as guide
from clearinghouse.x12.parties import DateSpan, Procedure
from gateway.claim.claim import Claim, ClaimLine
from gateway.ports import NumberedClaim


def institutional_claim(numbered: NumberedClaim) -> guide.Claim:
    """Loops 2000C to 2400 of one claim.

    CLM05 is bill class, A, frequency; CL1 admission type, point of origin, patient status; condition codes HI*BG, value
    codes HI*BE.
    """
    claim = numbered.claim
    return guide.Claim(
        patient_control_number=numbered.claim_number,
        total_charge_cents=claim.charge_cents,
        facility_code=claim.bill_class,
        frequency_code=claim.frequency,
        lines=tuple(_line(numbered.claim_number, claim, line) for line in claim.lines),
        diagnoses=diagnoses(claim.diagnoses),
        release_of_information=claim.release_of_information,
        statement_dates=DateSpan(claim.statement_from_on, claim.statement_through_on),
        admitted_at=claim.admitted_on,
        institutional=guide.InstitutionalFacts(
            admission_type=claim.admission_type,
            admission_source=claim.point_of_origin,
            patient_status=claim.patient_status,
        ),
        references=claim_references(claim),
        condition_codes=claim.condition_codes,
        value_codes=tuple(guide.ValueCode(each.code, Decimal(each.amount)) for each in claim.value_codes),
        providers=_providers(claim),
        patient=patient_loop(claim),
    )


def _providers(claim: Claim) -> tuple[guide.Provider, ...]:
    providers = []
    if claim.attending is not None:
        providers.append(individual("71", claim.attending))
    if claim.rendering is not None and claim.rendering != claim.attending:
        providers.append(individual("82", claim.rendering))
    if claim.service_facility is not None:
        providers.append(service_facility_loop(claim.service_facility))
    return tuple(providers)


def _line(claim_number: str, claim: Claim, line: ClaimLine) -> guide.ServiceLine:
    return guide.ServiceLine(
        number=line.number,
        charge_cents=line.charge_cents,
        units=Decimal(line.units),
        procedure=Procedure(line.hcpcs, line.modifiers) if line.hcpcs else None,
        revenue_code=line.revenue_code,
        service_dates=DateSpan(line.service_on),
        control_number=line_control_number(claim_number, line.number),
        providers=() if line.rendering == claim.attending else line_rendering(claim, line),
    )
