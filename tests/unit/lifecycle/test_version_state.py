"""The state of a frozen version is a function of the set of its facts, in whatever order and however often heard."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claim.answer import PaidClaim
from gateway.lifecycle import ClaimFact, ClaimState, FactKind, version_state
from tests.factories import a_fact, an_adjudication, reversal_of


def of_interchange(kind: FactKind, code: str = "", interchange_id: str = "first") -> ClaimFact:
    return a_fact(kind, code, interchange_id=interchange_id)


def remitted(paid: PaidClaim) -> ClaimFact:
    return a_fact(FactKind.REMITTED, paid.status_code, paid=paid)


FROZEN = of_interchange(FactKind.FROZEN, "000000001")
DELIVERED = of_interchange(FactKind.DELIVERED)
IN_DOUBT, NOT_ARRIVED = of_interchange(FactKind.IN_DOUBT, "1"), of_interchange(FactKind.NOT_ARRIVED, "1")
IN_DOUBT_AGAIN = of_interchange(FactKind.IN_DOUBT, "2")
TA1_ACCEPTED, TA1_ERRORS, TA1_REJECTED = (of_interchange(FactKind.INTERCHANGE, code) for code in "AER")
ST_ACCEPTED, ST_ERRORS, ST_PARTLY, ST_REJECTED = (of_interchange(FactKind.TRANSACTION, code) for code in "AEPR")
CLEARED, NOT_CLEARED = (a_fact(FactKind.CLEARINGHOUSE, code) for code in ("accepted", "rejected"))
TAKEN, NOT_TAKEN = (a_fact(FactKind.PAYER, code) for code in ("accepted", "rejected"))
PAID = remitted(an_adjudication(80_000, ("CO", "45", 25_000)))

WAY_OUT = (FROZEN, DELIVERED, TA1_ACCEPTED, ST_ACCEPTED, CLEARED, TAKEN, PAID)


def test_every_order_of_a_whole_life_gives_paid() -> None:
    assert {version_state(facts) for facts in permutations(WAY_OUT)} == {ClaimState.PAID}


@pytest.mark.parametrize(
    ("heard", "state"),
    list(
        enumerate(
            (
                ClaimState.FROZEN,
                ClaimState.TRANSMITTED,
                ClaimState.INTERCHANGE_ACCEPTED,
                ClaimState.TRANSACTION_ACCEPTED,
                ClaimState.CLEARINGHOUSE_ACCEPTED,
                ClaimState.PAYER_ACCEPTED,
                ClaimState.PAID,
            ),
            start=1,
        )
    ),
)
def test_each_step_of_the_way_out_has_its_state(heard: int, state: ClaimState) -> None:
    assert {version_state(facts) for facts in permutations(WAY_OUT[:heard])} == {state}


@pytest.mark.parametrize("missing", range(1, len(WAY_OUT) - 1))
def test_an_answer_that_never_came_changes_nothing_once_a_later_one_spoke(missing: int) -> None:
    heard = WAY_OUT[:missing] + WAY_OUT[missing + 1 :]
    assert version_state(heard) is ClaimState.PAID


@given(st.lists(st.sampled_from(WAY_OUT), min_size=1, max_size=20))
def test_hearing_a_fact_again_changes_nothing(heard: list[ClaimFact]) -> None:
    once = list(dict.fromkeys([FROZEN, *heard]))
    assert version_state([FROZEN, *heard, *heard[::-1]]) is version_state(once)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((TA1_ERRORS,), ClaimState.INTERCHANGE_ACCEPTED),
        ((ST_ERRORS,), ClaimState.TRANSACTION_ACCEPTED),
        ((ST_PARTLY,), ClaimState.TRANSACTION_ACCEPTED),
        ((IN_DOUBT,), ClaimState.IN_DOUBT),
        ((IN_DOUBT, NOT_ARRIVED), ClaimState.FROZEN),
        ((IN_DOUBT, NOT_ARRIVED, IN_DOUBT_AGAIN), ClaimState.IN_DOUBT),
        ((IN_DOUBT, NOT_ARRIVED, DELIVERED), ClaimState.TRANSMITTED),
        ((IN_DOUBT, DELIVERED), ClaimState.TRANSMITTED),
        ((IN_DOUBT, ST_ACCEPTED), ClaimState.TRANSACTION_ACCEPTED),
        ((TA1_REJECTED,), ClaimState.REJECTED),
        ((TA1_ACCEPTED, ST_REJECTED), ClaimState.REJECTED),
        ((TA1_ACCEPTED, ST_ACCEPTED, NOT_CLEARED), ClaimState.REJECTED),
        ((TA1_ACCEPTED, ST_ACCEPTED, CLEARED, NOT_TAKEN), ClaimState.REJECTED),
    ],
)
def test_one_answer_decides_whatever_it_came_before_or_after(facts: tuple[ClaimFact, ...], state: ClaimState) -> None:
    assert {version_state([FROZEN, *order]) for order in permutations(facts)} == {state}


@pytest.mark.parametrize(
    "facts",
    [
        (TA1_REJECTED, ST_ACCEPTED),
        (TA1_REJECTED, TA1_ACCEPTED),
        (TA1_REJECTED, NOT_CLEARED),
        (ST_REJECTED, CLEARED),
        (ST_REJECTED, NOT_CLEARED),
        (ST_REJECTED, ST_ACCEPTED),
        (NOT_CLEARED, TAKEN),
        (NOT_CLEARED, CLEARED),
        (NOT_CLEARED, PAID),
        (NOT_TAKEN, TAKEN),
        (NOT_TAKEN, PAID),
        (TA1_REJECTED, PAID),
    ],
)
def test_answers_that_contradict_each_other_are_a_conflict_for_a_person(facts: tuple[ClaimFact, ...]) -> None:
    assert {version_state([FROZEN, *order]) for order in permutations(facts)} == {ClaimState.CONFLICT}


def test_a_version_whose_interchange_was_abandoned_may_be_sent_again() -> None:
    freed = of_interchange(FactKind.FREED)
    assert version_state([FROZEN, freed]) is ClaimState.RELEASED


FROZEN_AGAIN = of_interchange(FactKind.FROZEN, "000000002", "second")


@pytest.mark.parametrize("refusal", [TA1_REJECTED, ST_REJECTED])
def test_a_refused_interchange_does_not_colour_the_one_that_followed(refusal: ClaimFact) -> None:
    facts = [FROZEN, DELIVERED, refusal, FROZEN_AGAIN]
    assert {version_state(order) for order in permutations(facts)} == {ClaimState.FROZEN}
    answered = [*facts, of_interchange(FactKind.DELIVERED, "", "second"), CLEARED]
    assert {version_state(order) for order in permutations(answered)} == {ClaimState.CLEARINGHOUSE_ACCEPTED}


def test_the_interchange_that_counts_is_the_one_of_the_highest_number() -> None:
    tenth = of_interchange(FactKind.FROZEN, "000000010", "aaa")
    ninth = of_interchange(FactKind.FROZEN, "000000009", "zzz")
    refused = of_interchange(FactKind.INTERCHANGE, "R", "zzz")
    assert version_state([tenth, ninth, refused]) is ClaimState.FROZEN


FULL = an_adjudication(80_000, ("CO", "45", 25_000))
ZERO = an_adjudication(0, ("PR", "1", 105_000), ordinal=2)
DENIED = an_adjudication(0, ("CO", "50", 105_000), ordinal=3)


@pytest.mark.parametrize(
    ("paid", "state"),
    [
        (FULL, ClaimState.PAID),
        (an_adjudication(70_000, ("CO", "45", 10_000), ("PR", "2", 25_000)), ClaimState.PAID),
        (an_adjudication(70_000, ("CO", "253", 35_000)), ClaimState.PAID),
        (an_adjudication(70_000, ("CO", "197", 35_000)), ClaimState.PARTIAL),
        (an_adjudication(70_000, ("PI", "16", 35_000)), ClaimState.PARTIAL),
        (ZERO, ClaimState.ZERO_PAY),
        (DENIED, ClaimState.DENIED),
    ],
)
def test_the_outcome_comes_from_amounts_and_reasons_though_clp02_says_1_each_time(
    paid: PaidClaim, state: ClaimState
) -> None:
    assert paid.status_code == "1"
    assert version_state([FROZEN, remitted(paid)]) is state


@pytest.mark.parametrize(
    ("status_code", "paid_cents", "group", "state"),
    [
        ("2", 0, "OA", ClaimState.ZERO_PAY),
        ("3", 0, "OA", ClaimState.ZERO_PAY),
        ("20", 0, "OA", ClaimState.ZERO_PAY),
        ("2", 30_000, "OA", ClaimState.PAID),
        ("1", 30_000, "OA", ClaimState.PAID),
        ("1", 0, "OA", ClaimState.DENIED),
        ("4", 0, "OA", ClaimState.DENIED),
        ("2", 0, "CO", ClaimState.DENIED),
    ],
)
def test_what_an_earlier_payer_settled_is_no_denial_by_one_that_came_after_it(
    status_code: str, paid_cents: int, group: str, state: ClaimState
) -> None:
    paid = an_adjudication(paid_cents, (group, "23", 105_000 - paid_cents), status_code=status_code)
    assert version_state([FROZEN, remitted(paid)]) is state


@pytest.mark.parametrize("paid", [FULL, ZERO, DENIED])
def test_a_reversed_adjudication_leaves_the_claim_reversed(paid: PaidClaim) -> None:
    facts = [FROZEN, remitted(paid), remitted(reversal_of(paid))]
    assert {version_state(order) for order in permutations(facts)} == {ClaimState.REVERSED}


def test_reversal_and_correction_leave_what_the_correction_says() -> None:
    correction = an_adjudication(40_000, ("CO", "45", 25_000), ("CO", "197", 40_000), ordinal=4)
    facts = [remitted(FULL), remitted(reversal_of(FULL)), remitted(correction)]
    assert {version_state([FROZEN, *order]) for order in permutations(facts)} == {ClaimState.PARTIAL}


def test_a_reversal_takes_back_the_adjudication_it_mirrors_not_another_of_the_same_amounts() -> None:
    facts = [remitted(ZERO), remitted(DENIED), remitted(reversal_of(ZERO))]
    assert {version_state([FROZEN, *order]) for order in permutations(facts)} == {ClaimState.DENIED}
    facts = [remitted(ZERO), remitted(DENIED), remitted(reversal_of(DENIED))]
    assert {version_state([FROZEN, *order]) for order in permutations(facts)} == {ClaimState.ZERO_PAY}


def test_a_reversal_without_adjustments_still_takes_back_the_same_amounts() -> None:
    bare = an_adjudication(-80_000, ordinal=5, status_code="22", charge_cents=-105_000)
    assert version_state([FROZEN, remitted(FULL), remitted(bare)]) is ClaimState.REVERSED


@pytest.mark.fault("F32")
def test_a_reversal_of_nothing_we_know_is_a_conflict_until_what_it_reverses_arrives() -> None:
    reversal = remitted(reversal_of(FULL))
    assert version_state([FROZEN, reversal]) is ClaimState.CONFLICT
    assert version_state([FROZEN, reversal, remitted(DENIED)]) is ClaimState.CONFLICT
    assert version_state([FROZEN, reversal, remitted(FULL)]) is ClaimState.REVERSED
