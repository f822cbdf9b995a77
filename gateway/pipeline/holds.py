"""Holding claims: a person does, or the machine, for a rule and with a reason, so that one stops nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.claim.actor import MACHINE, Actor
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.identifiers import stable_id
from gateway.lifecycle import ClaimFact, ClaimState, FactKind, last_command
from gateway.pipeline.money import project
from gateway.ports.storage import Transaction

UNWRITABLE, UNDERIVABLE, REFEREE_DISAGREES = "unwritable", "derivation-broke", "referee-disagrees"
RESTORED = "restored-from-backup"
_FIXES = {
    UNWRITABLE: "correct the value where it is kept, then release the claim",
    UNDERIVABLE: "tell the maintainers; once it is mended, release the claim",
    RESTORED: "look for the claim among the partner's; release it only when no file there holds it",
    REFEREE_DISAGREES: (
        "correct the value where it is kept, then release the claim; where the referee is wrong, "
        "set `referee: none` in the partner's file"
    ),
}
_HELD = (ClaimState.HELD, ClaimState.CORRECTION_HELD)


def hold_by_machine(tx: Transaction, claim_id: str, rule: str, reason: str, now: datetime) -> None:
    """Hold a claim until a person releases it. The reason names places, never values."""
    hold(tx, claim_id, MACHINE, reason, now, rule)


def hold(tx: Transaction, claim_id: str, actor: Actor, reason: str, now: datetime, rule: str = "") -> None:
    """Hold a claim until a person releases it, audited; ``rule`` says which of the machine's reasons it is."""
    count = len(tx.claims.facts([claim_id])[claim_id])
    fact = ClaimFact(
        id=stable_id("held", claim_id, str(count)),
        claim_id=claim_id,
        version_id="",
        kind=FactKind.HELD,
        at=now,
        actor=actor.name,
        role=actor.role,
        code=rule,
        reason=reason,
    )
    tx.claims.add_facts([fact])
    tx.audit.record(now, actor, "hold", f"claim:{claim_id}", reason)
    project(tx, [claim_id])


def machine_findings(state: str, facts: Sequence[ClaimFact]) -> tuple[Finding, ...]:
    """Why the machine holds a claim in this state, as the finding people work by; empty when it does not."""
    last = last_command(facts)
    if state not in _HELD or last is None or last.kind is not FactKind.HELD or last.code not in _FIXES:
        return ()
    return (
        Finding(
            rule=last.code,
            code="",
            severity=Severity.BLOCK,
            path="claim",
            message=last.reason,
            fix=_FIXES[last.code],
            owner=Owner.INTEGRATION,
            overridable=False,
        ),
    )
