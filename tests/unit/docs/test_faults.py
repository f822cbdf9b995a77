"""The page of the faults is what runs of the tests showed, and no fault is without a test."""

from __future__ import annotations

from tests.faults.page import FAULTS, PAGE, faults_page, unshown
from tests.faults.results import collected, shown


def test_the_page_of_the_faults_is_current() -> None:
    assert faults_page(shown()) == PAGE.read_text()


def test_every_test_of_a_fault_was_shown_to_pass() -> None:
    assert [] == unshown(shown()), (
        "`make faults`, or `pytest FILE --keep-fault-results` and `python -m tests.faults.page`"
    )


def test_every_fault_of_the_catalogue_has_a_test_and_every_marked_test_a_fault() -> None:
    assert set(collected()) == set(FAULTS)
    assert [f"F{number:02}" for number in range(1, 47)] == list(FAULTS)
