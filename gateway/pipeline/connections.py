"""Whether a connection may be used: paused by a refusal, certified by a test batch, ahead of a restored database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.claim.actor import MACHINE, Actor
from gateway.claim.answer import InterchangeAnswer, TransactionAnswer
from gateway.claim.contract import ClaimForm
from gateway.errors import NotAllowed, PartnerPaused
from gateway.lifecycle import DeliveryState, FactKind
from gateway.permissions import Permission, require
from gateway.pipeline.deliver import add_interchange_fact, reached_by
from gateway.pipeline.holds import RESTORED, hold_by_machine
from gateway.ports import OPENED, RENAME_SENT, Clock, Exchange
from gateway.ports.connections import ConnectionFact, ConnectionFactKind, Reached, SentNumbers
from gateway.ports.exchanges import ASSUMED, ISA13, SENDS, DeliveryStep
from gateway.ports.storage import Store, Transaction

_LAST_NUMBER = 999_999_999
"""ISA13 has nine digits; a connection moved beyond them could never send again."""
_CLAIM_NUMBERS_LEFT_OUT = 10**9
"""After a restore: more than all lost files together can have held; there are millions of times as many."""
_EVERY_CLAIM = 1_000_000_000
_PRODUCTION = "P"
_NOT_KNOWN_SENT = (DeliveryState.READY, DeliveryState.SENDING, DeliveryState.IN_DOUBT)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStanding:
    """What the facts about a connection come to. Each is a sentence, empty when it is not so."""

    paused: str = ""
    certified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersMoved:
    """What guarding a connection after a restore came to."""

    last: int
    """The number the database knew."""
    seen: int
    """The highest number found in use: at the partner's, in its answers, in this site's memory."""
    next: int
    held: int
    """Released claims held back, because a file the database does not know may hold them."""
    in_doubt: int
    """Files the database takes for unsent, which may have been sent."""


def standing_of(facts: Iterable[ConnectionFact]) -> ConnectionStanding:
    """The standing that these facts, oldest first, come to."""
    paused = certified = ""
    for fact in facts:
        if fact.kind is ConnectionFactKind.PAUSED:
            paused = f"{fact.reason} (since {fact.at:%Y-%m-%d %H:%M} UTC)"
        elif fact.kind is ConnectionFactKind.RESUMED:
            paused = ""
        elif fact.kind is ConnectionFactKind.CERTIFIED:
            certified = f"certified on {fact.at:%Y-%m-%d}: {fact.reason}"
        elif fact.kind is ConnectionFactKind.CERTIFICATION_WAIVED:
            certified = f"waived on {fact.at:%Y-%m-%d} by {fact.actor}: {fact.reason}"
    return ConnectionStanding(paused=paused, certified=certified)


def _highest_answered(tx: Transaction, connection: str) -> int:
    """The highest of our control numbers that an answer of the partner's names; 0 for none."""
    numbers = [0]
    for row in (*tx.exchanges.answers(type="TA1"), *tx.exchanges.answers(type="999")):
        for answer in row.transaction.answers if row.connection == connection else ():
            if isinstance(answer, InterchangeAnswer):
                numbers.append(answer.isa13)
            elif isinstance(answer, TransactionAnswer):
                numbers.append(answer.gs06)
    return max(numbers)


