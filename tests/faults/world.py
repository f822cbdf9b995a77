"""A site and its clearinghouse in one process: the real pipeline over one database, the real sandbox over one folder.

The sandbox's ledger is the oracle: it knows what was really taken, decided and paid.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from clearinghouse.sandbox.clearing import Clearing
from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.ledger import Ledger
from clearinghouse.sandbox.outbox import Timing
from clearinghouse.sandbox.payer_table import PayerTable, SimulatedPayer
from gateway.claim.answer import Remittance
from gateway.claim.finding import blocks
from gateway.lifecycle import FactKind
from gateway.pipeline.deliver import LEASE
from gateway.pipeline.export import canonical_export
from gateway.store.database import Database
from tests.factories import CHAIN, CONNECTION, NOON
from tests.faults.unreliable import UnreliableMailbox
from tests.pipeline_site import SETTLE_GAP, Site

PAYERS = PayerTable(
    payers=(
        SimulatedPayer(
            id="NACME",
            name="ACME",
            tin="990000018",
            filing_days=365,
            fees_cents={"S9480": 25_000},
            copay_cents=2_000,
            denial_percent=15,
        ),
    ),
    revenue_codes={"S9480": ("0905",)},
    bill_types=("13",),
)
_HOW_IT_ARRIVED = (FactKind.IN_DOUBT, FactKind.NOT_ARRIVED, FactKind.DELIVERED)
NAMES = ("SAMPLE", "PAT", "ABC0000", "RIVERA", "OKAFOR")
"""Of the patients and clinicians: no log may hold one."""


class World:
    """Several worlds over one database and one folder are processes that come one after the other."""

    def __init__(
        self,
        store: Database,
        root: Path,
        at: datetime = NOON,
        faults: Faults | None = None,
        seed: int = 1,
        publish: str = "rename_same_dir",
    ) -> None:
        self.root = root
        self.site = Site(store, root, after="delete", max_claims=2, publish=publish)
        self.mailbox = UnreliableMailbox(self.site.mailbox, renames=publish != "direct", root=root)
        self.site.exchange._mailbox = self.mailbox
        self.site.clock.at = at
        for theirs, ours in (("upload", "in"), ("download", "out")):
            if not (root / theirs).exists():
                (root / theirs).symlink_to(ours)
        self.ledger = Ledger(root / "ledger" / "ledger.sqlite")
        self.faults = faults or Faults(seed=seed)
        self.clearing = Clearing(
            {"clinic": root}, self.ledger, PAYERS, seed, self.site.clock.now, Timing(partial_after_s=0), self.faults
        )
        self.log = io.StringIO()
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(self.log))

    def close(self) -> None:
        self.ledger.close()
        self.site.store.close()

    # --- moving on ---------------------------------------------------------------------------------------------------

    def exchange(self) -> None:
        """We send, the partner works, we collect, and what follows from the answers is derived."""
        self.site.sending.run(CONNECTION)
        self.clearing.run_once()
        self.site.collecting.run(CONNECTION)
        self.site.settle_facts()

    def run_to_rest(self, most: int = 30) -> None:
        """Passes, minutes apart, until nothing moves any more. Leases of the dead have run out by then."""
        self.site.clock.move(LEASE)
        self.site.settle_facts()
        before = None
        for _ in range(most):
            self.site.clock.move(SETTLE_GAP + timedelta(seconds=1))
            self.exchange()
            now = self.picture()
            if now == before:
                return
            before = now
        raise AssertionError("it never comes to rest")

    def picture(self) -> object:
        """What tells whether anything moved."""
        ledger = self.ledger.as_json()
        answers = [(each["id"], each["written"]) for each in ledger["answers"]]
        states = [(each.id, each.state) for each in self.site.interchanges()]
        return self.site.states(), states, answers, len(ledger["claims"]), len(ledger["payments"])

    def export(self) -> dict[str, Any]:
        """What must come out the same whatever died in between.

        Two things may differ: how we learnt that a file arrived, and when the payer settled an old debt with new money.
        """
        with self.site.store.read() as tx:
            found = canonical_export(tx)
        for claim in found["claims"]:
            claim["facts"] = [each for each in claim["facts"] if not each.startswith(_HOW_IT_ARRIVED)]
        balances = found["balances"]
        balances["cash"] = balances.get("cash", 0) + balances.pop("provider-adjustment", 0)
        return found

    # --- what must be true at rest -----------------------------------------------------------------------------------

    def violations(self, resent: frozenset[str] = frozenset()) -> list[str]:
        """Every invariant that does not hold. ``resent``: remote names of files that a person had sent again."""
        return [
            *(f"I1: {each}" for each in self._taken_twice(resent)),
            *(f"P2: {each}" for each in self.site.ailing()),
            *(f"P3: {each}" for each in self._blocked_and_left()),
            *(f"P5: {each}" for each in self._carried_twice()),
            *(f"I4: {each}" for each in self._money_that_differs()),
            *(f"I5: {each}" for each in self._remote_acts_unrecorded()),
            *(f"I6: a log holds {each}" for each in NAMES if each in self.log.getvalue()),
            *(f"I7: {each}" for each in self._bytes_that_differ()),
        ]

    def _taken_twice(self, resent: frozenset[str]) -> Iterator[str]:
        """The partner took one claim number from two interchanges."""
        ledger = self.ledger.as_json()
        files = {each["id"]: each["file_name"] for each in ledger["interchanges"]}
        taken = Counter(
            each["claim_number"] for each in ledger["claims"] if files[each["interchange_id"]] not in resent
        )
        yield from (f"the partner took claim {number} {count} times" for number, count in taken.items() if count > 1)
        for each in ledger["claims"]:
            if "OA-18" in each["reason"]:
                yield f"the payer knows the services of claim {each['claim_number']} already"

    def _blocked_and_left(self) -> Iterator[str]:
        with self.site.store.read() as tx:
            for version in self.site.versions():
                held = {each.rule for each in blocks(version.findings)}
                overridden = {each.rule for each in tx.claims.overrides([version.claim_id]).get(version.claim_id, ())}
                if held - overridden:
                    yield f"version {version.claim_number} left blocked by {sorted(held - overridden)}"

    def _carried_twice(self) -> Iterator[str]:
        """One version stands in two of our interchanges that may have been accepted."""
        carried: Counter[str] = Counter()
        with self.site.store.read() as tx:
            for row in tx.exchanges.interchanges():
                if row.state not in ("abandoned", "rejected"):
                    carried.update(version_id for _, version_id in tx.exchanges.versions_in(row.id))
        yield from (f"version {version} is in {count} interchanges" for version, count in carried.items() if count > 1)

    def _money_that_differs(self) -> Iterator[str]:
        """What the partner paid, once each, is our cash, and of each claim number what it paid on it."""
        ledger = self.ledger.as_json()
        with self.site.store.read() as tx:
            applied = [
                said
                for row in tx.exchanges.answers(type="835", status="applied")
                for said in row.transaction.answers
                if isinstance(said, Remittance)
            ]
            balances = tx.ledger.balances()
            cash = balances.get("cash", 0) + balances.get("suspense", 0)  # suspense holds what was nobody's of ours
        heard = {each.trace_number for each in applied}
        expected = sum(each["paid_cents"] for each in ledger["remittances"] if each["trace"] in heard)
        if cash != expected:
            yield f"{cash} cents of cash, the partner paid {expected} in the remittances we posted"
        numbers = {each["id"]: each["claim_number"] for each in ledger["claims"]}
        traces = {each["id"]: each["trace"] for each in ledger["remittances"]}
        theirs: Counter[str] = Counter()
        for each in ledger["payments"]:
            if traces[each["remittance_id"]] in heard:
                theirs[numbers[each["claim_id"]]] += each["paid_cents"]
        ours: Counter[str] = Counter()
        for version in self.site.versions():
            with self.site.store.read() as tx:
                for fact in tx.claims.facts([version.claim_id])[version.claim_id]:
                    if fact.version_id == version.id and fact.paid is not None:
                        ours[version.claim_number] += fact.paid.paid_cents
        for number in sorted({*theirs, *ours}):
            if theirs[number] != ours[number]:
                yield f"claim {number}: the partner paid {theirs[number]}, we posted {ours[number]}"

    def _remote_acts_unrecorded(self) -> Iterator[str]:
        """Every file at the partner's has its act in the audit trail; the doctor verifies the seals."""
        with self.site.store.read() as tx:
            sent = {act["subject"] for act in tx.audit.acts() if act["action"] == "send"}
        at_partners = {each["file_name"] for each in self.ledger.as_json()["interchanges"]}
        for row in self.site.interchanges():
            if row.remote_name in at_partners and f"interchange:{row.id}" not in sent:
                yield f"nothing on record of sending {row.remote_name}"

    def _bytes_that_differ(self) -> Iterator[str]:
        """What lies in the partner's archive whole is what was frozen under that name."""
        frozen = {row.remote_name: (row.sha256, row.size) for row in self.site.interchanges()}
        for each in self.ledger.as_json()["interchanges"]:
            known = frozen.get(each["file_name"])
            if known is None:
                yield f"the partner has {each['file_name']}, which was never frozen"
            elif each["outcome"] in ("accepted", "partial", "rejected") and (each["sha256"], each["size"]) != known:
                yield f"the partner took other bytes of {each['file_name']} than were frozen"


def open_world(url: str, root: Path, **given: Any) -> World:
    """A world of a process of its own, over a database that is there."""
    return World(Database(url, CHAIN), root, **given)
