"""The gate around the rules: payers' settings and own conditions, order, purity."""

from __future__ import annotations

import copy
import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.claim.calendar import Span
from gateway.claim.claim import Claim
from gateway.claim.contract import PayerRule, RuleSetting
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.origins import NO_ORIGINS
from gateway.rules.gate import RULES, check_claim
from tests.unit.rules.situations import STARTS, Situation, situation
from tests.unit.services.samples import MONDAY, catalogue_with

WEEK = situation("commercial IOP week")


def of_payer(start: Situation, **changes: Any) -> Situation:
    assert start.context.payer is not None
    return dataclasses.replace(
        start, context=replace(start.context, payer=dataclasses.replace(start.context.payer, **changes))
    )


def check(start: Situation) -> list[Finding]:
    return check_claim(start.claim, start.context)


def own_rule(fails: Any, **changes: Any) -> PayerRule:
    given: dict[str, Any] = {
        "name": "acme-wants-three-days",
        "fails": fails,
        "message": "Acme takes weeks of three days or more.",
        "fix": "Bill the days with the next week.",
        "owner": Owner.BILLING,
        "entry": "payers/acme.yaml:40",
    }
    return PayerRule(**{**given, **changes})


def few_days(claim: Claim) -> bool:
    return len(claim.lines) < 4


def test_a_payers_own_condition_is_a_finding_like_any_other() -> None:
    (finding,) = check(of_payer(WEEK, own_rules=(own_rule(few_days),)))
    assert ("acme-wants-three-days", "", Severity.BLOCK, Owner.BILLING, 105_000) == (
        finding.rule,
        finding.code,
        finding.severity,
        finding.owner,
        finding.cents,
    )
    assert {"entry": "payers/acme.yaml:40"} == finding.values
    assert [] == check(of_payer(WEEK, own_rules=(own_rule(lambda claim: len(claim.lines) < 3),)))


@pytest.mark.parametrize(
    ("span", "found"),
    [
        (Span(MONDAY), 1),
        (Span(MONDAY + timedelta(days=1)), 0),
        (Span(date(2026, 1, 1), MONDAY), 1),
        (Span(date(2026, 1, 1), MONDAY - timedelta(days=1)), 0),
    ],
)
def test_a_payers_own_condition_holds_between_its_dates_of_service(span: Span, found: int) -> None:
    assert found == len(check(of_payer(WEEK, own_rules=(own_rule(few_days, span=span),))))


def test_a_condition_that_breaks_holds_the_claim_and_shows_no_values() -> None:
    def broken(claim: Claim) -> bool:
        raise KeyError("ABC123456")

    (finding,) = check(of_payer(WEEK, own_rules=(own_rule(broken, severity=Severity.NOTE),)))
    assert (Severity.BLOCK, "KeyError") == (finding.severity, finding.values["problem"])
    assert "ABC123456" not in repr(finding)


def test_a_changed_severity_changes_blocks_and_leaves_warnings() -> None:
    late = dataclasses.replace(WEEK, context=replace(WEEK.context, today=date(2026, 10, 30)))
    later = dataclasses.replace(WEEK, context=replace(WEEK.context, today=date(2026, 12, 1)))
    setting = {"filed-in-time": (RuleSetting(severity=Severity.NOTE),)}
    assert [Severity.WARN] == [each.severity for each in check(of_payer(late, rules=setting))]
    assert [Severity.NOTE] == [each.severity for each in check(of_payer(later, rules=setting))]


def test_a_setting_outside_its_dates_is_no_setting() -> None:
    later = dataclasses.replace(WEEK, context=replace(WEEK.context, today=date(2026, 12, 1)))
    off = RuleSetting(enabled=False, span=Span(MONDAY + timedelta(days=1)))
    assert ["filed-in-time"] == [each.rule for each in check(of_payer(later, rules={"filed-in-time": (off,)}))]


