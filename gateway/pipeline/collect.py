"""Collect: returned files are stored, then each transaction is applied once, in any order, to what it speaks of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import BinaryIO

from gateway.claim.actor import Actor
from gateway.claim.answer import AnswerTransaction, Remittance
from gateway.claim.contract import Organization
from gateway.claim.identifiers import stable_id
from gateway.errors import Conflict, FormatError, NoAnswer, NotAllowed, NotFound, PartnerPaused, Unavailable
from gateway.fault_points import FaultPoint, reach
from gateway.permissions import Permission, require
from gateway.pipeline.answer_application import AnswerApplication
from gateway.pipeline.answer_doubts import LIFTED_BY_FACTS, business_key, doubt_of, is_payee
from gateway.pipeline.certify import answers_test
from gateway.pipeline.connections import ConnectionWatch
from gateway.ports import Clock, Exchange, RemoteAnswer, RemoteInbox
from gateway.ports.exchanges import SET_ASIDE, AnswerRow, AnswerStatus
from gateway.ports.policy import PolicyInForce
from gateway.ports.returned import Returned, Staged
from gateway.ports.storage import Store, Transaction
from gateway.receivable.ledger import cash, unexplained

_MOST_FAILURES = 3
_PIECE = 1 << 18
_MOST_PLACES = 10
"""Of those where a remittance does not balance, so many are named."""


@dataclass(slots=True, kw_only=True)
class Collected:
    """What one pass brought."""

    files: int = 0
    settling: int = 0
    """Files that may still be growing; a later pass fetches them."""
    applied: int = 0
    duplicates: int = 0
    set_aside: int = 0
    reports: int = 0
    """Files in the partner's own format: kept, not read."""
    problems: list[str] = field(default_factory=list)
    paused: str = ""


