"""Stored messages: what each told of, and the wish to have them interpreted anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway.claim.actor import Actor
from gateway.errors import NotFound
from gateway.permissions import Permission, require
from gateway.pipeline.interpret import interpret_again
from gateway.ports import FHIR_CONTENT, MappingProblem
from gateway.ports.inbox import InboundMessage
from gateway.ports.storage import Transaction
from gateway.ports.work import WorkKind
from gateway.wiring.asked import one_source
from gateway.wiring.site import Site


def said_of(message: InboundMessage, problems: Sequence[MappingProblem]) -> list[str]:
    """Why a message was refused, or what of it was not understood, in sentences."""
    return [message.refusal] if message.refusal else [each.message for each in problems]


def was_said(reason: str, message: InboundMessage, problems: Sequence[MappingProblem]) -> bool:
    """Whether a sentence about the message has this part, in capitals or not; an empty one is in every message."""
    return not reason or any(reason.casefold() in each.casefold() for each in said_of(message, problems))


def run_again(
    site: Site, actor: Actor, *, message_id: str = "", failed: bool = False, source: str = "", reason: str = ""
) -> dict[str, Any]:
    """Have messages interpreted by the mapping set now in force: {"messages": [ids], "still_failing": [ids]}.

    One message; or all of a source; or those that were ``failed``, not understood whole, of any source or one, for any
    reason or one. Refused messages stay refused: their senders were told so. Raises NotFound, NotKnown, NotAllowed.
    """
    require(actor, Permission.INTERPRET_AGAIN)
    one_source(site.store, source)
    with site.store.write() as tx:
        if failed or (source and not message_id):
            told = tx.inbox.messages(source, failed_only=failed)
            chosen = [each for each, problems in told if was_said(reason, each, problems)]
        else:
            chosen = [message_of(tx, message_id)]
        asked = [each for each in chosen if not each.refusal]
        for each in asked:
            _ask_again(tx, each)
        now = site.clock.now()
        subject, detail = f"messages:{message_id or 'failed'}", f"{len(asked)} {source} {reason}".strip()
        tx.audit.record(now, actor, "interpret-again", subject, "", detail)
    site.settle()
    with site.store.read() as tx:
        failing = {each.id for each, _ in tx.inbox.messages(failed_only=True)}
    ids = [each.id for each in asked]
    return {"messages": ids, "still_failing": [each for each in ids if each in failing]}


def message_of(tx: Transaction, message_id: str) -> InboundMessage:
    """A stored message. Raises NotFound."""
    message = tx.inbox.get(message_id)
    if message is None:
        raise NotFound("there is no such message; 'cleanclaim messages list' shows their ids")
    return message


def _ask_again(tx: Transaction, message: InboundMessage) -> None:
    if message.content_type != FHIR_CONTENT:
        interpret_again(tx, [message.id])
        return
    told = (each for each in references_of(message) if tx.resources.current(message.source, each) is not None)
    tx.work.add(WorkKind.INTERPRET_RESOURCE, [f"{message.source} {each}" for each in told])


def references_of(message: InboundMessage) -> list[str]:
    """``Type/id`` of every resource a FHIR message stored, by the answer that was kept with it."""
    return references_in(message.answer.partition(b"\n\n")[2])


def references_in(answer: bytes) -> list[str]:
    """``Type/id`` of what a FHIR answer says was stored: a response Bundle's locations, or the one resource."""
    try:
        body = json.loads(answer)
    except ValueError:
        return []
    if not isinstance(body, dict):
        return []
    if body.get("resourceType") == "Bundle":
        locations = (each.get("response", {}).get("location", "") for each in body.get("entry", ()))
        return [location.partition("/_history/")[0] for location in locations if location]
    has_id = "id" in body and body.get("resourceType") != "OperationOutcome"
    return [f"{body['resourceType']}/{body['id']}"] if has_id else []
