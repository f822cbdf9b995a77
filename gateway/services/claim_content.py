"""The content of one claim from the billable days that go on it: parties, dates, diagnoses, numbers, lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec.structs import replace

from gateway.claim.claim import BillingProvider, Claim, ClaimKey, ClaimLine, Insured, ServiceFacility
from gateway.claim.contract import Catalogue, ClaimForm, Facility, Organization, Payer, Route
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.origins import NO_ORIGINS, Origins
from gateway.claim.party import Person, Practitioner, Relationship
from gateway.claim.record import EpisodeRecord, PatientRecord
from gateway.services.bill_day import TELEHEALTH, most_named
from gateway.services.billable_day import BillableDay
from gateway.services.case import KnownCoverage, PatientCase

DIAGNOSES_MAX = {ClaimForm.INSTITUTIONAL: 25, ClaimForm.PROFESSIONAL: 12}
"""HI segments of the 837: a principal and 24 others; a principal and 11 others."""
STILL_A_PATIENT = "30"
_NOT_STATED = "9"
"""Admission type and point of origin: information not available, the truthful word for a feed that does not say."""


def build_claim(
    case: PatientCase,
    key: ClaimKey,
    days: Sequence[BillableDay],
    frequency: str,
    closing: bool,
    catalogue: Catalogue,
    today: date,
) -> tuple[Claim, list[Finding]]:
    """The claim for these days (in order of date), and what assembling it brought to light.

    ``closing`` is True when the patient's discharge ends the claim.
    """
    first = days[0]
    definition, payer, facility = first.definition, first.payer, first.facility
    organization = catalogue.organizations[case.organization]
    episode = first.episode.record if first.episode else None
    institutional = definition.form is ClaimForm.INSTITUTIONAL
    lines = numbered(line for each in days for line in each.bill.lines)
    codes, findings = _diagnoses(days, episode, definition.form)
    insured, more = _insured(case.patient, first.coverage, payer, today)
    provider_number = payer.provider_number(organization.npi, facility.id, first.day.on)
    rendering = _shared_rendering(lines)
    claim = Claim(
        key=key,
        form=definition.form,
        program_kind=first.program.kind,
        frequency=frequency,
        bill_class=(definition.bill_class or facility.bill_class) if institutional else "",
        place_of_service="" if institutional else _claim_place(days, lines),
        billing_provider=billing_provider(organization),
        service_facility=_service_facility(facility, organization),
        insured=replace(insured, provider_number=provider_number),
        patient=_person(case.patient),
        medical_record_number=case.medical_record_number,
        statement_from_on=days[0].day.on,
        statement_through_on=days[-1].day.on,
        admitted_on=episode.admitted_on if episode and institutional else None,
        admission_type=((episode and episode.admission_type) or _NOT_STATED) if institutional else "",
        point_of_origin=((episode and episode.point_of_origin) or _NOT_STATED) if institutional else "",
        patient_status=_patient_status(episode, closing) if institutional else "",
        diagnoses=codes,
        condition_codes=definition.condition_codes if institutional else (),
        value_codes=definition.value_codes if institutional else (),
        authorization_number=next((each.authorization_number for each in days if each.authorization_number), ""),
        attending=_attending(days, episode) if institutional else None,
        rendering=rendering,
        lines=tuple(replace(line, rendering=None) for line in lines) if rendering else lines,
        connection=_route(payer, today).connection,
        catalogue_hash=catalogue.content_hash,
        origins=_origins(case, days),
    )
    return claim, findings + more


def numbered(lines: Iterable[ClaimLine]) -> tuple[ClaimLine, ...]:
    """The lines with numbers from 1."""
    return tuple(replace(line, number=number) for number, line in enumerate(lines, start=1))


def billing_provider(organization: Organization) -> BillingProvider:
    """Who bills, as the organization's file says it."""
    return BillingProvider(
        name=organization.name,
        npi=organization.npi,
        tax_id=organization.tax_id,
        taxonomy=organization.taxonomy,
        address=organization.address,
        contact_name=organization.contact_name,
        contact_phone=organization.contact_phone,
    )


def _service_facility(facility: Facility, organization: Organization) -> ServiceFacility | None:
    """Loop 2310E/2310C, only where the service was somewhere else than the billing address."""
    if facility.address == organization.address:
        return None
    return ServiceFacility(name=facility.name, npi=facility.npi, address=facility.address)


def _person(patient: PatientRecord) -> Person:
    return Person(name=patient.name, birth_on=patient.birth_on, sex=patient.sex, address=patient.address)


def _route(payer: Payer, today: date) -> Route:
    """The route in force on the day of submission; one without connection when there is none, which the gate holds."""
    return next((route for route in payer.routes if route.span.covers(today)), Route(connection="", payer_number=""))


