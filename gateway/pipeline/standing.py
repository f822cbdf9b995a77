"""What rosters say of some patients and of their organizations' people, looked up in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from gateway.claim.contract import Catalogue, Payer
from gateway.claim.party import Identifier, Relationship
from gateway.claim.roster import (
    CertificationRecord,
    ConsentRecord,
    CredentialRecord,
    EligibilityRecord,
    GrantRecord,
    RosterKind,
    RosterRecord,
    Standing,
    about,
    member_of,
    person_of,
)
from gateway.ports.storage import Transaction
from gateway.services.case import PatientCase


def standing_of(
    tx: Transaction,
    catalogue: Catalogue,
    cases: Mapping[str, PatientCase | None],
    names: Mapping[str, Sequence[Identifier]],
) -> dict[str, Standing]:
    """The standing of each patient, in a number of queries that does not grow with them.

    A row names a patient by one of their identifiers, or by the member number of one of their coverages, where that is
    theirs alone; a credential names an organization, a site or a clinician of theirs.
    """
    organizations = sorted({case.organization for case in cases.values() if case})
    loaded = tx.rosters.kinds(organizations) if organizations else {}
    patients = {
        patient_id: _names(case, catalogue.payers, names[patient_id])
        for patient_id, case in cases.items()
        if case is not None and loaded[case.organization]
    }
    people = {person_of(npi) for npi in {npi for id in patients for npi in _people(cases[id], catalogue)}}
    told: defaultdict[tuple[str, Identifier], list[RosterRecord]] = defaultdict(list)
    wanted = [*people, *(name for each in patients.values() for name in each)]
    for organization, record in tx.rosters.about(organizations, wanted) if wanted else ():
        told[organization, about(record)].append(record)
    credentials: defaultdict[str, dict[str, tuple[CredentialRecord, ...]]] = defaultdict(dict)
    for (organization, name), records in told.items():
        if name in people:
            held = tuple(each for each in records if isinstance(each, CredentialRecord))
            credentials[organization][name.value] = held
    found = {patient_id: Standing() for patient_id in cases}
    for patient_id, own in patients.items():
        case = cases[patient_id]
        assert case is not None, "only patients with a case have names here"
        owner = case.organization
        records = [record for name in own for record in told.get((owner, name), ())]
        found[patient_id] = _standing(loaded[owner], credentials[owner], records)
    return found


def _people(case: PatientCase | None, catalogue: Catalogue) -> Iterator[str]:
    """The NPI of everybody the patient's claims may rest on."""
    if case is None:
        return
    yield catalogue.organizations[case.organization].npi
    yield from (each.npi for each in catalogue.facilities.values() if each.organization == case.organization)
    stays = (each.record.attending for each in case.episodes)
    sessions = (session for day in case.book.days for session in day.sessions)
    for who in (*stays, *(each for session in sessions for each in (session.attending, session.rendering))):
        if who is not None:
            yield who.npi


def _names(case: PatientCase, payers: Mapping[str, Payer], identifiers: Sequence[Identifier]) -> list[Identifier]:
    """Everything a row may call the patient, each once; a dependent's member number is the subscriber's too."""
    members = (
        member_of(each.payer, each.record.member_number)
        for each in case.coverages
        if each.payer
        and each.record.member_number
        and (each.record.relationship is Relationship.SELF or payers[each.payer].members_are_subscribers)
    )
    return list(dict.fromkeys((*identifiers, *members)))


def _standing(
    loaded: set[RosterKind],
    credentials: Mapping[str, tuple[CredentialRecord, ...]],
    told: Sequence[RosterRecord],
) -> Standing:
    return Standing(
        credentials=credentials if RosterKind.CREDENTIALS in loaded else None,
        eligibility=tuple(each for each in told if isinstance(each, EligibilityRecord))
        if RosterKind.ELIGIBILITY in loaded
        else None,
        certifications=tuple(each for each in told if isinstance(each, CertificationRecord))
        if RosterKind.CERTIFICATIONS in loaded
        else None,
        consents=tuple(each for each in told if isinstance(each, ConsentRecord))
        if RosterKind.CONSENTS in loaded
        else None,
        grants=tuple(each for each in told if isinstance(each, GrantRecord)),
    )
