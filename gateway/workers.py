"""The workers' door: which passes run, in which lanes."""

from __future__ import annotations

from collections.abc import Callable

from gateway.jobs.loop import Lane, PassLoop
from gateway.wiring.site import Site


def work_loop(site: Site) -> PassLoop:
    """Every lane of a site: one that interprets, one that derives, one per connection that sends and collects.

    Interpreting follows each arrival. Deriving keeps a pace, so that a patient told of in many messages is derived
    once for all of them; so do connections, which are nobody's hurry.
    """
    site.deriving.free_parked()  # whatever broke us last time is tried again by the program that starts now
    every_s = float(site.settings.pass_every_s)
    lanes = [
        Lane("interpret", site.interpreting.run, every_s, woken=True),
        Lane("derive", site.derive_all, every_s),
    ]
    lanes += [Lane(f"exchange-{name}", _exchange_pass(site, name), every_s) for name in site.exchanges]
    return PassLoop(lanes)


def _exchange_pass(site: Site, connection: str) -> Callable[[], int]:
    def run() -> int:
        try:
            sent = site.sending.run(connection)
        finally:  # what keeps us from sending keeps nobody's answer from being heard
            collected = site.collecting.run(connection)
        return sent.delivered + collected.files

    return run
