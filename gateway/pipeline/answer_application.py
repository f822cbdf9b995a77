"""Applies one returned transaction, inside an open database transaction, to whatever of ours it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gateway.claim.actor import MACHINE
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
from gateway.lifecycle import ClaimFact, DeliveryState, FactKind
from gateway.pipeline.answer_doubts import REFUSALS, is_payee, is_repeat, trace_of
from gateway.pipeline.deliver import say_of_interchange
from gateway.pipeline.money import project
from gateway.ports.claims import Bill
from gateway.ports.exchanges import InterchangeRow
from gateway.ports.storage import Transaction
from gateway.ports.work import WorkKind
from gateway.receivable.ledger import LedgerEntry, adjusted, unexplained, unmatched


def _claim_numbers(answers: Iterable[Answer]) -> Iterator[str]:
    for answer in answers:
        if isinstance(answer, ClaimAnswer):
            yield answer.claim_number
        elif isinstance(answer, Remittance):
            yield from (paid.claim_number for paid in answer.claims)


class AnswerApplication:
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
        if is_repeat(answer):
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
        rejected = answer.code in REFUSALS
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

    def _add(self, version: Bill, fact: ClaimFact) -> None:
        self._facts.append(fact)
        self._touched.add(version.claim_id)
        self._to_derive.add(version.claim_id)

    def _write_facts(self) -> None:
        self._tx.claims.add_facts(self._facts)
        self._facts = []
