"""What the demo tells at its end: what was caught before sending, and three questions of why."""

from __future__ import annotations

from typing import Any

from gateway.claim.finding import Finding, blocks
from gateway.lifecycle import ClaimState
from gateway.pipeline.views import claim_why
from gateway.ports.claims import ClaimRow, Draft
from gateway.ports.storage import Transaction
from gateway.rules.gate import RULES_BY_NAME
from gateway.rules.rule import Group

_ASKED = (ClaimState.HELD, ClaimState.DENIED, ClaimState.PAID)
_PREFERRED = "authorization-covers-days"
_PITFALLS = {
    "wrong codes": {Group.CODES},
    "wrong place of service": {Group.PLACE},
    "attendance that does not match": {Group.ATTENDANCE, Group.DUPLICATES},
    "authorization limits": {Group.AUTHORIZATION},
    "payer rules": {Group.PAYER, Group.CREDENTIALING, Group.CERTIFICATION, Group.SERIES, Group.FILING},
}
"""Where new programs lose their money, and the rules that look there."""


def caught_before_sending(tx: Transaction) -> list[dict[str, Any]]:
    """By pitfall the claims that are held, with their dollars and what is said of the dearest of them.

    A claim with two of them counts for both.
    """
    drafts = tx.claims.drafts([row.id for row in tx.claims.search(state=ClaimState.HELD)])
    return [_caught(pitfall, groups, list(drafts.values())) for pitfall, groups in _PITFALLS.items()]


def _caught(pitfall: str, groups: set[Group], drafts: list[Draft]) -> dict[str, Any]:
    found = {each.claim_id: (each, _of_groups(each.findings, groups)) for each in drafts}
    held = [(draft, reasons) for draft, reasons in found.values() if reasons]
    dearest = max(held, key=lambda each: each[0].claim.charge_cents, default=None)
    return {
        "pitfall": pitfall,
        "claims": len(held),
        "cents": sum(draft.claim.charge_cents for draft, _ in held),
        "for_example": dearest[1][0].message if dearest else "",
    }


def _of_groups(findings: tuple[Finding, ...], groups: set[Group]) -> list[Finding]:
    rules = ((each, RULES_BY_NAME.get(each.rule)) for each in blocks(findings))
    return [each for each, rule in rules if rule is not None and rule.group in groups]


def story_of(tx: Transaction) -> list[dict[str, Any]]:
    """A ``why`` for one claim of each kind there is."""
    found = []
    for state in _ASKED:
        rows = tx.claims.search(state=state)
        if rows:
            found.append(claim_why(tx, _telling(tx, rows).id))
    return found


def _telling(tx: Transaction, rows: list[ClaimRow]) -> ClaimRow:
    """The claim whose reason tells most: an authorization that ran out, where there is one."""
    drafts = tx.claims.drafts([row.id for row in rows])
    for row in rows:
        draft = drafts.get(row.id)
        if draft is not None and any(each.rule == _PREFERRED for each in draft.findings):
            return row
    return rows[0]
