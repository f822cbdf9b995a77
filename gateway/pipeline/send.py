"""Send: freeze released claims into an interchange, and have it delivered.

Freezing is the only door a claim leaves by: the gate runs in the same transaction, and nothing else makes versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from gateway.claim.actor import MACHINE
from gateway.claim.contract import ClaimForm
from gateway.claim.finding import blocks
from gateway.claim.identifiers import claim_number, new_ulid, stable_id
from gateway.errors import FileTooLarge, FormatError, GatewayError, NotAllowed, NotSent, PartnerPaused, Unavailable
from gateway.fault_points import FaultPoint, reach
from gateway.lifecycle import ClaimFact, ClaimState, DeliveryState, FactKind
from gateway.pipeline.check import Cleared
from gateway.pipeline.connections import ConnectionWatch
from gateway.pipeline.deliver import Deliveries
from gateway.pipeline.derive import REPLACEMENT, Derivation
from gateway.pipeline.holds import UNDERIVABLE, UNWRITABLE, hold_by_machine
from gateway.pipeline.judged import patients_to_judge
from gateway.pipeline.money import VOID, project
from gateway.pipeline.second_opinion import agreed_contents
from gateway.ports import Clock, Exchange, InterchangeNumbers, NumberedClaim, RenderedInterchange
from gateway.ports.claims import ClaimRow, Draft, Version
from gateway.ports.exchanges import ISA13, InterchangeRow
from gateway.ports.storage import Store, Transaction
from gateway.ports.watch import AuthorizationName
from gateway.ports.work import WorkKind

_LOG = structlog.get_logger("pipeline")
_HOUR = timedelta(hours=1)
_CORRECTIONS = frozenset({REPLACEMENT, VOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one pass did for one connection."""

    frozen: int = 0
    delivered: int = 0
    in_doubt: int = 0
    paused: str = ""
    """Why nobody logs in there before a person looked."""
    refused: str = ""
    """Why nothing may leave, though the partner would take it."""
    problems: tuple[str, ...] = ()
    """What the partner would not take, and why; the files wait."""


