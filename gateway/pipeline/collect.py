"""Collect: returned files are stored, then each transaction is applied once, in any order, to what it speaks of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.claim.answer import (
    AnswerTransaction,
    ClaimAnswer,
    InterchangeAnswer,
    PaidClaim,
    Remittance,
    TransactionAnswer,
)
from gateway.claim.contract import Catalogue
from gateway.claim.identifiers import stable_id
from gateway.errors import FormatError, PartnerPaused, Unavailable
from gateway.lifecycle import ClaimFact, FactKind
from gateway.pipeline.derive import MACHINE
from gateway.pipeline.interpret import DERIVE
from gateway.pipeline.money import project
from gateway.pipeline.send import DELIVERED, IN_DOUBT, REJECTED, SENDING, add_interchange_fact
from gateway.ports import Clock, Exchange
from gateway.ports.policy import PolicyInForce
from gateway.ports.storage import AnswerRow, InterchangeRow, Store, Transaction, Version
from gateway.receivable.ledger import LedgerEntry, adjusted, unmatched

APPLIED, DUPLICATE, QUARANTINED, UNBALANCED = "applied", "duplicate", "quarantined", "unbalanced"
_DUPLICATE_INTERCHANGE = "025"


@dataclass(slots=True, kw_only=True)
class Collected:
    """What one pass brought."""

    files: int = 0
    applied: int = 0
    duplicates: int = 0
    set_aside: int = 0
    problems: list[str] = field(default_factory=list)
    paused: str = ""


class CollectPass:
    """Fetches and applies answers for the connections it knows."""

    def __init__(self, store: Store, clock: Clock, policy: PolicyInForce, exchanges: Mapping[str, Exchange]) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._exchanges = exchanges

    def run(self, connection: str) -> Collected:
        """Fetch every settled file, commit it, apply it, and only then let the partner's copy go."""
        exchange = self._exchanges[connection]
        collected = Collected()
        try:
            for waiting in exchange.list_answers():
                content = exchange.download(waiting)
                if content is None:
                    continue
                self.take(connection, content, waiting.name, collected)
                exchange.dispose(waiting)
        except Unavailable as error:
            collected.problems.append(str(error))
        except PartnerPaused as error:
            collected.paused = str(error)
        return collected

    def take(self, connection: str, content: bytes, remote_name: bytes, collected: Collected) -> None:
        """Store and apply one file. The same bytes again change nothing."""
        exchange = self._exchanges[connection]
        now = self._clock.now()
        with self._store.write() as tx:
            if tx.exchanges.file_is_known(connection, hashlib.sha256(content).hexdigest()):
                collected.duplicates += 1
                return
            collected.files += 1
            try:
                transactions = exchange.read_answers(content)
            except FormatError as error:
                tx.exchanges.add_file(connection, content, remote_name, now, str(error))
                collected.problems.append(str(error))
                return
            file_id = tx.exchanges.add_file(connection, content, remote_name, now)
            for ordinal, transaction in enumerate(transactions):
                row = self._apply(tx, exchange, connection, transaction, f"{file_id}/{ordinal}", now)
                tx.exchanges.add_answer(file_id, row)
                collected.applied += row.status == APPLIED
                collected.duplicates += row.status == DUPLICATE
                collected.set_aside += row.status in (QUARANTINED, UNBALANCED)

    def _apply(
        self,
        tx: Transaction,
        exchange: Exchange,
        connection: str,
        transaction: AnswerTransaction,
        place: str,
        now: datetime,
    ) -> AnswerRow:
        key, digest = business_key(transaction), _digest(transaction)
        answer_id = stable_id("answer", connection, place)
        status, reason = self._standing(tx, exchange, connection, transaction, key, digest)
        if status == APPLIED:
            with tx.savepoint():
                reason = _Application(tx, self._policy.catalogue, connection, answer_id, now).apply(transaction)
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

    def _standing(
        self,
        tx: Transaction,
        exchange: Exchange,
        connection: str,
        transaction: AnswerTransaction,
        key: str,
        digest: str,
    ) -> tuple[str, str]:
        """Whether a transaction may be applied, and why not."""
        not_ours = exchange.is_ours(transaction)
        if not_ours:
            return QUARANTINED, not_ours
        if transaction.problems:
            return QUARANTINED, "; ".join(transaction.problems)
        earlier = tx.exchanges.applied_answer(connection, key)
        if earlier is not None:
            if earlier.digest == digest:
                return DUPLICATE, "the same answer was applied before"
            return QUARANTINED, "another answer of the same number but other content was applied before"
        for answer in transaction.answers:
            if isinstance(answer, Remittance):
                return self._remittance_standing(answer)
            if isinstance(answer, InterchangeAnswer) and _needs_a_person(tx, connection, answer):
                return QUARANTINED, "the partner says it has this number already; whether from us, a person must decide"
        return APPLIED, ""

    def _remittance_standing(self, remittance: Remittance) -> tuple[str, str]:
        if not remittance.balanced:
            places = ", ".join(each.where for each in remittance.out_of_balance)
            return UNBALANCED, f"the remittance does not balance at {places}; nothing of it was posted"
        payees = {each.npi for each in self._policy.catalogue.organizations.values()}
        if remittance.payee_npi not in payees:
            return QUARANTINED, "the payee is none of our organizations"
        return APPLIED, ""


def business_key(transaction: AnswerTransaction) -> str:
    """What makes an answer the same answer. A re-enveloped 835 has other control numbers and is still the same."""
    for answer in transaction.answers:
        if isinstance(answer, Remittance):
            return f"835|{answer.payer_identifier}|{answer.trace_number}|{answer.payee_npi}"
    numbers = (transaction.sender, str(transaction.isa13), str(transaction.gs06 or ""), transaction.st02)
    return "|".join((transaction.type, *numbers))


