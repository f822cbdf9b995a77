"""A claim of ours as the 837P (005010X222A1) has it: place of service, rendering provider, pointers. Knows no bytes."""

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


def professional_claim(numbered: NumberedClaim) -> guide.Claim:
    """Loops 2000C to 2400 of one claim.

    CLM05 is place of service, B, frequency. Admission date, CL1 and condition codes belong to the 837I alone.
    """
    claim = numbered.claim
    return guide.Claim(
        patient_control_number=numbered.claim_number,
        total_charge_cents=claim.charge_cents,
        facility_code=claim.place_of_service,
        frequency_code=claim.frequency,
        lines=tuple(_line(numbered.claim_number, claim, line) for line in claim.lines),
        diagnoses=diagnoses(claim.diagnoses),
        release_of_information=claim.release_of_information,
        references=claim_references(claim),
        providers=_providers(claim),
        patient=patient_loop(claim),
    )


def _providers(claim: Claim) -> tuple[guide.Provider, ...]:
    providers = []
    if claim.rendering is not None:
        providers.append(individual("82", claim.rendering))
    if claim.service_facility is not None:
        providers.append(service_facility_loop(claim.service_facility))
    return tuple(providers)


def _line(claim_number: str, claim: Claim, line: ClaimLine) -> guide.ServiceLine:
    elsewhere = line.place_of_service not in ("", claim.place_of_service)
    return guide.ServiceLine(
        number=line.number,
        charge_cents=line.charge_cents,
        units=Decimal(line.units),
        procedure=Procedure(line.hcpcs, line.modifiers) if line.hcpcs else None,
        place_of_service=line.place_of_service if elsewhere else "",
        diagnosis_pointers=line.diagnosis_pointers,
        service_dates=DateSpan(line.service_on),
        control_number=line_control_number(claim_number, line.number),
        providers=line_rendering(claim, line),
    )
