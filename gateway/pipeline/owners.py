"""Whose feed a source is, and the row a message of it becomes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from gateway.ports import Arrival
from gateway.ports.inbox import InboundMessage

_KEY_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOwner:
    """Whose feed a source is."""

    tenant: str
    organization: str


def inbound_message(
    owner: SourceOwner, arrival: Arrival, key: str, sha256: str, now: datetime, id: str
) -> InboundMessage:
    """A message as it is stored, with the answer and refusal its arrival carries."""
    return InboundMessage(
        id=id,
        tenant=owner.tenant,
        organization=owner.organization,
        source=arrival.source,
        received_at=now,
        sha256=sha256,
        content_type=arrival.content_type,
        control_key=key,
        event=arrival.event,
        answer=arrival.answer,
        refusal=arrival.refusal,
    )


def indexed(key: str) -> str:
    """A sender's name for a message as an index can hold it: one too long, or with a NUL, is known by its hash."""
    if len(key) <= _KEY_MAX and "\x00" not in key:
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
