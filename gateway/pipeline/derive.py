"""Derive: for some patients, everything that follows from the facts, replaced whole. Safe to repeat, in any order.

What is frozen stays as it was. Where the facts now say otherwise, a replacement or a void is made ready for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from gateway.claim.actor import MACHINE, Actor
from gateway.claim.attendance import ServiceDay
from gateway.claim.claim import Claim, ClaimKey
from gateway.claim.contract import Catalogue, Release
from gateway.claim.finding import Finding, blocks
from gateway.claim.fingerprint import billing_fingerprint, content_fingerprint
from gateway.claim.identifiers import stable_id
from gateway.claim.roster import CredentialRecord, Standing
from gateway.lifecycle import (
    ADJUDICATED,
    ClaimFact,
    ClaimState,
    DraftSituation,
    FactKind,
    claim_state,
)
from gateway.pipeline.authorizations import accounts_of, entries_of
from gateway.pipeline.check import Candidate, Checker
from gateway.pipeline.corrections import billed_otherwise, correction_items
from gateway.pipeline.denial_items import denial_items
from gateway.pipeline.facts import KnownClaim, PatientFacts, gather
from gateway.pipeline.judged import judged_on, sealed
from gateway.pipeline.money import VOID, state_of
from gateway.pipeline.papers_due import papers_due
from gateway.pipeline.watch import Watched, keep_watch
from gateway.pipeline.worklist import worklist_of
from gateway.ports.claims import ClaimRow, DayRow, Draft, PlacementRow
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import Transaction
from gateway.rules.context import GateContext, PreviousVersion, lines_of
from gateway.services.assembly import assemble
from gateway.services.case import Assembly, DraftClaim, Placement
from gateway.services.claim_change import with_change_reason

_PROGRAM = f"cleanclaim={version('cleanclaim')}"
REPLACEMENT = "7"


class _Proposal(Struct, frozen=True, kw_only=True):
    """A draft worth keeping: what would be sent for one claim now."""

    row: ClaimRow
    known: KnownClaim | None
    claim: Claim
    findings: tuple[Finding, ...]
    encounter_ids: tuple[str, ...]
    days: tuple[ServiceDay, ...]
    complete: bool
    ready_on: date | None
    correction: bool


class Derivation:
    """Derives for batches of patients inside a transaction that the caller opened."""

    def __init__(self, policy: PolicyInForce, checker: Checker) -> None:
        self._policy = policy
        self._checker = checker

    def derive(self, tx: Transaction, patient_ids: Sequence[str], now: datetime) -> None:
        """Replace what follows from the patients' facts. ``patient_ids`` may name joined patients."""
        standing = tx.subjects.standing(patient_ids)
        placements: list[PlacementRow] = []
        days: list[DayRow] = []
        rows: list[ClaimRow] = []
        judged: list[tuple[_Proposal, Candidate, str | None]] = []
        in_force, last_words = self.derived_for(now), tx.subjects.last_words(standing)
        drafts: list[Draft] = []
        states: list[tuple[str, ClaimState]] = []
        new_facts: list[ClaimFact] = []
        gone: list[str] = []
        watch: list[Watched] = []
        gathered = gather(tx, self._policy, standing)
        for facts in gathered:
            today = today_of(self._policy.catalogue, facts.case.organization if facts.case else "", now)
            assembly = (
                assemble(facts.case, self._policy.catalogue, today)
                if facts.case
                else Assembly(drafts=(), placements=())
            )
            proposals = self._proposals(facts, assembly, now)
            rows.extend(each.row for each in proposals)
            watched = self._watched(facts, assembly, proposals, today)
            watch.append(watched)
            basis = judged_on(in_force, last_words[facts.patient_id], facts)
            judged += [
                (proposal, self._candidate(facts, proposal, proposals, watched, today), basis) for proposal in proposals
            ]
            proposed = {each.row.id for each in proposals}
            for known in facts.claims:
                if known.row.id not in proposed:
                    gone.append(known.row.id)
                    states.append((known.row.id, state_of(None, known.versions, known.facts)))
            placements.extend(_placement_rows(facts, assembly, proposals))
            days.extend(_day_rows(facts, assembly, self._policy.catalogue))
        found = self._checker.check([candidate for _, candidate, _ in judged])
        for (proposal, candidate, basis), findings in zip(judged, found, strict=True):
            draft = _draft(proposal, candidate.content_hash, findings, basis)
            drafts.append(draft)
            state, fact = self._state(proposal, draft, now)
            states.append((proposal.row.id, state))
            new_facts.extend(fact)
        tx.claims.ensure(rows)
        tx.claims.save_drafts(drafts)
        tx.claims.drop_drafts(gone)
        tx.claims.add_facts(new_facts)
        tx.claims.set_states(states)
        everybody = [*standing, *_joined(tx, standing)]
        tx.claims.replace_placements(everybody, placements, days)
        keep_watch(tx, everybody, watch)

    def derived_for(self, now: datetime) -> str:
        """What a derivation depends on beside the facts: each organization's date, the mapping set, the code lists, and
        this program, whose rules change with its version."""
        catalogue = self._policy.catalogue
        dates = sorted(f"{each}={today_of(catalogue, each, now)}" for each in catalogue.organizations)
        return " ".join((catalogue.content_hash, *dates, self._policy.codes.version, _PROGRAM)).strip()

    # --- what would be sent ------------------------------------------------------------------------------------------

    def _proposals(self, facts: PatientFacts, assembly: Assembly, now: datetime) -> list[_Proposal]:
        by_identity = _by_identity(facts)
        proposals: list[_Proposal] = []
        supported: set[str] = set()
        for drafted in assembly.drafts:
            known = by_identity.get(_identity(drafted.claim.key))
            row = known.row if known else self._new_row(drafted.claim, now)
            supported.add(row.id)
            proposal = _proposal(row, known, drafted)
            if proposal is not None:
                proposals.append(proposal)
        for known in facts.claims:
            live = known.live
            if known.row.id in supported or live is None or live.claim.frequency == VOID:
                continue
            proposals.append(_void(known, live.claim))
        return proposals

    def _new_row(self, claim: Claim, now: datetime) -> ClaimRow:
        key = str(claim.key)
        organization = self._policy.catalogue.organizations[claim.key.organization]
        return ClaimRow(
            id=stable_id("claim", key),
            tenant=organization.tenant,
            organization=claim.key.organization,
            patient_id=claim.key.patient_id,
            payer=claim.key.payer,
            key=key,
            state=ClaimState.WAITING,
            created_at=now,
        )

    def _watched(self, facts: PatientFacts, assembly: Assembly, proposals: Sequence[_Proposal], today: date) -> Watched:
        catalogue = self._policy.catalogue
        claims = {each.row.key: each.claim for each in proposals}
        entries = entries_of(facts, claims, assembly.expected, catalogue)
        accounts = accounts_of(facts, entries, catalogue, today)
        billed = [(claim, sent) for _, claim, _, sent in _billed_claims(facts, proposals)]
        items = (
            *worklist_of(facts, entries, accounts, claims.values(), catalogue, today),
            *papers_due(facts, billed, catalogue, today),
            *denial_items(facts.claims, today),
            *correction_items(
                ((each.row.id, facts.patient_id, each.claim, each.findings) for each in proposals if each.correction),
                catalogue.payers,
            ),
        )
        return Watched(facts=facts, entries=tuple(entries), accounts=tuple(accounts), items=items)

    # --- judging it --------------------------------------------------------------------------------------------------

    def _candidate(
        self,
        facts: PatientFacts,
        proposal: _Proposal,
        everyone: Sequence[_Proposal],
        watched: Watched,
        today: date,
    ) -> Candidate:
        return Candidate(
            claim=proposal.claim,
            content_hash=content_fingerprint(proposal.claim),
            context=self._context(facts, proposal, everyone, watched, today),
            earlier=proposal.findings,
            overrides=proposal.known.overrides if proposal.known else (),
        )

    def _context(
        self, facts: PatientFacts, proposal: _Proposal, everyone: Sequence[_Proposal], watched: Watched, today: date
    ) -> GateContext:
        case = facts.case
        catalogue = self._policy.catalogue
        claim = proposal.claim
        own = {each.encounter_id for day in proposal.days for each in day.sessions}
        others = [each for each in _billed_claims(facts, everyone) if each[0] != proposal.row.key]
        finalized = {each.row.key for each in facts.claims if each.live and each.state_of(each.live) in ADJUDICATED}
        return GateContext(
            today=today,
            catalogue=catalogue,
            payer=catalogue.payers.get(claim.key.payer),
            facility=catalogue.facilities.get(claim.key.facility),
            codes=self._policy.codes,
            days={day.on: day for day in proposal.days},
            other_days=tuple(day for day in case.book.days if day.sessions[0].encounter_id not in own) if case else (),
            coverages=case.coverages if case else (),
            authorizations=case.authorizations if case else (),
            authorization_use=tuple(watched.uses_beside(claim)),
            accounts=watched.accounts,
            credentials=_credentials(facts.standing, claim),
            eligibility=facts.standing.eligibility,
            certifications=facts.standing.certifications,
            consents=facts.standing.consents,
            billed_lines=tuple(
                line
                for key, other, number, sent in others
                for line in lines_of(other, key, number, sent=sent, finalized=key in finalized)
            ),
            previous=_previous(proposal.known),
            never_bill_payers=case.never_bill_payers if case else frozenset(),
            stays=tuple(each.record for each in case.episodes) if case else (),
            deceased_on=case.patient.deceased_on if case else None,
            stays_elsewhere=case.stays_elsewhere if case else (),
            rooms_elsewhere=facts.gathering.rooms_elsewhere,
            group_sizes=facts.gathering.group_sizes,
        )

    def _state(self, proposal: _Proposal, draft: Draft, now: datetime) -> tuple[ClaimState, list[ClaimFact]]:
        known = proposal.known
        facts = known.facts if known else ()
        versions = [(each.id, each.content_hash) for each in known.versions] if known else []
        situation = DraftSituation(
            content_hash=draft.content_hash,
            blocked=bool(blocks(draft.findings)),
            complete=draft.complete,
            correction=proposal.correction,
        )
        state = claim_state(situation, versions, facts)
        payer = self._policy.catalogue.payers.get(draft.claim.key.payer)
        if state is not ClaimState.READY or payer is None or payer.release is not Release.AUTOMATIC:
            return state, []
        release = release_fact(proposal.row.id, draft.content_hash, facts, now, MACHINE, "clean")
        return ClaimState.RELEASED, [release]


