"""A stranger's 837 claim as ours, as far as an 837 says it: for judging claims that another system wrote.

What the form does not carry (attendance, definitions, feeds' positions) stays empty; nothing is made up for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from clearinghouse.x12 import claims_837 as guide
from clearinghouse.x12.parties import Address as PostalAddress
from clearinghouse.x12.parties import Demographics, Name, Reference
from gateway.claim.claim import BillingProvider, Claim, ClaimKey, ClaimLine, Insured, ServiceFacility
from gateway.claim.contract import ClaimForm, LineOfBusiness, ProgramKind, UnitBasis, ValueCode
from gateway.claim.finding import Origin
from gateway.claim.origins import Origins
from gateway.claim.party import Address, Person, PersonName, Practitioner, Relationship, Sex
from gateway.claim.record import LevelOfCare
from gateway.rules.codes_fit_program import KINDS, LEVELS
from gateway.rules.condition_codes_fit import IOP, PHP

_FORMS = {"institutional": ClaimForm.INSTITUTIONAL, "professional": ClaimForm.PROFESSIONAL}
_RELATIONSHIPS = {"01": Relationship.SPOUSE, "19": Relationship.CHILD}
_LINES_OF_BUSINESS = {
    "MA": LineOfBusiness.MEDICARE,
    "MB": LineOfBusiness.MEDICARE,
    "16": LineOfBusiness.MEDICARE_ADVANTAGE,
    "MC": LineOfBusiness.MEDICAID,
    "CH": LineOfBusiness.TRICARE,
}
_SUBSTANCE_USE = tuple(f"F1{digit}" for digit in range(10))
_EARLIEST = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class StrangersClaim:
    """A claim of a file: what we make of it, and the number its sender gave it."""

    place: int
    """Its place in the file, from 1."""
    number: str
    claim: Claim


def claim_from_837(place: int, filed: guide.FiledClaim) -> StrangersClaim:
    """One claim of a file. The level of care is what condition codes say, else the first line whose code says one."""
    claim, subscriber = filed.claim, filed.subscriber
    form = _FORMS[filed.header.kind]
    lines = tuple(_line(each, claim) for each in claim.lines)
    dates = [line.service_on for line in lines] or [_EARLIEST]
    span = claim.statement_dates
    codes = [code for line in lines for code in (line.hcpcs, line.revenue_code)]
    diagnoses = tuple(each.code for each in claim.diagnoses if each.qualifier in ("ABK", "ABF"))
    institutional = form is ClaimForm.INSTITUTIONAL
    facts = claim.institutional
    payer = subscriber.payer.name
    attending, rendering = _clinician(claim.providers, "71"), _clinician(claim.providers, "82")
    first = span.from_on if span else min(dates)
    ours = Claim(
        key=ClaimKey(
            organization=filed.billing_provider.name.identifier,
            patient_id="",
            payer=payer.identifier,
            facility="",
            program="",
            level_of_care=_level_of_care(claim.condition_codes, lines),
            period_start_on=first,
            part=str(place),
        ),
        form=form,
        program_kind=_program_kind(codes, diagnoses),
        frequency=claim.frequency_code,
        bill_class=claim.facility_code if institutional else "",
        place_of_service="" if institutional else claim.facility_code,
        billing_provider=_billing_provider(filed),
        service_facility=_service_facility(claim.providers),
        insured=_insured(subscriber, claim),
        patient=_patient(subscriber, claim),
        medical_record_number=_reference(claim.references, "EA"),
        statement_from_on=first,
        statement_through_on=span.last_on if span else max(dates),
        admitted_on=_day(claim.admitted_at),
        admission_type=facts.admission_type if facts else "",
        point_of_origin=facts.admission_source if facts else "",
        patient_status=facts.patient_status if facts else "",
        diagnoses=diagnoses,
        condition_codes=claim.condition_codes,
        value_codes=tuple(ValueCode(code=each.code, amount=str(each.value)) for each in claim.value_codes),
        authorization_number=_reference(claim.references, "G1"),
        payer_claim_number=_reference(claim.references, "F8"),
        attending=attending,
        rendering=rendering or (attending if institutional else None),
        release_of_information=claim.release_of_information,
        lines=lines,
        connection="file",
        origins=_ORIGINS,
    )
    return StrangersClaim(place, claim.patient_control_number, ours)


_ORIGINS = Origins.of(
    {
        name: Origin(source=source, mapping="")
        for name, source in (
            ("diagnoses", "2300 HI*ABK, HI*ABF"),
            ("patient_status", "2300 CL103"),
            ("admission_type", "2300 CL101"),
            ("point_of_origin", "2300 CL102"),
            ("attending", "2310A NM1*71"),
            ("rendering", "NM1*82"),
            ("authorization_number", "2300 REF*G1"),
            ("patient.birth_on", "DMG02"),
            ("insured.payer", "2010BB NM109"),
            ("insured.member_number", "2010BA NM109"),
        )
    }
)


def _line(line: guide.ServiceLine, claim: guide.Claim) -> ClaimLine:
    procedure = line.procedure
    hcpcs = procedure.code if procedure else ""
    span = line.service_dates or claim.statement_dates
    whole_day = hcpcs in LEVELS or line.revenue_code in LEVELS
    place = f"2400 line {line.number}"
    return ClaimLine(
        number=line.number,
        service_on=span.from_on if span else _EARLIEST,
        revenue_code=line.revenue_code,
        hcpcs=hcpcs,
        modifiers=procedure.modifiers if procedure else (),
        charge_cents=line.charge_cents,
        units=int(line.units) if line.units == int(line.units) else 0,
        unit_basis=UnitBasis.DAY if whole_day else UnitBasis.SESSION,
        place_of_service=line.place_of_service,
        diagnosis_pointers=line.diagnosis_pointers,
        rendering=_clinician(line.providers, "82"),
        origins=Origins.of(
            {
                "start_at": Origin(source=f"{place} DTP*472", mapping=""),
                "session": Origin(source=f"{place} SV1, SV2", mapping=""),
            }
        ),
    )


def _level_of_care(condition_codes: Sequence[str], lines: Sequence[ClaimLine]) -> LevelOfCare:
    if PHP in condition_codes:
        return LevelOfCare.PHP
    if IOP in condition_codes:
        return LevelOfCare.IOP
    for line in lines:
        if line.hcpcs == "H0015" and "TG" in line.modifiers:
            return LevelOfCare.PHP
        level = LEVELS.get(line.hcpcs) or LEVELS.get(line.revenue_code)
        if level is not None:
            return level
    return LevelOfCare.OP


def _program_kind(codes: Iterable[str], diagnoses: Sequence[str]) -> ProgramKind:
    for code in codes:
        if code in KINDS:
            return KINDS[code]
    substance_use = bool(diagnoses) and diagnoses[0].startswith(_SUBSTANCE_USE)
    return ProgramKind.SUBSTANCE_USE if substance_use else ProgramKind.MENTAL_HEALTH


def _billing_provider(filed: guide.FiledClaim) -> BillingProvider:
    provider = filed.billing_provider
    contacts = provider.contacts or filed.header.submitter.contacts
    contact = contacts[0] if contacts else None
    numbers = [each.number for each in contact.numbers if each.qualifier == "TE"] if contact else []
    return BillingProvider(
        name=provider.name.last_or_organization,
        npi=provider.name.identifier,
        tax_id=_reference(provider.references, "EI") or _reference(provider.references, "SY"),
        taxonomy=provider.taxonomy,
        address=_address(provider.address),
        contact_name=contact.name if contact else "",
        contact_phone=numbers[0] if numbers else "",
    )


def _service_facility(providers: Sequence[guide.Provider]) -> ServiceFacility | None:
    found = next((each for each in providers if each.role == "77"), None)
    if found is None or found.address is None:
        return None
    return ServiceFacility(
        name=found.name.last_or_organization, npi=found.name.identifier, address=_address(found.address)
    )


def _insured(subscriber: guide.Subscriber, claim: guide.Claim) -> Insured:
    payer = subscriber.payer.name
    code = subscriber.claim_filing_indicator
    relationship = Relationship.SELF
    if claim.patient is not None:
        relationship = _RELATIONSHIPS.get(claim.patient.relationship, Relationship.OTHER)
    return Insured(
        coverage_id="",
        payer=payer.identifier,
        payer_name=payer.last_or_organization,
        payer_number=payer.identifier,
        line_of_business=_LINES_OF_BUSINESS.get(code, LineOfBusiness.COMMERCIAL),
        claim_filing_code=code,
        sequence=subscriber.payer_responsibility,
        member_number=subscriber.name.identifier,
        provider_number=_reference(subscriber.payer.references, "G2"),
        group_number=subscriber.group_number,
        group_name=subscriber.group_name,
        relationship=relationship,
        subscriber=_person(subscriber.name, subscriber.address, subscriber.demographics),
    )


def _patient(subscriber: guide.Subscriber, claim: guide.Claim) -> Person:
    if claim.patient is not None:
        return _person(claim.patient.name, claim.patient.address, claim.patient.demographics)
    return _person(subscriber.name, subscriber.address, subscriber.demographics)


def _person(name: Name, address: PostalAddress | None, demographics: Demographics | None) -> Person:
    known = demographics is not None and demographics.gender in set(Sex)
    return Person(
        name=_person_name(name),
        birth_on=demographics.born_on if demographics else None,
        sex=Sex(demographics.gender) if demographics and known else None,
        address=_address(address) if address else None,
    )


def _person_name(name: Name) -> PersonName | None:
    if not name.last_or_organization:
        return None
    return PersonName(family=name.last_or_organization, given=name.first, middle=name.middle, suffix=name.suffix)


def _address(address: PostalAddress) -> Address:
    return Address(
        line1=address.line_1,
        line2=address.line_2,
        city=address.city,
        state=address.state,
        postal_code=address.postal_code,
    )


def _clinician(providers: Sequence[guide.Provider], role: str) -> Practitioner | None:
    found = next((each for each in providers if each.role == role), None)
    if found is None:
        return None
    return Practitioner(npi=found.name.identifier, name=_person_name(found.name), taxonomy=found.taxonomy)


def _reference(references: Sequence[Reference], qualifier: str) -> str:
    return next((each.value for each in references if each.qualifier == qualifier), "")


def _day(at: datetime | date | None) -> date | None:
    return at.date() if isinstance(at, datetime) else at