class SendPass(Deliveries):
    """Freezes and delivers for the connections it knows."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        derivation: Derivation,
        exchanges: Mapping[str, Exchange],
        watch: ConnectionWatch,
    ) -> None:
        super().__init__(store, clock, exchanges, watch.sent_numbers)
        self._derivation = derivation
        self._watch = watch

    def run(self, connection: str) -> Sent:
        """One pass: settle what was interrupted, freeze what is released, deliver what is frozen."""
        exchange = self._exchanges[connection]
        paused = self._watch.standing(connection).paused
        if paused:
            return Sent(paused=paused)
        refused = self._watch.refusal(connection, exchange.usage)
        if refused:
            return Sent(refused=refused)
        try:
            in_doubt = self.settle(connection)
        except PartnerPaused as error:
            return self._pause(connection, error)
        if not exchange.takes_files_at(self._clock.now()):
            return Sent(in_doubt=in_doubt)
        frozen = 0
        for form in ClaimForm:
            while self.freeze(connection, form):
                frozen += 1
        waiting = self._waiting(connection)
        sent = self._deliver_each(connection, waiting)
        return replace(sent, frozen=frozen, in_doubt=in_doubt + sent.in_doubt)

    def _pause(self, connection: str, refusal: PartnerPaused) -> Sent:
        return Sent(paused=self._watch.pause(connection, refusal))

    def _deliver_each(self, connection: str, waiting: Sequence[InterchangeRow]) -> Sent:
        delivered = in_doubt = 0
        paused, problems = "", []
        for row in waiting:
            try:
                outcome = self.deliver(row.id)
            except PartnerPaused as error:
                paused = self._pause(connection, error).paused
                break
            except Unavailable as error:
                problems.append(f"{row.remote_name}: {error}")
                break  # the partner does not answer: the next pass tries the same bytes
            except (NotSent, NotAllowed) as error:
                problems.append(f"{row.remote_name}: {error}")
                continue  # this file alone
            delivered += outcome == DeliveryState.DELIVERED
            in_doubt += outcome == DeliveryState.IN_DOUBT
        return Sent(delivered=delivered, in_doubt=in_doubt, paused=paused, problems=tuple(problems))

    def _waiting(self, connection: str) -> list[InterchangeRow]:
        """What is frozen and not sent, oldest first: as many files as the partner takes in this hour."""
        limit = self._exchanges[connection].files_per_hour
        with self._store.read() as tx:
            waiting = tx.exchanges.interchanges(connection, (DeliveryState.READY,))
            if limit is None:
                return waiting
            sent = tx.exchanges.sent_since(connection, self._clock.now() - _HOUR)
            return waiting[: max(0, limit - sent)]

    # --- freezing ----------------------------------------------------------------------------------------------------

    def freeze(self, connection: str, form: ClaimForm) -> str | None:
        """Freeze one interchange of released claims; its id, or None when nothing may leave."""
        exchange = self._exchanges[connection]
        agreed = agreed_contents(self._store, exchange, connection, form, self._clock.now())
        with self._store.write() as tx:
            ids = tx.claims.releasable(connection, form, exchange.most_claims)
            if not ids:
                return None
            now = self._clock.now()
            rows = tx.claims.rows(ids)
            held = tx.authorizations.names_of(sorted({row.patient_id for row in rows}))
            tx.authorizations.hold(held)
            leaving = [
                each
                for each in self._judged(tx, rows, now)
                if _may_leave(each, connection, form) and _holds(held, each)
            ]
            if agreed is not None:  # what was released or changed since is asked about in the next round
                leaving = [each for each in leaving if each.content_hash in agreed]
            try:
                return self._freeze_fitting(tx, exchange, connection, form, leaving, now)
            except FormatError:
                writable = self._writable(tx, exchange, leaving, now)
                if len(writable) == len(leaving):
                    raise  # it is not one claim: a person must look
            return self._freeze_fitting(tx, exchange, connection, form, writable, now)

    def _freeze_fitting(
        self,
        tx: Transaction,
        exchange: Exchange,
        connection: str,
        form: ClaimForm,
        leaving: Sequence[Draft],
        now: datetime,
    ) -> str | None:
        """Freeze as many of the drafts as make a file that the partner takes; the others wait for the next one."""
        while leaving:
            try:
                with tx.savepoint():
                    return self._freeze(tx, exchange, connection, form, leaving, now)
            except FileTooLarge:
                if len(leaving) == 1:
                    raise
                leaving = leaving[: len(leaving) // 2]
        return None

    def _judged(self, tx: Transaction, rows: Sequence[ClaimRow], now: datetime) -> list[Draft]:
        """The drafts of the claims that are released, judged on what is known now: who was judged on anything else is
        derived anew."""
        drafts = tx.claims.drafts([row.id for row in rows])
        patients = patients_to_judge(tx, self._derivation.derived_for(now), rows, drafts)
        anew = [row for row in rows if row.patient_id in patients]
        if anew:
            self._derive(tx, anew, now)
            rows = tx.claims.rows([row.id for row in rows])
            drafts = tx.claims.drafts([row.id for row in rows])
        return [drafts[row.id] for row in rows if row.state == ClaimState.RELEASED and row.id in drafts]

    def _derive(self, tx: Transaction, rows: Sequence[ClaimRow], now: datetime) -> None:
        """Derive the claims' patients anew. The claims of one that breaks us are held, so that they stop nobody's."""
        patients = sorted({row.patient_id for row in rows})
        try:
            with tx.savepoint():
                self._derivation.derive(tx, patients, now)
        except GatewayError:
            raise
        except Exception as error:
            _LOG.error("derivation-broke", error=type(error).__name__)
        else:
            return
        for patient in patients:
            try:
                with tx.savepoint():
                    self._derivation.derive(tx, [patient], now)
            except GatewayError:
                raise
            except Exception as error:
                reason = f"deriving it anew failed with {type(error).__name__}: a defect, to be told to the maintainers"
                for row in rows:
                    if row.patient_id == patient:
                        hold_by_machine(tx, row.id, UNDERIVABLE, reason, now)

    def _writable(self, tx: Transaction, exchange: Exchange, leaving: Sequence[Draft], now: datetime) -> list[Draft]:
        """The drafts that can be written. The others are held, with the reason, so that they stop nobody else's."""
        writable = []
        for draft in leaving:
            alone = [NumberedClaim(claim=draft.claim, claim_number=claim_number(0))]
            try:
                _render(exchange, alone, InterchangeNumbers(isa13=1, batch_reference="CHECK", created_at=now))
            except FormatError as error:
                hold_by_machine(tx, draft.claim_id, UNWRITABLE, str(error), now)
            else:
                writable.append(draft)
        return writable

    def _freeze(
        self,
        tx: Transaction,
        exchange: Exchange,
        connection: str,
        form: ClaimForm,
        leaving: Sequence[Draft],
        now: datetime,
    ) -> str:
        isa13 = tx.exchanges.next_number(connection, ISA13)
        reach(FaultPoint.FREEZE_NUMBERED)
        interchange_id = new_ulid(now)
        versions = self._versions(tx, leaving, interchange_id, now)
        numbered = [NumberedClaim(claim=each.claim, claim_number=each.claim_number) for each in versions]
        batch_reference = new_ulid(now)
        numbers = InterchangeNumbers(isa13=isa13, batch_reference=batch_reference, created_at=now)
        rendered = _render(exchange, numbered, numbers)
        reach(FaultPoint.FREEZE_RENDERED)
        tx.exchanges.add_interchange(
            InterchangeRow(
                id=interchange_id,
                connection=connection,
                tenant="",
                isa13=isa13,
                batch_reference=batch_reference,
                usage=exchange.usage,
                form=form,
                remote_name=rendered.remote_name,
                sha256=_sha256(rendered.content),
                size=len(rendered.content),
                created_at=now,
                claim_count=len(versions),
                charge_cents=sum(each.claim.charge_cents for each in versions),
            ),
            rendered.content,
            [each.id for each in versions],
        )
        tx.claims.add_facts([_fact(each, FactKind.FROZEN, interchange_id, f"{isa13:09d}", now) for each in versions])
        claim_ids = [each.claim_id for each in versions]
        tx.claims.drop_drafts(claim_ids)
        # What a correction was about is settled once it leaves; of an original nothing else hangs on it.
        tx.work.add(
            WorkKind.DERIVE, {each.claim.key.patient_id for each in versions if each.claim.frequency in _CORRECTIONS}
        )
        project(tx, claim_ids)
        tx.audit.record(now, MACHINE, "freeze", f"interchange:{interchange_id}", "", f"{isa13:09d}")
        return interchange_id

    def _versions(self, tx: Transaction, leaving: Sequence[Draft], interchange_id: str, now: datetime) -> list[Version]:
        """A new version of each draft; the same version again when only its interchange was refused."""
        ids = [draft.claim_id for draft in leaving]
        earlier, facts = tx.claims.versions(ids), tx.claims.facts(ids)
        newest = {each: versions[-1] for each, versions in earlier.items() if versions}
        again = {
            draft.claim_id
            for draft in leaving
            if draft.claim_id in newest and _goes_again(newest[draft.claim_id], draft, facts)
        }
        fresh = [draft for draft in leaving if draft.claim_id not in again]
        new = {}
        for draft, sequence in zip(fresh, tx.claims.next_claim_numbers(len(fresh)), strict=True):
            cleared = Cleared(draft.claim, draft.findings)
            number = len(earlier[draft.claim_id]) + 1
            new[draft.claim_id] = Version(
                id=stable_id("version", draft.claim_id, str(number)),
                claim_id=draft.claim_id,
                number=number,
                claim_number=claim_number(sequence),
                claim=cleared.claim,
                content_hash=draft.content_hash,
                findings=cleared.findings,
                frozen_at=now,
                interchange_id=interchange_id,
            )
        tx.claims.add_versions([*new.values()])
        return [newest[each] if each in again else new[each] for each in ids]


