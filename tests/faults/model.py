"""Random months with random deaths and faults, from a seed: `python -m tests.faults.model URL FOLDER FIRST COUNT`.

A plan is drawn from the seed; children carry it out, each until it is killed; at rest the sandbox's ledger is asked.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from clearinghouse.mailbox import Step
from gateway import fault_points
from gateway.claim.party import Identifier
from gateway.claim.record import AttendanceStatus, FeedRecord
from gateway.errors import Conflict, GatewayError, NotAllowed, NotFound
from gateway.ports import Arrival, Interpretation, MappedRecord
from gateway.ports.work import WorkKind
from tests.factories import CONNECTION, NOON
from tests.faults.killing import KILLED, fresh_database, in_child, kill_at, warm_up
from tests.faults.world import World, open_world
from tests.pipeline_site import BILLER, SUPERVISOR, a_week
from tests.unit.services import samples

PATIENTS, OPERATIONS, DEATHS = 4, 50, 3
_FAULTS = (
    "duplicate-answers", "re-enveloped-answers", "out-of-order", "refuse-interchange", "refuse-transaction", "report",
    "stranger-835", "unbalanced-835", "changed-835", "zipped-answers", "wrong-receiver", "other-payee-835",
)  # fmt: skip
_BREAKS = [(step, moment) for step in Step for moment in ("before", "after", "cut")] + [(Step.RENAME_OK, "reply")]
_COMMANDS = (
    ("tell", 6), ("miss", 3), ("attend", 2), ("withdraw", 1), ("merge", 1), ("hold", 2), ("release", 7),
    ("override", 1), ("send", 5), ("partner", 5), ("collect", 5), ("wait", 3), ("rederive", 1), ("break", 7),
    ("fault", 2), ("resolve", 2), ("resend-anyway", 1), ("abandon", 1), ("away", 1), ("post", 2),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """What somebody does; ``first`` and ``second`` choose among what is there by then."""

    number: int
    name: str
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is left to chance in one run."""

    seed: int
    publish: str
    operations: tuple[Operation, ...]
    deaths: tuple[int, ...]
    """How many fault points each of the first lives lasts."""


def draw_plan(seed: int) -> Plan:
    """The plan of a seed, always the same."""
    chance = random.Random(seed)
    names, weights = zip(*_COMMANDS, strict=True)
    drawn = chance.choices(names, weights, k=OPERATIONS)
    operations = [
        Operation(number, name, chance.randrange(1000), chance.randrange(1000)) for number, name in enumerate(drawn)
    ]
    return Plan(
        seed=seed,
        publish=chance.choice(("rename_same_dir", "direct")),
        operations=tuple(operations),
        deaths=tuple(chance.randrange(1, 300) for _ in range(chance.randint(0, DEATHS))),
    )


