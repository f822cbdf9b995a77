"""Loops that both 837 guides share, made from a claim of ours: billing provider, subscriber, payer, patient, providers.

Knows no bytes and no envelope; values stay as the claim has them (the writer upper-cases and refuses what cannot go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from clearinghouse.x12 import claims_837 as guide
from clearinghouse.x12.parties import (
    Address,
    Contact,
    ContactNumber,
    Demographics,
    Name,
    Reference,
)
from gateway.claim.claim import BillingProvider, Claim, ClaimLine, Insured, ServiceFacility
from gateway.claim.party import Address as PostalAddress
from gateway.claim.party import Person, PersonName, Practitioner, Relationship, Sex
from gateway.ports import NumberedClaim

_RELATIONSHIPS = {Relationship.SPOUSE: "01", Relationship.CHILD: "19", Relationship.OTHER: "G8"}
WriteClaim = Callable[[NumberedClaim], guide.Claim]


def grouped_transaction(
    claims: Iterable[NumberedClaim],
    write_claim: WriteClaim,
    *,
    kind: guide.ClaimKind,
    batch_reference: str,
    created_at: datetime,
    submitter: guide.Submitter,
    receiver: Name,
    control_number: str = "0001",
) -> guide.ClaimTransaction:
    """One ST: billing provider -> subscriber -> claims, each party written once, in order of first appearance."""
    providers: dict[BillingProvider, dict[guide.Subscriber, list[guide.Claim]]] = {}
    for numbered in claims:
        claim = numbered.claim
        subscribers = providers.setdefault(claim.billing_provider, {})
        subscribers.setdefault(subscriber_loop(claim), []).append(write_claim(numbered))
    return guide.ClaimTransaction(
        kind=kind,
        reference=batch_reference,
        created_on=created_at.date(),
        created_time=created_at.time().replace(microsecond=0, tzinfo=None),
        submitter=submitter,
        receiver=receiver,
        billing_providers=tuple(
            billing_provider_loop(provider, _with_claims(subscribers), submitter)
            for provider, subscribers in providers.items()
        ),
        control_number=control_number,
    )


def submitter_loop(provider: BillingProvider, submitter_id: str) -> guide.Submitter:
    """Loop 1000A where the billing provider submits for itself: its name and contact, the partner's id for it."""
    name = Name(provider.name, id_qualifier="46", identifier=submitter_id)
    return guide.Submitter(name=name, contacts=(_contact(provider),))


def receiver_name(partner: str, receiver_id: str) -> Name:
    """NM1*40 of loop 1000B."""
    return Name(partner, id_qualifier="46", identifier=receiver_id)


def billing_provider_loop(
    provider: BillingProvider, subscribers: tuple[guide.Subscriber, ...], submitter: guide.Submitter
) -> guide.BillingProvider:
    """Loops 2000A and 2010AA. The contact is sent only where it differs from the submitter's, as the guides ask."""
    contact = _contact(provider)
    return guide.BillingProvider(
        name=Name(provider.name, id_qualifier="XX", identifier=provider.npi),
        address=_address(provider.address),
        references=(Reference("EI", provider.tax_id),),
        subscribers=subscribers,
        taxonomy=provider.taxonomy,
        contacts=() if contact in submitter.contacts else (contact,),
    )


def subscriber_loop(claim: Claim) -> guide.Subscriber:
    """Loops 2000B, 2010BA and 2010BB without claims; equal for claims that belong under one HL.

    Name, address and birth date are the patient's where the patient is the subscriber. Where a dependent is the
    patient, only the subscriber's name and member number go out: the guides ask for no more.
    """
    insured = claim.insured
    is_self = insured.relationship is Relationship.SELF
    person = claim.patient if is_self else insured.subscriber
    return guide.Subscriber(
        payer_responsibility=insured.sequence,
        claim_filing_indicator=insured.claim_filing_code,
        name=_person_name(person.name, "MI", insured.member_number),
        payer=_payer(insured),
        claims=(),
        relationship="18" if is_self else "",
        group_number=insured.group_number,
        group_name="" if insured.group_number else insured.group_name,
        address=_address_or_none(person.address) if is_self else None,
        demographics=_demographics(person) if is_self else None,
    )


