"""Asks a partner's referee about released claims before they are frozen.

It takes milliseconds a claim, so it is asked outside every transaction; what it agreed to is known by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from gateway.claim.contract import ClaimForm
from gateway.claim.identifiers import claim_number
from gateway.errors import FormatError
from gateway.lifecycle import ClaimState
from gateway.pipeline.holds import REFEREE_DISAGREES, hold_by_machine
from gateway.ports import Exchange, InterchangeNumbers, NumberedClaim
from gateway.ports.claims import Draft
from gateway.ports.storage import Store

_LOG = structlog.get_logger("pipeline")


def agreed_contents(
    store: Store, exchange: Exchange, connection: str, form: ClaimForm, now: datetime
) -> frozenset[str] | None:
    """The content hashes the referee has nothing against; None when the partner's profile asks none.

    The claims it objects to are held. Where no claim alone is at fault, all of the file are.
    """
    if not exchange.asks_referee:
        return None
    with store.read() as tx:
        ids = tx.claims.releasable(connection, form, exchange.most_claims)
        drafts = tx.claims.drafts(ids)
    asked = [drafts[each] for each in ids if each in drafts and drafts[each].claim.connection == connection]
    objections = _objections(exchange, asked, now)
    if objections:
        _hold(store, asked, objections, now)
    return frozenset(draft.content_hash for draft in asked if draft.claim_id not in objections)


def _objections(exchange: Exchange, drafts: Sequence[Draft], now: datetime) -> dict[str, str]:
    """What is objected to, by claim. A file the referee objects to is asked about in halves, down to single claims."""
    if not drafts:
        return {}
    numbered = [
        NumberedClaim(claim=draft.claim, claim_number=claim_number(place)) for place, draft in enumerate(drafts)
    ]
    numbers = InterchangeNumbers(isa13=1, batch_reference="CHECK", created_at=now)
    try:
        objection = exchange.objection(numbered, numbers)
        if not objection:
            return {}
    except FormatError:
        objection = ""  # which claim it is, and why, is for the freeze to say
    if len(drafts) == 1:
        return {drafts[0].claim_id: objection} if objection else {}
    middle = len(drafts) // 2
    found = _objections(exchange, drafts[:middle], now) | _objections(exchange, drafts[middle:], now)
    return found or ({draft.claim_id: objection for draft in drafts} if objection else {})


def _hold(store: Store, asked: Sequence[Draft], objections: dict[str, str], now: datetime) -> None:
    """Hold what was objected to, unless it was changed or taken up meanwhile."""
    hashes = {draft.claim_id: draft.content_hash for draft in asked}
    with store.write() as tx:
        drafts = tx.claims.drafts([*objections])
        for row in tx.claims.rows([*objections]):
            draft = drafts.get(row.id)
            if row.state == ClaimState.RELEASED and draft is not None and draft.content_hash == hashes[row.id]:
                hold_by_machine(tx, row.id, REFEREE_DISAGREES, objections[row.id], now)
    _LOG.error("referee-disagrees", claims=len(objections), asked=len(asked))