class Life:
    """One process that carries a plan on from where the last one died."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world, self.site = plan, world, world.site
        self._done, self._resent = world.root / "operations-done", world.root / "resent"
        for operation in plan.operations:
            if records := self._records(operation):
                told = tuple(
                    MappedRecord(record=each, asserted_at=NOON + timedelta(minutes=operation.number), origins={})
                    for each in records
                )
                world.site.script.script[_key(operation).encode()] = Interpretation(records=told)

    def run(self) -> None:
        """Carry on to the end."""
        done = len(self._done.read_bytes()) if self._done.exists() else 0
        for operation in self.plan.operations[done:]:
            act: Callable[[Operation], None] = getattr(self, f"_{operation.name.replace('-', '_')}")
            act(operation)
            with self._done.open("ab") as journal:
                journal.write(b".")

    def rest(self) -> dict[str, Any]:
        """No more faults: to rest, what is in doubt decided by who asks the partner, to rest again. What came of it."""
        self.world.mailbox.broken_at, self.world.mailbox.is_away = None, False
        for name in _FAULTS:
            self.world.faults.switch_off(name)
        self.world.run_to_rest()
        for row in self.site.interchanges():
            if row.state == "in-doubt":
                self._decide(row.id, row.remote_name)
        self.world.run_to_rest()
        resent = frozenset(self._resent.read_text().split()) if self._resent.exists() else frozenset()
        ledger = self.world.ledger.as_json()
        return {
            "violations": self.world.violations(resent),
            "files": len(ledger["interchanges"]),
            "claims": len(ledger["claims"]),
            "payments": len(ledger["payments"]),
        }

    # --- feeds -------------------------------------------------------------------------------------------------------

    def _records(self, operation: Operation) -> Sequence[FeedRecord]:
        patient, day = 1 + operation.first % PATIENTS, (0, 2, 4)[operation.second % 3]
        if operation.name == "tell":
            return a_week(patient)
        if operation.name in ("miss", "attend"):
            status = AttendanceStatus.NO_SHOW if operation.name == "miss" else AttendanceStatus.ATTENDED
            return a_week(patient, days=(day,), status=status)
        if operation.name == "withdraw":
            return a_week(patient, status=AttendanceStatus.CANCELLED)
        if operation.name == "merge":
            old = (Identifier("ehr", f"P{patient}-OLD"),)
            known = replace(samples.ADULT, identifiers=old, name=None, merged_into=Identifier("ehr", f"P{patient}"))
            return [replace(samples.ADULT, identifiers=old), known] if operation.second % 2 else [known]
        return ()

    def _say(self, operation: Operation) -> None:
        key = _key(operation)
        arrival = Arrival(source="ehr", content=key.encode(), content_type="x-application/hl7-v2+er7", control_key=key)
        for _ in range(1 + operation.second % 2):  # half the senders send twice
            self.site.receiver.receive([arrival])
        if operation.first % 3:
            self.site.settle_facts()

    _tell = _miss = _attend = _withdraw = _merge = _say

    def _rederive(self, operation: Operation) -> None:
        with self.site.store.write() as tx:
            tx.work.add(WorkKind.DERIVE, tx.subjects.patient_ids())

    # --- people ------------------------------------------------------------------------------------------------------

    def _command(self, operation: Operation, act: Callable[[str], object]) -> None:
        rows = sorted(row.id for row in self.site.claims())
        if rows:
            with suppress(NotAllowed, NotFound, Conflict):
                act(rows[operation.first % len(rows)])

    def _hold(self, operation: Operation) -> None:
        self._command(operation, lambda claim: self.site.commands.hold(claim, BILLER, "the chart is asked for"))

    def _release(self, operation: Operation) -> None:
        self._command(operation, lambda claim: self.site.commands.release(claim, BILLER))

    def _override(self, operation: Operation) -> None:
        def override(claim: str) -> None:
            with self.site.store.read() as tx:
                draft = tx.claims.drafts([claim]).get(claim)
            for rule in sorted({each.rule for each in draft.findings} if draft else ()):
                with suppress(NotAllowed, NotFound):
                    self.site.commands.override(claim, rule, SUPERVISOR, "by phone", date(2026, 12, 31))

        self._command(operation, override)

    def _resolve(self, operation: Operation) -> None:
        for row in self.site.interchanges():
            if row.state == "in-doubt":
                self._decide(row.id, row.remote_name)

    def _decide(self, interchange: str, name: str) -> None:
        """A supervisor who asked the partner."""
        with suppress(NotAllowed, Conflict):
            there = self._partner_has(name)
            self.site.commands.resolve(
                interchange, "confirm-delivered" if there else "resend", SUPERVISOR, "asked them"
            )

    def _partner_has(self, name: str) -> bool:
        """Whole, under its final name: a partner says it does not have what it cannot read."""
        size = next(row.size for row in self.site.interchanges() if row.remote_name == name)
        paths = (self.world.root / place / name for place in ("in", "archive"))
        return any(path.exists() and path.stat().st_size == size for path in paths)

    def _resend_anyway(self, operation: Operation) -> None:
        """A supervisor who did not ask: what then comes twice is on record as hers."""
        for row in self.site.interchanges():
            if row.state == "in-doubt":
                with self._resent.open("a") as resent:
                    resent.write(f"{row.remote_name}\n")
                with suppress(NotAllowed, Conflict):
                    self.site.commands.resolve(row.id, "resend", SUPERVISOR, "no time to ask")

    def _abandon(self, operation: Operation) -> None:
        for row in self.site.interchanges():
            if row.state == "ready":
                with suppress(NotAllowed, Conflict):
                    self.site.commands.resolve(row.id, "abandon", SUPERVISOR, "not this month")

    def _post(self, operation: Operation) -> None:
        with self.site.store.read() as tx:
            unbalanced = [row.id for row in tx.exchanges.answers(status="unbalanced")]
        for answer in unbalanced:
            with suppress(Conflict):
                self.site.collecting.post(answer, SUPERVISOR, "the bank has the money")

    # --- the exchange ------------------------------------------------------------------------------------------------

    def _send(self, operation: Operation) -> None:
        with suppress(GatewayError):
            self.site.sending.run(CONNECTION)

    def _partner(self, operation: Operation) -> None:
        self.world.clearing.run_once()

    def _collect(self, operation: Operation) -> None:
        self.site.collecting.run(CONNECTION)
        self.site.settle_facts()

    def _wait(self, operation: Operation) -> None:
        self.site.clock.move(timedelta(minutes=(1, 5, 30, 600)[operation.first % 4]))

    def _break(self, operation: Operation) -> None:
        """The next upload breaks; mostly there is one at once, of a claim that a biller lets go."""
        self.world.mailbox.broken_at = _BREAKS[operation.first % len(_BREAKS)]
        if operation.second % 4:
            self._release(operation)
            self._send(operation)

    def _away(self, operation: Operation) -> None:
        self.world.mailbox.is_away = not self.world.mailbox.is_away

    def _fault(self, operation: Operation) -> None:
        name = _FAULTS[operation.first % len(_FAULTS)]
        if operation.second % 3:
            self.world.faults.switch_on(name)
        else:
            self.world.faults.switch_off(name)


def _key(operation: Operation) -> str:
    return f"{operation.number}-{operation.name}"


def run_seed(seed: int, url: str, folder: Path) -> dict[str, Any]:
    """{"kills", "files", "claims", "payments", "violations"} of one seed."""
    plan, root = draw_plan(seed), folder / str(seed)
    fresh_database(url)

    def live(number: int, lasts: int | None) -> dict[str, Any]:
        at = NOON + timedelta(hours=number)
        life = Life(plan, open_world(url, root, at=at, seed=seed, publish=plan.publish))
        if lasts is not None:
            kill_at(lasts)
        life.run()
        fault_points.arm(None)
        return life.rest()

    kills = 0
    for number, lasts in enumerate((*plan.deaths, None)):
        code, found = in_child(lambda number=number, lasts=lasts: live(number, lasts))
        if code != KILLED:
            break
        kills += 1
    shutil.rmtree(root)
    return {"kills": kills, **(found or {"violations": [f"a life ended with {code}; its traceback is on stderr"]})}


def run_seeds(url: str, folder: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """{"runs", "kills", "files", "claims", "payments", "violations": {seed: [...]}} of all seeds."""
    warm_up(folder)
    counted: Counter[str] = Counter()
    violations = {}
    for seed in seeds:
        found = run_seed(seed, url, folder)
        if wrong := found.pop("violations"):
            violations[seed] = wrong
            print(f"seed {seed}: {wrong}", file=sys.stderr, flush=True)
        counted.update(found)
    return {"runs": len(seeds), **counted, "violations": violations}


if __name__ == "__main__":
    first, count = map(int, sys.argv[3:])
    print(json.dumps(run_seeds(sys.argv[1], Path(sys.argv[2]), range(first, first + count))))
