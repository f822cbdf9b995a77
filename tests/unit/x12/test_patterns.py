"""The quick expressions and the slow explanation agree: what the first accepts, the second finds nothing wrong with."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearinghouse.x12.explain import explain, is_date
from clearinghouse.x12.guide import Guide, SegmentNode, guide_for
from clearinghouse.x12.guide_tables import MAPS, ElementTable, GuideUnavailableError, LoopTable, read_guide
from clearinghouse.x12.patterns import COMPONENT, ELEMENT, REPETITION, alternatives, segment_pattern

GUIDES = [guide_for(name) for name in MAPS]
_VALUES = (
    "",
    "A",
    "AB",
    "X1",
    "12",
    "0",
    "-1.25",
    "1.5",
    ".5",
    "-",
    "1.2.3",
    "20260228",
    "20240229",
    "20260229",
    "20260101-20260131",
    "2026010-20260131",
    "1230",
    "2460",
    "123045",
    "D8",
    "RD8",
    "TM",
    "TX",
    "HC",
    "XX",
    " LEAD",
    "TRAIL ",
    "A" * 30,
    "9" * 20,
    "A" * 300,
    "caf\xe9",
    f"A{REPETITION}B",
    f"HC{COMPONENT}S9480",
    f"A{COMPONENT}",
    f"ABK{COMPONENT}F332",
)


def _value(element: ElementTable, chance: random.Random) -> str:
    """Mostly what the guide asks for, sometimes anything."""
    if chance.random() < 0.08:
        return chance.choice(_VALUES)
    if element.usage == "N" or (element.usage == "S" and chance.random() < 0.5):
        return ""
    if element.kind == "composite":
        parts = [_value(part, chance) for part in element.components]
        while parts and not parts[-1]:
            parts.pop()
        return COMPONENT.join(parts)
    if element.codes:
        return chance.choice(element.codes)
    plain = {"DT": "20260831", "TM": "1230", "R": "12.5", "N0": "7", "N2": "700"}
    return plain.get(
        element.kind, "20260831" if element.data_element == "1251" else "A1234567"[: max(element.least, 3)]
    )


def _text(node: SegmentNode, chance: random.Random) -> str:
    values = [_value(element, chance) for element in node.table.elements]
    while values and not values[-1] and chance.random() < 0.98:
        values.pop()
    return ELEMENT.join((node.name, *values))


@pytest.mark.parametrize("guide", GUIDES, ids=MAPS)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_the_quick_expression_accepts_nothing_the_explanation_finds_wrong(guide: Guide, seed: int) -> None:
    chance = random.Random(seed)
    node = chance.choice(guide.segments)
    text = _text(node, chance)
    if node.test(text):
        assert explain(node.table, text, 1, "") == []


@pytest.mark.parametrize("guide", GUIDES, ids=MAPS)
def test_the_quick_expression_takes_most_of_what_is_right(guide: Guide) -> None:
    """Else the check would be slow; the few exceptions are judged by hand and are right all the same."""
    chance = random.Random(7)
    right = quick = 0
    for node in guide.segments * (500 // len(guide.segments) + 5):
        text = _text(node, chance)
        if not explain(node.table, text, 1, ""):
            right += 1
            quick += bool(node.test(text))
    assert right > 80
    assert quick / right > 0.85


def test_dates_are_judged_by_the_calendar() -> None:
    assert is_date("20240229")
    assert not is_date("20260229")
    assert not is_date("17991231")
    assert not is_date("20261301")
    assert not is_date("2026083")


@given(st.sets(st.text("ABC1", min_size=1, max_size=4), min_size=1, max_size=20), st.text("ABC1", max_size=4))
def test_a_list_of_codes_matches_its_codes_and_nothing_else(codes: set[str], value: str) -> None:
    import re

    assert bool(re.fullmatch(alternatives(codes), value)) == (value in codes)


def test_a_guide_that_is_not_there_is_said_so() -> None:
    with pytest.raises(GuideUnavailableError):
        read_guide("004010X098A1")


def test_a_table_is_the_same_from_the_cache_and_freshly_compiled(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fresh = read_guide.__wrapped__("005010X231A1")
    again = read_guide.__wrapped__("005010X231A1")
    assert fresh == again
    assert isinstance(fresh, LoopTable)


def test_an_unwritable_cache_leaves_the_table_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no-such-place")
    assert read_guide.__wrapped__("005010X231A1") == read_guide("005010X231A1")


def test_a_damaged_cache_is_compiled_again(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    read_guide.__wrapped__("005010X231A1")
    (cached,) = Path(str(tmp_path)).rglob("*.json")
    cached.write_text("{")
    assert read_guide.__wrapped__("005010X231A1") == read_guide("005010X231A1")


def test_every_segment_of_every_guide_compiles() -> None:
    for guide in GUIDES:
        for node in guide.segments:
            assert segment_pattern(node.table).pattern
