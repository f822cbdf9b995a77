"""Applies one returned transaction, inside an open database transaction, to whatever of ours it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.claim.actor import MACHINE
from gateway.claim.answer import (
    AnswerTransaction,
    ClaimAnswer,
    Entry,
    InterchangeAnswer,
    PaidClaim,
    Remittance,
    TransactionAnswer,
)
from gateway.claim.contract import Organization
from gateway.claim.identifiers import stable_id
from gateway.lifecycle import ClaimFact, DeliveryState, FactKind
from gateway.pipeline.answer_doubts import REFUSALS, is_payee, is_repeat, trace_of
from gateway.pipeline.deliver import say_of_interchange
from gateway.pipeline.money import project
from gateway.ports.claims import Bill
from gateway.ports.exchanges import InterchangeRow
from gateway.ports.storage import Transaction
from gateway.receivable.ledger import LedgerEntry, adjusted, unexplained, unmatched


class AnswerApplication:
    """Applies one transaction inside an open database transaction."""

    def __init__(
        self, tx: Transaction, organizations: Sequence[Organization], connection: str, answer_id: str, now: datetime
    ) -> None:
        self._tx = tx
        self._organizations = organizations
        self._connection = connection
        self._answer_id = answer_id
        self._owner = f"answer:{answer_id}"
        self._now = now
        self._derives = False
        """Whether drafts of the claims may change."""
        self._facts: list[ClaimFact] = []
        """What is said of single claims, not written yet."""
        self._bills: Mapping[str, Bill] = {}
        """What the entries in hand name that is ours, by claim number."""
        self._strangers = 0

    def apply(self, transaction: AnswerTransaction) -> str:
        """Apply what it says, entries part by part; a sentence on what matched nothing of ours, empty when all did."""
        remittance: Remittance | None = None
        for answer in transaction.answers:
            if isinstance(answer, InterchangeAnswer):
                self._interchange(answer)
            elif isinstance(answer, TransactionAnswer):
                self._transaction(answer)
            else:
                remittance = answer
                self._provider(answer)
        for entries in self._tx.exchanges.entries(self._answer_id, transaction.type):
            self._derives = True
            self._take(entries, remittance)
        # First the wishes, then the claims: a derivation takes its patients before it writes claims. Each in order.
        if self._derives:
            self._tx.work.add_patients_answered(self._answer_id)
        for claims in self._tx.claims.answered(self._answer_id):
            project(self._tx, claims)
        if not self._strangers:
            return ""
        return f"{self._strangers} of its entries {'is' if self._strangers == 1 else 'are'} not ours"

    def _take(self, entries: Sequence[Entry], remittance: Remittance | None) -> None:
        """Write what some entries say; a paid claim's are of the remittance."""
        self._bills = self._tx.claims.bills_by_number(sorted({each.claim_number for each in entries}))
        in_suspense: list[LedgerEntry] = []
        for entry in entries:
            if isinstance(entry, ClaimAnswer):
                self._claim(entry)
            elif remittance is not None:
                in_suspense += self._paid(remittance, entry)
        self._write_facts()
        self._tx.ledger.add(self._owner, in_suspense)

    def _interchange(self, answer: InterchangeAnswer) -> None:
        row = self._tx.exchanges.interchange_by_number(self._connection, answer.isa13)
        if row is None:
            self._strangers += 1
            return
        if is_repeat(answer):
            self._tx.exchanges.set_delivery(row.id, None, DeliveryState.DELIVERED)  # the first copy is there
            say_of_interchange(self._tx, row.id, FactKind.DELIVERED, "", self._now, self._answer_id)
            return
        self._heard_of(row, rejected=answer.code == "R", kind=FactKind.INTERCHANGE, code=answer.code)

    def _transaction(self, answer: TransactionAnswer) -> None:
        row = self._tx.exchanges.interchange_by_number(self._connection, answer.gs06)
        if row is None:
            self._strangers += 1
            return
        rejected = answer.code in REFUSALS
        self._heard_of(row, rejected=rejected, kind=FactKind.TRANSACTION, code="R" if rejected else answer.code)

    def _heard_of(self, row: InterchangeRow, *, rejected: bool, kind: FactKind, code: str) -> None:
        """The partner spoke of an interchange, so it has it; a rejection frees what it carried."""
        say_of_interchange(self._tx, row.id, kind, code, self._now, self._answer_id)
        self._tx.exchanges.set_delivery(row.id, None, DeliveryState.REJECTED if rejected else DeliveryState.DELIVERED)
        if rejected:
            self._tx.exchanges.free_versions(row.id)
            self._derives = True

    def _claim(self, answer: ClaimAnswer) -> None:
        version = self._bills.get(answer.claim_number)
        if version is None or not self._went_by(version):
            self._strangers += 1
            return
        if answer.charge_cents is not None and answer.charge_cents != version.charge_cents:
            self._strangers += 1  # a number cut or reused: never guessed
            return
        kind = FactKind.PAYER if answer.by_payer else FactKind.CLEARINGHOUSE
        code = "accepted" if answer.accepted else "rejected"
        self._facts.append(
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

    def _provider(self, remittance: Remittance) -> None:
        """Post what an 835 moves beside its claims."""
        entries = [entry for each in remittance.provider_adjustments for entry in adjusted(remittance, each)]
        self._tx.ledger.add(self._owner, [*entries, *unexplained(remittance)])

    def _paid(self, remittance: Remittance, paid: PaidClaim) -> list[LedgerEntry]:
        """Say of its claim what was paid; money for none of ours is returned."""
        version = self._version_of(remittance, paid)
        if version is None:
            self._strangers += 1
            return unmatched(paid)
        self._facts.append(self._remitted(version, remittance, paid))
        return []

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
        payees = {each.id for each in self._organizations if is_payee(each, remittance)}
        return version if version.organization in payees else None

    def _remitted(self, version: Bill, remittance: Remittance, paid: PaidClaim) -> ClaimFact:
        trace = trace_of(remittance)
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

    def _write_facts(self) -> None:
        self._tx.claims.add_facts(self._facts)
        self._facts = []
