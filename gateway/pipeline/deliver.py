"""Deliver: move the bytes of a frozen interchange at most once, whatever dies when. Knows no claim's content.

Every change at the partner's is announced by a marker that is committed first; whoever changes something holds a lease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gateway.claim.actor import MACHINE, Actor
from gateway.claim.identifiers import stable_id
from gateway.errors import (
    ConfigurationError,
    Conflict,
    DeliveryUnknown,
    NotAllowed,
    NotFound,
    NotSent,
    PartnerPaused,
    Unavailable,
)
from gateway.fault_points import FaultPoint, reach
from gateway.lifecycle import ClaimFact, DeliveryState, FactKind
from gateway.pipeline.answer_doubts import spoken_of
from gateway.pipeline.delivery_words import SEEN_THERE, not_arrived
from gateway.pipeline.money import project
from gateway.ports import PROBED, Clock, Exchange, RenderedInterchange, Settled
from gateway.ports.connections import Reached, SentNumbers
from gateway.ports.exchanges import ISA13, SENDS, DeliveryStep, InterchangeRow
from gateway.ports.storage import Store, Transaction

LEASE = timedelta(minutes=20)
_SPOKEN_OF = "an answer speaks of it"


def reached_by(tx: Transaction, connection: str) -> Reached:
    """How far the database knows the connection to have come."""
    return Reached(tx.exchanges.last_number(connection, ISA13), tx.exchanges.last_number(connection, SENDS))


class Deliveries:
    """Delivers for the connections it knows."""

    def __init__(
        self, store: Store, clock: Clock, exchanges: Mapping[str, Exchange], sent_numbers: SentNumbers
    ) -> None:
        self._store = store
        self._clock = clock
        self._exchanges = exchanges
        self._sent_numbers = sent_numbers

    def deliver(self, interchange_id: str) -> DeliveryState:
        """Try to move one frozen interchange; the delivery state it is in afterwards.

        Raises PartnerPaused, NotSent and Unavailable after putting the interchange back where it was, NotAllowed when
        the connection was switched between test and production since the freeze.
        """
        with self._store.write() as tx:
            row = tx.exchanges.interchange(interchange_id)
            if row is None:
                raise NotFound("there is no such interchange")
            exchange = self._exchanges[row.connection]
            if row.usage != exchange.usage:
                raise NotAllowed(
                    f"frozen for usage {row.usage}, and the connection's is {exchange.usage} now; abandon it"
                )
            if row.attempts and self._answered(tx, row):
                return self._state_in(tx, row.id)
            self._sent_numbers.remember(row.connection, reached_by(tx, row.connection))
            tx.connections.vouch(row.connection)
            lease = self._clock.now() + LEASE
            if not tx.exchanges.claim_send(row.id, row.epoch, lease):
                return row.state
            tx.exchanges.next_number(row.connection, SENDS)
            reached = reached_by(tx, row.connection)
            content = _sealed_once(tx, exchange, row)
            tx.audit.record(self._clock.now(), MACHINE, "send", f"interchange:{row.id}")
        reach(FaultPoint.SEND_CLAIMED)
        try:
            self._sent_numbers.remember(row.connection, reached)  # after the commit, and before the first byte
        except ConfigurationError:
            self._finish(row.id, row.epoch + 1, DeliveryState.READY, None)
            raise
        return self._upload(exchange, row, row.epoch + 1, lease, content)

    def _upload(
        self, exchange: Exchange, row: InterchangeRow, epoch: int, lease: datetime, content: bytes
    ) -> DeliveryState:
        begun = False

        def on_step(marker: str, detail: str) -> None:
            nonlocal begun
            self._step(row.id, epoch, lease, marker, detail)
            begun = True

        try:
            exchange.upload(RenderedInterchange(content=content, remote_name=row.remote_name), on_step)
        except NotSent:
            self._finish(row.id, epoch, DeliveryState.READY, None)
            raise
        except (Unavailable, PartnerPaused):
            if begun:  # our own database, say, stopped answering between two steps: the file may be there already
                return self._finish(row.id, epoch, DeliveryState.IN_DOUBT, FactKind.IN_DOUBT, str(epoch))
            self._finish(row.id, epoch, DeliveryState.READY, None)
            raise
        except DeliveryUnknown:
            return self._finish(row.id, epoch, DeliveryState.IN_DOUBT, FactKind.IN_DOUBT, str(epoch))
        except Conflict:
            return self._state(row.id)
        reach(FaultPoint.FINISH_UPLOADED)
        return self._finish(row.id, epoch, DeliveryState.DELIVERED, FactKind.DELIVERED)

    def settle(self, connection: str) -> int:
        """Look after interchanges whose sender died or lost its connection; how many are still in doubt.

        Raises PartnerPaused when the partner refuses us: they stay in doubt.
        """
        now = self._clock.now()
        with self._store.read() as tx:
            rows = tx.exchanges.interchanges(connection, (DeliveryState.SENDING, DeliveryState.IN_DOUBT))
        doubtful = 0
        for row in rows:
            if row.lease_until is not None and row.lease_until > now:  # somebody alive holds it
                doubtful += row.state == DeliveryState.IN_DOUBT
                continue
            doubtful += self._settle_one(row) == DeliveryState.IN_DOUBT
        return doubtful

    def release_leases(self, connection: str) -> None:
        """At start-up of the only sender: whoever held a lease is dead, so nothing need wait for it to run out."""
        now = self._clock.now()
        with self._store.write() as tx:
            for row in tx.exchanges.interchanges(connection, (DeliveryState.SENDING, DeliveryState.IN_DOUBT)):
                tx.exchanges.set_delivery(row.id, row.epoch, DeliveryState.IN_DOUBT)
                if row.state == DeliveryState.SENDING:
                    add_interchange_fact(tx, row.id, FactKind.IN_DOUBT, str(row.epoch), now)

    def _settle_one(self, row: InterchangeRow) -> DeliveryState:
        """Probe for one interchange, as the only one who may; the delivery state it is in afterwards."""
        now = self._clock.now()
        lease = now + LEASE
        with self._store.write() as tx:
            if not tx.exchanges.claim_settling(row.id, row.epoch, now, lease):
                return self._state_in(tx, row.id)
            if self._answered(tx, row):
                return self._state_in(tx, row.id)
            if row.state == DeliveryState.SENDING:
                add_interchange_fact(tx, row.id, FactKind.IN_DOUBT, str(row.epoch), now)
            steps = [step for step in tx.exchanges.steps(row.id) if step.epoch == row.epoch]
            content = tx.exchanges.sealed(row.id) or tx.exchanges.raw(row.sha256)
        exchange = self._exchanges[row.connection]
        interchange = RenderedInterchange(content=content, remote_name=row.remote_name)

        def on_step(marker: str, detail: str) -> None:
            self._step(row.id, row.epoch, lease, marker, detail)

        try:
            settled = exchange.settle(interchange, [step.marker for step in steps], on_step)
        except Conflict:
            return self._state(row.id)
        except PartnerPaused:
            self._settled(row, steps, Settled.UNKNOWN)
            raise
        except Unavailable:
            settled = Settled.UNKNOWN
        reach(FaultPoint.SETTLE_PROBED)
        return self._settled(row, steps, settled)

    def _answered(self, tx: Transaction, row: InterchangeRow) -> bool:
        """Whether the partner has the file, by its own words; then it is delivered."""
        if not spoken_of(tx, row):
            return False
        if tx.exchanges.set_delivery(row.id, row.epoch, DeliveryState.DELIVERED):
            now = self._clock.now()
            add_interchange_fact(tx, row.id, FactKind.DELIVERED, "", now, reason=_SPOKEN_OF)
            tx.audit.record(now, MACHINE, DeliveryState.DELIVERED, f"interchange:{row.id}", _SPOKEN_OF)
        return True

    def _settled(self, row: InterchangeRow, steps: Sequence[DeliveryStep], settled: Settled) -> DeliveryState:
        if settled is Settled.DELIVERED:
            return self._finish(row.id, row.epoch, DeliveryState.DELIVERED, FactKind.DELIVERED, reason=SEEN_THERE)
        proof = self._proof_of_absence(row, steps) if settled is Settled.NOT_SENT else ""
        if proof:
            code = str(row.epoch)
            return self._finish(row.id, row.epoch, DeliveryState.READY, FactKind.NOT_ARRIVED, code, proof)
        return self._finish(row.id, row.epoch, DeliveryState.IN_DOUBT, None)

    def _proof_of_absence(self, row: InterchangeRow, steps: Sequence[DeliveryStep]) -> str:
        """How we know that nothing arrived; empty while another look has to agree with this one."""
        if not steps:
            return not_arrived(steps)
        look = self._note(row.id, row.epoch, PROBED, Settled.NOT_SENT)
        agreed = self._seen_absent_before(steps, self._exchanges[row.connection].settle_gap)
        return not_arrived([*steps, look]) if agreed else ""

    def _seen_absent_before(self, steps: Sequence[DeliveryStep], gap: timedelta) -> bool:
        """A request still under way at the partner's may land after our probe: two probes, apart, must agree."""
        probes = [step.at for step in steps if step.marker == PROBED]
        return bool(probes) and self._clock.now() - probes[0] >= gap

    def _step(self, interchange_id: str, epoch: int, lease: datetime, marker: str, detail: str) -> None:
        """Commit a marker before the remote change it announces.

        Raises Conflict when the lease is not ours any more: somebody decided on the interchange while we slept, and we
        must not go on.
        """
        reach(FaultPoint.SEND_CHANGED)
        step = self._made(interchange_id, epoch, marker, detail)
        with self._store.write() as tx:
            if not tx.exchanges.add_step_of_holder(step, lease):
                raise Conflict("another sender, or a person, has taken this interchange over")
        reach(FaultPoint.SEND_MARKED)

    def _note(self, interchange_id: str, epoch: int, marker: str, detail: str) -> DeliveryStep:
        step = self._made(interchange_id, epoch, marker, detail)
        with self._store.write() as tx:
            tx.exchanges.add_step(step)
        return step

    def _made(self, interchange_id: str, epoch: int, marker: str, detail: str) -> DeliveryStep:
        return DeliveryStep(
            interchange_id=interchange_id, epoch=epoch, marker=marker, at=self._clock.now(), detail=detail
        )

    def _finish(
        self,
        interchange_id: str,
        epoch: int,
        state: DeliveryState,
        kind: FactKind | None,
        code: str = "",
        reason: str = "",
    ) -> DeliveryState:
        """Move the delivery state unless an answer or another sender moved it on; the state it is in now."""
        now = self._clock.now()
        with self._store.write() as tx:
            if tx.exchanges.set_delivery(interchange_id, epoch, state) and kind is not None:
                add_interchange_fact(tx, interchange_id, kind, code, now, reason=reason)
                tx.audit.record(now, MACHINE, kind, f"interchange:{interchange_id}", reason)
            return self._state_in(tx, interchange_id)

    def _state(self, interchange_id: str) -> DeliveryState:
        with self._store.read() as tx:
            return self._state_in(tx, interchange_id)

    def _state_in(self, tx: Transaction, interchange_id: str) -> DeliveryState:
        row = tx.exchanges.interchange(interchange_id)
        assert row is not None, "an interchange is never deleted"
        return row.state


