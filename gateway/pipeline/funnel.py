"""Counts: where every encounter and claim is, what is held by whom and why, what was billed, paid and denied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.claim.finding import Finding, blocks
from gateway.lifecycle import ADJUDICATED, ClaimState
from gateway.pipeline.holds import machine_findings
from gateway.ports.claims import ClaimRow, PlacementRow
from gateway.ports.storage import Transaction
from gateway.receivable.ledger import Account

HELD = frozenset({ClaimState.HELD, ClaimState.CORRECTION_HELD, ClaimState.REJECTED, ClaimState.CONFLICT})
_OURS = frozenset({ClaimState.WAITING, ClaimState.READY, ClaimState.RELEASED})
_SENT = frozenset(
    {
        ClaimState.TRANSMITTED,
        ClaimState.INTERCHANGE_ACCEPTED,
        ClaimState.TRANSACTION_ACCEPTED,
        ClaimState.CLEARINGHOUSE_ACCEPTED,
        ClaimState.PAYER_ACCEPTED,
        ClaimState.CONFLICT,
        *ADJUDICATED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldGroup:
    """Claims one owner can free by putting one thing right."""

    owner: str
    rule: str
    claims: int
    encounters: int
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Encounters to money, in the order they go."""

    encounters: int
    places: dict[str, int]
    """Encounters by billed, waiting, held, not-billable."""
    reasons: dict[str, int]
    """Not billable encounters by reason."""
    service_days: int
    claims: int
    states: dict[str, int]
    held: tuple[HeldGroup, ...]
    sent: int
    accepted: int
    paid: int
    denied: int
    billed_cents: int
    paid_cents: int
    contractual_cents: int
    denied_cents: int
    patient_cents: int
    prior_payer_cents: int
    """Settled by payers before the one billed (OA-23)."""
    adjusted_cents: int
    """What payers adjusted beside claims (PLB); interest they paid is negative."""
    open_cents: int
    suspense_cents: int
    """Paid for claims that are none of ours, and negative. With the others it sums to what was billed."""


def place_of(row: PlacementRow, states: dict[str, str]) -> str:
    """Where an encounter's bill is now: what was derived, seen through the state of the claim it is on."""
    state = states.get(row.claim_key)
    if row.place in ("not-billable", "held") or state is None:
        return row.place
    if state in HELD:
        return "held"
    return "waiting" if state in _OURS else "billed"


def count(tx: Transaction) -> Funnel:
    """The funnel of everything in the database."""
    claims = tx.claims.search()
    states = {row.key: row.state for row in claims}
    placements = list(tx.claims.placements())
    places = Counter(place_of(row, states) for row in placements)
    versions = tx.claims.versions([row.id for row in claims])
    facts = tx.claims.facts([row.id for row in claims])
    frozen = [row for row in claims if versions[row.id]]
    codes = {row.id: {(fact.kind, fact.code) for fact in facts[row.id]} for row in frozen}
    balances = tx.ledger.balances()
    tally = Counter(row.state for row in claims)
    return Funnel(
        encounters=len(placements),
        places=dict(places),
        reasons=dict(Counter(row.reason for row in placements if row.place == "not-billable")),
        service_days=sum(1 for _ in tx.claims.days()),
        claims=len(claims),
        states=dict(tally),
        held=tuple(_held(tx, claims, placements, states)),
        sent=sum(1 for row in frozen if any(kind == "delivered" for kind, _ in codes[row.id])),
        accepted=sum(1 for row in frozen if ("payer", "accepted") in codes[row.id]),
        paid=sum(tally[state] for state in (ClaimState.PAID, ClaimState.PARTIAL)),
        denied=tally[ClaimState.DENIED],
        billed_cents=-balances.get(Account.REVENUE, 0),
        paid_cents=balances.get(Account.CASH, 0),
        contractual_cents=balances.get(Account.CONTRACTUAL, 0),
        denied_cents=balances.get(Account.DENIED, 0),
        patient_cents=balances.get(Account.PATIENT, 0),
        prior_payer_cents=balances.get(Account.PRIOR_PAYER, 0),
        adjusted_cents=balances.get(Account.PROVIDER_ADJUSTMENT, 0),
        open_cents=balances.get(Account.PAYER, 0),
        suspense_cents=balances.get(Account.SUSPENSE, 0),
    )


def _held(
    tx: Transaction, claims: list[ClaimRow], placements: list[PlacementRow], states: dict[str, str]
) -> Iterable[HeldGroup]:
    """Held claims by the owner and rule of each block, and held encounters that no claim could be made of."""
    tallies: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    held = [row for row in claims if row.state in HELD]
    drafts, facts = tx.claims.drafts([row.id for row in held]), tx.claims.facts([row.id for row in held])
    for row in held:
        draft = drafts.get(row.id)
        if draft is None:
            continue
        findings = (*draft.findings, *machine_findings(row.state, facts[row.id]))
        for owner, rule in sorted(_reasons(findings, row.state)):
            tally = tallies[owner, rule]
            tally[0] += 1
            tally[1] += len(draft.encounter_ids)
            tally[2] += draft.claim.charge_cents
    for placed in placements:
        if placed.place == "held" and placed.claim_key not in states:
            for owner, rule in sorted(_reasons(placed.findings, placed.reason)):
                tallies[owner, rule][1] += 1
                tallies[owner, rule][2] += placed.cents
    for (owner, rule), (number, encounters, cents) in sorted(tallies.items(), key=lambda item: -item[1][2]):
        yield HeldGroup(owner=owner, rule=rule, claims=number, encounters=encounters, cents=cents)


def _reasons(findings: Iterable[Finding], otherwise: str) -> set[tuple[str, str]]:
    return {(str(each.owner), each.rule) for each in blocks(findings)} or {("billing", otherwise)}
