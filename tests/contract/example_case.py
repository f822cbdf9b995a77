"""Plays one example case through a whole site: the input files in, the claims out, the clearinghouse's answers back.

The site is the demo clinic's with the shipped mapping files, a fresh SQLite database and a folder for a mailbox. Clock
and randomness are injected, so every byte that leaves is the same in every run.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from clearinghouse.sandbox.clearing import Clearing
from clearinghouse.sandbox.ledger import Ledger
from clearinghouse.sandbox.payer_table import read_payer_table
from gateway.claim import identifiers
from gateway.claim.actor import Actor
from gateway.claim.claim import Claim
from gateway.claim.finding import Finding
from gateway.claim.origins import stored_origins
from gateway.lifecycle import ClaimFact, ClaimState
from gateway.pipeline.funnel import place_of
from gateway.pipeline.views import finding_view
from gateway.ports.storage import Transaction
from gateway.wiring import site as wiring
from gateway.wiring.desk import Desk
from gateway.wiring.ingest import ingest_paths
from gateway.wiring.new_site import make_site

BILLED_AT = datetime(2026, 9, 1, 13, 0, tzinfo=UTC)
"""August is over, and its claims go out. A message dated later is told after billing."""
BILLED_AGAIN_AT = datetime(2026, 9, 2, 13, 0, tzinfo=UTC)
SEED = 1
BILLER, SUPERVISOR = Actor(name="dana", role="biller"), Actor(name="sam", role="supervisor")
CONNECTION = "sandbox"
SOURCES = {".json": "riverbend-fhir", ".hl7": "riverbend-hl7"}
_FOLDERS = ("upload", "download", "archive")
_SAID_IN_FHIR = re.compile(rb'"timestamp": *"([^"]+)"')
_SAID_IN_HL7 = re.compile(rb"^MSH\|(?:[^|\r\n]*\|){5}([0-9]{14})([+-][0-9]{4})", re.MULTILINE)
_ROSTER = Path(__file__).parent.parent / "examples" / "roster.csv"


class SetClock:
    """Stands where it was set."""

    at = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def turn(self, at: datetime) -> None:
        """Forward only."""
        self.at = max(self.at, at)


class CountedBits:
    """In place of `secrets` where references are made: the same reference in every run, no two alike in one."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def randbits(self, _: int) -> int:
        return next(self._numbers)