def patient_loop(claim: Claim) -> guide.Patient | None:
    """Loop 2000C/2010CA for a dependent; None where the patient is the subscriber."""
    relationship = claim.insured.relationship
    if relationship is Relationship.SELF:
        return None
    return guide.Patient(
        relationship=_RELATIONSHIPS[relationship],
        name=_person_name(claim.patient.name),
        address=_address_or_none(claim.patient.address),
        demographics=_demographics(claim.patient),
    )


def claim_references(claim: Claim) -> tuple[Reference, ...]:
    """REF of loop 2300 in the guides' order: prior authorization, payer claim number, medical record number."""
    given = (
        ("G1", claim.authorization_number),
        ("F8", claim.payer_claim_number),
        ("EA", claim.medical_record_number),
    )
    return tuple(Reference(qualifier, value) for qualifier, value in given if value)


def diagnoses(codes: Sequence[str]) -> tuple[guide.Diagnosis, ...]:
    """HI*ABK for the first code, HI*ABF for the others; dots are format, not content."""
    return tuple(
        guide.Diagnosis("ABF" if position else "ABK", code.replace(".", "")) for position, code in enumerate(codes)
    )


def individual(role: str, practitioner: Practitioner) -> guide.Provider:
    """A person among a claim's or line's providers; NM108 is sent only with an NPI."""
    name = _person_name(practitioner.name, "XX", practitioner.npi)
    return guide.Provider(role=role, name=name, taxonomy=practitioner.taxonomy)


def service_facility_loop(facility: ServiceFacility) -> guide.Provider:
    """NM1*77: where the service was given, where that is not the billing address."""
    name = Name(facility.name, id_qualifier="XX" if facility.npi else "", identifier=facility.npi)
    return guide.Provider(role="77", name=name, address=_address(facility.address))


def line_rendering(claim: Claim, line: ClaimLine) -> tuple[guide.Provider, ...]:
    """NM1*82 of a line, only where it differs from the claim's."""
    if line.rendering is None or line.rendering == claim.rendering:
        return ()
    return (individual("82", line.rendering),)


def line_control_number(claim_number: str, line_number: int) -> str:
    """REF*6R: the claim's number and four digits of the line's, unique over all claims of ours."""
    return f"{claim_number}{line_number:04d}"


def _with_claims(subscribers: dict[guide.Subscriber, list[guide.Claim]]) -> tuple[guide.Subscriber, ...]:
    return tuple(_filed(subscriber, claims) for subscriber, claims in subscribers.items())


def _filed(subscriber: guide.Subscriber, claims: list[guide.Claim]) -> guide.Subscriber:
    by_patient: dict[guide.Patient | None, list[guide.Claim]] = {}
    for claim in claims:  # one HL 23 for each dependent, whatever order the claims came in
        by_patient.setdefault(claim.patient, []).append(claim)
    ordered = tuple(claim for together in by_patient.values() for claim in together)
    return replace(subscriber, claims=ordered)


def _payer(insured: Insured) -> guide.Payer:
    return guide.Payer(
        name=Name(insured.payer_name, id_qualifier="PI", identifier=insured.payer_number),
        references=(Reference("G2", insured.provider_number),) if insured.provider_number else (),
    )


def _contact(provider: BillingProvider) -> Contact:
    digits = "".join(character for character in provider.contact_phone if character.isdigit())
    return Contact(name=provider.contact_name, numbers=(ContactNumber("TE", digits),))


def _person_name(name: PersonName | None, id_qualifier: str = "", identifier: str = "") -> Name:
    name = name or PersonName(family="")
    return Name(
        last_or_organization=name.family,
        first=name.given,
        middle=name.middle,
        suffix=name.suffix,
        id_qualifier=id_qualifier if identifier else "",
        identifier=identifier,
        entity_type="1",
    )


def _address(address: PostalAddress) -> Address:
    return Address(
        line_1=address.line1,
        line_2=address.line2,
        city=address.city,
        state=address.state,
        postal_code=address.postal_code,
    )


def _address_or_none(address: PostalAddress | None) -> Address | None:
    return None if address is None else _address(address)


def _demographics(person: Person) -> Demographics | None:
    if person.birth_on is None:
        return None
    return Demographics(born_on=person.birth_on, gender=person.sex or Sex.UNKNOWN)
