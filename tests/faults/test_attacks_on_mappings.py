"""What a mapping file may not do to us: fill memory, never end, fail in a way nobody catches, reach other files."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mapping.conditions import Condition, compile_condition
from adapters.mapping.contract_shapes import kind_of
from adapters.mapping.mapping_files import read_mapping_files
from adapters.mapping.yaml_reader import Place, Problems, Text, read_yaml
from gateway.claim.contract import Payer
from gateway.errors import ConfigurationError

HERE = Place("sources/x.yaml")


def compiled(source: str) -> tuple[Condition | None, list[str]]:
    problems = Problems()
    return compile_condition(source, HERE, {"x", "n"}, problems, {"x": "X", "n": 1}), problems.lines()


@pytest.mark.parametrize(
    "source",
    ["1 / (n - 1) == 1", "n % (n - 1) == 1", "9223372036854775807 + n > 0", "uint(n - 2) > 1u", "[1][n + 8] == 1"],
)
def test_a_condition_that_cannot_be_worked_out_on_the_sample_is_said_when_the_file_is_read(source: str) -> None:
    condition, (problem,) = compiled(source)
    assert condition is None
    assert "does not work on a sample" in problem


@pytest.mark.parametrize("source", ["1 / n == 1", "10 % n == 1", "9223372036854775807 - n > 0"])
def test_a_condition_that_cannot_be_worked_out_on_the_data_fails_in_our_own_words(source: str) -> None:
    condition, problems = compiled(source)
    assert condition is not None, problems
    with pytest.raises(ConfigurationError) as failed:
        condition.holds({"n": 0 if "/" in source or "%" in source else -1})
    assert str(HERE) in str(failed.value)


@pytest.mark.parametrize("source", ["(" * 990 + "true" + ")" * 990, "[" * 990 + "]" * 990 + " == []", "x" * 2001])
def test_a_condition_too_deep_or_too_long_is_refused(source: str) -> None:
    condition, problems = compiled(source)
    assert condition is None
    assert problems


def within(depth: int) -> str:
    """Ten things for each of ten things for each of ..."""
    ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 0]"
    return "true" if depth == 0 else f"{ten}.all(n{depth}, {within(depth - 1)})"


@pytest.mark.parametrize(
    "source",
    [
        within(8),
        within(3).replace(".all(", " . all  ("),
        "'(' == \"(\" && " + within(3),
        "['xxxxxxxx']" + "".join(f".map({n}, {'+'.join(n * 200)})" for n in "abc") + ".size() > 0",
    ],
)
def test_a_condition_that_could_take_forever_is_refused(source: str) -> None:
    condition, problems = compiled(source)
    assert condition is None
    assert ["could take for ever" in each for each in problems] == [True]


def test_comprehensions_beside_each_other_are_taken() -> None:
    condition, problems = compiled(" && ".join([within(2), "')' == ')'"] * 4) + " && n == 1")
    assert condition is not None, problems
    assert condition.holds({"n": 1})


def a_pattern(text: str) -> list[str]:
    problems = Problems()
    shape = kind_of(Payer)
    kind = shape.keys["member_number_pattern"].kind  # type: ignore[attr-defined]
    kind.read(Text(HERE, text), problems)
    return problems.lines()


@pytest.mark.parametrize("text", ["(a+)+", "(a|aa)+", "(a*)*b", "((a|b)c)*", "(x+){20}", "(a|a){30}", "(?:a|ab)*c"])
def test_a_pattern_that_could_take_forever_is_refused(text: str) -> None:
    (problem,) = a_pattern(text)
    assert "take forever" in problem


@pytest.mark.parametrize("text", [r"[A-Z]{3}\d{6}", r"(\d{9}|\d{11})[A-Z]?", r"(?:\d{3}-)?\d+", r"[1-9][A-Z]\w{2}"])
def test_a_pattern_as_payers_have_them_is_taken(text: str) -> None:
    assert a_pattern(text) == []


def test_a_file_of_references_to_references_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
    problems = Problems()
    read_yaml("payers/x.yaml", "\n".join(lines).encode(), problems)
    assert any("anchors" in each for each in problems.lines())


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['true']", "!!binary aGk=", "!include /etc/passwd"])
def test_a_tag_makes_nothing(tag: str) -> None:
    problems = Problems()
    read_yaml("payers/x.yaml", f"id: {tag}\n".encode(), problems)
    assert problems.lines()


def test_a_link_that_leads_back_up_is_said_and_not_followed_for_ever(tmp_path: Path) -> None:
    overlay = tmp_path / "mappings"
    (overlay / "payers").mkdir(parents=True)
    (overlay / "payers" / "loop").symlink_to(overlay)
    with pytest.raises(ConfigurationError, match="lead back"):
        read_mapping_files(shipped=False, overlay=overlay)