class Play:
    """One case being played."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._clock = SetClock()
        patch.setattr(wiring, "clock_of", lambda _: self._clock)
        patch.setattr(identifiers, "secrets", CountedBits())
        self._mailbox = folder / "mailbox"
        for name in _FOLDERS:
            (self._mailbox / name).mkdir(parents=True)
        make_site(folder / "site", demo=True, database="sqlite:///site.sqlite", samples={})
        connection = folder / "site" / "mappings" / "clearinghouses" / "sandbox.yaml"
        connection.write_text(_over_a_folder(connection.read_text(), self._mailbox))
        self.site = wiring.open_site(folder / "site")
        self._desk = Desk(self.site, self.site.settle)
        self._ledger = Ledger(folder / "ledger.sqlite")
        mailboxes = {"clinic": self._mailbox}
        self._clearing = Clearing(mailboxes, self._ledger, read_payer_table(), SEED, self._clock.now)
        self._replies: list[tuple[str, bytes]] = []

    def close(self) -> None:
        self.site.close()
        self._ledger.close()

    def run(self, inputs: list[Path]) -> dict[str, bytes]:
        """Take in what was told before billing, bill, take in the rest, bill again; every expected file by name."""
        self._desk.load_roster("credentials", _ROSTER.read_bytes(), _ROSTER.name, BILLER)
        for begins_at, billed_at in ((self._clock.at, BILLED_AT), (BILLED_AT, BILLED_AGAIN_AT)):
            self._take([path for path in inputs if begins_at <= _said_at(path) < billed_at])
            self._clock.turn(billed_at)
            self._bill()
        return {**self._outgoing(), **self._incoming(), **self._records()}

    def ailing(self) -> list[str]:
        """What the doctor finds amiss afterwards."""
        return [f"{each['name']}: {each['detail']}" for each in self._desk.doctor()["checks"] if not each["ok"]]

    def _take(self, paths: list[Path]) -> None:
        for path in paths:
            self._clock.turn(_said_at(path))
            taken = ingest_paths(self.site, SOURCES[path.suffix], [path], lambda _: None)
            assert taken["totals"]["refused"] == 0, taken["messages"]
            assert taken["totals"]["findings"] == 0, taken["messages"]

    def _bill(self) -> None:
        """People release what waits for them; files go out, are answered, and the answers come back."""
        self.site.settle()
        self._desk.release_all(BILLER, ClaimState.READY, reason="reviewed")
        self._desk.release_all(SUPERVISOR, ClaimState.CORRECTION_READY, reason="the visit changed after billing")
        self._desk.send(BILLER)
        while self._clearing.run_once().did_something:
            pass
        waiting = sorted((self._mailbox / "download").iterdir(), key=_number_of)
        self._replies += [(path.name.partition("_")[0].lower(), path.read_bytes()) for path in waiting]
        self._desk.collect(BILLER)
        assert not list((self._mailbox / "download").iterdir())

    # --- what came of it ---------------------------------------------------------------------------------------------

    def _outgoing(self) -> dict[str, bytes]:
        with self.site.store.read() as tx:
            contents = [tx.exchanges.raw(row.sha256) for row in tx.exchanges.interchanges()]
        if len(contents) == 1:
            return {"out.837": contents[0]}
        return {f"out-{number}.837": content for number, content in enumerate(contents, 1)}

    def _incoming(self) -> dict[str, bytes]:
        return {f"reply-{number:02}.{kind}": content for number, (kind, content) in enumerate(self._replies, 1)}

    def _records(self) -> dict[str, bytes]:
        with self.site.store.read() as tx:
            views = {"claim.json": _claims(tx), "findings.json": _findings(tx), "events.json": _events(tx)}
        return {name: f"{readable(view)}\n".encode() for name, view in views.items()}


def _over_a_folder(connection: str, mailbox: Path) -> str:
    """The demo's connection with a folder in place of its SFTP server."""
    before, _, rest = connection.partition("\nsftp:\n")
    upload = rest.index("\nupload:\n")
    return f"{before}\nfolder: {{path: {mailbox}}}{rest[upload:]}"


def _said_at(path: Path) -> datetime:
    """When the last of a file's messages was sent, by its own word."""
    content = path.read_bytes()
    if path.suffix == ".json":
        (said,) = _SAID_IN_FHIR.findall(content)
        return datetime.fromisoformat(said.decode())
    return max(datetime.strptime((at + zone).decode(), "%Y%m%d%H%M%S%z") for at, zone in _SAID_IN_HL7.findall(content))


def _number_of(path: Path) -> str:
    return path.stem.partition("_")[2]


# --- views: what a reader of the case wants to see, and nothing that differs between runs ----------------------------


def _claims(tx: Transaction) -> Any:
    """Each claim by its key, as it was frozen in each version and as it would be sent now."""
    rows = tx.claims.search()
    ids = [row.id for row in rows]
    drafts, versions = tx.claims.drafts(ids), tx.claims.versions(ids)
    return [
        {
            "claim": row.key,
            "versions": [{"claim_number": each.claim_number, **_content(each.claim)} for each in versions[row.id]],
            "draft": _content(drafts[row.id].claim) if row.id in drafts else None,
        }
        for row in rows
    ]


_PROVENANCE = {"origins", "catalogue_hash", "definition", "charge_entry", "encounter_ids", "key", "connection"}
"""Left out of the claims: file:line of mapping entries, row ids. The findings show some; unit tests the rest."""


def _content(claim: Claim) -> Any:
    return _said({"charge_cents": claim.charge_cents, **to_builtins(claim, enc_hook=stored_origins)})


