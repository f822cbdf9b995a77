"""The inbound edges joined to the receiver: MLLP listeners and FHIR routes that commit before they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hmac import compare_digest

from fastapi import APIRouter

from adapters.fhir.import_routes import fhir_import_router
from adapters.fhir.routes import fhir_router
from adapters.hl7.ack import prepare_receipt
from adapters.hl7.batching import ReceivedFrame
from adapters.hl7.mllp import MllpListener
from adapters.hl7.triage import AcceptancePolicy
from clearinghouse.secret import resolve_secret
from gateway.claim.identifiers import new_ulid
from gateway.config import Listener, Settings, SourceSettings
from gateway.pipeline.imports import StoredImports
from gateway.pipeline.status import ClaimStatuses
from gateway.ports import Arrival
from gateway.wiring.site import Site

HL7_CONTENT = "x-application/hl7-v2+er7"


def hl7_receive(
    site: Site, source: str, notify: Callable[[], None]
) -> Callable[[Sequence[ReceivedFrame]], list[bytes]]:
    """What an MLLP listener calls with a batch: one transaction, then the answers, a repeat gets its first answer."""
    fallback = site.policy.mapping_set.source(source).character_set or None
    policy = AcceptancePolicy(fallback_charset=fallback)
    receiver = site.receiver.notifying(notify)

    def receive(frames: Sequence[ReceivedFrame]) -> list[bytes]:
        arrivals = [hl7_arrival(site, source, frame.raw, policy) for frame in frames]
        return [receipt.answer for receipt in receiver.receive(arrivals)]

    return receive


def hl7_arrival(site: Site, source: str, raw: bytes, policy: AcceptancePolicy) -> Arrival:
    """One HL7 message judged and answered, ready to be stored."""
    now = site.clock.now()
    prepared = prepare_receipt(raw, answered_at=now, control_id=new_ulid(now), policy=policy)
    verdict = prepared.triage
    return Arrival(
        source=source,
        content=raw,
        content_type=HL7_CONTENT,
        control_key="|".join(prepared.key) if any(prepared.key) else "",
        event=f"{verdict.message_type}^{verdict.trigger}".strip("^"),
        answer=prepared.answer,
        refusal="" if verdict.kind == "accept" else verdict.text,
    )


def mllp_listeners(site: Site, notify: Callable[[], None]) -> list[tuple[str, MllpListener]]:
    """One listener per source that has an address, not yet started."""
    return [
        (source.name, _listener(site, source, source.mllp, notify))
        for source in site.settings.sources
        if source.mllp is not None
    ]


def _listener(site: Site, source: SourceSettings, address: Listener, notify: Callable[[], None]) -> MllpListener:
    receive = hl7_receive(site, source.name, notify)
    return MllpListener(receive, host=address.host, port=address.port, now=site.clock.now)


def fhir_routes(site: Site, notify: Callable[[], None]) -> APIRouter:
    """The FHIR endpoints of the site's sources."""
    statuses = ClaimStatuses(site.store, site.policy.catalogue, site.owners)
    return fhir_router(site.receiver.notifying(notify), statuses, source_of_token(site.settings))


def fhir_imports(site: Site, notify: Callable[[], None]) -> APIRouter:
    """The addresses that take NDJSON in bulk."""
    return fhir_import_router(StoredImports(site.store, site.clock, notify), source_of_token(site.settings))


def source_of_token(settings: Settings) -> Callable[[str], str | None]:
    """Which source a bearer token belongs to; every token is compared, in constant time."""
    tokens = {
        source.name: resolve_secret(source.token, settings.folder).reveal().encode()
        for source in settings.sources
        if source.token
    }

    def find(token: str) -> str | None:
        given = token.encode()
        found = None
        for name, expected in tokens.items():
            if compare_digest(given, expected):
                found = name
        return found

    return find
