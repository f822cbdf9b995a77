"""What rosters say of some patients and of their organizations' people, looked up in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gateway.claim.contract import Payer
from gateway.claim.party import Identifier, Relationship
from gateway.claim.roster import (
    CertificationRecord,
    ConsentRecord,
    CredentialRecord,
    EligibilityRecord,
    RosterKind,
    RosterRecord,
    Standing,
    member_of,
)
from gateway.ports.storage import Transaction
from gateway.services.case import PatientCase


def standing_of(
    tx: Transaction,
    payers: Mapping[str, Payer],
    cases: Mapping[str, PatientCase | None],
    names: Mapping[str, Sequence[Identifier]],
) -> dict[str, Standing]:
    """The standing of each patient, in a number of queries that does not grow with them.

    A row names a patient by one of their identifiers, or by the member number of one of their coverages, where that is
    theirs alone.
    """
    organizations = sorted({case.organization for case in cases.values() if case})
    loaded: defaultdict[str, set[RosterKind]] = defaultdict(set)
    for status in tx.rosters.statuses(organizations) if organizations else ():
        loaded[status.organization].add(status.kind)
    people = {
        each: by_npi(tx.rosters.credentials(each)) for each in organizations if RosterKind.CREDENTIALS in loaded[each]
    }
    asked = {patient_id: _names(case, payers, names[patient_id]) for patient_id, case in cases.items() if case}
    papers = [each for each, kinds in loaded.items() if kinds - {RosterKind.CREDENTIALS}]
    about: defaultdict[tuple[str, Identifier], list[RosterRecord]] = defaultdict(list)
    everybody = [name for each in asked.values() for name in each]
    for organization, record in tx.rosters.about(papers, everybody) if papers else ():
        assert not isinstance(record, CredentialRecord), "a credential names no patient"
        about[organization, record.patient].append(record)
    found: dict[str, Standing] = {}
    for patient_id, case in cases.items():
        if case is None:
            found[patient_id] = Standing()
            continue
        owner = case.organization
        told = [record for name in asked[patient_id] for record in about.get((owner, name), ())]
        found[patient_id] = _standing(loaded[owner], people.get(owner), told)
    return found


def by_npi(credentials: Iterable[CredentialRecord]) -> dict[str, tuple[CredentialRecord, ...]]:
    """Credentials by the NPI they are about."""
    found: dict[str, tuple[CredentialRecord, ...]] = {}
    for each in credentials:
        found[each.npi] = (*found.get(each.npi, ()), each)
    return found


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
    credentials: Mapping[str, tuple[CredentialRecord, ...]] | None,
    told: Sequence[RosterRecord],
) -> Standing:
    return Standing(
        credentials=credentials,
        eligibility=tuple(each for each in told if isinstance(each, EligibilityRecord))
        if RosterKind.ELIGIBILITY in loaded
        else None,
        certifications=tuple(each for each in told if isinstance(each, CertificationRecord))
        if RosterKind.CERTIFICATIONS in loaded
        else None,
        consents=tuple(each for each in told if isinstance(each, ConsentRecord))
        if RosterKind.CONSENTS in loaded
        else None,
    )
