"""Dates and times as spreadsheets show them."""

import pytest

from adapters.mapping.spreadsheet_times import iso_of
from adapters.mapping.values import NotUnderstood


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8/3/2026", "2026-08-03"),
        ("08/03/2026 17:30", "2026-08-03T17:30:00"),
        ("8/3/2026 5:30 PM", "2026-08-03T17:30:00"),
        ("8/3/2026, 5:30:15 p.m.", "2026-08-03T17:30:15"),
        ("8/3/2026 12:05 AM", "2026-08-03T00:05:00"),
        ("8/3/2026/5:30 PM", "2026-08-03T17:30:00"),
        ("8/3/2026 0:00/17:30", "2026-08-03T17:30:00"),
        ("8/3/2026 12:00:00 AM/17:30", "2026-08-03T17:30:00"),
        ("2026-08-03 17:30", "2026-08-03T17:30:00"),
        ("46237", "2026-08-03"),
        ("46237.75", "2026-08-03T18:00:00"),
        ("46237/0.75", "2026-08-03T18:00:00"),
        ("2026-08-03T17:30:00-05:00", "2026-08-03T17:30:00-05:00"),
        ("tomorrow", "tomorrow"),
    ],
)
def test_what_a_spreadsheet_shows_becomes_iso(text: str, expected: str) -> None:
    assert expected == iso_of(text)


@pytest.mark.parametrize("text", ["8/3/26", "13/8/2026", "2/30/2026", "8/3/2026 13:00 PM", "2026-02-30 9:00"])
def test_what_could_only_be_guessed_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        iso_of(text)
