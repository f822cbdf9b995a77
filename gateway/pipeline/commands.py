"""What people decide: release, hold, override, resolve, which visits are one. Each is guarded, named and audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from gateway.claim.actor import Actor
from gateway.claim.finding import Severity, blocks
from gateway.claim.record import EncounterRecord, RecordKind
from gateway.claim.roster import CredentialRecord, RosterKind, RosterRecord, is_member
from gateway.errors import Conflict, NotAllowed, NotFound
from gateway.lifecycle import ClaimState, DeliveryState, FactKind, guard_hold, guard_release
from gateway.permissions import Permission, require, to_close_as
from gateway.pipeline.answer_doubts import begun, spoken_of
from gateway.pipeline.deliver import add_interchange_fact
from gateway.pipeline.derive import Derivation, release_fact
from gateway.pipeline.holds import hold
from gateway.pipeline.money import project
from gateway.ports import Clock
from gateway.ports.claims import ClaimRow, Override
from gateway.ports.exchanges import InterchangeRow
from gateway.ports.rosters import Changes
from gateway.ports.storage import Store, Transaction
from gateway.ports.watch import Closing, Outcome, WorkItem
from gateway.ports.work import WorkKind

RESOLUTIONS = frozenset({"resend", "confirm-delivered", "abandon"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLoad:
    """What loading a roster came to. ``unmatched`` counts the patients it names whom no feed has told of yet."""

    rows: int
    added: int
    changed: int
    retired: int
    unmatched: int


class Commands:
    """The moves people may make."""

    def __init__(self, store: Store, clock: Clock, derivation: Derivation) -> None:
        self._store = store
        self._clock = clock
        self._derivation = derivation

    def release(self, claim: str, actor: Actor, reason: str = "") -> ClaimState:
        """Let a clean claim leave as it is now. Raises NotFound, NotAllowed."""
        require(actor, Permission.RELEASE)
        with self._store.write() as tx:
            row = self._fresh(tx, claim)
            draft = tx.claims.drafts([row.id]).get(row.id)
            guard_release(ClaimState(row.state), blocked=draft is not None and bool(blocks(draft.findings)))
            if draft is None:
                raise NotAllowed("nothing supports this claim any more, so there is nothing to release")
            facts = tx.claims.facts([row.id])[row.id]
            now = self._clock.now()
            fact = release_fact(row.id, draft.content_hash, facts, now, actor, reason)
            tx.claims.add_facts([fact])
            tx.audit.record(now, actor, "release", f"claim:{row.id}", reason)
            project(tx, [row.id])
            return ClaimState.RELEASED

    def hold(self, claim: str, actor: Actor, reason: str) -> None:
        """Keep a claim back until somebody releases it. Raises NotFound, NotAllowed."""
        require(actor, Permission.HOLD)
        if not reason:
            raise NotAllowed("a hold needs a reason; say why with --reason")
        with self._store.write() as tx:
            row = self._fresh(tx, claim)
            guard_hold(ClaimState(row.state))
            hold(tx, row.id, actor, reason, self._clock.now())

    def override(self, claim: str, rule: str, actor: Actor, reason: str, expires_on: date) -> None:
        """Let one rule's block pass on one claim until a day. Raises NotFound, NotAllowed."""
        require(actor, Permission.OVERRIDE)
        if not reason:
            raise NotAllowed("an override needs a reason; it shows on the claim for ever")
        with self._store.write() as tx:
            row = self._fresh(tx, claim)
            draft = tx.claims.drafts([row.id]).get(row.id)
            found = [each for each in draft.findings if each.rule == rule] if draft else []
            blocking = [each for each in found if each.severity is Severity.BLOCK]
            if not blocking:
                raise NotFound(f"no block of the rule {rule} holds this claim")
            if not all(each.overridable for each in blocking):
                raise NotAllowed(f"nothing overrides {rule}: it is structure, Part 2, or a patient's own restriction")
            now = self._clock.now()
            if expires_on < now.date():
                raise NotAllowed(f"the override would have run out on {expires_on}; give a day that is still to come")
            tx.claims.add_override(
                Override(
                    claim_id=row.id,
                    rule=rule,
                    actor=actor.name,
                    role=actor.role,
                    reason=reason,
                    expires_on=expires_on,
                )
            )
            tx.audit.record(now, actor, "override", f"claim:{row.id}", reason, rule)
            self._derivation.derive(tx, [row.patient_id], now)

    def resolve(self, interchange_id: str, resolution: str, actor: Actor, reason: str) -> DeliveryState:
        """Decide on a file in doubt, or abandon one of which no byte was sent.

        Raises NotFound, NotAllowed; Conflict where a sender or an answer moved the file since it was looked at.
        """
        require(actor, Permission.RESOLVE)
        if not reason:
            raise NotAllowed("a decision on a file in doubt needs a reason; say why with --reason")
        if resolution not in RESOLUTIONS:
            raise NotAllowed(f"a file is resolved by one of {', '.join(sorted(RESOLUTIONS))}")
        with self._store.write() as tx:
            row = tx.exchanges.interchange(interchange_id)
            if row is None:
                raise NotFound(
                    "there is no such interchange; 'cleanclaim exchange status' shows the ids of those in doubt"
                )
            now = self._clock.now()
            tx.audit.record(now, actor, resolution, f"interchange:{row.id}", reason)
            if resolution == "abandon":
                if row.state != DeliveryState.READY or begun(tx.exchanges.steps(row.id)):
                    raise NotAllowed("only a file of which no byte was ever sent can be abandoned")
                _move(tx, row, DeliveryState.ABANDONED)
                tx.exchanges.free_versions(row.id)
                add_interchange_fact(tx, row.id, FactKind.FREED, "", now, actor=actor, reason=reason)
                self._derive_carried(tx, row.id)
                return DeliveryState.ABANDONED
            if row.state != DeliveryState.IN_DOUBT:
                raise NotAllowed(f"this file is {row.state}, not in doubt")
            if resolution == "resend" and spoken_of(tx, row):
                raise NotAllowed("an answer speaks of this file, so the partner has it; confirm that it is delivered")
            if resolution == "resend":
                state, kind, code = DeliveryState.READY, FactKind.NOT_ARRIVED, str(row.epoch)
            else:
                state, kind, code = DeliveryState.DELIVERED, FactKind.DELIVERED, ""
            _move(tx, row, state)
            add_interchange_fact(tx, row.id, kind, code, now, actor=actor, reason=reason)
            return state

    def close_item(self, item_id: str, outcome: Outcome, actor: Actor, reason: str) -> WorkItem:
        """Take an item off the worklist until a new answer or fact makes it another one. The same again is one act.

        Raises NotFound, NotAllowed without a reason, Conflict where somebody closed it otherwise.
        """
        require(actor, to_close_as(outcome))
        if not reason:
            raise NotAllowed("closing an item needs a reason; say what was done with --reason")
        with self._store.write() as tx:
            item, now = self._fresh_item(tx, item_id), self._clock.now()
            closing = Closing(at=now, actor=actor.name, role=actor.role, outcome=outcome, reason=reason)
            stands = tx.worklist.close(item.id, closing)
            if stands is None:
                tx.audit.record(now, actor, "close-work-item", f"work-item:{item.id}", reason, _told(item, outcome))
            elif replace(stands, at=now) != closing:
                raise Conflict(
                    f"{stands.actor} closed it on {stands.at:%Y-%m-%d} as {stands.outcome}; reopen it to say otherwise"
                )
            return replace(item, closing=stands or closing)

    def reopen_item(self, item_id: str, actor: Actor, reason: str = "") -> WorkItem:
        """Put a closed item back on the worklist; one that is open stays as it is. Raises NotFound, NotAllowed."""
        require(actor, Permission.CLOSE_WORK)
        with self._store.write() as tx:
            item = self._fresh_item(tx, item_id)
            if tx.worklist.reopen(item.id):
                told = _told(item, item.closing.outcome if item.closing else "")
                tx.audit.record(self._clock.now(), actor, "reopen-work-item", f"work-item:{item.id}", reason, told)
            return replace(item, closing=None)

    def decide_encounters(
        self, organization: str, pair: frozenset[str], decision: str, actor: Actor, reason: str = ""
    ) -> None:
        """Say of two encounters told by two feeds whether they are one. Raises NotAllowed.

        Two patients' visits are never one; two that one feed told itself are one only for a reason.
        """
        require(actor, Permission.DECIDE_ENCOUNTERS)
        if decision not in ("same", "different"):
            raise NotAllowed("two encounters are either the same or different")
        if len(pair) != 2:
            raise NotAllowed("give two different encounters")
        with self._store.write() as tx:
            patients = tx.subjects.standing(sorted(tx.subjects.patients_of(sorted(pair))))
            if decision == "same":
                _guard_same(tx, patients, pair, reason)
            tx.subjects.decide_encounters(organization, pair, decision)
            now = self._clock.now()
            tx.audit.record(now, actor, f"encounters-{decision}", "+".join(sorted(pair)), reason)
            tx.work.add(WorkKind.DERIVE, patients)

    def load_roster(
        self,
        organization: str,
        kind: RosterKind,
        source: str,
        rows: Mapping[str, RosterRecord],
        actor: Actor,
        *,
        file: bytes,
        whole: bool = False,
    ) -> RosterLoad:
        """Put rows in place of the source's rows of the same keys; claims of everybody concerned are judged again.

        ``file`` is what they were read from. ``whole``: the rows are all there are, so whatever else the source said is
        over. Raises NotAllowed.
        """
        require(actor, Permission.LOAD_ROSTERS)
        with self._store.write() as tx:
            first = kind not in tx.rosters.kinds([organization])[organization]
            now = self._clock.now()
            changes = tx.rosters.load(organization, kind, source, rows, now, whole=whole, file=file)
            detail = " ".join(f"{word}={len(records)}" for word, records in changes.items())
            tx.audit.record(now, actor, "load-roster", f"{kind}:{organization}:{source}", "", detail)
            named = [each.patient for each in rows.values() if not isinstance(each, CredentialRecord)]
            known = tx.subjects.who_are(organization, RecordKind.PATIENT, named)
            tx.work.add(WorkKind.DERIVE, _concerned(tx, organization, changes, everyone=first))
            unmatched = {each for each in named if not is_member(each)} - set(known)
            return RosterLoad(
                rows=len(rows),
                added=len(changes["added"]),
                changed=len(changes["changed"]),
                retired=len(changes["retired"]),
                unmatched=len(unmatched),
            )

    def _fresh(self, tx: Transaction, claim: str) -> ClaimRow:
        """The claim, derived anew, so that the decision is about what is true now."""
        row = tx.claims.find(claim)
        if row is None:
            raise NotFound("there is no such claim; give its id, its number, or its key")
        self._derivation.derive(tx, [row.patient_id], self._clock.now())
        return tx.claims.rows([row.id])[0]

    def _fresh_item(self, tx: Transaction, item_id: str) -> WorkItem:
        """The item, found anew: what it rested on may be gone, or be another item by now."""
        for known in tx.worklist.items(id=item_id):
            self._derivation.derive(tx, [known.patient_id], self._clock.now())
        found = tx.worklist.items(id=item_id)
        if not found:
            raise NotFound(
                "there is no such work item; 'cleanclaim worklist' shows their ids (closed ones: --closed). "
                "What an item rested on may have changed: then it is gone, or it is another one"
            )
        return found[0]

    def _derive_carried(self, tx: Transaction, interchange_id: str) -> None:
        rows = tx.claims.rows([claim_id for claim_id, _ in tx.exchanges.versions_in(interchange_id)])
        tx.work.add(WorkKind.DERIVE, {row.patient_id for row in rows})


