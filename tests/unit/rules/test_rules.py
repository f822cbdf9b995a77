"""Every rule's cases, and what every rule must have: a page, and cases that pass and fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.claim.finding import Finding, Severity
from gateway.rules.gate import RULES, RULES_BY_NAME, check_claim, rule_pages
from gateway.rules.rule import Rule
from tests.unit.rules.changes import apply_changes
from tests.unit.rules.situations import STARTS, situation

FOLDER = Path(__file__).parents[2] / "rules"
EXPECTED_KEYS = {"at", "severity", "owner", "says", "cents", "values", "source", "overridable"}


def _load(path: Path) -> list[dict[str, Any]]:
    content = YAML(typ="safe", pure=True).load(path.read_text())
    assert {"rule", "cases"} == set(content), f"{path.name} has a rule and its cases, nothing else"
    assert path.stem == content["rule"]
    return [{**each, "rule": content["rule"]} for each in content["cases"]]


FILES = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
CASES = [case for path in FILES.values() for case in _load(path)]


def _expected(case: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [] if case["expect"] == "clean" else case["expect"]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['rule']}: {case['name']}" for case in CASES])
def test_case(case: Mapping[str, Any]) -> None:
    assert {"rule", "name", "start", "expect"} <= set(case) <= {"rule", "name", "start", "change", "expect"}
    changed = apply_changes(situation(case["start"]), case.get("change", {}))
    found = [each for each in check_claim(changed.claim, changed.context) if each.rule == case["rule"]]
    expected = _expected(case)
    assert [each["at"] for each in expected] == [each.path for each in found]
    for finding, wanted in zip(found, expected, strict=True):
        assert set(wanted) <= EXPECTED_KEYS
        _compare(finding, wanted, RULES_BY_NAME[case["rule"]])


def _compare(finding: Finding, wanted: Mapping[str, Any], rule: Rule) -> None:
    assert wanted.get("severity", rule.severity) == finding.severity
    assert wanted.get("owner", rule.owner) == finding.owner
    assert (rule.code, rule.overridable) == (finding.code, finding.overridable)
    assert wanted.get("says", "") in finding.message
    assert finding.fix
    if "cents" in wanted:
        assert wanted["cents"] == finding.cents
    if "source" in wanted:
        assert finding.origin is not None
        assert wanted["source"] == finding.origin.source
    values = {name: str(value) for name, value in wanted.get("values", {}).items()}
    assert values == {name: finding.values.get(name) for name in values}


@pytest.mark.parametrize("start", STARTS)
def test_what_cases_start_from_is_clean(start: str) -> None:
    begun = situation(start)
    assert [] == check_claim(begun.claim, begun.context)


def test_every_rule_has_a_file_of_cases_and_every_file_a_rule() -> None:
    assert sorted(RULES_BY_NAME) == sorted(FILES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_at_least_two_cases_that_pass_and_two_that_fail(rule: Rule) -> None:
    cases = [case for case in CASES if case["rule"] == rule.name]
    failing = [case for case in cases if _expected(case)]
    assert len(failing) >= 2
    assert len(cases) - len(failing) >= 2


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_page(rule: Rule) -> None:
    summary, _, sections = rule.page.partition("\n\n")
    assert summary.endswith(".")
    words = [line.partition(":")[0] for line in sections.splitlines() if line and not line.startswith(" ")]
    assert ["Why", "Fails", "Passes", "Source"] == words


def test_case_names_are_said_once() -> None:
    names = [(case["rule"], case["name"]) for case in CASES]
    assert len(set(names)) == len(names)


def test_rules_are_named_in_words_and_live_in_the_file_of_that_name() -> None:
    for rule in RULES:
        module = rule.check.__module__.rpartition(".")[2]
        assert rule.name == module.replace("_", "-")


def test_the_catalogue_of_pages_shows_every_rule_once() -> None:
    pages = rule_pages()
    for rule in RULES:
        assert 1 == pages.count(f"## {rule.name}\n")
        assert rule.severity is Severity.BLOCK or str(rule.severity) in pages
