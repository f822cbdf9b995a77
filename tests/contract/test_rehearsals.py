"""What the page of rehearsals says an operator sees is what our pipeline shows, fault by fault, against the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from clearinghouse.sandbox.clearing import Clearing
from clearinghouse.sandbox.faults import Faults
from clearinghouse.sandbox.ledger import Ledger
from clearinghouse.sandbox.outbox import Timing
from clearinghouse.sandbox.payer_table import PayerTable, SimulatedPayer, read_payer_table
from gateway.claim.answer import Remittance
from gateway.lifecycle import ClaimState
from gateway.store.database import Database
from tests.factories import CONNECTION
from tests.pipeline_site import Site

PAYER = SimulatedPayer(
    id="NACME", name="ACME", tin="990000017", filing_days=365, fees_cents={"S9480": 32500}, status_of_denied="4"
)


@dataclass
class Rehearsal:
    """A site whose partner's folder a sandbox works on, with one fault."""

    site: Site
    clearing: Clearing
    ledger: Ledger

    def play(self) -> list[str]:
        """Send a claim, let the sandbox work, collect, until nothing moves; the statuses of what came back."""
        self.site.admit()
        self.site.sending.run(CONNECTION)
        while self.clearing.run_once().did_something:
            pass
        self.site.collecting.run(CONNECTION)
        self.site.settle_facts()
        assert self.site.ailing() == []
        with self.site.store.read() as tx:
            return sorted(f"{each.type} {each.status}" for each in tx.exchanges.answers() if each.status != "applied")

    def posted(self) -> int:
        with self.site.store.read() as tx:
            applied = [each for each in tx.exchanges.answers(type="835") if each.status == "applied"]
        return sum(one.payment_cents for each in applied for one in each.transaction.answers if _is_money(one))


def _is_money(answer: object) -> bool:
    return isinstance(answer, Remittance)


def rehearsal(store: Database, folder: Path, fault: str) -> Rehearsal:
    site = Site(store, folder / "partner", after="delete")
    house = folder / "house"
    house.mkdir()
    for ours, theirs in (("in", "upload"), ("out", "download"), ("archive", "archive")):
        (house / theirs).symlink_to(site.root / ours)
    table = read_payer_table()
    payers = PayerTable((PAYER,), table.revenue_codes, table.bill_types)
    ledger = Ledger(folder / "ledger.sqlite")
    faults = Faults([fault] if fault else [])
    timing = Timing(partial_after_s=0)
    clearing = Clearing({"clinic": house}, ledger, payers, 1, lambda: site.clock.at, timing, faults)
    return Rehearsal(site, clearing, ledger)


SHOWN: dict[str, tuple[list[str], int, ClaimState]] = {
    "": ([], 1, ClaimState.PAID),
    "duplicate-answers": ([], 1, ClaimState.PAID),
    "re-enveloped-answers": (["835 duplicate"], 1, ClaimState.PAID),
    "out-of-order": ([], 1, ClaimState.PAID),
    "zipped-answers": ([], 1, ClaimState.PAID),
    "zip-bomb": ([], 1, ClaimState.PAID),
    "report": ([], 1, ClaimState.PAID),
    "growing-answer": ([], 1, ClaimState.PAID),
    "never-answer=835": ([], 0, ClaimState.PAYER_ACCEPTED),
    "unbalanced-835": (["835 unbalanced"], 0, ClaimState.PAYER_ACCEPTED),
    "changed-835": (["835 quarantined"], 1, ClaimState.PAID),
    "other-payee-835": (["835 quarantined"], 0, ClaimState.PAYER_ACCEPTED),
    "wrong-receiver": (["TA1 quarantined"], 1, ClaimState.PAID),
    "wrong-usage": (["TA1 quarantined"], 1, ClaimState.PAID),
    "refuse-interchange": ([], 0, ClaimState.REJECTED),
    "refuse-transaction": ([], 0, ClaimState.REJECTED),
}


@pytest.mark.parametrize("fault", SHOWN)
def test_a_rehearsed_fault_shows_what_the_page_says(store: Database, tmp_path: Path, fault: str) -> None:
    aside, times_paid, state = SHOWN[fault]
    played = rehearsal(store, tmp_path, fault)
    assert played.play() == aside
    assert played.site.state() is state
    owed = sum(each["paid_cents"] for each in played.ledger.as_json()["remittances"])
    assert played.posted() == times_paid * owed
    assert (times_paid > 0) <= (owed > 0)


def test_money_for_a_stranger_waits_in_suspense(store: Database, tmp_path: Path) -> None:
    played = rehearsal(store, tmp_path, "stranger-835")
    assert played.play() == []
    assert played.site.balances()["suspense"] == -10_000
