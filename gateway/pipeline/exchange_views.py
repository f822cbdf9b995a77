"""How things stand with each partner: what is on its way, in doubt, silent, set aside; when it was last heard of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from gateway.claim.actor import MACHINE
from gateway.lifecycle import DeliveryState, FactKind
from gateway.pipeline.delivery_words import told_of
from gateway.pipeline.silence import silence_view
from gateway.ports import Exchange
from gateway.ports.exchanges import SET_ASIDE, AnswerStatus, InterchangeRow
from gateway.ports.partners import AnswerNote, Contact
from gateway.ports.storage import Transaction


def exchange_status(tx: Transaction, exchanges: Mapping[str, Exchange]) -> list[dict[str, Any]]:
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
            "under_way": _files(tx, connection, exchange, DeliveryState.SENDING),
            "in_doubt": _files(tx, connection, exchange, DeliveryState.IN_DOUBT),
            "goes_again": _files(tx, connection, exchange, DeliveryState.READY),
            "silent": [silence_view(each) for each in tx.partners.silences(connection)],
            "answers": {kind: answers.get((connection, kind), 0) for kind in ("TA1", "999", "277CA", "835")},
            "reports": sum(each.connection == connection for each in tx.partners.reports()),
            "set_aside": [_note(each) for each in aside if each.connection == connection],
            "not_ours": [_note(each) for each in not_ours if each.connection == connection],
        }
        for connection, exchange in sorted(exchanges.items())
    ]


def _files(tx: Transaction, connection: str, exchange: Exchange, state: DeliveryState) -> list[dict[str, Any]]:
    """The files in a state that were tried at least once, with what is known of each and what happens next."""
    rows = [row for row in tx.exchanges.interchanges(connection, [state]) if row.epoch]
    return [
        _interchange(row) | asdict(told_of(row, tx.exchanges.steps(row.id), _ended_by(tx, row), exchange.settle_gap))
        for row in rows
    ]


def _ended_by(tx: Transaction, row: InterchangeRow) -> str:
    """What ended the doubt of the last attempt, in the words that its claims keep; empty when it was in none."""
    claim_id, version_id = tx.exchanges.versions_in(row.id)[0]
    for fact in tx.claims.facts([claim_id])[claim_id]:
        ours = (fact.version_id, fact.interchange_id, fact.code) == (version_id, row.id, str(row.epoch))
        if ours and fact.kind is FactKind.NOT_ARRIVED:
            return fact.reason if fact.actor == MACHINE.name else f"{fact.actor}, {fact.role}, said so: {fact.reason}"
    return ""


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
