"""The gate stage: every rule over claims whose context is loaded, against forty predicates over the same claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec import structs

from gateway.bench.plain_work import PREDICATES, judge, plain_claim
from gateway.bench.rows import compared
from gateway.bench.sites import folder_of_site, site_in, take_in
from gateway.bench.timing import Best, on_processor, sized
from gateway.claim.claim import Claim
from gateway.claim.finding import Finding
from gateway.demo.feed import Batch
from gateway.demo.month import clinic_month
from gateway.demo.play import MONTH_IS_OVER
from gateway.pipeline.check import Candidate, Checker
from gateway.pipeline.derive import Derivation
from gateway.ports.work import WorkKind
from gateway.rules.context import GateContext
from gateway.rules.gate import RULES, check_claims
from gateway.wiring.collector import settled
from gateway.wiring.site import Site

Judged = tuple[Claim, GateContext]
_ROUNDS, _TIMES = 5, 4
_BATCH = 100
"""Claims judged together: what a batch of patients has when the pipeline derives it."""


def judge_month(scale: float) -> list[dict[str, Any]]:
    """Claims a second through the gate: a month's claims of six payers, clean and held."""
    with folder_of_site(MONTH_IS_OVER) as folder, site_in(folder) as site:
        take_in(site, clinic_month(patients=sized(48, scale, 2)).messages(Batch.MONTH))
        while site.interpreting.run():
            pass
        judged = _contexts(site)
    plain = [plain_claim(claim) for claim, _ in judged]
    without = [(claim, _without_own_rules(context)) for claim, context in judged]
    whole, ours_alone, theirs = Best(), Best(), Best()
    count = len(judged) * _TIMES
    with settled():
        for _ in range(_ROUNDS):
            theirs.take(count, on_processor(lambda: [judge(each) for _ in range(_TIMES) for each in plain])[0])
            whole.take(count, on_processor(partial(_check_all, judged))[0])
            ours_alone.take(count, on_processor(partial(_check_all, without))[0])
    reference = f"{len(PREDICATES)} plain predicates"
    budget, least = ">= 10,000 claims/s", 10_000.0
    rows = [
        compared(
            f"gate, {len(RULES)} rules and the payers' own", whole.per_second, "claims/s", reference, theirs.per_second,
            budget=budget, at_least=least, note=f"{len(judged)} claims of six payers, {_lines(judged)} lines",
        ),
        compared(
            f"gate, {len(RULES)} rules alone", ours_alone.per_second, "claims/s", reference, theirs.per_second,
            note="without the conditions (CEL) that payers' files add",
        ),
    ]  # fmt: skip
    return [row.document() for row in rows]


class _Listener(Checker):
    """A checker that keeps what the gate is about to look at."""

    def __init__(self) -> None:
        super().__init__(_NoGuide())
        self.heard: list[Judged] = []

    def check(self, candidates: Sequence[Candidate]) -> list[tuple[Finding, ...]]:
        """Remember, and find nothing."""
        self.heard += [(each.claim, each.context) for each in candidates]
        return [()] * len(candidates)


class _NoGuide:
    """The guide check has a row of its own."""

    def check(self, claims: Sequence[Claim]) -> list[tuple[Finding, ...]]:
        """Nothing to say."""
        return [()] * len(claims)


def _contexts(site: Site) -> list[Judged]:
    """Every claim of the site with its context, as the pipeline loads them in bulk."""
    listener = _Listener()
    with site.store.write() as tx:
        patients = tx.work.take(WorkKind.DERIVE, 100_000)
        Derivation(site.policy, listener).derive(tx, patients, site.clock.now())
    return listener.heard


def _without_own_rules(context: GateContext) -> GateContext:
    return structs.replace(context, payer=replace(context.payer, own_rules=())) if context.payer else context


def _check_all(judged: Sequence[Judged]) -> None:
    for _ in range(_TIMES):
        for first in range(0, len(judged), _BATCH):
            check_claims(judged[first : first + _BATCH])


def _lines(judged: Sequence[Judged]) -> int:
    return sum(len(claim.lines) for claim, _ in judged)
