"""The workers' door: which passes run, in which lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

import structlog

from gateway.errors import PartnerPaused, Throttled
from gateway.jobs.engine import EngineLoop
from gateway.jobs.lane import Lane
from gateway.jobs.loop import PassLoop
from gateway.pipeline.collect import Collected
from gateway.pipeline.derive_pass import PATIENTS_AT_ONCE, DerivePass
from gateway.pipeline.interpret import MESSAGES_AT_ONCE, InterpretPass
from gateway.pipeline.send import Sent
from gateway.wiring.drop_folders import DropFolder
from gateway.wiring.importing import ImportPass
from gateway.wiring.pulling import SourcePull, source_pulls
from gateway.wiring.site import Site
from gateway.wiring.webhooks import webhook_passes

_INTERPRET, _DERIVE, _IMPORT = "interpret", "derive", "import"
_WOKEN = (_INTERPRET, _IMPORT)
_LOG = structlog.get_logger("exchange")
REST_S = 15 * 60.0
"""How long an EHR that refused us is left alone; a restart tries at once."""
LISTEN_EVERY_S = 60.0
"""How often it is asked whether an answer is overdue."""
KEEP_UP_EVERY_S = 5.0
"""How far a machine's memory of control numbers may lag behind the machine that sends."""
LONGEST_CATCHING_UP_S = 60.0
"""How long patients wait at most while messages wait to be interpreted."""
LONGEST_BACKOFF_S = 60.0
"""A partner that is away, or whose file is in doubt, is asked again less and less often, down to this."""


class WorkLoop(Protocol):
    """Lanes that run until they are stopped, in this process or across machines."""

    @property
    def lanes(self) -> Sequence[Lane]:
        """What runs here."""

    def start(self) -> None:
        """Begin. Raises Unavailable."""

    def wake(self) -> None:
        """Say that there is new work; from any thread."""

    def stop(self) -> None:
        """Finish the passes under way, and end."""


def work_loop(site: Site, *, works: bool) -> WorkLoop | None:
    """What runs the site's lanes; None for a process that neither works nor has anybody to wake.

    On SQLite lanes run here. On PostgreSQL they run on whichever machine is free, and a process that only takes
    messages in wakes the others.
    """
    lanes = _lanes(site) if works else []
    if site.settings.is_embedded:
        return PassLoop(lanes) if works else None
    return EngineLoop(lanes, _WOKEN, site.settings.database_url, lambda lane: site.store.alone(f"lane {lane}"))


def _lanes(site: Site) -> list[Lane]:
    """Every lane of a site: interpreting, deriving, one per connection that sends and collects, one per EHR pulled,
    one that notices what was not answered, one by which this machine remembers what the others sent.

    Interpreting follows each arrival. Deriving keeps a pace, so that a patient told of in many messages is derived
    once for all of them; so do connections, which are nobody's hurry.
    """
    site.deriving.free_parked()  # whatever broke us last time is tried again by the program that starts now
    every_s = float(site.settings.pass_every_s)
    lanes = [
        Lane(_INTERPRET, site.interpreting.run, every_s, woken=True, shared=True, most=MESSAGES_AT_ONCE, then=_DERIVE),
        Lane(_DERIVE, DerivePasses(site.interpreting, site.deriving).run, every_s, shared=True, most=PATIENTS_AT_ONCE),
        Lane(_IMPORT, ImportPass(site.store, site.receiver).run, every_s, woken=True),
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
    lanes.append(Lane("sent-numbers", lambda: _keep_up(site), KEEP_UP_EVERY_S, everywhere=True))
    return lanes


def _keep_up(site: Site) -> int:
    """What this machine knows of the numbers that others sent."""
    for name in site.exchanges:
        site.connections.keep_up(name)
    return 0


class DerivePasses:
    """Derives when its time comes. As long as more messages wait than are interpreted at once, it lets them go first,
    up to a bound: patients told of in many of them would be derived again for each batch."""

    def __init__(self, interpreting: InterpretPass, deriving: DerivePass, now: Callable[[], float] = monotonic) -> None:
        self._interpreting = interpreting
        self._deriving = deriving
        self._now = now
        self._behind_since: float | None = None

    def run(self) -> int:
        """One batch; how many patients."""
        if self._interpreting.is_behind():
            self._behind_since = self._now() if self._behind_since is None else self._behind_since
            if self._now() - self._behind_since < LONGEST_CATCHING_UP_S:
                return 0
        done = self._deriving.run()
        if done < PATIENTS_AT_ONCE:
            self._behind_since = None
        return done


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