def _render(exchange: Exchange, claims: Sequence[NumberedClaim], numbers: InterchangeNumbers) -> RenderedInterchange:
    """The claims as one file. Raises FileTooLarge for more bytes than the partner takes, FormatError as it does."""
    rendered = exchange.render(claims, numbers)
    if len(rendered.content) > exchange.most_bytes:
        raise FileTooLarge(f"a file of {len(rendered.content)} bytes, and the partner takes {exchange.most_bytes}")
    return rendered


def _fact(version: Version, kind: FactKind, interchange_id: str, code: str, now: datetime) -> ClaimFact:
    return ClaimFact(
        id=stable_id(kind, version.id, interchange_id),
        claim_id=version.claim_id,
        version_id=version.id,
        kind=kind,
        at=now,
        actor=MACHINE.name,
        role=MACHINE.role,
        code=code,
        interchange_id=interchange_id,
    )


def _holds(held: Collection[AuthorizationName], draft: Draft) -> bool:
    """Whether the claim's authorization is held by this freeze: one it came by a moment ago waits for the next."""
    claim = draft.claim
    number = claim.authorization_number
    return not number or (claim.key.payer, claim.insured.member_number, number) in held


def _may_leave(draft: Draft, connection: str, form: ClaimForm) -> bool:
    """No block, and still this connection's: a route may have changed between the release and the freeze."""
    return not blocks(draft.findings) and (draft.claim.connection, draft.claim.form) == (connection, form)


def _goes_again(version: Version, draft: Draft, facts: Mapping[str, Sequence[ClaimFact]]) -> bool:
    """True for the same content when no answer ever spoke of the claim itself: TA1 R, 999 R or abandoned unsent."""
    spoken = (FactKind.CLEARINGHOUSE, FactKind.PAYER, FactKind.REMITTED)
    judged = any(fact.kind in spoken for fact in facts[version.claim_id] if fact.version_id == version.id)
    return version.content_hash == draft.content_hash and not judged


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
