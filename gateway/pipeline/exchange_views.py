"""How things stand with each partner: what is on its way, in doubt, silent, set aside; when it was last heard of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from gateway.lifecycle import DeliveryState
from gateway.pipeline.silence import silence_view
from gateway.ports.exchanges import SET_ASIDE, AnswerStatus, InterchangeRow
from gateway.ports.partners import AnswerNote, Contact
from gateway.ports.storage import Transaction


def exchange_status(tx: Transaction, connections: Iterable[str]) -> list[dict[str, Any]]:
    """One partner each, in order of name."""
    states, answers = tx.partners.interchange_counts(), tx.partners.answer_counts()
    notes, contacts = list(tx.partners.answer_notes()), tx.partners.contacts()
    aside = [each for each in notes if each.status in SET_ASIDE]
    not_ours = [each for each in notes if each.status is AnswerStatus.APPLIED]
    return [
        {
            "connection": connection,
            **_contact(contacts.get(connection, Contact())),
            "queued": states.get((connection, DeliveryState.READY), 0),
            "sending": states.get((connection, DeliveryState.SENDING), 0),
            "delivered": states.get((connection, DeliveryState.DELIVERED), 0),
            "rejected": states.get((connection, DeliveryState.REJECTED), 0),
            "under_way": [_interchange(row) for row in tx.exchanges.interchanges(connection, [DeliveryState.SENDING])],
            "in_doubt": [_interchange(row) for row in tx.exchanges.interchanges(connection, [DeliveryState.IN_DOUBT])],
            "silent": [silence_view(each) for each in tx.partners.silences(connection)],
            "answers": {kind: answers.get((connection, kind), 0) for kind in ("TA1", "999", "277CA", "835")},
            "reports": sum(each.connection == connection for each in tx.partners.reports()),
            "set_aside": [_note(each) for each in aside if each.connection == connection],
            "not_ours": [_note(each) for each in not_ours if each.connection == connection],
        }
        for connection in sorted(connections)
    ]


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "last_contact": _time(contact.contacted_at),
        "problem": contact.problem or None,
        "troubled_since": _time(contact.troubled_since),
        "next_run": _time(contact.next_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _note(note: AnswerNote) -> dict[str, Any]:
    return {"id": note.id, "type": note.type, "status": note.status, "reason": note.reason}


def _interchange(row: InterchangeRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "isa13": row.isa13,
        "form": row.form,
        "remote_name": row.remote_name,
        "state": row.state,
        "claims": row.claim_count,
        "charge_cents": row.charge_cents,
        "created_at": row.created_at.isoformat(),
        "held_until": _time(row.lease_until),
    }
