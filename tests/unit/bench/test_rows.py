"""A row says by how much, and calls a budget met only where that was shown."""

from __future__ import annotations

import pytest

from gateway.bench.rows import NO_BUDGET, compared, unmeasured


def test_the_ratio_is_ours_by_theirs() -> None:
    row = compared("check", 6000.0, "claims/s", "a judge", 200.0, budget=">= 50x", at_least_ratio=50.0)
    assert (row.value, row.reference_value, row.ratio, row.met) == (6000.0, 200.0, 30.0, False)


def test_a_ratio_at_the_bound_meets_the_budget() -> None:
    assert compared("check", 100.0, "claims/s", "a judge", 2.0, budget=">= 50x", at_least_ratio=50.0).met


def test_without_a_reference_the_ratio_is_unknown_and_a_budget_on_it_is_not_shown_to_be_met() -> None:
    row = compared("read", 6000.0, "segments/s", "a reader", None, budget=">= 0.5x", at_least_ratio=0.5)
    assert (row.reference_value, row.ratio, row.met) == (None, None, False)


def test_a_figure_for_comparison_alone_has_nothing_to_miss() -> None:
    row = compared("read", 1.0, "segments/s", "a reader", None)
    assert (row.budget, row.met) == (NO_BUDGET, True)


@pytest.mark.parametrize(("value", "met"), [(299.0, True), (301.0, False)])
def test_every_bound_must_hold(value: float, met: bool) -> None:
    row = compared("memory", value, "MB", "a small file", 290.0, budget="flat", at_most_ratio=1.25, at_most=300.0)
    assert row.met is met


def test_figures_carry_no_more_digits_than_they_deserve() -> None:
    assert compared("check", 14_059.87, "claims/s", "a judge", 212.3456).document()["value"] == 14_060.0


def test_a_stage_that_broke_is_a_row_that_says_so() -> None:
    row = unmeasured("x12.check", "x12.check broke: OSError")
    assert (row.value, row.ratio, row.met, row.note) == (None, None, False, "x12.check broke: OSError")