def _guard_same(tx: Transaction, patients: Sequence[str], pair: frozenset[str], reason: str) -> None:
    told: dict[str, dict[str, EncounterRecord]] = {each: {} for each in pair}
    whose: set[str] = set()
    for patient_id, assertions in tx.subjects.about_patients(patients).items():
        for each in assertions:
            if each.subject_id in pair and isinstance(each.record, EncounterRecord):
                told[each.subject_id][each.source] = each.record
                whose.add(patient_id)
    if len(whose) > 1:
        raise NotAllowed("these are visits of two patients; if the two are one person, merge them in the EHR")
    first, second = (told[each] for each in sorted(pair))
    for source in sorted({*first} & {*second}):
        if not reason:
            raise NotAllowed(
                f"{source} itself tells of both, {_when(first[source])} and {_when(second[source])}: two sessions of "
                "one feed are made one only with a reason (--reason); if the EHR has it twice, take one back there"
            )


def _told(item: WorkItem, outcome: str) -> str:
    return f"{outcome} {item.finding.rule} {item.finding.code} {item.about} {item.finding.cents}"


def _when(record: EncounterRecord) -> str:
    """From when to when, in UTC."""
    start, end = (f"{each:%Y-%m-%d %H:%M}" if each else "no time" for each in (record.start_at, record.end_at))
    return f"{start} to {end} UTC"


def _concerned(tx: Transaction, organization: str, changes: Changes, *, everyone: bool) -> Iterable[str]:
    """The patients whose claims a change of a roster may judge otherwise."""
    changed = [record for records in changes.values() for record in records]
    named = [] if everyone else [each.patient for each in changed if not isinstance(each, CredentialRecord)]
    if everyone or len(named) < len(changed) or any(map(is_member, named)):
        return tx.subjects.patient_ids()
    return tx.subjects.who_are(organization, RecordKind.PATIENT, named).values()


def _move(tx: Transaction, row: InterchangeRow, state: DeliveryState) -> None:
    """Move the file as it was looked at: a sender that took it up meanwhile, or an answer, comes first."""
    if not tx.exchanges.set_delivery(row.id, row.epoch, state):
        raise Conflict("a sender, or an answer, has moved this file meanwhile; look at it again")
