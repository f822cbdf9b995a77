"""What payer files say of the gate's rules: every mistake by file and line, and what weakens the gate by whom."""

from __future__ import annotations

import dataclasses
import inspect
import re
from datetime import date

import pytest
from msgspec.structs import replace

from adapters.mapping.catalogue import load_catalogue, read_mapping_set
from adapters.mapping.check import check_mappings
from adapters.mapping.yaml_reader import Problems
from gateway.claim.finding import Severity
from gateway.rules.gate import RULES, RULES_BY_NAME, check_claim
from tests.unit.mapping.small_set import PAYERS, a_set
from tests.unit.rules.situations import situation

OWN = "own_rules: [{name: %s, fails_when: claim.charge_cents > 1, message: M., fix: F., owner: billing}]"


def problems_of(lines: str) -> list[str]:
    problems = Problems()
    read_mapping_set(a_set(payers=PAYERS + f"    {lines}\n"), problems, rules=RULES_BY_NAME)
    return [each.partition(": ")[2] for each in problems.lines()]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("rules: {filed-in-tme: {enabled: false}}", "no rule 'filed-in-tme'; did you mean 'filed-in-time'?"),
        (
            "rules: {filed-in-time: {limits: {warn_day: 9}}}",
            "rule 'filed-in-time' has no limit 'warn_day'; did you mean 'warn_days'?",
        ),
        (
            "rules: {filed-in-time: {limits: {colour: 9}}}",
            "rule 'filed-in-time' has no limit 'colour'; expected 'warn_days'",
        ),
        ("rules: {never-bill-payer: {limits: {days: 9}}}", "rule 'never-bill-payer' has no limit 'days'"),
        (
            "rules: {filed-in-time: {limits: {warn_days: soon}}}",
            "limit 'warn_days' is a whole number up to 9999, not 'soon'",
        ),
        (
            "rules: {filed-in-time: {limits: {warn_days: 10000}}}",
            "limit 'warn_days' is a whole number up to 9999, not '10000'",
        ),
        (
            "rules: {attendance-supports-lines: {limits: {unknown_note: pass}}}",
            "limit 'unknown_note' is one of block, warn, not 'pass'",
        ),
        (
            "rules: {never-bill-payer: {enabled: false}}",
            "nothing overrides 'never-bill-payer', so it cannot be turned off",
        ),
        ("rules: {never-bill-payer: {severity: warn}}", "nothing overrides 'never-bill-payer', so it stays a block"),
        (OWN % "filed-in-time", "'filed-in-time' is a rule of the gate; set it under 'rules', or choose a name"),
        (OWN % "Filed", "'Filed' is not an id of lower-case letters, digits and hyphens"),
    ],
)
def test_a_mistake_is_told_with_the_nearest_right_word(lines: str, said: str) -> None:
    assert [said] == problems_of(lines)


def test_two_settings_of_a_rule_may_follow_each_other_and_not_overlap() -> None:
    settings = "rules: {filed-in-time: [{severity: note, until: 2026-06-30}, {enabled: false, since: %s}]}"
    assert [] == problems_of(settings % "2026-07-01")
    (problem,) = problems_of(settings % "2026-06-30")
    assert problem.startswith("sets 'filed-in-time' on the same days as payers/")


def test_own_rules_of_one_payer_have_names_of_their_own() -> None:
    twice = "own_rules:\n" + "      - {name: a, fails_when: 'false', message: M., fix: F., owner: billing}\n" * 2
    (problem,) = problems_of(twice)
    assert problem.startswith("own rule 'a' is already at payers/")


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.limits], ids=lambda rule: rule.name)
def test_every_limit_a_rule_asks_for_is_declared_with_words_or_a_number(rule: object) -> None:
    assert isinstance(rule, type(RULES[0]))
    for name, value in rule.limits.items():
        words = rule.limit_words.get(name, ())
        assert value in words if words else value == "" or value.isdecimal()
    assert set(rule.limit_words) <= set(rule.limits)


def test_no_rule_asks_for_a_limit_it_does_not_declare() -> None:
    for rule in RULES:
        source = inspect.getsource(inspect.getmodule(rule.check) or rule.check)
        assert set(re.findall(r'limits(?:\.get\(|\[)"(\w+)"', source)) <= set(rule.limits), rule.name


def test_what_weakens_the_gate_is_remarked_on_until_it_says_who_decided_it_and_when() -> None:
    def remarks(decision: str) -> list[str]:
        lines = f"    rules: {{filed-in-time: {{enabled: false{decision}}}}}\n"
        found = check_mappings(a_set(payers=PAYERS + lines), rules=RULES_BY_NAME)
        assert found.ok
        return [each.partition(": ")[2] for each in found.remarks if "filed-in-time" in each]

    assert ["the setting of 'filed-in-time' has no source and no decided_on"] == remarks("")
    assert ["the setting of 'filed-in-time' has no decided_on"] == remarks(", source: call of 3 August")
    assert [] == remarks(", source: call of 3 August, decided_on: 2026-08-03")


def test_a_finding_says_which_line_of_the_payers_file_set_its_rule_and_who_decided_it() -> None:
    lines = (
        "    rules: {diagnoses-valid: {severity: warn, source: call, decided_on: 2026-08-03}}\n"
        "    own_rules: [{name: small, fails_when: claim.charge_cents > 1, message: M., fix: F., owner: billing,"
        " source: exhibit B, decided_on: 2026-08-03}]\n"
    )
    acme = load_catalogue(a_set(payers=PAYERS + lines)).payers["acme"]
    begun = situation("commercial IOP week")
    assert begun.context.payer is not None
    payer = dataclasses.replace(begun.context.payer, rules=acme.rules, own_rules=acme.own_rules)
    findings = check_claim(replace(begun.claim, diagnoses=("E119",)), replace(begun.context, payer=payer))
    setting, own = [each for each in findings if each.rule in ("diagnoses-valid", "small")]
    assert (Severity.WARN, acme.rules["diagnoses-valid"][0].entry) == (setting.severity, setting.values["setting"])
    expected = {"entry": acme.own_rules[0].entry, "source": "exhibit B", "decided_on": "2026-08-03"}
    assert expected == own.values


def test_a_decision_has_its_date() -> None:
    lines = "    rules: {filed-in-time: {enabled: false, source: call, decided_on: 2026-08-03}}\n"
    (setting,) = load_catalogue(a_set(payers=PAYERS + lines)).payers["acme"].rules["filed-in-time"]
    assert ("call", date(2026, 8, 3)) == (setting.source, setting.decided_on)
