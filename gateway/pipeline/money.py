"""Projects one claim's state and money from its facts; called wherever facts were added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from gateway.claim.finding import blocks
from gateway.lifecycle import ClaimFact, ClaimState, DraftSituation, FactKind, claim_state, standing_version
from gateway.ports.claims import Draft
from gateway.ports.storage import Transaction
from gateway.receivable.ledger import LedgerEntry, billed, remitted

VOID = "8"


class Billed(Protocol):
    """What money asks of a frozen version."""

    @property
    def id(self) -> str: ...  # noqa: D102 - the names say it
    @property
    def claim_number(self) -> str: ...  # noqa: D102
    @property
    def content_hash(self) -> str: ...  # noqa: D102
    @property
    def frequency(self) -> str: ...  # noqa: D102
    @property
    def charge_cents(self) -> int: ...  # noqa: D102


B = TypeVar("B", bound=Billed)


def project(tx: Transaction, claim_ids: Sequence[str]) -> None:
    """Rewrite state and ledger entries of the claims from their facts. Safe to repeat, and safe side by side:
    whoever projects the same claim waits, and then sees every fact committed before."""
    before = tx.claims.hold(claim_ids)
    drafts, versions, facts = tx.claims.drafts(claim_ids), tx.claims.bills(claim_ids), tx.claims.facts(claim_ids)
    states = []
    entries: dict[str, list[LedgerEntry]] = {}
    for claim_id in claim_ids:
        own = versions[claim_id]
        state = state_of(drafts.get(claim_id), own, facts[claim_id])
        if state != before[claim_id]:
            states.append((claim_id, state))
        entries[f"claim:{claim_id}"] = entries_of(own, facts[claim_id])
    tx.ledger.replace_all(entries)
    tx.claims.set_states(states)


def state_of(draft: Draft | None, versions: Sequence[Billed], facts: Sequence[ClaimFact]) -> ClaimState:
    """The state of a claim; a void that was paid out is voided."""
    situation, live = None, live_version(versions, facts)
    if draft is not None:
        situation = DraftSituation(
            content_hash=draft.content_hash,
            blocked=bool(blocks(draft.findings)),
            complete=draft.complete,
            correction=live is not None,
        )
    state = claim_state(situation, [(each.id, each.content_hash) for each in versions], facts)
    if situation is None and live is not None and live.frequency == VOID and _taken_back(live, facts):
        return ClaimState.VOIDED
    return state


def live_version(versions: Sequence[B], facts: Sequence[ClaimFact]) -> B | None:
    """The newest version that the payer has or may have."""
    standing = standing_version([each.id for each in versions], facts)
    return next((each for each in versions if standing and each.id == standing[0]), None)


def _taken_back(void: Billed, facts: Sequence[ClaimFact]) -> bool:
    """True once the payer reversed every payment, or took the void and there was none."""
    paid = [fact.paid for fact in facts if fact.paid is not None]
    accepted = any(
        fact.version_id == void.id and fact.kind is FactKind.PAYER and fact.code == "accepted" for fact in facts
    )
    return sum(each.paid_cents for each in paid) == 0 and (bool(paid) or accepted)


def entries_of(versions: Sequence[Billed], facts: Sequence[ClaimFact]) -> list[LedgerEntry]:
    """The claim's ledger entries: what stands is owed by the payer, and every remittance moves what it moves.

    A replaced version stays owed while its adjudication stands; the payer's reversal takes both away together.
    """
    entries: list[LedgerEntry] = []
    live = live_version(versions, facts)
    for version in versions:
        paid = [fact.paid for fact in facts if fact.version_id == version.id and fact.paid is not None]
        adjudicated = sum(each.charge_cents for each in paid)
        if version.frequency != VOID and (version is live or adjudicated):
            entries += billed(version.claim_number, version.charge_cents)
        for each in paid:
            entries += remitted(version.claim_number, each)
    return entries
