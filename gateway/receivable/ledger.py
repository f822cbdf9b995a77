"""The receivable ledger: entry lists that sum to zero, each a function of facts, so that it can be recounted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.claim.answer import (
    CONTRACTUAL_REASONS,
    PRIOR_PAYER,
    Adjustment,
    PaidClaim,
    ProviderAdjustment,
    Remittance,
)


class Account(StrEnum):
    """Where money is. Debits are positive."""

    REVENUE = "revenue"
    PAYER = "payer-receivable"
    PATIENT = "patient-receivable"
    CASH = "cash"
    CONTRACTUAL = "contractual"
    DENIED = "denied"
    """Refused by the payer and not yet won back or written off: still an asset, in dispute."""
    PRIOR_PAYER = "prior-payer"
    """What the adjudication of a payer before this one settled: its own claim has that money."""
    SUSPENSE = "suspense"
    PROVIDER_ADJUSTMENT = "provider-adjustment"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One side of a movement. ``reference`` says of what: a claim number, an 835 trace."""

    account: Account
    cents: int
    basis: str
    """``billed``, ``remitted``, ``unmatched``, ``provider-adjustment`` or ``out-of-balance``."""
    reference: str


def billed(claim_number: str, charge_cents: int) -> list[LedgerEntry]:
    """A live version is owed by the payer until an answer says otherwise."""
    return [
        LedgerEntry(account=Account.PAYER, cents=charge_cents, basis="billed", reference=claim_number),
        LedgerEntry(account=Account.REVENUE, cents=-charge_cents, basis="billed", reference=claim_number),
    ]


def remitted(claim_number: str, paid: PaidClaim) -> list[LedgerEntry]:
    """One CLP: cash in, adjustments to where they belong, the whole of it off the payer's receivable.

    A reversal is the same with its own negative amounts, so that sums come out right whatever the order.
    """
    movements = [(Account.CASH, paid.paid_cents)]
    adjustments = [*paid.adjustments, *(each for line in paid.lines for each in line.adjustments)]
    movements += [(_account_of(each), each.cents) for each in adjustments]
    entries = [
        LedgerEntry(account=account, cents=cents, basis="remitted", reference=claim_number)
        for account, cents in movements
        if cents
    ]
    total = sum(entry.cents for entry in entries)
    entries.append(LedgerEntry(account=Account.PAYER, cents=-total, basis="remitted", reference=claim_number))
    return entries


def _account_of(adjustment: Adjustment) -> Account:
    if adjustment.group == "PR":
        return Account.PATIENT
    if (adjustment.group, adjustment.reason) == PRIOR_PAYER:
        return Account.PRIOR_PAYER
    return Account.CONTRACTUAL if adjustment.reason in CONTRACTUAL_REASONS else Account.DENIED


def unmatched(paid: PaidClaim) -> list[LedgerEntry]:
    """Cash for a claim that is not ours, or not known to be: it lies in suspense, visibly."""
    if not paid.paid_cents:
        return []
    return [
        LedgerEntry(account=Account.CASH, cents=paid.paid_cents, basis="unmatched", reference=paid.claim_number),
        LedgerEntry(account=Account.SUSPENSE, cents=-paid.paid_cents, basis="unmatched", reference=paid.claim_number),
    ]


def adjusted(remittance: Remittance, adjustment: ProviderAdjustment) -> list[LedgerEntry]:
    """One PLB: a positive amount takes money out of this payment."""
    reference = f"{remittance.trace_number}/{adjustment.reason}"
    return [
        LedgerEntry(account=Account.CASH, cents=-adjustment.cents, basis="provider-adjustment", reference=reference),
        LedgerEntry(
            account=Account.PROVIDER_ADJUSTMENT,
            cents=adjustment.cents,
            basis="provider-adjustment",
            reference=reference,
        ),
    ]


def unexplained(remittance: Remittance) -> list[LedgerEntry]:
    """What an 835 pays beyond, or short of, what its claims and adjustments come to: nothing where it balances."""
    explained = remittance.claims_paid_cents - sum(each.cents for each in remittance.provider_adjustments)
    cents, basis, trace = remittance.payment_cents - explained, "out-of-balance", remittance.trace_number
    if not cents:
        return []
    return [
        LedgerEntry(account=Account.CASH, cents=cents, basis=basis, reference=trace),
        LedgerEntry(account=Account.SUSPENSE, cents=-cents, basis=basis, reference=trace),
    ]


def total(entries: Iterable[LedgerEntry]) -> int:
    """The sum of the entries; zero, or something is wrong with us."""
    return sum(entry.cents for entry in entries)


def cash(entries: Sequence[LedgerEntry]) -> int:
    """Cents of cash in the entries."""
    return sum(entry.cents for entry in entries if entry.account is Account.CASH)
