"""A site of the demo's clinic on this disk for as long as a measurement lasts, and what its passes do, untimed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path

from adapters.fhir.receiving import FhirReceiver, FhirRequest
from adapters.hl7.batching import ReceivedFrame
from gateway.bench.weeks import WEEK_IS_OVER
from gateway.claim.contract import ClaimForm
from gateway.demo.feed import Feed, FeedMessage
from gateway.demo.rosters import load_rosters
from gateway.pipeline.commands import Actor
from gateway.wiring.clock import RehearsalClock
from gateway.wiring.desk import Desk
from gateway.wiring.feeds import hl7_receive
from gateway.wiring.new_site import CLOCK, make_site
from gateway.wiring.site import Site, open_site

CONNECTION = "sandbox"
BILLER = Actor(name="dana", role="biller")


@contextmanager
def folder_of_site(now: datetime = WEEK_IS_OVER) -> Iterator[Path]:
    """A demo site's folder, its clock turned to a pretended present."""
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as scratch:
        folder = Path(scratch) / "site"
        make_site(folder, demo=True, database="sqlite:///cleanclaim.sqlite", samples={})
        RehearsalClock(folder / CLOCK).turn(now)
        yield folder


@contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    """The site of a folder, opened as every door opens it (SQLite: WAL, synchronous FULL), its rosters loaded."""
    site = open_site(folder)
    try:
        load_rosters(Desk(site, lambda: None), BILLER)
        yield site
    finally:
        site.close()


def take_in(site: Site, messages: Iterable[FeedMessage]) -> int:
    """Store every message by its own door, not interpreted yet; how many. Raises ValueError for one that is refused."""
    fhir = FhirReceiver(site.receiver)
    receive = hl7_receive(site, Feed.HL7, lambda: None)
    count = 0
    for feed, run in groupby(messages, key=lambda each: each.feed):
        contents = [each.content for each in run]
        count += len(contents)
        if feed is Feed.HL7:
            frames = [ReceivedFrame(raw=each, peer="bench", received_at=site.clock.now()) for each in contents]
            accepted = all(b"MSA|AA|" in answer for answer in receive(frames))
        else:
            answers = (fhir.receive(feed, FhirRequest(method="POST", content=each)) for each in contents)
            accepted = all(answer.status < 400 for answer in answers)
        if not accepted:
            raise ValueError(f"the site refused a message of {feed}")
    return count


def drain(work: Callable[[], int]) -> int:
    """Run a pass until it finds nothing more to do; how much it did."""
    total = 0
    while done := work():
        total += done
    return total


def freeze_all(site: Site) -> list[str]:
    """Freeze every released institutional claim into interchanges that stay here; their ids."""
    found = []
    while interchange := site.sending.freeze(CONNECTION, ClaimForm.INSTITUTIONAL):
        found.append(interchange)
    return found


def claims_in(site: Site, interchanges: Iterable[str]) -> int:
    """How many claims the interchanges carry."""
    with site.store.read() as tx:
        return sum(len(tx.exchanges.versions_in(each)) for each in interchanges)
