"""Cases beside mapping files: what is expected is compared field by field, and what is accepted reads back."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.mapping.case_file import accepted, differences, read_case
from adapters.mapping.yaml_writer import Tree
from gateway.errors import ConfigurationError

HEAD = "source: cedar\nnow: 2026-08-10T13:00:00Z\nmessages: [day.hl7]\n"
FOUND: dict[str, Tree] = {
    "days": [{"on": "2026-08-03", "minutes": "180"}, {"on": "2026-08-04", "minutes": "120"}],
    "claims": [{"payer": "oak", "charge": "410.00", "lines": [{"on": "2026-08-03", "modifiers": ["HF", "GT"]}]}],
}


def told(expect: str, found: dict[str, Tree] | None = None, match: str = "whole") -> list[tuple[str, str, str]]:
    case = read_case("tests/a.yaml", f"{HEAD}match: {match}\n{expect}".encode())
    return [(each.path, each.expected, each.found) for each in differences(case, FOUND if found is None else found)]


def test_what_was_accepted_is_as_expected() -> None:
    case = read_case("tests/a.yaml", accepted(HEAD, FOUND).encode())
    assert [] == differences(case, FOUND)


texts = st.text("abn0123456789.:;,-#'\"{}[]&*!|>%@`~? éü", min_size=1, max_size=12).map(str.strip).filter(bool)
trees = st.dictionaries(
    st.sampled_from(["messages", "encounters", "days", "claims"]),
    st.lists(st.dictionaries(st.sampled_from(["on", "rule", "message", "charge"]), texts, min_size=1), min_size=1),
    min_size=1,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees)
def test_whatever_came_can_be_accepted_and_is_as_expected_from_then_on(found: dict[str, Tree]) -> None:
    text = accepted(HEAD, found)
    assert [] == differences(read_case("tests/a.yaml", text.encode()), found)
    assert text == accepted(text, found)


def test_a_changed_field_is_told_by_its_path_and_its_line() -> None:
    text = accepted(HEAD, FOUND).replace("charge: 410.00", "charge: 409.00")
    (difference,) = differences(read_case("tests/a.yaml", text.encode()), FOUND)
    assert ("claims[0].charge", "409.00", "410.00") == (difference.path, difference.expected, difference.found)
    assert "charge: 409.00" in text.splitlines()[difference.place.line - 1]


def test_a_day_too_many_and_a_day_missing_are_told_as_that_and_the_others_stay_paired() -> None:
    expect = "expect:\n  days:\n    - {on: 2026-08-04, minutes: 120}\n"
    days: dict[str, Tree] = {"days": FOUND["days"]}
    assert [("days[+]", "", "{on: 2026-08-03, minutes: 180}")] == told(expect, days)
    more = expect + "    - {on: 2026-08-03, minutes: 180}\n    - {on: 2026-08-05, minutes: 60}\n"
    assert [("days[2]", "{on: 2026-08-05, minutes: 60}", "")] == told(more, days)


def test_a_part_says_nothing_of_the_rest() -> None:
    expect = "expect:\n  claims: [{payer: oak}]\n  days: [{on: 2026-08-04}]\n"
    assert [] == told(expect, match="part")
    assert {"days[0].minutes", "days[+]", "claims[0].charge", "claims[0].lines"} == {path for path, *_ in told(expect)}
    wrong = "expect:\n  claims: [{payer: elm}]\n"
    assert [("claims[0].payer", "elm", "oak")] == told(wrong, match="part")


def test_a_list_of_words_is_compared_in_its_order() -> None:
    expect = "expect:\n  claims: [{lines: [{on: 2026-08-03, modifiers: [GT, HF]}]}]\n"
    paths = {path for path, *_ in told(expect, match="part")}
    assert {"claims[0].lines[0].modifiers"} == paths


def test_a_key_without_a_value_expects_nothing() -> None:
    expect = "expect:\n  days: [{on: 2026-08-04, minutes: }]\n"
    assert [("days[0].minutes", "", "120")] == told(expect, match="part")


def test_a_case_that_expects_nothing_yet_is_not_as_expected() -> None:
    ((path, _, found),) = told("")
    assert "expect" == path
    assert "--accept" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("now: 2026-08-10\nmessages: [a.hl7]\nsource: a\n", "tests/a.yaml:1:6: expected a moment with its offset"),
        ("now: 2026-08-10T00:00:00Z\nmessages: [a.hl7]\n", "tests/a.yaml:2:12: no source tells this message"),
        (HEAD + "expect: {claim: []}\n", "tests/a.yaml:4:10: nothing called 'claim' comes of messages; expected mess"),
        (HEAD + "expects: {}\n", "unknown key 'expects' in case; did you mean 'expect'?"),
    ],
)
def test_what_is_wrong_with_a_case_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_case("tests/a.yaml", text.encode())
    assert said in "\n".join(refused.value.problems)


def test_nothing_behind_the_expectation_is_lost() -> None:
    with pytest.raises(ConfigurationError, match="not the last key"):
        accepted("expect:\n  days: []\nsource: cedar\n", FOUND)