class ConnectionWatch:
    """Says of each connection whether it may be used, and records what changes that."""

    def __init__(self, store: Store, clock: Clock, sent_numbers: SentNumbers) -> None:
        self._store = store
        self._clock = clock
        self.sent_numbers = sent_numbers

    def standing(self, connection: str) -> ConnectionStanding:
        """Whether it is paused, and whether it is certified."""
        with self._store.read() as tx:
            return standing_of(tx.connections.facts(connection))

    def keep_up(self, connection: str) -> None:
        """Remember on this machine what others sent, so that it may take over; vouch for the database to those who
        remember nothing yet. Neither for a database that may have been restored."""
        if self._restored(connection):
            return
        with self._store.read() as tx:
            known, vouched_for = reached_by(tx, connection), tx.connections.is_vouched_for(connection)
        self.sent_numbers.remember(connection, known)
        if not vouched_for:
            with self._store.write() as tx:
                tx.connections.vouch(connection)

    def refusal(self, connection: str, usage: str) -> str:
        """Why nothing may be sent though the partner would take it; empty when it may."""
        if usage == _PRODUCTION and not self.standing(connection).certified:
            return (
                f"no test batch was certified for {connection}: run 'cleanclaim exchange certify {connection}', "
                "or let a supervisor waive it with --waive and a reason"
            )
        return self._restored(connection)

    def _restored(self, connection: str) -> str:
        """Why the database may have been restored; empty when it was not.

        Other machines send too, so one that knows more than this machine is as it should be. Where this machine
        remembers nothing, the word of one that did stands for its memory.
        """
        remembered = self.sent_numbers.reached(connection)
        with self._store.read() as tx:
            known = reached_by(tx, connection)
            if remembered is not None:
                knows_all = remembered.is_within(known)
                seen = f"this machine remembers number {remembered.number} and {remembered.sends} sends"
            else:
                never_sent = tx.exchanges.sent_since(connection, _EVER) == 0
                knows_all = never_sent or tx.connections.is_vouched_for(connection)
                seen = "nothing is remembered here, nor has a machine that does met it since its server started"
        if knows_all:
            return ""
        return (
            f"the database knows {connection} up to number {known.number} and {known.sends} sends, and {seen}: it may "
            f"have been restored from a backup. Have a supervisor run 'cleanclaim exchange guard {connection}'"
        )

    def pause(self, connection: str, refusal: PartnerPaused) -> str:
        """The partner refused us: nobody tries again before a person resumes it. The sentence that says so."""
        with self._store.write() as tx:
            if not standing_of(tx.connections.facts(connection)).paused:
                self.say(tx, connection, ConnectionFactKind.PAUSED, MACHINE, str(refusal))
            return standing_of(tx.connections.facts(connection)).paused

    def resume(self, connection: str, actor: Actor, reason: str) -> None:
        """Let a paused connection be tried again. Raises NotAllowed without a reason, or when it is not paused."""
        require(actor, Permission.EXCHANGE)
        with self._store.write() as tx:
            if not standing_of(tx.connections.facts(connection)).paused:
                raise NotAllowed(f"{connection} is not paused")
            self.decide(tx, connection, ConnectionFactKind.RESUMED, actor, reason)

    def waive_certification(self, connection: str, actor: Actor, reason: str) -> None:
        """Let production files leave without a certified test batch. Raises NotAllowed."""
        require(actor, Permission.WAIVE)
        with self._store.write() as tx:
            self.decide(tx, connection, ConnectionFactKind.CERTIFICATION_WAIVED, actor, reason)

    def guard(
        self, connection: str, exchange: Exchange, actor: Actor, reason: str, *, skip: int, restored: bool = True
    ) -> NumbersMoved:
        """After a restore: go on beyond every number in use, and let nothing leave that may have left before.

        ``skip`` more numbers are left out, for files the partner no longer shows. ``restored`` is False on one more
        machine of a running site, which only begins to remember. Raises NotAllowed, Unavailable.
        """
        require(actor, Permission.MOVE_NUMBERS)
        at_partner = exchange.highest_number_seen()
        remembered = self.sent_numbers.reached(connection)
        memory = remembered or Reached(0, 0)
        with self._store.write() as tx:
            known = reached_by(tx, connection)
            last = known.number
            seen = max(last, memory.number, at_partner, _highest_answered(tx, connection))
            if not restored and (seen > last or memory.sends > known.sends):
                raise NotAllowed(f"number {seen} is in use, and the database knows {last}: it was restored")
            behind = seen > last or memory.sends > known.sends or (restored and remembered is None)
            following = seen + skip if behind else last
            if following >= _LAST_NUMBER:
                raise NotAllowed(f"number {seen} is in use, and there are none beyond {_LAST_NUMBER}: leave out fewer")
            tx.exchanges.move_number(connection, ISA13, following)
            tx.exchanges.move_number(connection, SENDS, memory.sends)
            if behind:
                tx.claims.next_claim_numbers(_CLAIM_NUMBERS_LEFT_OUT)
            moved = NumbersMoved(
                last=last,
                seen=seen,
                next=following + 1,
                held=self._hold_released(tx, connection, last) if behind else 0,
                in_doubt=self._doubt_unsent(tx, connection) if restored else 0,
            )
            detail = f"last={last} seen={seen} next={moved.next} held={moved.held} in_doubt={moved.in_doubt}"
            tx.connections.vouch(connection)
            self.decide(tx, connection, ConnectionFactKind.NUMBERS_MOVED, actor, reason, detail)
        self.sent_numbers.remember(connection, Reached(following, max(known.sends, memory.sends)))
        return moved

    def _hold_released(self, tx: Transaction, connection: str, last: int) -> int:
        claims = [each for form in ClaimForm for each in tx.claims.releasable(connection, form, _EVERY_CLAIM)]
        reason = f"the database was restored: a file after number {last} that it does not know may hold this claim"
        for claim_id in claims:
            hold_by_machine(tx, claim_id, RESTORED, reason, self._clock.now())
        return len(claims)

    def _doubt_unsent(self, tx: Transaction, connection: str) -> int:
        """What the database takes for unsent may have been sent since the backup: only a probe or a person can say.

        Under a new epoch: that looks before the backup found nothing says nothing of what happened after it. Which one
        that is, is known once the file is ours: its sender may have taken it up since it was looked at.
        """
        now, doubtful = self._clock.now(), 0
        for row in tx.exchanges.interchanges(connection, _NOT_KNOWN_SENT):
            epoch = tx.exchanges.doubt(row.id)
            if epoch is None:  # delivered meanwhile
                continue
            for marker in (OPENED, RENAME_SENT):
                step = DeliveryStep(interchange_id=row.id, epoch=epoch, marker=marker, at=now, detail=ASSUMED)
                tx.exchanges.add_step(step)
            add_interchange_fact(tx, row.id, FactKind.IN_DOUBT, str(epoch), now, reason=ASSUMED)
            doubtful += 1
        return doubtful

    def decide(
        self,
        tx: Transaction,
        connection: str,
        kind: ConnectionFactKind,
        actor: Actor,
        reason: str,
        detail: str = "",
    ) -> None:
        """Record a person's decision, audited. Raises NotAllowed without a reason."""
        if not reason:
            raise NotAllowed("say why with --reason; it is kept for ever")
        self.say(tx, connection, kind, actor, reason, detail)
        now = self._clock.now()
        tx.audit.record(now, actor, kind.value, f"connection:{connection}", reason, detail)

    def say(
        self, tx: Transaction, connection: str, kind: ConnectionFactKind, actor: Actor, reason: str, detail: str = ""
    ) -> None:
        """Record a fact."""
        tx.connections.add_fact(
            ConnectionFact(
                connection=connection,
                kind=kind,
                at=self._clock.now(),
                actor=actor.name,
                role=actor.role,
                reason=reason,
                detail=detail,
            )
        )