class CollectPass:
    """Fetches and applies answers for the connections it knows."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: PolicyInForce,
        exchanges: Mapping[str, Exchange],
        watch: ConnectionWatch,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._exchanges = exchanges
        self._watch = watch

    def run(self, connection: str) -> Collected:
        """Fetch every settled file, commit it, apply it, and only then let the partner's copy go."""
        exchange = self._exchanges[connection]
        collected = Collected(paused=self._watch.standing(connection).paused)
        if collected.paused:
            return collected
        failed_in_a_row = 0
        trouble = ""
        try:
            with exchange.open_inbox() as inbox:
                for waiting in inbox.waiting():
                    failed = self._fetch(inbox, connection, waiting, collected)
                    failed_in_a_row = failed_in_a_row + 1 if failed else 0
                    if failed_in_a_row == _MOST_FAILURES:
                        trouble = collected.problems[-1]
                        break  # it is not the file: the partner, or our database, does not answer
                collected.settling = inbox.settling
        except Unavailable as error:
            trouble = str(error)
            collected.problems.append(trouble)
        except PartnerPaused as error:
            trouble, collected.paused = str(error), self._watch.pause(connection, error)
        self._look_again(connection)
        self.note_contact(connection, trouble, exchange.poll_every)
        return collected

    def note_contact(self, connection: str, problem: str, again_in: timedelta) -> None:
        """Remember how talking to a partner went, empty when it answered, and when it is tried again."""
        now = self._clock.now()
        with self._store.write() as tx:
            tx.partners.note_contact(connection, now, problem, now + again_in)

    def _look_again(self, connection: str) -> None:
        """Apply what was set aside for want of a fact that is here by now: what came first does not matter."""
        exchange, now = self._exchanges[connection], self._clock.now()
        with self._store.read() as tx:
            if not tx.exchanges.any_set_aside(connection, LIFTED_BY_FACTS):
                return  # as nearly always: no writer of the database waits for it
        with self._store.write() as tx:
            for row in tx.exchanges.set_aside(connection, LIFTED_BY_FACTS):
                status, reason = self._standing(tx, exchange, connection, row.transaction, row.business_key, row.digest)
                if status == AnswerStatus.APPLIED:
                    status, reason = self._applied(tx, connection, row.id, row.transaction, now)
                if (status, reason) != (row.status, row.reason):
                    tx.exchanges.judge_again(row.id, status, reason)

    def _fetch(self, inbox: RemoteInbox, connection: str, waiting: RemoteAnswer, collected: Collected) -> bool:
        """Whether fetching one file failed: it stays where it is, and the others are fetched all the same."""
        try:
            with inbox.download(waiting) as file:
                if file is None:
                    return False
                reach(FaultPoint.COLLECT_DOWNLOADED)
                self.take(connection, file, waiting.name, collected)
            reach(FaultPoint.COLLECT_COMMITTED)
            inbox.dispose(waiting)
            reach(FaultPoint.COLLECT_DISPOSED)
        except Unavailable as error:
            collected.problems.append(str(error))
            return True
        return False

    def take(self, connection: str, file: BinaryIO, remote_name: bytes, collected: Collected) -> None:
        """Store and apply one file, and each file in an archive by itself. The same bytes again change nothing."""
        with self._store.write() as tx:
            self._take(tx, connection, file, remote_name, collected)

    def _take(
        self,
        tx: Transaction,
        connection: str,
        file: BinaryIO,
        remote_name: bytes,
        collected: Collected,
        *,
        enclosed: bool = False,
    ) -> None:
        exchange = self._exchanges[connection]
        now = self._clock.now()
        sha256 = _sha256(file)
        if tx.exchanges.file_is_known(connection, sha256):
            collected.duplicates += 1
            return
        try:
            members = exchange.unpacked(file, enclosed=enclosed)
            staged = [] if members else _staged(tx, connection, exchange.read_answers(file), sha256)
        except Unavailable:
            raise  # it is not the file
        except Exception as error:  # whatever one file does to us, its bytes are kept and the others are read
            problem = str(error) if isinstance(error, FormatError) else f"reading it failed with {_kind(error)}"
            _add_file(tx, connection, file, remote_name, now, problem)
            collected.files += 1
            if isinstance(error, NoAnswer):
                collected.reports += 1
            else:
                collected.problems.append(problem)
            return
        file_id = _add_file(tx, connection, file, remote_name, now)
        collected.files += 1
        reach(FaultPoint.COLLECT_STORED)
        for name, member in members:
            inside = b"%s/%s" % (remote_name, name.encode())
            self._take(tx, connection, BytesIO(member), inside, collected, enclosed=True)
        for answer_id, each in staged:
            row = self._apply(tx, exchange, connection, answer_id, each, now)
            tx.exchanges.add_answer(file_id, row)
            reach(FaultPoint.POST_APPLIED)
            collected.applied += row.status == AnswerStatus.APPLIED
            collected.duplicates += row.status == AnswerStatus.DUPLICATE
            collected.set_aside += row.status in SET_ASIDE

    def _apply(
        self, tx: Transaction, exchange: Exchange, connection: str, answer_id: str, staged: Staged, now: datetime
    ) -> AnswerRow:
        transaction = staged.transaction
        key = business_key(connection, transaction)
        if answers_test(tx, connection, transaction, tx.exchanges.entries(answer_id, transaction.type)):
            status, reason = AnswerStatus.TESTED, "it answers a test batch"
        else:
            status, reason = self._standing(tx, exchange, connection, transaction, key, staged.digest)
        if status == AnswerStatus.APPLIED:
            status, reason = self._applied(tx, connection, answer_id, transaction, now)
        return AnswerRow(
            id=answer_id,
            connection=connection,
            type=transaction.type,
            business_key=key,
            digest=staged.digest,
            raw_sha256=staged.raw_sha256,
            status=status,
            reason=reason,
            received_at=now,
            transaction=transaction,
        )

    def _applied(
        self, tx: Transaction, connection: str, answer_id: str, transaction: AnswerTransaction, now: datetime
    ) -> tuple[AnswerStatus, str]:
        """Apply it whole or not at all: one that breaks us is set aside, and the file's others are applied."""
        try:
            with tx.savepoint():
                application = AnswerApplication(tx, self._organizations(tx, connection), connection, answer_id, now)
                return AnswerStatus.APPLIED, application.apply(transaction)
        except Unavailable:
            raise
        except Exception as error:
            return AnswerStatus.QUARANTINED, f"applying it failed with {_kind(error)}; nothing of it was applied"

    def _standing(
        self,
        tx: Transaction,
        exchange: Exchange,
        connection: str,
        transaction: AnswerTransaction,
        key: str,
        digest: str,
    ) -> tuple[AnswerStatus, str]:
        """Whether a transaction may be applied, and why not."""
        not_ours = exchange.is_ours(transaction)
        if not_ours:
            return AnswerStatus.QUARANTINED, not_ours
        if transaction.problems:
            return AnswerStatus.QUARANTINED, "; ".join(transaction.problems)
        earlier = tx.exchanges.applied_answer(key)
        if earlier is not None:
            if earlier.digest == digest:
                return AnswerStatus.DUPLICATE, "the same answer was applied before"
            return AnswerStatus.QUARANTINED, "another answer of the same number but other content was applied before"
        for answer in transaction.answers:
            if isinstance(answer, Remittance):
                return self._remittance_standing(answer, self._organizations(tx, connection))
            doubt = doubt_of(tx, exchange, connection, transaction, answer)
            if doubt:
                return AnswerStatus.QUARANTINED, doubt
        return AnswerStatus.APPLIED, ""

    def _organizations(self, tx: Transaction, connection: str) -> list[Organization]:
        """Those that the connection's tenant owns."""
        tenant = tx.exchanges.tenant(connection)
        return [each for each in self._policy.catalogue.organizations.values() if each.tenant == tenant]

    def _remittance_standing(self, remittance: Remittance, ours: Sequence[Organization]) -> tuple[AnswerStatus, str]:
        if not remittance.trace_number:
            return (
                AnswerStatus.QUARANTINED,
                "the remittance has no trace number: whether it was posted before, nobody could say",
            )
        if not any(is_payee(each, remittance) for each in ours):
            return (
                AnswerStatus.QUARANTINED,
                "the payee is none of this tenant's organizations: this may be somebody else's data",
            )
        if not remittance.balanced:
            places = ", ".join(each.where for each in remittance.out_of_balance[:_MOST_PLACES])
            others = len(remittance.out_of_balance) - _MOST_PLACES
            more = f" and {others} other places" if others > 0 else ""
            return (
                AnswerStatus.UNBALANCED,
                f"the remittance does not balance at {places}{more}; nothing of it was posted",
            )
        return AnswerStatus.APPLIED, ""

    def post(self, answer_id: str, actor: Actor, reason: str) -> int:
        """Post a remittance that does not balance as it is; the cents that nothing explains, which go to suspense.

        Raises NotFound for any other answer, NotAllowed, and Conflict when one of its number was posted meanwhile.
        """
        require(actor, Permission.POST)
        if not reason:
            raise NotAllowed("posting a remittance that does not balance needs a reason; say why with --reason")
        now = self._clock.now()
        with self._store.write() as tx:
            row = tx.exchanges.unbalanced(answer_id)
            if row is None:
                raise NotFound("no remittance of that id waits unbalanced; 'exchange status' lists those that do")
            if tx.exchanges.applied_answer(row.business_key) is not None:
                raise Conflict("a remittance of the same number was posted meanwhile; this one stays as it is")
            application = AnswerApplication(tx, self._organizations(tx, row.connection), row.connection, row.id, now)
            strangers = application.apply(row.transaction)
            (remittance,) = (each for each in row.transaction.answers if isinstance(each, Remittance))
            cents = cash(unexplained(remittance))
            tx.exchanges.judge_again(row.id, AnswerStatus.APPLIED, strangers)
            tx.audit.record(now, actor, "post-remittance", f"answer:{row.id}", reason, f"{cents} cents")
        return cents


def _kind(error: Exception) -> str:
    """An unexpected error's text may hold a patient's data; its type may not."""
    return type(error).__name__


def _staged(tx: Transaction, connection: str, returned: Iterable[Returned], sha256: str) -> list[tuple[str, Staged]]:
    """Every transaction of a file with the id of its answer, all of them or none."""
    with tx.savepoint():
        named = [(stable_id("answer", connection, f"{sha256}/{place}"), each) for place, each in enumerate(returned)]
        return [(answer_id, tx.exchanges.stage(answer_id, each)) for answer_id, each in named]


def _sha256(file: BinaryIO) -> str:
    said = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE):
        said.update(piece)
    return said.hexdigest()


def _add_file(
    tx: Transaction, connection: str, file: BinaryIO, remote_name: bytes, now: datetime, problem: str = ""
) -> str:
    file.seek(0)
    return tx.exchanges.add_file(connection, file, remote_name, now, problem)
