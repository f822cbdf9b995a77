"""Silence is a state: what a partner has not answered by its own clocks is marked once, told once, and listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from gateway.ports import Clock, Exchange
from gateway.ports.partners import Silence
from gateway.ports.storage import Store

_LOG = structlog.get_logger("exchange")


class SilencePass:
    """Sets the clocks of what was sent, and notices those that ran out. Safe to repeat, and side by side."""

    def __init__(self, store: Store, clock: Clock, exchanges: Mapping[str, Exchange]) -> None:
        self._store = store
        self._clock = clock
        self._exchanges = exchanges

    def run(self) -> int:
        """One pass; how many answers it found missing that nobody was told of before."""
        now = self._clock.now()
        with self._store.write() as tx:
            for row in tx.partners.unwatched():
                exchange = self._exchanges.get(row.connection)
                if exchange is not None:
                    due = exchange.answers_due(tx.partners.sent_at(row.id) or row.created_at)
                    tx.partners.expect(row.id, due)
            tx.partners.hear(now)
            found = tx.partners.fall_silent(now)
        for each in found:
            _LOG.error("partner-silent", **_event(each))
        return len(found)


def _event(silence: Silence) -> dict[str, Any]:
    row = silence.interchange
    return {
        "connection": row.connection,
        "interchange": row.id,
        "answer": silence.answer,
        "due_at": silence.due_at.isoformat(),
        "claims": silence.claims,
    }


def silence_view(silence: Silence) -> dict[str, Any]:
    """One silence for people and programs."""
    row = silence.interchange
    return {
        "connection": row.connection,
        "interchange": row.id,
        "isa13": row.isa13,
        "remote_name": row.remote_name,
        "state": row.state,
        "answer": silence.answer,
        "due_at": silence.due_at.isoformat(),
        "silent_since": silence.silent_since.isoformat(),
        "claims": row.claim_count,
        "waiting": silence.claims,
        "charge_cents": row.charge_cents,
        "created_at": row.created_at.isoformat(),
    }