def _said(value: Any) -> Any:
    """Plain JSON, without what is empty or mere provenance."""
    if isinstance(value, dict):
        kept = {key: _said(each) for key, each in value.items() if key not in _PROVENANCE}
        return {key: each for key, each in kept.items() if each not in ("", None, [], {}, False)}
    if isinstance(value, list | tuple):
        return [_said(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def _findings(tx: Transaction) -> Any:
    """What the gate said of each version and draft, and of visits no claim could be made of."""
    rows = tx.claims.search()
    ids = [row.id for row in rows]
    drafts, versions = tx.claims.drafts(ids), tx.claims.versions(ids)
    return {
        "claims": [
            {
                "claim": row.key,
                "versions": [[_finding(one) for one in each.findings] for each in versions[row.id]],
                "draft": [_finding(one) for one in drafts[row.id].findings] if row.id in drafts else [],
            }
            for row in rows
        ],
        "visits": [
            {"on": str(row.on), "place": row.place, "findings": [_finding(one) for one in row.findings]}
            for row in sorted(tx.claims.placements(), key=lambda row: (str(row.on), row.encounter_id))
            if row.findings
        ],
    }


def _finding(finding: Finding) -> Any:
    seen = finding_view(finding)
    if finding.origin is not None:  # the line in the mapping file moves with every edit above it
        seen["source"] = {"field": finding.origin.source, "mapping": finding.origin.mapping.partition(":")[0]}
    return _said(seen)


def _events(tx: Transaction) -> Any:
    """States, facts, places and money, in no order of arrival."""
    rows = tx.claims.search()
    facts = tx.claims.facts([row.id for row in rows])
    states = {row.key: row.state for row in rows}
    placed = Counter(
        " ".join(filter(None, (str(row.on), place_of(row, states), row.payer, row.reason)))
        for row in tx.claims.placements()
    )
    answers = Counter(f"{row.type} {row.status} {row.reason}".strip() for row in tx.exchanges.answers())
    days = (f"{day.on} {day.program}: {day.minutes} minutes, {day.services} services" for day in tx.claims.days())
    return {
        "claims": [{"claim": row.key, "state": row.state, "facts": sorted(map(_fact, facts[row.id]))} for row in rows],
        "visits": dict(sorted(placed.items())),
        "service_days": sorted(days),
        "answers": dict(sorted(answers.items())),
        "balances_cents": dict(sorted(tx.ledger.balances().items())),
    }


def _fact(fact: ClaimFact) -> str:
    """One line. Left out: the hash that a release names."""
    code = "" if fact.kind == "released" else fact.code
    said = [fact.kind, code, fact.reason, f"by {fact.actor}, {fact.role}" if fact.actor != "machine" else ""]
    if fact.payer_claim_number:
        said.append(f"as {fact.payer_claim_number}")
    if fact.paid is not None:
        every = [*fact.paid.adjustments, *(each for line in fact.paid.lines for each in line.adjustments)]
        said.append(f"pays {fact.paid.paid_cents} of {fact.paid.charge_cents} cents:")
        said.append(", ".join(f"{each.group}-{each.reason} {each.cents}" for each in every))
    return " ".join(filter(None, said))


def readable(value: Any, indent: int = 0) -> str:
    """JSON that a person can read: what fits into a line stands in one."""
    flat = json.dumps(value, ensure_ascii=False, default=str)
    if len(flat) + indent <= 118 or not isinstance(value, dict | list) or not value:
        return flat
    return "\n".join(_opened(value, indent))


def _opened(value: dict[str, Any] | list[Any], indent: int) -> Iterator[str]:
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {readable(each, indent + 2)}" for key, each in value.items()]
    else:
        parts = [f"{inner}{readable(each, indent + 2)}" for each in value]
    yield "{" if isinstance(value, dict) else "["
    yield ",\n".join(parts)
    yield " " * indent + ("}" if isinstance(value, dict) else "]")