def _draft(proposal: _Proposal, content_hash: str, findings: tuple[Finding, ...], basis: str | None) -> Draft:
    draft = Draft(
        claim_id=proposal.row.id,
        claim=proposal.claim,
        content_hash=content_hash,
        findings=findings,
        complete=proposal.complete,
        ready_on=proposal.ready_on,
        encounter_ids=proposal.encounter_ids,
    )
    return replace(draft, judged_on=sealed(basis, draft))


def release_fact(
    claim_id: str, content_hash: str, facts: Sequence[ClaimFact], now: datetime, actor: Actor, reason: str
) -> ClaimFact:
    """The fact that this content of this claim may leave; the count of earlier facts keeps a second release apart."""
    return ClaimFact(
        id=stable_id("released", claim_id, content_hash, str(len(facts))),
        claim_id=claim_id,
        version_id="",
        kind=FactKind.RELEASED,
        at=now,
        actor=actor.name,
        role=actor.role,
        code=content_hash,
        reason=reason,
    )


def _credentials(standing: Standing, claim: Claim) -> tuple[CredentialRecord, ...] | None:
    """The roster's rows of everybody the claim names; None when no roster is loaded."""
    if standing.credentials is None:
        return None
    clinicians = (claim.attending, claim.rendering, *(line.rendering for line in claim.lines))
    places = (claim.billing_provider.npi, claim.service_facility.npi if claim.service_facility else "")
    named = dict.fromkeys((*places, *(each.npi for each in clinicians if each is not None)))
    return tuple(record for npi in named for record in standing.credentials.get(npi, ()))