def _digest(transaction: AnswerTransaction) -> str:
    return hashlib.sha256(repr(transaction.answers).encode()).hexdigest()


def _needs_a_person(tx: Transaction, connection: str, answer: InterchangeAnswer) -> bool:
    """A duplicate-number rejection of a file in doubt may speak of another file that used the number."""
    row = tx.exchanges.interchange_by_number(connection, answer.isa13)
    in_doubt = row is not None and row.state in (IN_DOUBT, SENDING)
    return in_doubt and answer.code == "R" and answer.note == _DUPLICATE_INTERCHANGE


class _Application:
    """Applies one transaction inside an open database transaction."""

    def __init__(self, tx: Transaction, catalogue: Catalogue, connection: str, answer_id: str, now: datetime) -> None:
        self._tx = tx
        self._catalogue = catalogue
        self._connection = connection
        self._answer_id = answer_id
        self._now = now
        self._touched: set[str] = set()
        self._strangers: list[str] = []

    def apply(self, transaction: AnswerTransaction) -> str:
        """Apply every answer; a sentence on what matched nothing of ours, empty when all did."""
        for answer in transaction.answers:
            if isinstance(answer, InterchangeAnswer):
                self._interchange(answer)
            elif isinstance(answer, TransactionAnswer):
                self._transaction(answer)
            elif isinstance(answer, ClaimAnswer):
                self._claim(answer)
            else:
                self._remittance(answer)
        if self._touched:
            project(self._tx, sorted(self._touched))
            self._derive_again()
        count = len(self._strangers)
        return f"{count} of its entries are not ours" if count else ""

    def _derive_again(self) -> None:
        rows = (self._tx.claims.get(claim_id) for claim_id in self._touched)
        self._tx.work.add(DERIVE, {row.patient_id for row in rows if row})

    def _interchange(self, answer: InterchangeAnswer) -> None:
        row = self._tx.exchanges.interchange_by_number(self._connection, answer.isa13)
        if row is None:
            self._strangers.append("interchange")
            return
        self._heard_of(row, rejected=answer.code == "R", kind=FactKind.INTERCHANGE, code=answer.code)

    def _transaction(self, answer: TransactionAnswer) -> None:
        row = self._tx.exchanges.interchange_by_number(self._connection, answer.gs06)
        if row is None:
            self._strangers.append("group")
            return
        rejected = answer.code in ("R", "M", "W", "X")
        self._heard_of(row, rejected=rejected, kind=FactKind.TRANSACTION, code="R" if rejected else answer.code)

    def _heard_of(self, row: InterchangeRow, *, rejected: bool, kind: FactKind, code: str) -> None:
        """The partner spoke of an interchange, so it has it; a rejection frees what it carried."""
        add_interchange_fact(self._tx, row.id, kind, code, self._now, self._answer_id)
        if rejected:
            self._tx.exchanges.free_versions(row.id)
            self._tx.exchanges.set_delivery(row.id, row.epoch, REJECTED)
            self._touched |= {claim_id for claim_id, _ in self._tx.exchanges.versions_in(row.id)}
        elif row.state in (IN_DOUBT, SENDING):
            self._tx.exchanges.set_delivery(row.id, row.epoch, DELIVERED)

    def _claim(self, answer: ClaimAnswer) -> None:
        version = self._tx.claims.version_by_number(answer.claim_number)
        if version is None or (answer.charge_cents is not None and answer.charge_cents != version.claim.charge_cents):
            self._strangers.append("claim")  # unknown, or a number cut or reused: never guessed
            return
        kind = FactKind.PAYER if answer.by_payer else FactKind.CLEARINGHOUSE
        code = "accepted" if answer.accepted else "rejected"
        self._add(
            version,
            ClaimFact(
                id=stable_id(kind, version.id, code, *answer.statuses),
                claim_id=version.claim_id,
                version_id=version.id,
                kind=kind,
                at=self._now,
                actor=MACHINE,
                role=MACHINE,
                code=code,
                reason=" ".join(answer.statuses),
                answer_id=self._answer_id,
                payer_claim_number=answer.payer_claim_number,
            ),
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
        self._tx.ledger.replace(f"answer:{self._answer_id}", entries)

    def _version_of(self, remittance: Remittance, paid: PaidClaim) -> Version | None:
        """By our claim number, else by the payer's: a shortened or similar number is never taken for a match."""
        version = self._tx.claims.version_by_number(paid.claim_number)
        if version is None and paid.payer_claim_number:
            version = self._tx.claims.version_by_payer_number(paid.payer_claim_number)
        if version is None:
            return None
        organization = self._catalogue.organizations.get(version.claim.key.organization)
        return version if organization is not None and organization.npi == remittance.payee_npi else None

    def _remitted(self, version: Version, remittance: Remittance, paid: PaidClaim) -> ClaimFact:
        trace = f"{remittance.payer_identifier}|{remittance.trace_number}|{remittance.payee_npi}"
        return ClaimFact(
            id=stable_id("remitted", trace, str(paid.ordinal)),
            claim_id=version.claim_id,
            version_id=version.id,
            kind=FactKind.REMITTED,
            at=self._now,
            actor=MACHINE,
            role=MACHINE,
            code=paid.status_code,
            reason=trace,
            answer_id=self._answer_id,
            payer_claim_number=paid.payer_claim_number,
            paid=paid,
            paid_on=remittance.paid_on,
        )

    def _add(self, version: Version, fact: ClaimFact) -> None:
        self._tx.claims.add_facts([fact])
        self._touched.add(version.claim_id)
