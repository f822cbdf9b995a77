"""The five pitfalls at the demo's clinic: held by their rule before they are sent, denied by the payer without it.

The payer is the sandbox's. It decides from its own table and knows none of our rules.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

import pytest

from gateway.bench.sites import BILLER, CONNECTION, site_in, take_in
from gateway.claim.finding import blocks
from gateway.claim.party import Identifier
from gateway.claim.record import RecordKind
from gateway.demo.month import ClinicMonth, clinic_month
from gateway.demo.scenarios import CASES
from gateway.lifecycle import ClaimState
from gateway.pipeline.doctor import examine
from gateway.ports.storage import Transaction
from gateway.receivable.ledger import Account
from gateway.wiring.mappings import put_site_mappings
from gateway.wiring.rehearsal import Rehearsal, rehearsal
from gateway.wiring.site import Site

PATIENCE_S = 60.0
ANSWERED = {ClaimState.PAID, ClaimState.PARTIAL, ClaimState.DENIED}


@dataclass(frozen=True)
class Pitfall:
    """A patient of the month, the rule that holds the claim, and what the payer says where nobody held it."""

    patient: int
    rule: str
    payer: str
    denial: str


PITFALLS = {
    "a revenue code of another program": Pitfall(4, "codes-fit-program", "lakeland-health", "CO-199"),
    "a place of service the payer does not take": Pitfall(
        11, "place-agrees-with-chart", "river-state-medicaid", "CO-5"
    ),
    "a day without a signed note": Pitfall(8, "attendance-supports-lines", "prairie-mutual", "CO-150"),
    "days beyond the authorization": Pitfall(9, "authorization-covers-days", "prairie-mutual", "CO-198"),
    "a psychiatrist whose contract begins later": Pitfall(13, "clinicians-credentialed", "prairie-mutual", "CO-B7"),
}
# Two of them are the organization's own hand: its files name another code and another place than it has.
MISTAKES = {
    "services/lakeland-health.yaml": ("revenue_code: 0906", "revenue_code: 0905"),
    "facilities/riverbend.yaml": ("revenue_code: 0906, hcpcs: H0015", "revenue_code: 0905, hcpcs: H0015"),
    "services/medicaid.yaml": ("place_of_service: 57", "place_of_service: 11"),
}


@dataclass(frozen=True)
class Ending:
    """What became of each pitfall's claims: their states, what held them, what the payer adjusted."""

    states: Mapping[str, set[str]]
    held_by: Mapping[str, set[str]]
    denials: Mapping[str, set[str]]
    sent: int
    denied_cents: int
    unsound: list[str]


@pytest.fixture(scope="module")
def month() -> ClinicMonth:
    """The month of the five patients alone."""
    whole = clinic_month(patients=len(CASES))
    return ClinicMonth(whole.seed, tuple(whole.patients[each] for each in sorted(p.patient for p in PITFALLS.values())))


@pytest.fixture(scope="module")
def endings(month: ClinicMonth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ending, Ending]]:
    """How it ends with the rules on, and how it goes on once they are switched off in the payers' files."""
    folder = tmp_path_factory.mktemp("pitfalls") / "site"
    with rehearsal(folder, "sqlite:///cleanclaim.sqlite", month.seed) as stage:
        for path, (right, wrong) in MISTAKES.items():
            _overlay(stage, path, right, wrong)
        with site_in(folder) as site:
            take_in(site, month.messages())
            with_rules = _play(site, month)
        for payer in {each.payer for each in PITFALLS.values()}:
            _switch_off(stage, payer)
        put_site_mappings(folder, "kim")
        with site_in(folder) as site:
            yield with_rules, _play(site, month)


def _overlay(stage: Rehearsal, path: str, old: str, new: str) -> None:
    shipped = files("mappings").joinpath(path).read_text()
    assert old in shipped
    target = stage.folder / "mappings" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(shipped.replace(old, new))


def _switch_off(stage: Rehearsal, payer: str) -> None:
    rules = "".join(
        f"      {each.rule}: {{enabled: false, since: 2026-01-01, source: a rehearsal, decided_on: 2026-08-01}}\n"
        for each in PITFALLS.values()
        if each.payer == payer
    )
    _overlay(stage, f"payers/{payer}.yaml", "    release: ", f"    rules:\n{rules}    release: ")


def _play(site: Site, month: ClinicMonth) -> Ending:
    """Judge, release, send, and collect until every claim that left was answered."""
    site.settle()
    with site.store.read() as tx:
        ready = [row.id for row in tx.claims.search(state=ClaimState.READY)]
    for claim in ready:
        site.commands.release(claim, BILLER, "looked at")
    site.sending.run(CONNECTION)
    deadline = time.monotonic() + PATIENCE_S
    while _under_way(site):
        assert time.monotonic() < deadline
        site.collecting.run(CONNECTION)
        time.sleep(0.05)
    site.settle()
    checks = examine(site.store, site.policy, site.exchanges)
    with site.store.read() as tx:
        return _ending(tx, month, unsound=[f"{each.name}: {each.detail}" for each in checks if not each.ok])


def _under_way(site: Site) -> bool:
    with site.store.read() as tx:
        rows = tx.claims.search()
        versions = tx.claims.versions([row.id for row in rows])
        return any(row.state not in ANSWERED for row in rows if versions[row.id])


def _ending(tx: Transaction, month: ClinicMonth, *, unsound: list[str]) -> Ending:
    states: dict[str, set[str]] = {}
    held_by: dict[str, set[str]] = {}
    denials: dict[str, set[str]] = {}
    numbers = {pitfall.patient: name for name, pitfall in PITFALLS.items()}
    sent = 0
    for patient in month.patients:
        name = numbers[patient.number]
        known = tx.subjects.find("riverbend", RecordKind.PATIENT, Identifier("riverbend-mrn", patient.mrn))
        assert known is not None
        rows = tx.claims.of_patients([known])
        drafts, facts = tx.claims.drafts([row.id for row in rows]), tx.claims.facts([row.id for row in rows])
        versions = tx.claims.versions([row.id for row in rows])
        sent += sum(bool(each) for each in versions.values())
        states[name] = {row.state for row in rows}
        held_by[name] = {finding.rule for draft in drafts.values() for finding in blocks(draft.findings)}
        paid = [fact.paid for each in facts.values() for fact in each if fact.paid is not None]
        adjusted = [adjustment for each in paid for line in each.lines for adjustment in line.adjustments]
        denials[name] = {f"{each.group}-{each.reason}" for each in adjusted}
    balances = tx.ledger.balances()
    return Ending(states, held_by, denials, sent, balances.get(Account.DENIED, 0), unsound)


@pytest.mark.parametrize("name", PITFALLS)
def test_a_pitfall_is_held_by_its_rule_and_denied_by_the_payer_without_it(
    endings: tuple[Ending, Ending], name: str
) -> None:
    with_rules, without = endings
    pitfall = PITFALLS[name]
    assert pitfall.rule in with_rules.held_by[name]
    assert ClaimState.HELD in with_rules.states[name]
    assert set() == without.held_by[name]
    assert pitfall.denial in without.denials[name]
    assert {ClaimState.DENIED, ClaimState.PARTIAL} & without.states[name]


def test_nothing_was_denied_while_the_rules_were_on(endings: tuple[Ending, Ending]) -> None:
    with_rules, without = endings
    assert set() == {each.denial for each in PITFALLS.values()} & set().union(*with_rules.denials.values())
    assert with_rules.sent < without.sent
    assert (0, True) == (with_rules.denied_cents, without.denied_cents > 0)
    assert ([], []) == (with_rules.unsound, without.unsound)