def _proposal(row: ClaimRow, known: KnownClaim | None, drafted: DraftClaim) -> _Proposal | None:
    """What to do with an assembled claim: send it, replace what the payer has, or nothing because nothing changed."""
    claim = replace(drafted.claim, key=_stored_key(row, drafted.claim.key))
    live = known.live if known else None
    if known is None or live is None:
        return _proposed(row, known, claim, drafted, correction=False)
    if live.claim.frequency != VOID and billing_fingerprint(live.claim) == billing_fingerprint(claim):
        return None
    if live.claim.frequency == VOID:
        return _proposed(row, known, claim, drafted, correction=True)
    replaced = replace(claim, frequency=REPLACEMENT, payer_claim_number=known.payer_claim_number(live))
    return _proposed(row, known, with_change_reason(live.claim, replaced), drafted, correction=True)


def _proposed(
    row: ClaimRow, known: KnownClaim | None, claim: Claim, drafted: DraftClaim, *, correction: bool
) -> _Proposal:
    differs = (billed_otherwise(known.live, claim),) if correction and known and known.live else ()
    return _Proposal(
        row=row,
        known=known,
        claim=claim,
        findings=(*drafted.findings, *differs),
        encounter_ids=drafted.encounter_ids,
        days=drafted.days,
        complete=drafted.complete,
        ready_on=drafted.ready_on,
        correction=correction,
    )


