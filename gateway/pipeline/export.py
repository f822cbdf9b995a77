"""The canonical export: claims, lines, money and states by business identity; two runs of one month give the same one.

Left out is what may differ between runs of the same facts: control numbers, times, attempts, ids of rows.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from gateway.claim.claim import Claim
from gateway.lifecycle import ClaimFact
from gateway.pipeline.funnel import place_of
from gateway.ports.storage import Transaction


def canonical_export(tx: Transaction) -> dict[str, Any]:
    """Everything that must come out the same whatever was killed in between, as sorted plain values."""
    rows = tx.claims.search()
    ids = [row.id for row in rows]
    drafts, versions, facts = tx.claims.drafts(ids), tx.claims.versions(ids), tx.claims.facts(ids)
    states = {row.key: row.state for row in rows}
    return {
        "claims": [
            {
                "key": row.key,
                "state": row.state,
                "draft": _content(drafts[row.id].claim) if row.id in drafts else None,
                "findings": sorted(f"{each.rule} {each.path}" for each in drafts[row.id].findings)
                if row.id in drafts
                else [],
                "versions": [_content(each.claim) for each in versions[row.id]],
                "facts": sorted(_fact(each) for each in facts[row.id]),
                "money": dict(sorted(_money(tx, row.id).items())),
            }
            for row in rows
        ],
        "encounters": sorted(
            f"{row.encounter_id} {place_of(row, states)} {row.reason}" for row in tx.claims.placements()
        ),
        "service_days": sorted(
            f"{day.patient_id} {day.facility} {day.program} {day.on} {day.minutes} {day.services}"
            for day in tx.claims.days()
        ),
        "balances": dict(sorted(tx.ledger.balances().items())),
    }


def _money(tx: Transaction, claim_id: str) -> Counter[str]:
    balances: Counter[str] = Counter()
    for entry in tx.ledger.entries(f"claim:{claim_id}"):
        balances[entry.account] += entry.cents
    return balances


def _content(claim: Claim) -> dict[str, Any]:
    return {
        "frequency": claim.frequency,
        "form": claim.form,
        "from": claim.statement_from_on.isoformat(),
        "through": claim.statement_through_on.isoformat(),
        "cents": claim.charge_cents,
        "authorization": claim.authorization_number,
        "diagnoses": list(claim.diagnoses),
        "lines": [
            f"{line.service_on} {line.revenue_code} {line.hcpcs} {'-'.join(line.modifiers)} {line.units} "
            f"{line.charge_cents}"
            for line in claim.lines
        ],
    }


def _fact(fact: ClaimFact) -> str:
    """A fact without its numbers: which kind, what it said, what it paid."""
    said = fact.code if fact.kind not in ("released", "frozen") else ""
    paid = f" {fact.paid.status_code} {fact.paid.paid_cents}" if fact.paid else ""
    return f"{fact.kind} {said}{paid}"
