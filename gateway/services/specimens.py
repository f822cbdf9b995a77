"""Specimen claims for a partner's test system: the site's own payers and providers, a patient nobody has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from gateway.claim.claim import Claim, ClaimKey, ClaimLine, Insured
from gateway.claim.contract import Catalogue, ClaimForm, Facility, Organization, Payer, ServiceDefinition
from gateway.claim.party import Address, Person, PersonName, Practitioner, Sex
from gateway.services.claim_content import billing_provider

_CENTS = 10_000
_PATIENT = Person(
    name=PersonName(family="TESTPATIENT", given="SPECIMEN"),
    birth_on=date(1990, 1, 1),
    sex=Sex.FEMALE,
    address=Address(line1="1 SPECIMEN STREET", city="SPRINGFIELD", state="IL", postal_code="627010001"),
)
_CLINICIAN = Practitioner(
    npi="1234567893", name=PersonName(family="TESTCLINICIAN", given="SPECIMEN"), taxonomy="2084P0800X"
)
_MEMBER = "TEST00001"
_PIECE = re.compile(r"(\[[^\]]+\]|\\d|[A-Za-z0-9])(?:\{([0-9]{1,2})\})?")
"""A letter, or a class of them, of the plain patterns that payers' member numbers have."""
_DIAGNOSES = ("F332", "F1020")
_USUAL_REVENUE_CODE, _USUAL_PROCEDURE, _USUAL_PLACE = "0905", "H0015", "22"


def specimen_claims(catalogue: Catalogue, connection: str, on: date) -> list[Claim]:
    """One claim of each form each payer buys, of the payers routed over the connection on a day."""
    facility = next(iter(catalogue.facilities.values()), None)
    if facility is None:
        return []
    organization = catalogue.organizations[facility.organization]
    return [
        _claim(organization, facility, payer, definition, connection, on)
        for payer in catalogue.payers.values()
        if any(route.connection == connection and route.span.covers(on) for route in payer.routes)
        for definition in _one_of_each_form(catalogue, payer, on)
    ]


def _one_of_each_form(catalogue: Catalogue, payer: Payer, on: date) -> Iterator[ServiceDefinition]:
    seen: set[ClaimForm] = set()
    for definition in catalogue.services:
        bought = payer.id in definition.payers or payer.line_of_business in definition.lines_of_business
        if bought and definition.span.covers(on) and definition.form not in seen:
            seen.add(definition.form)
            yield definition


def _claim(
    organization: Organization,
    facility: Facility,
    payer: Payer,
    definition: ServiceDefinition,
    connection: str,
    on: date,
) -> Claim:
    institutional = definition.form is ClaimForm.INSTITUTIONAL
    route = next(route for route in payer.routes if route.connection == connection and route.span.covers(on))
    program = organization.programs[0]
    diagnosis = next((each for each in _DIAGNOSES if each.startswith(definition.diagnosis_prefixes)), _DIAGNOSES[0])
    return Claim(
        key=ClaimKey(
            organization=organization.id,
            patient_id="specimen",
            payer=payer.id,
            facility=facility.id,
            program=program.id,
            level_of_care=definition.level_of_care,
            period_start_on=on,
        ),
        form=definition.form,
        program_kind=program.kind,
        frequency="1",
        bill_class=(definition.bill_class or facility.bill_class or "13") if institutional else "",
        place_of_service="" if institutional else (definition.place_of_service or _USUAL_PLACE),
        billing_provider=billing_provider(organization),
        insured=Insured(
            coverage_id="specimen",
            payer=payer.id,
            payer_name=payer.name,
            payer_number=route.payer_number,
            line_of_business=payer.line_of_business,
            claim_filing_code=payer.claim_filing_code,
            sequence="P",
            member_number=_member_number(payer),
            provider_number=payer.provider_number(organization.npi, facility.id, on),
        ),
        patient=_PATIENT,
        statement_from_on=on,
        statement_through_on=on,
        admitted_on=on,
        admission_type="3" if institutional else "",
        point_of_origin="1" if institutional else "",
        patient_status="01" if institutional else "",
        diagnoses=(diagnosis,),
        condition_codes=definition.condition_codes if institutional else (),
        value_codes=definition.value_codes if institutional else (),
        attending=_CLINICIAN if institutional else None,
        rendering=None if institutional else _CLINICIAN,
        lines=(_line(definition, on, institutional),),
        connection=connection,
    )


def _member_number(payer: Payer) -> str:
    """A member number of the payer's shape, where its pattern is a plain one."""
    pattern = payer.member_number_pattern
    made = ""
    for piece, count in _PIECE.findall(pattern):
        letter = piece[1] if piece.startswith("[") else "0" if piece == "\\d" else piece
        made += letter * int(count or 1)
    return made if pattern and re.fullmatch(pattern, made) else _MEMBER


def _line(definition: ServiceDefinition, on: date, institutional: bool) -> ClaimLine:
    sold = definition.items[0] if definition.items else definition
    return ClaimLine(
        number=1,
        service_on=on,
        revenue_code=(sold.revenue_code or _USUAL_REVENUE_CODE) if institutional else "",
        hcpcs=sold.hcpcs or _USUAL_PROCEDURE,
        modifiers=sold.modifiers,
        charge_cents=_CENTS,
        units=1,
        unit_basis=sold.unit_basis,
        place_of_service="" if institutional else (definition.place_of_service or _USUAL_PLACE),
    )
