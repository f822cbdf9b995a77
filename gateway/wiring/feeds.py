"""The inbound edges joined to the receiver: MLLP listeners and FHIR routes that commit before they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from adapters.fhir.import_routes import fhir_import_router
from adapters.fhir.routes import fhir_router
from adapters.hl7.ack import prepare_receipt
from adapters.hl7.batch import BatchFault, BatchMessage, batch_control_id, begins_batch, read_batch, write_batch
from adapters.hl7.framing import frame
from adapters.hl7.mllp import MllpListener, ReceivedFrame
from adapters.hl7.triage import AcceptancePolicy
from gateway.claim.identifiers import new_ulid
from gateway.config import Listener, Settings, SourceSettings
from gateway.errors import NotAllowed
from gateway.pipeline.imports import StoredImports
from gateway.pipeline.status import ClaimStatuses
from gateway.ports import HL7_CONTENT, Arrival
from gateway.wiring.people import holder_of_token
from gateway.wiring.site import Site


def hl7_receive(
    site: Site, source: str, notify: Callable[[], None]
) -> Callable[[Sequence[ReceivedFrame]], list[bytes]]:
    """What an MLLP listener calls with a batch: one transaction, then the answers, a repeat gets its first answer."""
    fallback = site.policy.mapping_set.source(source).character_set or None
    policy = AcceptancePolicy(fallback_charset=fallback)
    receiver = site.receiver.notifying(notify)

    def receive(frames: Sequence[ReceivedFrame]) -> list[bytes]:
        opened = [_Frame(site, source, each.raw, policy) for each in frames]
        receipts = iter(receiver.receive([arrival for each in opened for arrival in each.arrivals]))
        return [each.answer([next(receipts).answer for _ in each.arrivals]) for each in opened]

    return receive


class _Frame:
    """What one frame brings: a message, or a batch of them, which is answered by a batch."""

    def __init__(self, site: Site, source: str, raw: bytes, policy: AcceptancePolicy) -> None:
        self._site = site
        self._raw = raw
        self._batch = [*read_batch(raw)] if begins_batch(raw) else []
        if not any(isinstance(each, BatchMessage) for each in self._batch):
            self._batch = []  # an envelope around nothing is kept, and refused, as it came
        entries = self._batch or [BatchMessage(0, 0, raw)]
        found = (batch_arrival(site, source, each, policy) for each in entries)
        self.arrivals = [each for each in found if each is not None]

    def answer(self, answers: list[bytes]) -> bytes:
        """The wire bytes to answer with, once everything is stored."""
        if not self._batch:
            return answers[0]
        now = self._site.clock.now()
        faults = "; ".join(each.text for each in self._batch if isinstance(each, BatchFault))
        return frame(write_batch(answers, now, new_ulid(now), batch_control_id(self._raw), faults))


def batch_arrival(
    site: Site, source: str, entry: BatchMessage | BatchFault, policy: AcceptancePolicy
) -> Arrival | None:
    """One piece of a batch, ready to be stored; what is no message is kept with the reason, if it has bytes."""
    if isinstance(entry, BatchMessage):
        return hl7_arrival(site, source, entry.raw, policy)
    if not entry.raw:
        return None
    return Arrival(source=source, content=entry.raw, content_type=HL7_CONTENT, control_key="", refusal=entry.text)


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
    return fhir_router(site.receiver.notifying(notify), statuses, fhir_source_of_token(site))


def fhir_imports(site: Site, notify: Callable[[], None]) -> APIRouter:
    """The addresses that take NDJSON in bulk."""
    return fhir_import_router(StoredImports(site.store, site.clock, notify), fhir_source_of_token(site))


def fhir_source_of_token(site: Site) -> Callable[[str], str | None]:
    """Which source a token belongs to, at FHIR's doors. It raises NotAllowed for a source of another format."""
    find = source_of_token(site.settings)
    formats = {each.name: site.policy.mapping_set.source(each.name).format for each in site.settings.sources}

    def find_fhir(token: str) -> str | None:
        source = find(token)
        if source is not None and formats[source] != "fhir":
            raise NotAllowed(f"the token is of a source that sends {formats[source]}, and this door takes FHIR")
        return source

    return find_fhir


def source_of_token(settings: Settings) -> Callable[[str], str | None]:
    """Which source a bearer token belongs to. Raises SecretMissing."""
    return holder_of_token(((source.name, source.token) for source in settings.sources), settings.folder)