def _insured(
    patient: PatientRecord, coverage: KnownCoverage, payer: Payer, today: date
) -> tuple[Insured, list[Finding]]:
    record = coverage.record
    relationship = Relationship.SELF if payer.members_are_subscribers else record.relationship
    findings = []
    if relationship is None:
        findings.append(_relationship_missing(coverage))
    dependent = relationship not in (None, Relationship.SELF)
    subscriber = (
        Person(
            name=record.subscriber_name,
            birth_on=record.subscriber_birth_on,
            sex=record.subscriber_sex,
            address=record.subscriber_address,
        )
        if dependent
        else _person(patient)
    )
    insured = Insured(
        coverage_id=coverage.id,
        payer=payer.id,
        payer_name=payer.name,
        payer_number=_route(payer, today).payer_number,
        line_of_business=payer.line_of_business,
        claim_filing_code=payer.claim_filing_code,
        sequence="P",
        member_number=record.member_number,
        group_number=record.group_number,
        group_name=record.group_name,
        relationship=relationship or Relationship.SELF,
        subscriber=subscriber,
    )
    return insured, findings


def _relationship_missing(coverage: KnownCoverage) -> Finding:
    return Finding(
        rule="subscriber-relationship-unknown",
        code="",
        severity=Severity.BLOCK,
        path="insured.relationship",
        message="The coverage does not say whether the patient is the subscriber or a dependent.",
        fix="Send Coverage.relationship (FHIR) or IN1-17 (HL7), with the subscriber where it is somebody else.",
        owner=Owner.FRONT_DESK,
        origin=coverage.origins.get("member_number"),
    )


def _diagnoses(
    days: Sequence[BillableDay], episode: EpisodeRecord | None, form: ClaimForm
) -> tuple[tuple[str, ...], list[Finding]]:
    """Principal first: the stay's, else the one most visits put first. Codes without dots, each once, to the limit."""
    visits = [each.diagnoses for day in days for each in day.attended if each.diagnoses]
    principals = [each[0] for each in visits]
    stay = episode.diagnoses if episode else ()
    principal = stay[:1] or (
        (max(principals, key=lambda code: (principals.count(code), -principals.index(code))),) if principals else ()
    )
    everything = (*principal, *stay, *(code for visit in visits for code in visit))
    codes = tuple(dict.fromkeys(code.replace(".", "").strip().upper() for code in everything if code.strip()))
    limit = DIAGNOSES_MAX[form]
    if len(codes) <= limit:
        return codes, []
    left_out = Finding(
        rule="diagnoses-beyond-limit",
        code="",
        severity=Severity.NOTE,
        path="diagnoses",
        message=f"The visits carry {len(codes)} diagnoses; an {form} holds {limit}, so the last ones are left out.",
        fix="Put the diagnoses that matter for this stay first.",
        owner=Owner.CLINICIAN,
        values={"found": str(len(codes)), "limit": str(limit)},
    )
    return codes[:limit], [left_out]


def _patient_status(episode: EpisodeRecord | None, closing: bool) -> str:
    """Still a patient until the discharge is on the claim; empty, which the gate holds, when no stay is known."""
    if episode is None:
        return ""
    return episode.patient_status if closing else STILL_A_PATIENT


def _attending(days: Sequence[BillableDay], episode: EpisodeRecord | None) -> Practitioner | None:
    named = most_named(each.attending for day in days for each in day.attended)
    return named or (episode.attending if episode else None)


def _shared_rendering(lines: Sequence[ClaimLine]) -> Practitioner | None:
    """The clinician of every line, sent once for the claim; None when lines differ."""
    first = lines[0].rendering
    return first if first is not None and all(line.rendering == first for line in lines) else None


def _claim_place(days: Sequence[BillableDay], lines: Sequence[ClaimLine]) -> str:
    """The place of the first line rendered in the program's rooms; a telehealth one only when all are."""
    remote = {each.encounter_id for day in days for each in day.attended if each.modality in TELEHEALTH}
    present = (line.place_of_service for line in lines if not set(line.encounter_ids) <= remote)
    return next(present, lines[0].place_of_service)


def _origins(case: PatientCase, days: Sequence[BillableDay]) -> Origins:
    """Origins of claim fields by the record field they came from; ``patient.`` and ``insured.`` ones by path."""
    first = days[0]
    stay = first.episode.origins if first.episode else NO_ORIGINS
    of_stay = ("diagnoses",) if first.episode and first.episode.record.diagnoses else ()
    visits = Origins.first_of(session.origins for day in days for session in day.attended)
    return Origins.first_of(
        (
            case.origins.under("patient."),
            first.coverage.origins.under("insured."),
            stay.only(of_stay),
            visits.only(("diagnoses", "attending", "authorization_number", "rendering")),
            stay,
        )
    )
