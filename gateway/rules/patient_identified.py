"""The patient and the subscriber are described as completely as the payer needs to find them.

Why: a payer finds its member by name, birth date, sex and id; when the patient is the subscriber, address and birth
    date must be on the claim too, though no structural check asks for them.
Fails: patient without name, birth date or sex; birth date after the first date of service; patient is the subscriber
    and has no address; patient is a dependent and the subscriber has no name; a postal code that is not 5 or 9 digits.
Passes: name, birth date, sex and address of a patient who is the subscriber; name, birth date, sex of a dependent and
    the subscriber's name.
Source: 005010X223A2 and 005010X222A1 loops 2010BA and 2010CA (NM1, N3, N4, DMG); SNIP type 4.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.party import Address, Person, Relationship
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    patient, insured = claim.patient, claim.insured
    for name in _missing_parts(patient):
        yield _missing(inspection, "patient", name)
    if patient.birth_on is not None and patient.birth_on > claim.statement_from_on:
        yield RULE.finding(
            "patient.birth_on",
            "The patient's birth date lies after the first date of service.",
            "Correct the birth date in the EHR's registration.",
            values={"service_on": claim.statement_from_on.isoformat()},
            origin=inspection.origin("patient.birth_on"),
            cents=claim.charge_cents,
        )
    if insured.relationship is Relationship.SELF:
        if patient.address is None or not _is_complete(patient.address):
            yield _missing(inspection, "patient", "address")
    elif insured.subscriber.name is None or not insured.subscriber.name.family:
        yield _missing(inspection, "insured.subscriber", "name")


def _missing_parts(person: Person) -> Iterator[str]:
    if person.name is None or not person.name.family:
        yield "name"
    if person.birth_on is None:
        yield "birth_on"
    if person.sex is None:
        yield "sex"


def _is_complete(address: Address) -> bool:
    code = address.postal_code
    return bool(address.line1 and address.city and address.state) and code.isdecimal() and len(code) in (5, 9)


def _missing(inspection: Inspection, who: str, name: str) -> Finding:
    claim = inspection.claim
    word = {"birth_on": "birth date"}.get(name, name)
    person = "subscriber" if "." in who else who
    field = f"insured.subscriber_{name}" if "." in who else f"patient.{name}"
    return RULE.finding(
        f"{who}.{name}",
        f"The {person}'s {word} is missing or incomplete.",
        f"Complete the {person}'s {word} in the EHR's registration and send it again.",
        origin=inspection.origin(field),
        cents=claim.charge_cents,
    )


RULE = Rule(
    name="patient-identified",
    code="G04",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.STRUCTURE,
    snip=4,
    page=__doc__,
    check=_check,
    judges_voids=True,
)
