"""The workers' door: which passes run, in which lanes."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import structlog

from gateway.errors import PartnerPaused, Throttled
from gateway.jobs.loop import Lane, PassLoop
from gateway.pipeline.collect import Collected
from gateway.pipeline.send import Sent
from gateway.wiring.drop_folders import DropFolder
from gateway.wiring.importing import ImportPass
from gateway.wiring.pulling import SourcePull, source_pulls
from gateway.wiring.site import Site
from gateway.wiring.webhooks import webhook_passes

_LOG = structlog.get_logger("exchange")
REST_S = 15 * 60.0
"""How long an EHR that refused us is left alone; a restart tries at once."""
LISTEN_EVERY_S = 60.0
"""How often it is asked whether an answer is overdue."""
LONGEST_BACKOFF_S = 60.0
"""A partner that is away, or whose file is in doubt, is asked again less and less often, down to this."""


def work_loop(site: Site) -> PassLoop:
    """Every lane of a site: interpreting, deriving, one per connection that sends and collects, one per EHR pulled
    and per folder watched,
    one that notices what was not answered.

    Interpreting follows each arrival. Deriving keeps a pace, so that a patient told of in many messages is derived
    once for all of them; so do connections, which are nobody's hurry.
    """
    site.deriving.free_parked()  # whatever broke us last time is tried again by the program that starts now
    every_s = float(site.settings.pass_every_s)
    lanes = [
        Lane("interpret", site.interpreting.run, every_s, woken=True),
        Lane("derive", site.derive_all, every_s),
        Lane("import", ImportPass(site).run, every_s, woken=True),
    ]
    lanes += [Lane(f"exchange-{name}", ExchangePasses(site, name).run, every_s) for name in site.exchanges]
    lanes += [Lane(f"webhook-{each.source}", each.run, every_s) for each in webhook_passes(site)]
    lanes += [Lane(f"pull-{each.source}", PullPasses(each).run, every_s, woken=True) for each in source_pulls(site)]
    lanes += [
        Lane(f"drop-{each.name}", DropFolder(site, each.name, each.drop).run, every_s)
        for each in site.settings.sources
        if each.drop is not None
    ]
    lanes.append(Lane("silences", site.silences.run, LISTEN_EVERY_S))
    return PassLoop(lanes)


class PullPasses:
    """Takes a page at a time, so that a process that stops waits for one; rests between runs, and when told to."""

    def __init__(self, pull: SourcePull, now: Callable[[], float] = monotonic) -> None:
        self._pull = pull
        self._now = now
        self._rests_until = float("-inf")

    def run(self) -> int:
        """One page; 0 when there is none to take now. Raises Unavailable."""
        if self._now() < self._rests_until:
            return 0
        try:
            pulled = self._pull.step()
        except Throttled as error:
            self._rests_until = self._now() + error.after_s
            raise
        except PartnerPaused as error:
            self._rests_until = self._now() + REST_S
            _LOG.error("ehr-refused-us", source=self._pull.source, reason=str(error), again_in_s=REST_S)
            return 0
        if pulled is None:
            self._rests_until = self._now() + self._pull.settings.every_s
            return 0
        if pulled.problem:
            _LOG.warning("pull-of-type-ended", source=self._pull.source, type=pulled.type, reason=pulled.problem)
        return 1


class ExchangePasses:
    """Sends when something waits, collects as often as the partner's profile says. A partner that is away is asked less
    and less often; one that refused us is not asked at all, which the passes see to, until a person resumes it."""

    def __init__(self, site: Site, connection: str, now: Callable[[], float] = monotonic) -> None:
        self._site = site
        self._connection = connection
        self._now = now
        self._rests_until = self._collects_at = float("-inf")
        self._problems = self._troubled = 0
        self._stopped = ""

    def run(self) -> int:
        """One pass; how many files moved."""
        if self._now() < self._rests_until:
            return 0
        sent = Sent()
        try:
            sent = self._site.sending.run(self._connection)
        finally:  # what keeps us from sending keeps nobody's answer from being heard
            collected = Collected() if sent.paused else self._collect()
        stopped = sent.paused or collected.paused or sent.refused
        if stopped and stopped != self._stopped:
            _LOG.error("connection-stopped", connection=self._connection, reason=stopped)
        self._stopped = stopped
        problems = len(sent.problems) + len(collected.problems)
        self._troubled = self._troubled + 1 if problems or sent.in_doubt else 0
        if self._troubled:
            self._rests_until = self._now() + min(2.0**self._troubled, LONGEST_BACKOFF_S)
        if problems != self._problems:
            self._problems = problems
            _LOG.warning("exchange-problems", connection=self._connection, problems=problems)
        return sent.delivered + collected.files

    def _collect(self) -> Collected:
        if self._now() < self._collects_at:
            return Collected()
        self._collects_at = self._now() + self._site.exchanges[self._connection].poll_every.total_seconds()
        return self._site.collecting.run(self._connection)
