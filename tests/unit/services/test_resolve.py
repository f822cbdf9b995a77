"""The most specific definition and charge win on the date of service; a tie is never settled by chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.claim.calendar import Span
from gateway.claim.contract import Charge, LineOfBusiness, ProgramKind, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import LevelOfCare
from gateway.services.resolve import resolve_charge, resolve_definition
from tests.unit.services.samples import BRANCH, CATALOGUE, HOME, MONDAY, a_definition, catalogue_with

ACME = CATALOGUE.payers["acme"]
LADDER = (
    a_definition("by-kind-of-payer", LevelOfCare.IOP, lines_of_business=(LineOfBusiness.COMMERCIAL,)),
    a_definition("by-payer", LevelOfCare.IOP, payers=("acme",)),
    a_definition("by-payer-and-facility", LevelOfCare.IOP, payers=("acme",), facilities=(HOME,)),
    a_definition("by-plan", LevelOfCare.IOP, payers=("acme",), plans=("Gold",)),
    a_definition("by-plan-and-facility", LevelOfCare.IOP, payers=("acme",), plans=("Gold",), facilities=(HOME,)),
)


def resolve(
    *services: ServiceDefinition, plan: str = "", facility: str = HOME, on: date = MONDAY, **changes: Any
) -> ServiceDefinition | Finding:
    return resolve_definition(
        catalogue_with(services=services),
        changes.get("payer", ACME),
        plan,
        changes.get("kind", ProgramKind.MENTAL_HEALTH),
        changes.get("level", LevelOfCare.IOP),
        replace(CATALOGUE.facilities[facility], **changes.get("facility_changes", {})),
        on,
    )


def name_of(found: ServiceDefinition | Finding | Charge) -> str:
    return found.rule if isinstance(found, Finding) else getattr(found, "id", getattr(found, "entry", ""))


@pytest.mark.parametrize(
    ("plan", "facility", "expected"),
    [
        ("gold", HOME, "by-plan-and-facility"),
        ("Gold", BRANCH, "by-plan"),
        ("", HOME, "by-payer-and-facility"),
        ("silver", BRANCH, "by-payer"),
    ],
)
def test_the_most_specific_definition_wins_whatever_their_order(plan: str, facility: str, expected: str) -> None:
    assert expected == name_of(resolve(*LADDER, plan=plan, facility=facility))
    assert expected == name_of(resolve(*reversed(LADDER), plan=plan, facility=facility))


def test_a_payer_no_definition_names_gets_the_one_of_its_kind() -> None:
    assert "by-kind-of-payer" == name_of(resolve(*LADDER, payer=CATALOGUE.payers["daily-health"]))


def test_a_tie_is_a_finding_that_names_both_entries() -> None:
    tied = resolve(LADDER[1], replace(LADDER[1], id="again", entry="services/again.yaml:7"))
    assert isinstance(tied, Finding)
    assert ("definition-tied", Severity.BLOCK, Owner.BILLING) == (tied.rule, tied.severity, tied.owner)
    assert "services/again.yaml:7" in tied.message
    assert "services/by-payer.yaml:1" in tied.message


@pytest.mark.parametrize(
    ("changes", "on", "expected"),
    [
        ({"span": Span(MONDAY)}, MONDAY, "it"),
        ({"span": Span(date(2026, 8, 4))}, MONDAY, "definition-missing"),
        ({"span": Span(date(2026, 1, 1), MONDAY)}, MONDAY, "it"),
        ({"span": Span(date(2026, 1, 1), date(2026, 8, 2))}, MONDAY, "definition-missing"),
        ({"payers": ("medicare",)}, MONDAY, "definition-missing"),
        ({"payers": (), "lines_of_business": ()}, MONDAY, "definition-missing"),
        ({"plans": ("gold",)}, MONDAY, "definition-missing"),
        ({"program_kinds": (ProgramKind.SUBSTANCE_USE,)}, MONDAY, "definition-missing"),
        ({"facilities": (BRANCH,)}, MONDAY, "definition-missing"),
        ({"opps": True}, MONDAY, "definition-missing"),
        ({"opps": False}, MONDAY, "it"),
        ({"level_of_care": LevelOfCare.PHP}, MONDAY, "definition-missing"),
    ],
)
def test_a_definition_applies_only_where_all_it_states_does(changes: dict[str, Any], on: date, expected: str) -> None:
    definition = a_definition("it", LevelOfCare.IOP, payers=("acme",))
    assert expected == name_of(resolve(replace(definition, **changes), on=on))


def test_nothing_that_applies_names_what_was_looked_for() -> None:
    missing = resolve()
    assert isinstance(missing, Finding)
    assert {"payer": "acme", "level_of_care": "IOP", "facility": HOME} == {
        name: missing.values[name] for name in ("payer", "level_of_care", "facility")
    }


def charge(entry: str, **changes: Any) -> Charge:
    given: dict[str, Any] = {"organization": "harbor", "span": Span(date(2026, 1, 1)), "cents": 100, "hcpcs": "H0015"}
    return Charge(**{**given, **changes}, entry=entry)


@pytest.mark.parametrize(
    ("charges", "expected"),
    [
        ([charge("any"), charge("here", facility=HOME)], "here"),
        ([charge("any"), charge("there", facility=BRANCH)], "any"),
        ([charge("plain"), charge("with", modifiers=("HF",))], "with"),
        ([charge("plain"), charge("other", modifiers=("TG",))], "plain"),
        ([charge("revenue", hcpcs="", revenue_code="0906"), charge("code")], "code"),
        ([charge("revenue", hcpcs="", revenue_code="0906")], "revenue"),
        ([charge("old", span=Span(date(2025, 1, 1), date(2025, 12, 31))), charge("new")], "new"),
        ([charge("one"), charge("two")], "charge-tied"),
        ([charge("nothing", hcpcs="")], "charge-missing"),
        ([charge("elsewhere", organization="other")], "charge-missing"),
        ([], "charge-missing"),
    ],
)
def test_the_most_specific_charge_of_the_day_wins(charges: list[Charge], expected: str) -> None:
    found = resolve_charge(
        catalogue_with(charges=tuple(charges)), CATALOGUE.facilities[HOME], "0906", "H0015", ("HF",), MONDAY
    )
    assert expected == name_of(found)
