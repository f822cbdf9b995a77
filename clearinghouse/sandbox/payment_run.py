"""Decisions become money: one 835 for the claims of one payer and payee that are due, reversals before corrections."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from clearinghouse.sandbox.answers import envelope_to
from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.ledger import Ledger, stamp
from clearinghouse.sandbox.outbox import Outbox
from clearinghouse.sandbox.payer import decide
from clearinghouse.sandbox.payer_table import PayerTable, SimulatedPayer
from clearinghouse.sandbox.remittances import Owed, claim_payment, remittance, reversal_of
from clearinghouse.sandbox.submission import SubmittedClaim
from clearinghouse.x12.parties import Name
from clearinghouse.x12.remittance_835 import ClaimPayment, Remittance
from clearinghouse.x12.write_835 import write_835

_REPLACEMENT, _VOID = "7", "8"
_OTHER_PAYEE = "1999999976"


@dataclass(slots=True)
class _Batch:
    """What one remittance will hold: payments with the ledger's claim they belong to, and interest."""

    payments: list[tuple[int, ClaimPayment]] = field(default_factory=list)
    interest: list[tuple[str, int]] = field(default_factory=list)


class PaymentRun:
    """Decides and pays inside the caller's transaction."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        table: PayerTable,
        seed: int,
        clock: Callable[[], datetime],
        faults: Faults,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._table = table
        self._seed = seed
        self._clock = clock
        self._faults = faults

    def pay(self, rows: Sequence[sqlite3.Row]) -> int:
        """Decide claims of one payer, payee and reply address; 1 when that made a remittance, else 0."""
        payer = self._table.find(rows[0]["payer_id"])
        if payer is None:  # the table was changed since; the claims wait, visible in the ledger
            return 0
        batch = _Batch()
        overtaken = self._overtaken(rows)
        for row in rows:
            if row["id"] in overtaken:
                self._ledger.change("claim", row["id"], state="replaced")
                continue
            claim = msgspec.json.decode(row["body"], type=SubmittedClaim)
            if claim.frequency in (_REPLACEMENT, _VOID):
                self._take_back_original(row, batch)
            if claim.frequency == _VOID:
                self._ledger.change("claim", row["id"], state="void")
            else:
                self._decide(row, claim, payer, batch)
        if not batch.payments:
            return 0
        self._send(rows[0], payer, batch)
        return 1

    def _overtaken(self, rows: Sequence[sqlite3.Row]) -> set[int]:
        """Claims that a replacement or void overtook before they were decided: they are never paid."""
        found = set()
        for row in rows:
            original = self._original(row)
            if original is not None and original["state"] == "accepted":
                self._ledger.change("claim", original["id"], state="replaced")
                found.add(int(original["id"]))
        return found

    def _original(self, row: sqlite3.Row) -> sqlite3.Row | None:
        return self._ledger.by_payer_number(row["mailbox"], row["replaces"]) if row["replaces"] else None

    def _take_back_original(self, row: sqlite3.Row, batch: _Batch) -> None:
        original = self._original(row)
        if original is None or original["state"] != "decided":
            return
        paid = msgspec.json.decode(original["payment"], type=ClaimPayment)
        batch.payments.append((original["id"], reversal_of(paid)))
        self._ledger.change("claim", original["id"], state="reversed")

    def _decide(self, row: sqlite3.Row, claim: SubmittedClaim, payer: SimulatedPayer, batch: _Batch) -> None:
        earlier = self._ledger.same_content(row["mailbox"], row["content_key"])
        is_duplicate = any(
            each["id"] < row["id"]
            and (each["state"] == "accepted" or (each["state"] == "decided" and each["paid_cents"]))
            for each in earlier
        )
        used = self._ledger.authorized_days_paid(row["mailbox"], row["authorization_number"])
        received_on = datetime.fromisoformat(row["received_at"]).date()
        decision = decide(claim, payer, self._table, self._seed, received_on, is_duplicate, used)
        payment = claim_payment(claim, decision, payer, row["payer_claim_number"])
        days = {line.line.from_on for line in decision.lines if line.allowed_cents}
        reasons = sorted({f"{each.group}-{each.reason}" for line in decision.lines for each in line.adjustments})
        self._ledger.change(
            "claim",
            row["id"],
            state="decided",
            reason=" ".join(reasons),
            paid_cents=decision.paid_cents,
            authorized_days=len(days),
            payment=msgspec.json.encode(payment).decode(),
        )
        batch.payments.append((row["id"], payment))
        if decision.interest_cents:
            batch.interest.append((row["payer_claim_number"], decision.interest_cents))

    def _send(self, row: sqlite3.Row, payer: SimulatedPayer, batch: _Batch) -> None:
        now = self._clock()
        claim = msgspec.json.decode(row["body"], type=SubmittedClaim)
        key = (row["mailbox"], payer.id, claim.billing.identifier)
        trace = f"EFT{self._ledger.next_number('trace'):09d}"
        payments = tuple(payment for _, payment in batch.payments)
        owed = Owed(claim.billing, claim.tax_id, payments, tuple(batch.interest))
        values, forwarded = remittance(payer, owed, trace, now.date(), self._ledger.take_forwarded(*key))
        if forwarded:
            place = dict(zip(("mailbox", "payer_id", "payee_npi"), key, strict=True))
            self._ledger.add("forwarded", **place, cents=forwarded, trace=trace)
        self._record(key, values, batch, now)
        address = row["reply"]
        for each in self._with_faults(values):

            def write(number: int, values: Remittance = each) -> bytes:
                return write_835(values, envelope_to(address, number, now))

            self._outbox.post(key[0], None, "835", write, timedelta(0))

    def _record(self, key: tuple[str, str, str], values: Remittance, batch: _Batch, now: datetime) -> None:
        remittance_id = self._ledger.add(
            "remittance",
            mailbox=key[0],
            payer_id=key[1],
            payee_npi=key[2],
            trace=values.header.trace.number,
            paid_cents=values.header.payment.cents,
            provider_adjustment_cents=sum(each.cents for each in values.provider_adjustments),
            paid_at=stamp(now),
        )
        for claim_id, payment in batch.payments:
            self._ledger.add(
                "payment",
                remittance_id=remittance_id,
                claim_id=claim_id,
                status_code=payment.status_code,
                charge_cents=payment.charge_cents,
                paid_cents=payment.paid_cents,
                patient_cents=payment.patient_cents or 0,
            )

    def _with_faults(self, values: Remittance) -> list[Remittance]:
        """What goes out instead of a right remittance, which is alone in the list where no fault strikes."""
        if self._faults.strikes("unbalanced-835"):
            values = _paying_more(values, 1)
        if self._faults.strikes("stranger-835"):
            values = _with_stranger(values)
        if self._faults.strikes("other-payee-835"):
            payee = values.header.payee
            other = replace(payee, name=replace(payee.name, identifier=_OTHER_PAYEE), references=())
            values = replace(values, header=replace(values.header, payee=other))
        if self._faults.strikes("changed-835"):
            return [values, _with_stranger(values)]
        return [values]


def _with_stranger(values: Remittance) -> Remittance:
    """The remittance with one more claim, which nobody sent, and its money."""
    stranger = ClaimPayment(
        "NOTOURS0000000001",
        "1",
        charge_cents=10000,
        paid_cents=10000,
        patient=Name("NOBODY", "KNOWN", entity_type="1"),
        claim_filing_indicator="ZZ",
        payer_claim_number="9999999999999",
        position=max((claim.position for claim in values.claims), default=0) + 1,
    )
    return replace(_paying_more(values, stranger.paid_cents), claims=(*values.claims, stranger))


def _paying_more(values: Remittance, cents: int) -> Remittance:
    payment = replace(values.header.payment, cents=values.header.payment.cents + cents)
    return replace(values, header=replace(values.header, payment=payment))
