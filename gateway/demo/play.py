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

from gateway.claim.actor import Actor
from gateway.claim.money import dollars
from gateway.demo.feed import Batch, Feed, FeedMessage
from gateway.demo.month import ClinicMonth, clinic_month
from gateway.demo.report import caught_before_sending, story_of
from gateway.demo.rosters import load_rosters
from gateway.demo.server import ServeProcess
from gateway.errors import NotAllowed, Unavailable
from gateway.lifecycle import ClaimState
from gateway.pipeline.doctor import examine
from gateway.pipeline.funnel import Funnel, count
from gateway.ports import FHIR_CONTENT
from gateway.wiring.desk import Desk
from gateway.wiring.rehearsal import Hl7Sender, Rehearsal, rehearsal
from gateway.wiring.site import Site, open_site

MONTH_BEGINS = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
MONDAYS = tuple(datetime(2026, 8, day, 12, 0, tzinfo=UTC) for day in (10, 17, 24, 31))
"""Seven in the morning at the clinic: the week before is closed, nobody has come yet."""
MONTH_IS_OVER = datetime(2026, 9, 1, 13, 0, tzinfo=UTC)
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
    """Play the month in a new site folder; DESIGN's demo keys, and the ``story``. Raises GatewayError."""
    month = clinic_month(seed, patients)
    with rehearsal(folder, database, seed) as stage:
        progress(f"a clearinghouse listens for SFTP on 127.0.0.1:{stage.clearinghouse_port}")
        stage.clock.turn(MONTH_BEGINS)
        with _open(folder) as site:
            return _Play(site, stage, month, progress).run()


@contextmanager
def _open(folder: Path) -> Iterator[Site]:
    site = open_site(folder)
    try:
        yield site
    finally:
        site.close()


class _Play:
    """One performance."""

    def __init__(self, site: Site, stage: Rehearsal, month: ClinicMonth, progress: Progress) -> None:
        self._site = site
        self._stage = stage
        self._month = month
        self._progress = progress
        self._server = ServeProcess(stage.folder)

    def run(self) -> dict[str, Any]:
        """The month week by week, the people's decisions, the late changes; then everything is counted."""
        try:
            self._server.ports()
            self._progress("the server takes FHIR over HTTP and HL7 over MLLP")
            self._weeks()
            self._changes()
        finally:
            self._server.stop()
        return self._result()

    def _weeks(self) -> None:
        """Each week's messages arrive while it lasts; when it is over its claims go out, the biller's after a look."""
        messages = list(self._month.messages(Batch.MONTH))
        for turn in (*MONDAYS, MONTH_IS_OVER):
            arriving = [each for each in messages if each.at < turn]
            messages = messages[len(arriving) :]
            self._load_rosters(turn)
            self._push(arriving)
            self._quiet()
            self._stage.clock.turn(turn)
            self._quiet()
            released = self._release(ClaimState.READY, BILLER, "reviewed")
            self._quiet()
            self._tell(turn, arriving, released)

    def _changes(self) -> None:
        """Visits change after they were billed; a supervisor looks at the corrections and lets them go."""
        late = list(self._month.messages(Batch.AFTER_BILLING))
        self._push(late)
        self._quiet()
        released = self._release(ClaimState.CORRECTION_READY, SUPERVISOR, "the visit changed after billing")
        self._quiet()
        who = f"{SUPERVISOR.name}, {SUPERVISOR.role},"
        self._progress(f"{len(late)} late messages; {who} releases {released} corrections")

    def _tell(self, turn: datetime, arrived: list[FeedMessage], released: int) -> None:
        with self._site.store.read() as tx:
            funnel = count(tx)
        self._progress(
            f"{turn:%d %B}: {len(arrived)} messages in the week; {BILLER.name} releases the {released} claims "
            f"that wait for a person; so far {funnel.sent} claims sent, {dollars(funnel.paid_cents)} paid"
        )

    def _load_rosters(self, turn: datetime) -> None:
        """What payers and physicians said, and patients signed, by then; rows loaded before are no change."""
        rows = load_rosters(Desk(self._site, lambda: None), BILLER, self._month.patients, turn.date())
        told = ", ".join(f"{number} {kind}" for kind, number in rows.items())
        self._progress(f"{BILLER.name}, {BILLER.role}, loads the clinic's rosters: {told}")

    # --- the EHRs ----------------------------------------------------------------------------------------------------

    def _push(self, messages: list[FeedMessage]) -> None:
        """Both EHRs send in order of time; each message until it is answered, the same bytes again if need be."""
        for feed, run in groupby(messages, key=lambda each: each.feed):
            self._insist(feed, list(run))

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
                _post(connection, each.content, self._stage.secret("riverbend-fhir"))
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("the server did not answer; the EHR sends again") from error
        finally:
            connection.close()

    # --- people ------------------------------------------------------------------------------------------------------

    def _release(self, state: ClaimState, actor: Actor, reason: str) -> int:
        """Release what is in a state; how many. One that is held when it is judged anew stays, and says why."""
        with self._site.store.read() as tx:
            claims = [row.id for row in tx.claims.search(state=state)]
        released = 0
        for claim in claims:
            try:
                self._site.commands.release(claim, actor, reason)
            except NotAllowed:
                continue
            released += 1
        return released

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _quiet(self) -> None:
        """Wait until nothing is left to do today and every claim that left was answered. Raises Unavailable."""
        began = time.monotonic()
        while not self._is_quiet():
            self._server.ports()
            if time.monotonic() - began > _PATIENCE_S:
                log = self._stage.folder / "run" / "serve.log"
                raise Unavailable(f"not quiet after {_PATIENCE_S:.0f} s; see {log}")
            time.sleep(0.05)

    def _is_quiet(self) -> bool:
        with self._site.store.read() as tx:
            under_way = any(tx.claims.states().get(state) for state in _UNDER_WAY)
            return not under_way and self._site.deriving.is_current(tx)

    # --- counting ----------------------------------------------------------------------------------------------------

    def _result(self) -> dict[str, Any]:
        with self._site.store.read() as tx:
            funnel = count(tx)
            caught, story = caught_before_sending(tx), story_of(tx)
        checks = [asdict(check) for check in examine(self._site.store, self._site.policy, self._site.exchanges)]
        return {
            **_figures(funnel),
            "doctor": {"ok": all(check["ok"] for check in checks), "checks": checks},
            "caught": caught,
            "story": story,
            "server_starts": self._server.starts,
            "site": str(self._stage.folder),
        }


def _figures(funnel: Funnel) -> dict[str, Any]:
    figures = asdict(funnel)
    figures["held"] = [asdict(each) for each in funnel.held]
    return figures


def _post(connection: http.client.HTTPConnection, content: bytes, token: str) -> None:
    headers = {"Content-Type": FHIR_CONTENT, "Authorization": f"Bearer {token}"}
    connection.request("POST", "/fhir", body=content, headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status >= 500:
        raise Unavailable("the server could not store the bundle; the EHR sends again")
    if response.status >= 400:
        raise Unavailable(f"the server refused a bundle ({response.status}): {body[:300].decode(errors='replace')}")
