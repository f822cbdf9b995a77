"""The demo's three questions of why: a claim that is held, one that was denied, one that was paid."""

from __future__ import annotations

from typing import Any

from gateway.lifecycle import ClaimState
from gateway.pipeline.views import claim_why
from gateway.ports.storage import ClaimRow, Transaction

_ASKED = (ClaimState.HELD, ClaimState.DENIED, ClaimState.PAID)
_PREFERRED = "authorization-covers-days"


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
