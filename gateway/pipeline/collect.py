"""Collect: returned files are stored, then each transaction is applied once, in any order, to what it speaks of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.claim.actor import MACHINE, Actor
from gateway.claim.answer import (
    Answer,
    AnswerTransaction,
    ClaimAnswer,
    InterchangeAnswer,
    PaidClaim,
    Remittance,
    TransactionAnswer,
)
from gateway.claim.contract import Organization
from gateway.claim.identifiers import stable_id
from gateway.errors import Conflict, FormatError, NoAnswer, NotAllowed, NotFound, PartnerPaused, Unavailable
from gateway.fault_points import FaultPoint, reach
from gateway.lifecycle import ClaimFact, DeliveryState, FactKind
from gateway.pipeline.certify import answers_test
from gateway.pipeline.connections import ConnectionWatch
from gateway.pipeline.deliver import say_of_interchange
from gateway.pipeline.money import project
from gateway.ports import OPENED, REFUSED, Clock, Exchange, RemoteAnswer, RemoteInbox
from gateway.ports.claims import Bill
from gateway.ports.exchanges import SET_ASIDE, AnswerRow, AnswerStatus, InterchangeRow
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import Store, Transaction
from gateway.ports.work import WorkKind
from gateway.receivable.ledger import LedgerEntry, adjusted, cash, unexplained, unmatched

_DUPLICATE_INTERCHANGE = "025"
_REFUSALS = frozenset({"R", "M", "W", "X"})
"""Of TA104 and AK901: nothing of it was taken."""
_MOST_FAILURES = 3


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
        self.note_contact(connection, trouble, exchange.poll_every)
        return collected

    def note_contact(self, connection: str, problem: str, again_in: timedelta) -> None:
        """Remember how talking to a partner went, empty when it answered, and when it is tried again."""
        now = self._clock.now()
        with self._store.write() as tx:
            tx.partners.note_contact(connection, now, problem, now + again_in)

    def _fetch(self, inbox: RemoteInbox, connection: str, waiting: RemoteAnswer, collected: Collected) -> bool:
        """Whether fetching one file failed: it stays where it is, and the others are fetched all the same."""
        try:
            content = inbox.download(waiting)
            if content is not None:
                reach(FaultPoint.COLLECT_DOWNLOADED)
                self.take(connection, content, waiting.name, collected)
                reach(FaultPoint.COLLECT_COMMITTED)
                inbox.dispose(waiting)
                reach(FaultPoint.COLLECT_DISPOSED)
        except Unavailable as error:
            collected.problems.append(str(error))
            return True
        return False

    def take(self, connection: str, content: bytes, remote_name: bytes, collected: Collected) -> None:
        """Store and apply one file, and each file in an archive by itself. The same bytes again change nothing."""
        with self._store.write() as tx:
            self._take(tx, connection, content, remote_name, collected)

    def _take(self, tx: Transaction, connection: str, content: bytes, remote_name: bytes, collected: Collected) -> None:
        exchange = self._exchanges[connection]
        now = self._clock.now()
        if tx.exchanges.file_is_known(connection, hashlib.sha256(content).hexdigest()):
            collected.duplicates += 1
            return
        collected.files += 1
        try:
            members = exchange.unpacked(content)
            transactions = [] if members else exchange.read_answers(content)
        except Exception as error:  # whatever one file does to us, its bytes are kept and the others are read
            problem = str(error) if isinstance(error, FormatError) else f"reading it failed with {_kind(error)}"
            tx.exchanges.add_file(connection, content, remote_name, now, problem)
            if isinstance(error, NoAnswer):
                collected.reports += 1
            else:
                collected.problems.append(problem)
            return
        file_id = tx.exchanges.add_file(connection, content, remote_name, now)
        reach(FaultPoint.COLLECT_STORED)
        for name, member in members:
            self._take(tx, connection, member, b"%s/%s" % (remote_name, name.encode()), collected)
        for ordinal, transaction in enumerate(transactions):
            row = self._apply(tx, exchange, connection, transaction, f"{file_id}/{ordinal}", now)
            tx.exchanges.add_answer(file_id, row)
            reach(FaultPoint.POST_APPLIED)
            collected.applied += row.status == AnswerStatus.APPLIED
            collected.duplicates += row.status == AnswerStatus.DUPLICATE
            collected.set_aside += row.status in SET_ASIDE

    def _apply(
        self,
        tx: Transaction,
        exchange: Exchange,
        connection: str,
        transaction: AnswerTransaction,
        place: str,
        now: datetime,
    ) -> AnswerRow:
        key, digest = business_key(connection, transaction), _digest(transaction)
        answer_id = stable_id("answer", connection, place)
        status, reason = self._standing(tx, exchange, connection, transaction, key, digest)
        if status == AnswerStatus.APPLIED:
            status, reason = self._applied(tx, connection, answer_id, transaction, now)
        return AnswerRow(
            id=answer_id,
            connection=connection,
            type=transaction.type,
            business_key=key,
            digest=digest,
            raw_sha256=hashlib.sha256(transaction.raw).hexdigest(),
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
                application = _Application(tx, self._organizations(tx, connection), connection, answer_id, now)
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
        if answers_test(tx, connection, transaction):
            return AnswerStatus.TESTED, "it answers a test batch"
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
            doubt = _doubt(tx, exchange, connection, transaction, answer)
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
        if not any(_is_payee(each, remittance) for each in ours):
            return (
                AnswerStatus.QUARANTINED,
                "the payee is none of this tenant's organizations: this may be somebody else's data",
            )
        if not remittance.balanced:
            places = ", ".join(each.where for each in remittance.out_of_balance)
            return AnswerStatus.UNBALANCED, f"the remittance does not balance at {places}; nothing of it was posted"
        return AnswerStatus.APPLIED, ""

    def post(self, answer_id: str, actor: Actor, reason: str) -> int:
        """Post a remittance that does not balance as it is; the cents that nothing explains, which go to suspense.

        Raises NotFound for any other answer, NotAllowed, and Conflict when one of its number was posted meanwhile.
        """
        if actor.role != "supervisor" or not reason:
            raise NotAllowed("only a supervisor posts a remittance that does not balance, and says why")
        now = self._clock.now()
        with self._store.write() as tx:
            row = tx.exchanges.unbalanced(answer_id)
            if row is None:
                raise NotFound("no remittance of that id waits unbalanced; 'exchange status' lists those that do")
            if tx.exchanges.applied_answer(row.business_key) is not None:
                raise Conflict("a remittance of the same number was posted meanwhile; this one stays as it is")
            application = _Application(tx, self._organizations(tx, row.connection), row.connection, row.id, now)
            strangers = application.apply(row.transaction)
            (remittance,) = (each for each in row.transaction.answers if isinstance(each, Remittance))
            cents = cash(unexplained(remittance))
            tx.exchanges.post(row.id, strangers)
            tx.audit.record(now, actor, "post-remittance", f"answer:{row.id}", reason, f"{cents} cents")
        return cents


def business_key(connection: str, transaction: AnswerTransaction) -> str:
    """What makes an answer the same answer.

    An 835 is known by payer, trace and payee: in another envelope, or by another connection, it is still the same.
    """
    spoken_of = []
    for answer in transaction.answers:
        if isinstance(answer, Remittance):
            return f"835|{_trace(answer)}"
        if isinstance(answer, InterchangeAnswer):
            spoken_of.append(f"{answer.isa13:09d}")  # one interchange may carry a TA1 for each of several of ours
    numbers = (transaction.sender, str(transaction.isa13), str(transaction.gs06 or ""), transaction.st02)
    return "|".join((connection, transaction.type, *numbers, *spoken_of))


def _trace(remittance: Remittance) -> str:
    payee = remittance.payee_npi or remittance.payee_tax_id
    return f"{remittance.payer_identifier}|{remittance.trace_number}|{payee}"


def _is_payee(organization: Organization, remittance: Remittance) -> bool:
    """By NPI; by tax id only where the payer names none."""
    if remittance.payee_npi:
        return organization.npi == remittance.payee_npi
    return bool(remittance.payee_tax_id) and organization.tax_id == remittance.payee_tax_id


def _kind(error: Exception) -> str:
    """An unexpected error's text may hold a patient's data; its type may not."""
    return type(error).__name__


def _digest(transaction: AnswerTransaction) -> str:
    return hashlib.sha256(repr(transaction.answers).encode()).hexdigest()


def _doubt(tx: Transaction, exchange: Exchange, connection: str, transaction: AnswerTransaction, answer: Answer) -> str:
    """Why a person must say which file of ours an acknowledgement means; empty when it is plain."""
    if not isinstance(answer, InterchangeAnswer | TransactionAnswer):
        return ""
    number = answer.isa13 if isinstance(answer, InterchangeAnswer) else answer.gs06
    row = tx.exchanges.interchange_by_number(connection, number)
    if row is None:
        return ""
    if row.state in (DeliveryState.READY, DeliveryState.ABANDONED) and not tx.exchanges.steps(row.id):
        return "it names an interchange of ours of which no byte was sent: another file must have used its number"
    if isinstance(answer, InterchangeAnswer):
        another = exchange.is_about(transaction, answer, tx.exchanges.raw(row.sha256))
        if another:
            return another
    if _is_repeat(answer) and not (_sent_twice(tx, row) or _spoken_of(tx, row)):
        return "the partner says it has this number already; whether from us, a person must decide"
    if row.state == DeliveryState.REJECTED and answer.code not in _REFUSALS and _went_out_again(tx, row):
        return "it takes a file that was refused before, whose claims went out again since: they may be there twice"
    return ""


def _went_out_again(tx: Transaction, row: InterchangeRow) -> bool:
    """Whether any version the file carried left in a later one."""
    carried = tx.exchanges.versions_in(row.id)
    versions = {version_id for _, version_id in carried}
    facts = tx.claims.facts([claim_id for claim_id, _ in carried])
    return any(
        fact.kind is FactKind.FROZEN and fact.version_id in versions and fact.code > f"{row.isa13:09d}"
        for each in facts.values()
        for fact in each
    )


def _is_repeat(answer: Answer) -> bool:
    """True for the refusal of a number that the partner has seen before: it speaks of the copy, not of the claims."""
    return isinstance(answer, InterchangeAnswer) and (answer.code, answer.note) == ("R", _DUPLICATE_INTERCHANGE)


def _sent_twice(tx: Transaction, row: InterchangeRow) -> bool:
    """Our own log shows these bytes on their way in two attempts, so the copy refused was ours."""
    steps = tx.exchanges.steps(row.id)
    refused = {step.epoch for step in steps if step.marker == REFUSED}
    return len({step.epoch for step in steps if step.marker == OPENED} - refused) > 1


def _spoken_of(tx: Transaction, row: InterchangeRow) -> bool:
    """Another answer names the interchange, so the partner has had it from us."""
    facts = tx.claims.facts([claim_id for claim_id, _ in tx.exchanges.versions_in(row.id)])
    return any(fact.interchange_id == row.id and fact.answer_id for each in facts.values() for fact in each)


def _claim_numbers(answers: Iterable[Answer]) -> Iterator[str]:
    for answer in answers:
        if isinstance(answer, ClaimAnswer):
            yield answer.claim_number
        elif isinstance(answer, Remittance):
            yield from (paid.claim_number for paid in answer.claims)


class _Application:
    """Applies one transaction inside an open database transaction."""

    def __init__(
        self, tx: Transaction, organizations: Sequence[Organization], connection: str, answer_id: str, now: datetime
    ) -> None:
        self._tx = tx
        self._organizations = organizations
        self._connection = connection
        self._answer_id = answer_id
        self._now = now
        self._touched: set[str] = set()
        """Claims a fact was added to."""
        self._to_derive: set[str] = set()
        """Those of them whose draft may change."""
        self._facts: list[ClaimFact] = []
        """What is said of single claims, not written yet."""
        self._bills: Mapping[str, Bill] = {}
        """What the answers name that is ours, by claim number."""
        self._strangers: list[str] = []

    def apply(self, transaction: AnswerTransaction) -> str:
        """Apply every answer; a sentence on what matched nothing of ours, empty when all did."""
        self._bills = self._tx.claims.bills_by_number(sorted(set(_claim_numbers(transaction.answers))))
        for answer in transaction.answers:
            if isinstance(answer, InterchangeAnswer):
                self._interchange(answer)
            elif isinstance(answer, TransactionAnswer):
                self._transaction(answer)
            elif isinstance(answer, ClaimAnswer):
                self._claim(answer)
            else:
                self._remittance(answer)
        self._write_facts()
        # First the wish, then the claims: a derivation takes its patients before it writes claims, in the same order.
        rows = self._tx.claims.rows([*self._to_derive])
        self._tx.work.add(WorkKind.DERIVE, {row.patient_id for row in rows})
        project(self._tx, sorted(self._touched))
        count = len(self._strangers)
        return f"{count} of its entries are not ours" if count else ""

    def _interchange(self, answer: InterchangeAnswer) -> None:
        row = self._tx.exchanges.interchange_by_number(self._connection, answer.isa13)
        if row is None:
            self._strangers.append("interchange")
            return
        if _is_repeat(answer):
            self._tx.exchanges.set_delivery(row.id, None, DeliveryState.DELIVERED)  # the first copy is there
            spoken_of = say_of_interchange(self._tx, row.id, FactKind.DELIVERED, "", self._now, self._answer_id)
            self._touched.update(spoken_of)
            return
        self._heard_of(row, rejected=answer.code == "R", kind=FactKind.INTERCHANGE, code=answer.code)

    def _transaction(self, answer: TransactionAnswer) -> None:
        row = self._tx.exchanges.interchange_by_number(self._connection, answer.gs06)
        if row is None:
            self._strangers.append("group")
            return
        rejected = answer.code in _REFUSALS
        self._heard_of(row, rejected=rejected, kind=FactKind.TRANSACTION, code="R" if rejected else answer.code)

    def _heard_of(self, row: InterchangeRow, *, rejected: bool, kind: FactKind, code: str) -> None:
        """The partner spoke of an interchange, so it has it; a rejection frees what it carried."""
        spoken_of = say_of_interchange(self._tx, row.id, kind, code, self._now, self._answer_id)
        self._touched.update(spoken_of)
        self._tx.exchanges.set_delivery(row.id, None, DeliveryState.REJECTED if rejected else DeliveryState.DELIVERED)
        if rejected:
            self._tx.exchanges.free_versions(row.id)
            self._to_derive.update(spoken_of)

    def _claim(self, answer: ClaimAnswer) -> None:
        version = self._bills.get(answer.claim_number)
        if version is None or not self._went_by(version):
            self._strangers.append("claim")
            return
        if answer.charge_cents is not None and answer.charge_cents != version.charge_cents:
            self._strangers.append("claim")  # a number cut or reused: never guessed
            return
        kind = FactKind.PAYER if answer.by_payer else FactKind.CLEARINGHOUSE
        code = "accepted" if answer.accepted else "rejected"
        self._add(
            version,
            ClaimFact(
                id=stable_id(kind, version.id, code, answer.payer_claim_number, *answer.statuses),
                claim_id=version.claim_id,
                version_id=version.id,
                kind=kind,
                at=self._now,
                actor=MACHINE.name,
                role=MACHINE.role,
                code=code,
                reason=" ".join(answer.statuses),
                answer_id=self._answer_id,
                payer_claim_number=answer.payer_claim_number,
            ),
        )

    def _went_by(self, version: Bill) -> bool:
        """Whether the version was in a file of this connection: after a refusal it may go again by another one."""
        if version.connection == self._connection:
            return True
        facts = self._tx.claims.facts([version.claim_id])[version.claim_id]
        frozen_in = {fact.interchange_id for fact in facts if fact.kind is FactKind.FROZEN}
        rows = (self._tx.exchanges.interchange(each) for each in frozen_in if each)
        return any(
            row is not None
            and row.connection == self._connection
            and (version.claim_id, version.id) in self._tx.exchanges.versions_in(row.id)
            for row in rows
        )

    def _remittance(self, remittance: Remittance) -> None:
        entries: list[LedgerEntry] = []
        for paid in remittance.claims:
            version = self._version_of(remittance, paid)
            if version is None:
                self._strangers.append("payment")
                entries += unmatched(paid)
                continue
            self._add(version, self._remitted(version, remittance, paid))
        for adjustment in remittance.provider_adjustments:
            entries += adjusted(remittance, adjustment)
        entries += unexplained(remittance)
        self._tx.ledger.replace(f"answer:{self._answer_id}", entries)

    def _version_of(self, remittance: Remittance, paid: PaidClaim) -> Bill | None:
        """By our claim number, else by the payer's with our charge: a similar number is never taken for a match."""
        version = self._bills.get(paid.claim_number)
        if version is None and paid.payer_claim_number:
            self._write_facts()  # an entry before this one may be what gave the number
            version = self._tx.claims.bill_by_payer_number(paid.payer_claim_number)
            if version is not None and abs(paid.charge_cents) != version.charge_cents:
                return None
        if version is None:
            return None
        payees = {each.id for each in self._organizations if _is_payee(each, remittance)}
        return version if version.organization in payees else None

    def _remitted(self, version: Bill, remittance: Remittance, paid: PaidClaim) -> ClaimFact:
        trace = _trace(remittance)
        return ClaimFact(
            id=stable_id("remitted", trace, str(paid.ordinal)),
            claim_id=version.claim_id,
            version_id=version.id,
            kind=FactKind.REMITTED,
            at=self._now,
            actor=MACHINE.name,
            role=MACHINE.role,
            code=paid.status_code,
            reason=trace,
            answer_id=self._answer_id,
            payer_claim_number=paid.payer_claim_number,
            paid=paid,
            paid_on=remittance.paid_on,
        )

    def _add(self, version: Bill, fact: ClaimFact) -> None:
        self._facts.append(fact)
        self._touched.add(version.claim_id)
        self._to_derive.add(version.claim_id)

    def _write_facts(self) -> None:
        self._tx.claims.add_facts(self._facts)
        self._facts = []
