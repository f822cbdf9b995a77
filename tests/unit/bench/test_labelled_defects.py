"""Every labelled defect and boundary case through the product, once each: nothing is missed, nothing clean is held."""

from __future__ import annotations

import pytest

from gateway.bench.defects.catalogue import DEFECTS, NEAR_MISSES, cases
from gateway.bench.defects.chart import CONTEXTS
from gateway.bench.defects.label import Desk, Pitfall
from gateway.bench.score import Score, Tally, rows, run_cases
from gateway.claim.finding import Owner
from gateway.demo.feed import Feed


@pytest.fixture(scope="module")
def score() -> Score:
    """One run, small: each defect and near miss in one context, each context clean once, some pairs."""
    return run_cases(clean_each=1, places_each=1, pairs=8)


def test_every_defect_is_caught_by_the_right_rules_and_told_to_the_right_desk(score: Score) -> None:
    assert score.missed == []
    assert {each.name for each in DEFECTS} == set(score.by_defect)


def test_nothing_clean_is_held_not_even_exactly_on_a_boundary(score: Score) -> None:
    assert score.false_holds == []
    assert score.warned == []
    assert (len(CONTEXTS), len(NEAR_MISSES)) == (score.clean, score.near_misses)


def test_the_rows_meet_their_budgets_when_nothing_is_wrong(score: Score) -> None:
    assert {True} == {row.met for row in rows(score)}


def test_a_miss_and_a_false_hold_are_named_and_miss_the_budget() -> None:
    defect = DEFECTS[0]
    wrong = Score(
        by_defect={
            each.name: Tally(tried=1, caught=each is not defect, right_family=1, right_owner=1) for each in DEFECTS
        },
        near_misses=1,
        false_holds=["one-day-alone: somewhere"],
        missed=[f"{defect.name}: not caught: somewhere"],
    )
    found = {row.name: row for row in rows(wrong)}
    caught, held = found[f"{defect.pitfall}: caught"], found["clean claims held or left out"]
    assert (caught.met, caught.note) == (False, f"{defect.name}: not caught: somewhere")
    assert (held.value, held.met, held.note) == (1, False, "one-day-alone: somewhere")


def test_the_labels_speak_of_every_pitfall_and_of_desks_that_exist() -> None:
    assert set(Pitfall) == {each.pitfall for each in DEFECTS}
    assert {each.value for each in Desk} - {"nobody"} == {each.value for each in Owner}
    assert len(DEFECTS) == len({each.name for each in DEFECTS})


def test_the_same_seed_makes_the_same_cases_and_both_feeds_are_told() -> None:
    def told(seed: int) -> list[tuple[str, tuple[str, ...]]]:
        made = cases(seed=seed, clean_each=1, places_each=1, pairs=3)
        return [(each.chart.context.name, tuple(done.name for done in each.done)) for each in made]

    assert told(7) == told(7)
    assert told(7) != told(8)
    assert set(Feed) == {context.feed for context in CONTEXTS}
