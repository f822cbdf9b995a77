"""Gathers what is known of some patients, in bulk, and turns it into cases the services can assemble."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from gateway.authorization.account import AuthorizationEntry
from gateway.claim.origins import NO_ORIGINS
from gateway.claim.record import (
    CoverageRecord,
    EncounterRecord,
    EpisodeRecord,
    PatientRecord,
    RecordKind,
)
from gateway.claim.roster import Standing
from gateway.lifecycle import ClaimFact, ClaimState, version_state
from gateway.pipeline.grants import KnownAuthorization, on_file
from gateway.pipeline.money import live_version
from gateway.pipeline.rooms import Gathering, gather_rooms
from gateway.pipeline.standing import standing_of
from gateway.ports.claims import ClaimRow, Draft, Override, Version
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import Transaction
from gateway.ports.subjects import Assertion
from gateway.ports.watch import AuthorizationName, EntryRow
from gateway.services.case import (
    KnownCoverage,
    KnownEpisode,
    Merged,
    PatientCase,
    PlacedEncounter,
    SourcedRecord,
)
from gateway.services.days import service_days
from gateway.services.merge import merge_records


class KnownClaim(Struct, frozen=True, kw_only=True):
    """A claim of the patient as stored: identity, draft, versions, facts, overrides."""

    row: ClaimRow
    draft: Draft | None
    versions: tuple[Version, ...]
    facts: tuple[ClaimFact, ...]
    overrides: tuple[Override, ...]

    def state_of(self, version: Version) -> ClaimState:
        """The state of one version."""
        return version_state(fact for fact in self.facts if fact.version_id == version.id)

    @property
    def live(self) -> Version | None:
        """The newest version that the payer has or may have."""
        return live_version(self.versions, self.facts)

    def payer_claim_number(self, version: Version) -> str:
        """The payer's own number of a version, as its answers gave it; empty when none did."""
        given = [each.payer_claim_number for each in self.facts if each.version_id == version.id]
        return next((each for each in reversed(given) if each), "")


class PatientFacts(Struct, frozen=True, kw_only=True):
    """One patient: the case to assemble, and the claims that exist."""

    patient_id: str
    case: PatientCase | None
    """None when nothing is asserted of the patient any more."""
    claims: tuple[KnownClaim, ...]
    standing: Standing
    gathering: Gathering
    authorizations: tuple[KnownAuthorization, ...] = ()
    elsewhere: tuple[EntryRow, ...] = ()
    """What the same member's days did to these authorizations where we know the person as somebody else."""
    entries_before: frozenset[AuthorizationEntry] = frozenset()
    """The patient's own entries as last derived, where there are others'."""


def gather(tx: Transaction, policy: PolicyInForce, patient_ids: Sequence[str]) -> list[PatientFacts]:
    """Everything known of the patients, in a number of queries that does not grow with them."""
    joined = tx.subjects.joined(patient_ids)
    everyone = [*patient_ids, *(each for others in joined.values() for each in others)]
    said = tx.subjects.about_patients(patient_ids)
    names = tx.subjects.identifiers(patient_ids)
    rows = tx.claims.of_patients(everyone)
    ids = [row.id for row in rows]
    drafts, versions = tx.claims.drafts(ids), tx.claims.versions(ids)
    facts, overrides = tx.claims.facts(ids), tx.claims.overrides(ids)
    decisions: dict[str, Mapping[frozenset[str], str]] = {}
    cases: dict[str, PatientCase | None] = {}
    merged: dict[str, dict[RecordKind, dict[str, Merged[Any]]]] = {}
    for patient_id in patient_ids:
        assertions = said[patient_id]
        organization = assertions[0].organization if assertions else ""
        if organization not in decisions:
            decisions[organization] = tx.subjects.encounter_decisions(organization)
        merged[patient_id] = _merged(assertions, policy)
        known = decisions[organization]
        cases[patient_id] = (
            _case(patient_id, organization, merged[patient_id], names[patient_id], policy, known)
            if assertions
            else None
        )
    gatherings = gather_rooms(tx, policy.catalogue, cases, joined)
    standings = standing_of(tx, policy.catalogue, cases, names)
    authorizations = {
        each: tuple(on_file(each, merged[each][RecordKind.AUTHORIZATION], standings[each].grants, policy.catalogue))
        for each in patient_ids
    }
    gathered = []
    for patient_id in patient_ids:
        own = {patient_id, *joined.get(patient_id, ())}
        gathered.append(
            PatientFacts(
                patient_id=patient_id,
                case=_with_grants(cases[patient_id], authorizations[patient_id]),
                claims=tuple(
                    KnownClaim(
                        row=row,
                        draft=drafts.get(row.id),
                        versions=tuple(versions[row.id]),
                        facts=tuple(facts[row.id]),
                        overrides=tuple(overrides[row.id]),
                    )
                    for row in rows
                    if row.patient_id in own
                ),
                standing=standings[patient_id],
                gathering=gatherings[patient_id],
                authorizations=authorizations[patient_id],
            )
        )
    return _with_entries_elsewhere(tx, gathered, joined, policy)


def encounters_as_known(
    tx: Transaction, policy: PolicyInForce, encounter_ids: Sequence[str]
) -> dict[str, Merged[EncounterRecord]]:
    """Each encounter as all its sources together tell it; those taken back everywhere are left out."""
    patients = tx.subjects.standing(sorted(tx.subjects.patients_of(encounter_ids)))
    known: dict[str, Merged[Any]] = {}
    for assertions in tx.subjects.about_patients(patients).values():
        known |= _merged(assertions, policy)[RecordKind.ENCOUNTER]
    return {each: known[each] for each in encounter_ids if each in known}


