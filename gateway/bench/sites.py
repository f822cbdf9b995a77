"""A site of the demo's clinic on this disk for as long as a measurement lasts, and what its passes do, untimed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path

from adapters.fhir.receiving import FhirReceiver, FhirRequest
from adapters.hl7.mllp import ReceivedFrame
from gateway.bench.weeks import ROSTERS, WEEK_IS_OVER
from gateway.claim.actor import Actor
from gateway.claim.contract import ClaimForm
from gateway.demo.feed import Feed, FeedMessage
from gateway.demo.rosters import load_rosters
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
def site_in(folder: Path, rosters: Mapping[str, Sequence[Mapping[str, str]]] = ROSTERS) -> Iterator[Site]:
    """The site of a folder, opened as every door opens it (SQLite: WAL, synchronous FULL), its rosters loaded.

    ``rosters`` are rows by kind, beside those of the demo's clinic: of a week's group leaders where none are named.
    """
    site = open_site(folder)
    try:
        desk = Desk(site, lambda: None)
        load_rosters(desk, BILLER)
        for kind, rows in rosters.items():
            desk.load_roster(kind, json.dumps(rows).encode(), f"{kind}.json", BILLER)
        yield site
    finally:
        site.close()


def take_in(site: Site, messages: Iterable[FeedMessage]) -> int:
    """Store every message by its own door, not interpreted yet; how many. Raises ValueError for one that is refused."""
    count = 0
    for message, refusal in answered(site, messages):
        if refusal:
            raise ValueError(f"the site refused a message of {message.feed}: {refusal}")
        count += 1
    return count


def answered(site: Site, messages: Iterable[FeedMessage]) -> Iterator[tuple[FeedMessage, str]]:
    """Send every message to its own door; each with what the door said where it refused it, else empty."""
    fhir = FhirReceiver(site.receiver)
    receive = hl7_receive(site, Feed.HL7, lambda: None)
    for feed, together in groupby(messages, key=lambda each: each.feed):
        run = list(together)
        if feed is Feed.HL7:
            frames = [ReceivedFrame(raw=each.content, peer="bench", received_at=site.clock.now()) for each in run]
            for message, acknowledgement in zip(run, receive(frames), strict=True):
                yield message, "" if b"MSA|AA|" in acknowledgement else acknowledgement.decode(errors="replace")
        else:
            for message in run:
                answer = fhir.receive(FhirRequest(source=feed, method="POST", content=message.content))
                yield message, "" if answer.status < 400 else answer.body.decode(errors="replace")


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