def _void(known: KnownClaim, claim: Claim) -> _Proposal:
    """Nothing supports the claim any more: take it back in the amounts it was sent with."""
    live = known.live
    assert live is not None, "only what the payer may have is voided"
    taken_back = replace(claim, frequency=VOID, payer_claim_number=known.payer_claim_number(live))
    void = with_change_reason(live.claim, taken_back)
    return _Proposal(
        row=known.row,
        known=known,
        claim=void,
        findings=(billed_otherwise(live, void),),
        encounter_ids=(),
        days=(),
        complete=True,
        ready_on=None,
        correction=True,
    )


def _stored_key(row: ClaimRow, key: ClaimKey) -> ClaimKey:
    """The key as stored: after two patients were joined, a claim that was sent keeps the patient it was sent under."""
    return key if row.patient_id == key.patient_id else replace(key, patient_id=row.patient_id)


def _identity(key: ClaimKey) -> str:
    return str(replace(key, patient_id=""))


def _by_identity(facts: PatientFacts) -> dict[str, KnownClaim]:
    """Claims by key without the patient. Of two joined patients' claims, the one with versions stands."""
    found: dict[str, KnownClaim] = {}
    for known in facts.claims:
        identity = known.row.key.replace(f"/{known.row.patient_id}/", "//", 1)
        if identity not in found or known.versions:
            found[identity] = known
    return found


def _previous(known: KnownClaim | None) -> PreviousVersion | None:
    if known is None or known.live is None:
        return None
    live = known.live
    return PreviousVersion(
        claim_number=live.claim_number,
        payer_claim_number=known.payer_claim_number(live),
        payer=live.claim.key.payer,
        patient_id=known.row.patient_id,
        adjudicated=known.state_of(live) in ADJUDICATED,
    )


def _billed_claims(facts: PatientFacts, everyone: Sequence[_Proposal]) -> list[tuple[str, Claim, str, bool]]:
    """(key, claim, claim number, sent) of every claim of the patient as it stands or would be sent."""
    billed = {each.row.key: (each.row.key, each.claim, "", False) for each in everyone if each.claim.frequency != VOID}
    for known in facts.claims:
        live = known.live
        if live is not None and live.claim.frequency != VOID and known.row.key not in billed:
            billed[known.row.key] = (known.row.key, live.claim, live.claim_number, True)
    return list(billed.values())


def _placement_rows(facts: PatientFacts, assembly: Assembly, proposals: Sequence[_Proposal]) -> list[PlacementRow]:
    keys = {_identity(each.claim.key): each.row.key for each in proposals}
    keys |= {identity: known.row.key for identity, known in _by_identity(facts).items() if identity not in keys}
    stored = {
        each: keys.get(_identity(each), str(each)) for each in {each.claim_key for each in assembly.placements} if each
    }
    return [
        _placement_row(facts.patient_id, each, stored[each.claim_key] if each.claim_key else "")
        for each in assembly.placements
    ]


def _placement_row(patient_id: str, placed: Placement, key: str) -> PlacementRow:
    return PlacementRow(
        encounter_id=placed.encounter_id,
        patient_id=patient_id,
        payer=placed.payer,
        place=placed.place,
        reason=placed.reason,
        on=placed.on,
        claim_key=key,
        cents=placed.cents,
        findings=placed.findings,
    )


def _day_rows(facts: PatientFacts, assembly: Assembly, catalogue: Catalogue) -> list[DayRow]:
    if facts.case is None:
        return []
    return [
        DayRow(
            patient_id=facts.patient_id,
            organization=day.organization,
            facility=day.facility,
            program=day.program,
            level_of_care=day.level_of_care,
            on=day.on,
            minutes=day.minutes,
            services=day.services,
            cents=assembly.cents.get(day.sessions[0].encounter_id, 0),
            attended_ids=tuple(each.encounter_id for each in day.attended if catalogue.sessions[each.session].clinical),
        )
        for day in facts.case.book.days
    ]


def _joined(tx: Transaction, standing: Sequence[str]) -> list[str]:
    return [each for others in tx.subjects.joined(standing).values() for each in others]


def today_of(catalogue: Catalogue, organization: str, now: datetime) -> date:
    """The date at the organization's own place."""
    for facility in catalogue.facilities.values():
        if facility.organization == organization:
            return now.astimezone(ZoneInfo(facility.time_zone)).date()
    return now.date()
