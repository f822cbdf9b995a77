"""What people and programs get to see: plain in a pipe, one JSON document, amounts, hostile text."""

from __future__ import annotations

import json
import sys

import pytest

from gateway.cli import output


def test_a_pipe_gets_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("claim", "dollars"), [("A", "1.00"), ("LONGER", "10.00")], right=("dollars",))
    assert capsys.readouterr().out == "claim   dollars\nA          1.00\nLONGER    10.00\n"


def test_a_table_without_rows_still_has_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("claim", "state"), [])
    assert capsys.readouterr().out == "claim  state\n"


def test_a_row_wider_than_the_terminal_goes_on_below_and_no_cell_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _look_on(monkeypatch, columns=40)
    output.table(("claim", "payer", "dollars"), [("7S23AB17NJHYWWJ6W11CBSPQEX", "lakeland-health", "9.00")])
    assert capsys.readouterr().out.splitlines() == [
        "claim",
        "    payer            dollars",
        "7S23AB17NJHYWWJ6W11CBSPQEX",
        "    lakeland-health  9.00",
    ]


def test_on_a_narrow_terminal_sentences_break_between_words_and_ids_do_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _look_on(monkeypatch, columns=40)
    output.table(("claim", "what"), [("7S23AB17NJ", "The week ends short of its hours.")])
    shown = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert shown[2:] == ["7S23AB17NJ   The week ends short of", "its hours."]


def _look_on(monkeypatch: pytest.MonkeyPatch, *, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def test_facts_without_a_value_are_left_out_and_zero_is_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    output.facts([("payer", "medicare"), ("number", None), ("holds", []), ("queued", 0)])
    assert capsys.readouterr().out == "payer   medicare\nqueued  0\n"


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123456789, "1,234,567.89"), (-10000, "-100.00"), (None, "")],
)
def test_amounts_are_written_from_whole_cents(cents: int | None, text: str) -> None:
    assert output.dollars(cents) == text


def test_hostile_text_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("\x1b]0;owned\x07 \x1b[2J\rgone \u202eabc")
    shown = capsys.readouterr().out
    assert not set("\x1b\x07\r\u202e") & set(shown)


def test_json_is_one_document_with_letters_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    output.show({"name": "Björn"}, as_json=True, render=lambda _: pytest.fail("people are not addressed"))
    shown = capsys.readouterr().out
    assert "Björn" in shown
    assert json.loads(shown) == {"name": "Björn"}


def test_progress_keeps_standard_output_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("working", 3) as advance:
        for _ in range(3):
            advance(1)
    assert capsys.readouterr().out == ""


def test_long_work_is_told_of_now_and_then_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 100, 3))
    monkeypatch.setattr("gateway.cli.output.time.monotonic", lambda: float(next(now)))
    with output.progress("taking in", 4000) as advance:
        for _ in range(4):
            advance(1000)
    assert "taking in: " in capsys.readouterr().err


@pytest.mark.parametrize(("number", "text"), [(0, "0 claims"), (1, "1 claim"), (2000, "2,000 claims")])
def test_counts_agree_with_their_noun(number: int, text: str) -> None:
    assert output.count(number, "claim") == text