def _sealed_once(tx: Transaction, exchange: Exchange, row: InterchangeRow) -> bytes:
    """The bytes as the partner gets them, the same at every try: encrypting is done before the first one, once.

    Raises NotSent where the keys do not serve.
    """
    plain, sealed = tx.exchanges.raw(row.sha256), tx.exchanges.sealed(row.id)
    if sealed is None:
        sealed = exchange.sealed(plain)
        if sealed is not None:
            tx.exchanges.seal(row.id, sealed)
    return plain if sealed is None else sealed


def add_interchange_fact(
    tx: Transaction,
    interchange_id: str,
    kind: FactKind,
    code: str,
    now: datetime,
    *,
    actor: Actor = MACHINE,
    reason: str = "",
) -> None:
    """Say one thing of every claim an interchange carries, and project them."""
    project(tx, say_of_interchange(tx, interchange_id, kind, code, now, actor=actor, reason=reason))


def say_of_interchange(
    tx: Transaction,
    interchange_id: str,
    kind: FactKind,
    code: str,
    now: datetime,
    answer_id: str = "",
    *,
    actor: Actor = MACHINE,
    reason: str = "",
) -> list[str]:
    """Say one thing of every claim an interchange carries; the claims, which the caller projects."""
    carried = tx.exchanges.versions_in(interchange_id)
    tx.claims.add_facts(
        [
            ClaimFact(
                id=stable_id(kind, version_id, interchange_id, code),
                claim_id=claim_id,
                version_id=version_id,
                kind=kind,
                at=now,
                actor=actor.name,
                role=actor.role,
                code=code,
                reason=reason,
                interchange_id=interchange_id,
                answer_id=answer_id,
            )
            for claim_id, version_id in carried
        ]
    )
    return [claim_id for claim_id, _ in carried]
