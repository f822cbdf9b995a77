"""Tells an EHR that something became of its claims: ids alone, in order, until it answers. No claim waits for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import monotonic

from adapters.fhir.webhook import LookUp, WebhookTarget, look_up, post_notice, read_networks
from clearinghouse.secret import resolve_secret
from gateway.config import SourceSettings
from gateway.errors import GatewayError
from gateway.pipeline.status import ClaimStatuses
from gateway.ports.webhooks import Notice
from gateway.wiring.site import Site

_LOOKED_AT = 200
_TOLD_AT_ONCE = 50
LONGEST_REST_S = 15 * 60.0


class WebhookPass:
    """One source's notices: what changed is noted, then one is delivered after the other."""

    def __init__(
        self, site: Site, source: SourceSettings, find: LookUp = look_up, now: Callable[[], float] = monotonic
    ) -> None:
        """Raises ConfigurationError, SecretMissing."""
        assert source.webhook is not None, "the source has a webhook"
        folder = site.settings.folder
        authority = source.webhook.certificate_authority
        self.source = source.name
        self._target = WebhookTarget(
            url=source.webhook.url,
            secret=resolve_secret(source.webhook.secret, folder).reveal().encode(),
            networks=read_networks(source.webhook.networks),
            certificate_authority=folder / authority if authority else None,
        )
        self._site = site
        self._statuses = ClaimStatuses(site.store, site.policy.catalogue, site.owners)
        self._find = find
        self._now = now
        self._rests_until = float("-inf")
        self._failed = 0

    def run(self) -> int:
        """Note and deliver; how many were delivered. Raises Unavailable and NotAllowed after a delivery that failed."""
        self._note_changes()
        done = 0
        while self._may_go_on(done) and (notice := self._next()) is not None:
            try:
                self._deliver(notice)
            except GatewayError:
                self._failed += 1
                self._rests_until = self._now() + min(2.0**self._failed, LONGEST_REST_S)
                raise
            self._failed = 0
            done += 1
        return done

    def _may_go_on(self, done: int) -> bool:
        return done < _TOLD_AT_ONCE and self._now() >= self._rests_until

    def _note_changes(self) -> None:
        organization = self._site.owners[self.source].organization
        with self._site.store.read() as tx:
            news = tx.webhooks.changed(self.source, organization, _LOOKED_AT)
        if not news:
            return
        own = {id for id, _ in news if self._is_theirs(id)}
        with self._site.store.write() as tx:
            still = [each for each in tx.webhooks.changed(self.source, organization, _LOOKED_AT) if each in news]
            tell = [id for id, _ in still if id in own]
            tx.webhooks.note(self.source, still, tell, self._site.clock.now())

    def _is_theirs(self, claim_id: str) -> bool:
        """Whether the source may read what became of the claim."""
        return bool(self._statuses.claim_statuses(self.source, claim=claim_id))

    def _next(self) -> Notice | None:
        with self._site.store.read() as tx:
            return tx.webhooks.next_notice(self.source)

    def _deliver(self, notice: Notice) -> None:
        body = {
            "event": notice.number,
            "type": "claim-changed",
            "at": notice.at.isoformat().replace("+00:00", "Z"),
            "task": f"Task/{notice.claim_id}",
        }
        now = self._site.clock.now()
        post_notice(self._target, notice.number, json.dumps(body).encode(), now, self._find)
        with self._site.store.write() as tx:
            tx.webhooks.delivered(self.source, notice.number, now)


def webhook_passes(site: Site) -> list[WebhookPass]:
    """Of the sources that want to be told. Raises ConfigurationError, SecretMissing."""
    return [WebhookPass(site, each) for each in site.settings.sources if each.webhook is not None]