def authorization_names(facts: PatientFacts) -> set[AuthorizationName]:
    """What the accounts of a patient's authorizations may be known by: every policy's member number, every number."""
    members = {
        (each.payer, each.record.member_number)
        for each in (facts.case.coverages if facts.case else ())
        if each.payer and each.record.member_number
    }
    numbers = {each.record.number for each in facts.authorizations if each.record.number}
    return {(payer, member, number) for payer, member in members for number in numbers}


def _with_entries_elsewhere(
    tx: Transaction, gathered: Sequence[PatientFacts], joined: Mapping[str, Sequence[str]], policy: PolicyInForce
) -> list[PatientFacts]:
    """With the entries of others who are the same member: asked for all patients at once, within the tenant."""
    names = [authorization_names(each) for each in gathered]
    everything = set().union(*names)
    by_name: dict[AuthorizationName, list[EntryRow]] = defaultdict(list)
    for row in tx.authorizations.entries_named(everything) if everything else ():
        by_name[row.entry.payer, row.entry.member, row.entry.number].append(row)
    found = []
    for facts, own_names in zip(gathered, names, strict=True):
        own = {facts.patient_id, *joined.get(facts.patient_id, ())}
        rows = [row for name in sorted(own_names) for row in by_name.get(name, ())]
        elsewhere = tuple(row for row in rows if row.patient_id not in own and _same_tenant(facts, row, policy))
        shared = {(row.entry.payer, row.entry.member, row.entry.number) for row in elsewhere}
        before = frozenset(
            row.entry
            for row in rows
            if row.patient_id in own and (row.entry.payer, row.entry.member, row.entry.number) in shared
        )
        found.append(replace(facts, elsewhere=elsewhere, entries_before=before) if elsewhere else facts)
    return found


def _same_tenant(facts: PatientFacts, row: EntryRow, policy: PolicyInForce) -> bool:
    organizations = policy.catalogue.organizations
    own = organizations.get(facts.case.organization) if facts.case else None
    other = organizations.get(row.organization)
    return own is not None and other is not None and own.tenant == other.tenant


def _with_grants(case: PatientCase | None, known: Sequence[KnownAuthorization]) -> PatientCase | None:
    return case and replace(case, authorizations=tuple(each.record for each in known))


def _case(
    patient_id: str,
    organization: str,
    merged: Mapping[RecordKind, Mapping[str, Merged[Any]]],
    identifiers: Sequence[Any],
    policy: PolicyInForce,
    decisions: Mapping[frozenset[str], str],
) -> PatientCase:
    patients = merged[RecordKind.PATIENT]
    patient = cast("Merged[PatientRecord]", next(iter(patients.values()))) if patients else None
    encounters = [
        _placed(patient_id, organization, id, cast("Merged[EncounterRecord]", each))
        for id, each in merged[RecordKind.ENCOUNTER].items()
    ]
    stays = [_episode(id, cast("Merged[EpisodeRecord]", each)) for id, each in merged[RecordKind.EPISODE].items()]
    programs = tuple(each for each in stays if each.record.setting is None)
    book = service_days(
        encounters,
        policy.catalogue,
        episodes=programs,
        decided_different=frozenset(pair for pair, decision in decisions.items() if decision == "different"),
        decided_same=frozenset(pair for pair, decision in decisions.items() if decision == "same"),
    )
    record = patient.record if patient else PatientRecord(identifiers=tuple(identifiers))
    return PatientCase(
        patient_id=patient_id,
        organization=organization,
        patient=record,
        origins=patient.origins if patient else NO_ORIGINS,
        medical_record_number=policy.medical_record_number(organization, identifiers),
        episodes=programs,
        stays_elsewhere=tuple(each for each in stays if each.record.setting is not None),
        coverages=tuple(
            _coverage(id, cast("Merged[CoverageRecord]", each), policy)
            for id, each in merged[RecordKind.COVERAGE].items()
        ),
        book=book,
        never_bill_payers=frozenset(record.never_bill_payers),
        findings=patient.findings if patient else (),
    )


def _merged(assertions: Sequence[Assertion], policy: PolicyInForce) -> dict[RecordKind, dict[str, Merged[Any]]]:
    grouped: dict[tuple[RecordKind, str], list[SourcedRecord[Any]]] = defaultdict(list)
    for each in assertions:
        assert each.record is not None, "words taken back are not gathered"
        grouped[each.kind, each.subject_id].append(
            SourcedRecord(
                record=each.record,
                source=each.source,
                asserted_at=each.asserted_at,
                origins=each.origins,
                precedence=policy.precedence(each.source),
            )
        )
    merged: dict[RecordKind, dict[str, Merged[Any]]] = {kind: {} for kind in RecordKind}
    for (kind, subject_id), words in sorted(grouped.items()):
        merged[kind][subject_id] = merge_records(words)
    return merged


def _placed(patient_id: str, organization: str, id: str, each: Merged[EncounterRecord]) -> PlacedEncounter:
    return PlacedEncounter(
        encounter_id=id,
        patient_id=patient_id,
        organization=organization,
        record=each.record,
        origins=each.origins,
        findings=each.findings,
        sources=each.sources,
    )


def _episode(id: str, each: Merged[EpisodeRecord]) -> KnownEpisode:
    return KnownEpisode(id=id, record=each.record, origins=each.origins, findings=each.findings)


def _coverage(id: str, each: Merged[CoverageRecord], policy: PolicyInForce) -> KnownCoverage:
    payer = policy.catalogue.payer_named(each.record.payer) if each.record.payer else None
    return KnownCoverage(
        id=id,
        record=each.record,
        payer=payer.id if payer else None,
        origins=each.origins,
        findings=each.findings,
    )
