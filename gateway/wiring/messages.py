"""Stored messages: what came of each, what a mapping file made of it, and the wish to have it interpreted anew."""

from __future__ import annotations

import json
from typing import Any

from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.explain import ExplainedEntry, explain_message, explain_resource
from gateway.errors import NotFound
from gateway.pipeline.commands import Actor
from gateway.pipeline.interpret import interpret_again
from gateway.pipeline.submit import INTERPRET_RESOURCE
from gateway.ports.storage import InboundMessage, Transaction
from gateway.wiring.people import Permission, require
from gateway.wiring.site import Site

FHIR_CONTENT = "application/fhir+json"


def run_again(site: Site, actor: Actor, *, message_id: str = "", failed: bool = False) -> dict[str, Any]:
    """Have messages interpreted by the mapping set now in force: {"messages": [ids], "still_failing": [ids]}.

    Refused messages stay refused: their senders were told so. Raises NotFound, NotAllowed.
    """
    require(actor, Permission.INTERPRET_AGAIN)
    with site.store.write() as tx:
        chosen = [each for each, _ in tx.inbox.messages(failed_only=True)] if failed else [_message(tx, message_id)]
        asked = [each for each in chosen if not each.refusal]
        for each in asked:
            _ask_again(tx, each)
        now = site.clock.now()
        tx.audit.record(now, actor.name, actor.role, "interpret-again", f"messages:{message_id or 'failed'}")
    site.settle()
    with site.store.read() as tx:
        failing = {each.id for each, _ in tx.inbox.messages(failed_only=True)}
    ids = [each.id for each in asked]
    return {"messages": ids, "still_failing": [each for each in ids if each in failing]}


def _message(tx: Transaction, message_id: str) -> InboundMessage:
    message = tx.inbox.get(message_id)
    if message is None:
        raise NotFound("there is no such message; 'cleanclaim messages list' shows their ids")
    return message


def _ask_again(tx: Transaction, message: InboundMessage) -> None:
    if message.content_type != FHIR_CONTENT:
        interpret_again(tx, [message.id])
        return
    told = (each for each in references_of(message) if tx.resources.current(message.source, each) is not None)
    tx.work.add(INTERPRET_RESOURCE, [f"{message.source} {each}" for each in told])


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


def explain(site: Site, text: str, *, values: bool = False, source: str = "") -> dict[str, Any]:
    """What each mapping entry made of a message, or of one resource ``Type/id`` of a source; values only if asked.

    {"message", "source", "resources": [{"resource", "entries": [{"name", "entry", "applies", "why", "fields"}]}]}.
    """
    with site.store.read() as tx:
        message = _message_of_resource(site, tx, text, source) if "/" in text else _message(tx, text)
        interpreter = site.policy.interpreter(message.source)
        assert isinstance(interpreter, SourceInterpreter), "mapping files are interpreted by the mapping engine"
        if message.content_type != FHIR_CONTENT:
            found: list[tuple[str | None, list[ExplainedEntry]]] = [
                (None, explain_message(interpreter, tx.inbox.content(message.sha256)))
            ]
        else:
            wanted = [text] if "/" in text else references_of(message)
            found = [
                (each, explain_resource(interpreter, resource, lambda one: tx.resources.current(message.source, one)))
                for each in wanted
                if (resource := tx.resources.current(message.source, each)) is not None
            ]
    return {
        "message": message.id,
        "source": message.source,
        "resources": [
            {"resource": resource, "entries": [_entry(each, values) for each in entries]} for resource, entries in found
        ],
    }


def _message_of_resource(site: Site, tx: Transaction, reference: str, source: str) -> InboundMessage:
    for name in [source] if source else [each.name for each in site.settings.sources]:
        if tx.resources.current(name, reference) is not None:
            return _message(tx, tx.resources.told_by(name, [reference])[reference])
    raise NotFound("no source sent such a resource; give Type/id as the answer to the sender named it")


def _entry(entry: ExplainedEntry, values: bool) -> dict[str, Any]:
    return {
        "name": entry.name,
        "record": entry.record,
        "entry": entry.entry,
        "applies": entry.applies,
        "why": entry.why,
        "place": entry.place or None,
        "fields": [
            {
                "name": field.name,
                "entry": field.chosen_by or field.entry,
                "tried": field.tried,
                "positions": list(field.positions),
                "found": len(field.values),
                "values": [str(each) for each in field.values] if values else None,
                "notes": list(field.notes),
            }
            for field in entry.fields
        ],
    }
