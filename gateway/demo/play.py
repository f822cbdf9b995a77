"""Plays the clinic's month for real: two EHRs push, the server bills, the clearinghouse answers, people decide."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from gateway.config import Rehearsal
from gateway.demo.feed import Batch, Feed, FeedMessage
from gateway.demo.month import ClinicMonth, clinic_month
from gateway.demo.report import story_of
from gateway.demo.rosters import credentials_roster
from gateway.demo.server import ServeProcess
from gateway.demo.site import DemoSite, make_secrets, write_settings
from gateway.errors import NotAllowed, Unavailable
from gateway.lifecycle import ClaimState
from gateway.pipeline.commands import Actor
from gateway.pipeline.doctor import examine
from gateway.pipeline.funnel import Funnel, count
from gateway.wiring.clock import RehearsalClock
from gateway.wiring.rehearsal import Hl7Sender, rehearsal_clearinghouse
from gateway.wiring.rosters import read_credentials
from gateway.wiring.site import Site, open_site

PRETENDED_NOW = datetime(2026, 9, 1, 13, 0, tzinfo=UTC)
"""Tuesday morning at the clinic, after its month."""
BILLER, SUPERVISOR = Actor(name="dana", role="biller"), Actor(name="sam", role="supervisor")
_PATIENCE_S = 240.0
_UNDER_WAY = frozenset(
    {
        ClaimState.RELEASED,
        ClaimState.FROZEN,
        ClaimState.IN_DOUBT,
        ClaimState.TRANSMITTED,
        ClaimState.INTERCHANGE_ACCEPTED,
        ClaimState.TRANSACTION_ACCEPTED,
        ClaimState.CLEARINGHOUSE_ACCEPTED,
        ClaimState.PAYER_ACCEPTED,
    }
)
Progress = Callable[[str], None]


def play(folder: Path, database: str, patients: int, seed: int, progress: Progress) -> dict[str, Any]:
    """Play the month in a site folder; DESIGN's demo keys, and the ``story``. Raises GatewayError."""
    started = datetime.now(UTC)
    clock = RehearsalClock(Rehearsal(now=PRETENDED_NOW, since=started))
    month = clinic_month(seed, patients)
    site_folder = make_secrets(folder)
    password = site_folder.secrets["clearinghouse.password"]
    with rehearsal_clearinghouse(folder / "clearinghouse", password, clock, seed) as partner:
        progress(f"a clearinghouse listens for SFTP on 127.0.0.1:{partner.port}")
        write_settings(site_folder, database, PRETENDED_NOW, started, partner)
        with _open(folder) as site:
            return _Play(site, site_folder, month, progress).run()


@contextmanager
def _open(folder: Path) -> Iterator[Site]:
    site = open_site(folder)
    try:
        yield site
    finally:
        site.close()


class _Play:
    """One performance."""

    def __init__(self, site: Site, folder: DemoSite, month: ClinicMonth, progress: Progress) -> None:
        self._site = site
        self._folder = folder
        self._month = month
        self._progress = progress
        self._server = ServeProcess(folder.folder)

    def run(self) -> dict[str, Any]:
        """The month, the people's decisions, the late changes; then everything is counted."""
        try:
            self._load_roster()
            self._server.ports()
            self._progress("the server takes FHIR over HTTP and HL7 over MLLP")
            self._push(Batch.MONTH)
            self._wait("claims go out, and answers come back")
            self._release(ClaimState.READY, BILLER, "reviewed at month end")
            self._wait("the biller's claims go out, and answers come back")
            self._push(Batch.AFTER_BILLING)
            self._wait("late changes are worked in")
            self._release(ClaimState.CORRECTION_READY, SUPERVISOR, "the visit changed after billing")
            self._wait("corrections go out, and answers come back")
        finally:
            self._server.stop()
        return self._result()

    def _load_roster(self) -> None:
        rows = read_credentials(credentials_roster())
        self._site.commands.load_credentials("riverbend", rows, BILLER)
        self._progress(f"the biller loads a roster of {len(rows)} credentials")

    # --- the EHRs ----------------------------------------------------------------------------------------------------

    def _push(self, batch: Batch) -> None:
        """Both EHRs send in order of time; each message until it is answered, the same bytes again if need be."""
        sent = dict.fromkeys(Feed, 0)
        for feed, messages in groupby(self._month.messages(batch), key=lambda each: each.feed):
            run = list(messages)
            self._insist(feed, run)
            sent[feed] += len(run)
        for feed, number in sent.items():
            self._progress(f"{feed} sends {number} messages")

    def _insist(self, feed: Feed, messages: list[FeedMessage]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._send(feed, messages)
                return
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _send(self, feed: Feed, messages: list[FeedMessage]) -> None:
        ports = self._server.ports()
        if feed is Feed.HL7:
            sender = Hl7Sender("127.0.0.1", ports["mllp:riverbend-hl7"])
            try:
                sender.send([each.content for each in messages])
            finally:
                sender.close()
            return
        connection = http.client.HTTPConnection("127.0.0.1", ports["http"], timeout=60)
        try:
            for each in messages:
                _post(connection, each.content, self._folder.secrets["riverbend-fhir.token"])
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("the server did not answer; the EHR sends again") from error
        finally:
            connection.close()

    # --- people ------------------------------------------------------------------------------------------------------

    def _release(self, state: ClaimState, actor: Actor, reason: str) -> None:
        with self._site.store.read() as tx:
            claims = [row.id for row in tx.claims.search(state=state)]
        released = 0
        for claim in claims:
            try:
                self._site.commands.release(claim, actor, reason)
            except NotAllowed:
                continue  # judged anew at release, it is held now; the report says why
            released += 1
        self._progress(f"{actor.name}, {actor.role}, releases {released} claims: {reason}")

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self, what: str) -> None:
        """Until nothing is left to do and every claim that left was answered."""
        began = time.monotonic()
        quiet = 0
        while quiet < 3:
            self._server.ports()
            with self._site.store.read() as tx:
                busy = any(tx.work.count().values()) or any(tx.claims.states().get(state) for state in _UNDER_WAY)
            quiet = 0 if busy else quiet + 1
            if time.monotonic() - began > _PATIENCE_S:
                raise Unavailable(f"waited {_PATIENCE_S:.0f} s for: {what}; see {self._folder.folder / 'run'}")
            time.sleep(0.1)
        self._progress(f"{what} ({time.monotonic() - began:.1f} s)")

    # --- counting ----------------------------------------------------------------------------------------------------

    def _result(self) -> dict[str, Any]:
        with self._site.store.read() as tx:
            funnel = count(tx)
            story = story_of(tx)
        checks = [asdict(check) for check in examine(self._site.store, self._site.policy, self._site.exchanges)]
        return {
            **_figures(funnel),
            "doctor": {"ok": all(check["ok"] for check in checks), "checks": checks},
            "story": story,
            "server_starts": self._server.starts,
            "site": str(self._folder.folder),
        }


def _figures(funnel: Funnel) -> dict[str, Any]:
    figures = asdict(funnel)
    figures["held"] = [asdict(each) for each in funnel.held]
    return figures


def _post(connection: http.client.HTTPConnection, content: bytes, token: str) -> None:
    headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {token}"}
    connection.request("POST", "/fhir", body=content, headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status >= 500:
        raise Unavailable("the server could not store the bundle; the EHR sends again")
    if response.status >= 400:
        raise Unavailable(f"the server refused a bundle ({response.status}): {body[:300].decode(errors='replace')}")
