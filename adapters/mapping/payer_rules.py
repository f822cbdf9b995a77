"""A payer file's words on the gate's rules, checked against the rules: names, limits, what nothing overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from types import MappingProxyType
from typing import Final

from adapters.mapping.yaml_reader import Problems, nearest
from gateway.claim.contract import Payer, PayerRule, RuleSetting
from gateway.rules.rule import Rule

_LIMIT = re.compile(r"\d{1,4}", re.ASCII)

NO_RULES: Final[Mapping[str, Rule]] = MappingProxyType({})
"""Where the gate's rules are not at hand, what payers say of them is not checked."""


def check_payer_rules(payer: Payer, rules: Mapping[str, Rule], problems: Problems) -> None:
    """Settings name rules and limits there are, one setting a day; own rules have names of their own."""
    for name, settings in payer.rules.items():
        rule = rules.get(name)
        for setting in settings:
            if rule is None:
                problems.add_at(setting.entry, f"no rule {name!r}{nearest(name, rules)}")
            else:
                _check_setting(rule, setting, problems)
        _check_days(name, settings, problems)
    seen: dict[str, str] = {}
    for own in payer.own_rules:
        if own.name in rules:
            problems.add_at(own.entry, f"{own.name!r} is a rule of the gate; set it under 'rules', or choose a name")
        elif own.name in seen:
            problems.add_at(own.entry, f"own rule {own.name!r} is already at {seen[own.name]}")
        seen.setdefault(own.name, own.entry)


def _check_setting(rule: Rule, setting: RuleSetting, problems: Problems) -> None:
    if not rule.overridable and not setting.enabled:
        problems.add_at(setting.entry, f"nothing overrides {rule.name!r}, so it cannot be turned off")
    if not rule.overridable and setting.severity not in (None, rule.severity):
        problems.add_at(setting.entry, f"nothing overrides {rule.name!r}, so it stays a {rule.severity}")
    for name, value in setting.limits.items():
        words = rule.limit_words.get(name, ())
        if name not in rule.limits:
            problems.add_at(setting.entry, f"rule {rule.name!r} has no limit {name!r}{nearest(name, rule.limits)}")
        elif words and value not in words:
            problems.add_at(setting.entry, f"limit {name!r} is one of {', '.join(words)}, not {value!r}")
        elif not words and not _LIMIT.fullmatch(value):
            problems.add_at(setting.entry, f"limit {name!r} is a whole number up to 9999, not {value[:40]!r}")


def _check_days(name: str, settings: Sequence[RuleSetting], problems: Problems) -> None:
    whole = [each for each in settings if not problems.is_partial(each.entry)]
    for one, other in combinations(whole, 2):
        if one.span.overlaps(other.span):
            problems.add_at(other.entry, f"sets {name!r} on the same days as {one.entry}; end one of them")


def remark_on_payer_rules(payer: Payer, remarks: Problems) -> None:
    """What weakens the gate ought to say who said so, and when it was decided."""
    for name, settings in payer.rules.items():
        for setting in settings:
            if not setting.enabled or setting.severity is not None:
                _remark_on_decision(f"the setting of {name!r}", setting, remarks)
    for own in payer.own_rules:
        _remark_on_decision(f"own rule {own.name!r}", own, remarks)


def _remark_on_decision(what: str, entry: RuleSetting | PayerRule, remarks: Problems) -> None:
    missing = [word for word, value in (("source", entry.source), ("decided_on", entry.decided_on)) if not value]
    if missing:
        remarks.add_at(entry.entry, f"{what} has no {' and no '.join(missing)}")
