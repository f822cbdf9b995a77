"""A claim's state and money from its versions and facts: the same for every order in which the facts came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import pytest

from gateway.claim.answer import PaidClaim
from gateway.claim.claim import Claim
from gateway.lifecycle import ClaimFact, ClaimState, FactKind
from gateway.pipeline.money import entries_of, live_version, state_of
from gateway.ports.claims import Draft, Version
from gateway.receivable.ledger import total
from tests.factories import CHARGE_CENTS, NOON, a_claim, a_fact, a_finding, an_adjudication, reversal_of


def a_version(number: int, claim: Claim | None = None) -> Version:
    return Version(
        id=f"version-{number}",
        claim_id="claim-1",
        number=number,
        claim_number=f"C{number}",
        claim=claim or a_claim(),
        content_hash=f"content-{number}",
        findings=(),
        frozen_at=NOON,
        interchange_id=f"i{number}",
    )


def of(version: Version, kind: FactKind, code: str = "", paid: PaidClaim | None = None) -> ClaimFact:
    about = "" if kind in (FactKind.CLEARINGHOUSE, FactKind.PAYER, FactKind.REMITTED) else version.interchange_id
    return a_fact(kind, code, version_id=version.id, interchange_id=about, paid=paid)


def sent(version: Version) -> list[ClaimFact]:
    return [of(version, FactKind.FROZEN, f"{version.number:09d}"), of(version, FactKind.DELIVERED)]


def balances(versions: Sequence[Version], facts: Sequence[ClaimFact]) -> dict[str, int]:
    entries = entries_of(versions, facts)
    assert total(entries) == 0
    summed: Counter[str] = Counter()
    for entry in entries:
        summed[entry.account] += entry.cents
    return {account: cents for account, cents in summed.items() if cents}


FIRST, REPLACEMENT, VOID = a_version(1), a_version(2, a_claim(frequency="7")), a_version(2, a_claim(frequency="8"))
PAID = an_adjudication(80_000, ("CO", "45", 25_000))
BILLED = {"payer-receivable": CHARGE_CENTS, "revenue": -CHARGE_CENTS}


def test_money_and_state_are_the_same_for_every_order_of_the_facts() -> None:
    correction = an_adjudication(60_000, ("CO", "45", 25_000), ("PR", "3", 20_000), ordinal=2)
    answers = [
        of(FIRST, FactKind.TRANSACTION, "A"),
        of(FIRST, FactKind.PAYER, "accepted"),
        of(FIRST, FactKind.REMITTED, "1", PAID),
        of(FIRST, FactKind.REMITTED, "22", reversal_of(PAID)),
        of(FIRST, FactKind.REMITTED, "1", correction),
    ]
    outcomes = {
        (state_of(None, [FIRST], facts), tuple(sorted(balances([FIRST], facts).items())))
        for order in permutations(answers)
        for facts in [[*sent(FIRST), *order]]
    }
    assert outcomes == {
        (
            ClaimState.PAID,
            (("cash", 60_000), ("contractual", 25_000), ("patient-receivable", 20_000), ("revenue", -CHARGE_CENTS)),
        )
    }


def test_nothing_is_owed_before_a_version_is_frozen_or_after_it_was_refused() -> None:
    assert balances([], []) == {}
    assert balances([FIRST], sent(FIRST)) == BILLED
    for refusal in (of(FIRST, FactKind.TRANSACTION, "R"), of(FIRST, FactKind.PAYER, "rejected")):
        assert balances([FIRST], [*sent(FIRST), refusal]) == {}
        assert live_version([FIRST], [*sent(FIRST), refusal]) is None


def test_a_replacement_is_owed_in_place_of_a_first_version_nobody_adjudicated() -> None:
    facts = [*sent(FIRST), *sent(REPLACEMENT)]
    assert balances([FIRST, REPLACEMENT], facts) == BILLED
    assert live_version([FIRST, REPLACEMENT], facts) is REPLACEMENT


def test_a_replaced_payment_stays_until_the_payer_reverses_it() -> None:
    paid = [*sent(FIRST), of(FIRST, FactKind.REMITTED, "1", PAID), *sent(REPLACEMENT)]
    both = balances([FIRST, REPLACEMENT], paid)
    assert both == {"cash": 80_000, "contractual": 25_000, "payer-receivable": 105_000, "revenue": -210_000}
    new = an_adjudication(70_000, ("CO", "45", 35_000), ordinal=2)
    settled = [
        *paid,
        of(FIRST, FactKind.REMITTED, "22", reversal_of(PAID)),
        of(REPLACEMENT, FactKind.REMITTED, "1", new),
    ]
    assert balances([FIRST, REPLACEMENT], settled) == {"cash": 70_000, "contractual": 35_000, "revenue": -105_000}


def test_a_void_owes_nothing_and_is_voided_once_the_payer_took_everything_back() -> None:
    facts = [*sent(FIRST), of(FIRST, FactKind.REMITTED, "1", PAID), *sent(VOID)]
    assert state_of(None, [FIRST, VOID], facts) is ClaimState.TRANSMITTED
    facts += [of(FIRST, FactKind.REMITTED, "22", reversal_of(PAID)), of(VOID, FactKind.PAYER, "accepted")]
    assert state_of(None, [FIRST, VOID], facts) is ClaimState.VOIDED
    assert balances([FIRST, VOID], facts) == {}


def test_a_void_of_a_claim_that_was_never_paid_is_done_once_the_payer_accepts_it() -> None:
    facts = [*sent(FIRST), *sent(VOID)]
    assert balances([FIRST, VOID], facts) == {}
    assert state_of(None, [FIRST, VOID], facts) is ClaimState.TRANSMITTED
    accepted = [*facts, of(VOID, FactKind.PAYER, "accepted")]
    assert state_of(None, [FIRST, VOID], accepted) is ClaimState.VOIDED


@pytest.mark.parametrize(
    ("refused", "blocked", "state"),
    [
        (False, False, ClaimState.CORRECTION_READY),
        (False, True, ClaimState.CORRECTION_HELD),
        (True, False, ClaimState.READY),
        (True, True, ClaimState.HELD),
    ],
)
def test_a_draft_beside_a_live_version_is_a_correction_and_beside_a_refused_one_it_is_not(
    refused: bool, blocked: bool, state: ClaimState
) -> None:
    draft = Draft(
        claim_id="claim-1",
        claim=a_claim(),
        content_hash="content-2",
        findings=(a_finding(),) if blocked else (),
        complete=True,
        ready_on=None,
    )
    facts = [*sent(FIRST), *([of(FIRST, FactKind.TRANSACTION, "R")] if refused else [])]
    assert state_of(draft, [FIRST], facts) is state