@pytest.mark.parametrize("rule", [each for each in RULES if not each.overridable], ids=lambda each: each.name)
def test_what_nothing_overrides_cannot_be_switched_off(rule: Any) -> None:
    claim = replace(WEEK.claim, lines=())
    organizations = {
        owner.id: dataclasses.replace(
            owner, programs=tuple(dataclasses.replace(each, part_2=True) for each in owner.programs)
        )
        for owner in WEEK.context.catalogue.organizations.values()
    }
    context = replace(
        WEEK.context,
        never_bill_payers=frozenset({"acme"}),
        catalogue=catalogue_with(organizations=organizations),
        consents=(),
    )
    off = {rule.name: (RuleSetting(enabled=False, severity=Severity.NOTE),)}
    found = check(of_payer(Situation(claim, context), rules=off))
    assert [Severity.BLOCK] == [each.severity for each in found if each.rule == rule.name]


def test_the_gate_never_edits_the_claim_and_says_the_same_twice() -> None:
    before = copy.deepcopy(WEEK.claim)
    late = dataclasses.replace(WEEK, context=replace(WEEK.context, today=date(2026, 12, 1), authorizations=()))
    assert check(late) == check(late)
    assert before == WEEK.claim


def test_a_void_is_judged_by_its_form_not_by_the_attendance_that_went_away() -> None:
    void = replace(WEEK.claim, frequency="8", payer_claim_number="ICN1")
    bare = replace(WEEK.context, days={}, authorizations=(), today=date(2027, 1, 1))
    own = own_rule(lambda claim: True)
    assert [] == check(of_payer(Situation(void, bare), own_rules=(own,)))
    assert ["payer_claim_number"] == [each.path for each in check_claim(replace(void, payer_claim_number=""), bare)]
    assert ["insured.member_number"] == [
        each.path for each in check_claim(replace(void, insured=replace(void.insured, member_number="")), bare)
    ]


def test_findings_come_in_the_rules_order() -> None:
    wrong = replace(WEEK.claim, diagnoses=(), authorization_number="", attending=None, patient_status="")
    found = [each.rule for each in check_claim(wrong, WEEK.context)]
    order = [rule.name for rule in RULES]
    assert found == sorted(found, key=order.index)
    assert 4 == len(set(found))


def test_definitions_are_those_of_the_catalogue_at_hand() -> None:
    """Many catalogues one after the other: what is kept of one never answers for another."""
    for number in range(40):
        services = () if number % 2 else WEEK.context.catalogue.services
        context = replace(WEEK.context, catalogue=catalogue_with(services=services))
        assert bool(number % 2) == bool(check_claim(WEEK.claim, context))


def test_an_unknown_payer_or_facility_is_no_crash() -> None:
    for start in STARTS:
        begun = situation(start)
        check_claim(begun.claim, replace(begun.context, payer=None, facility=None))


@given(st.sampled_from(STARTS), st.data())
def test_a_claim_stripped_of_anything_is_judged_and_never_crashes_the_gate(start: str, data: st.DataObject) -> None:
    begun = situation(start)
    bare: dict[str, Any] = {
        "lines": (),
        "diagnoses": (),
        "condition_codes": (),
        "authorization_number": "",
        "attending": None,
        "rendering": None,
        "bill_class": "",
        "place_of_service": "",
        "patient_status": "",
        "admitted_on": None,
        "connection": "",
        "frequency": "",
        "service_facility": None,
        "origins": NO_ORIGINS,
    }
    names = data.draw(st.sets(st.sampled_from(sorted(bare))))
    claim = replace(begun.claim, **{name: bare[name] for name in names})
    context = replace(
        begun.context,
        days=data.draw(st.sampled_from([begun.context.days, {}])),
        credentials=data.draw(st.sampled_from([None, (), begun.context.credentials])),
        authorizations=data.draw(st.sampled_from([(), begun.context.authorizations])),
    )
    for finding in check_claim(claim, context):
        assert finding.message.endswith(".")
        assert finding.fix.endswith(".")
