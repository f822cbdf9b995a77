"""The stories of the month: which patient comes to what, and which gate rule is expected to notice.

The expectations are for the demo's story and the tests; nothing here asks a rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.demo import clinic
from gateway.demo.truth import Plan, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story. ``held_by`` is the word name of what still holds a claim, or a day, when the month has been told.

    ``held_first_by`` is what holds it until a later message puts it right.
    """

    key: str
    story: str
    held_by: str = ""
    held_first_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One patient to be: a story, the programs in turn, the plan."""

    scenario: str
    tracks: tuple[Track, ...]
    plan: Plan
    age: str = "adult"


def _scenarios() -> tuple[Scenario, ...]:
    held = [
        ("unsigned-note", "one session's note was never signed", "attendance-supports-lines"),
        (
            "authorization-runs-out",
            "the authorization pays eight days; the ninth and later ones are not covered",
            "authorization-covers-days",
        ),
        ("no-authorization", "the payer wants an authorization and nobody asked for one", "authorization-covers-days"),
        (
            "wrong-place-of-service",
            "the EHR says office where the program is a substance use facility",
            "place-agrees-with-chart",
        ),
        ("wrong-code", "the EHR charged a substance use code for a mental health day", "charge-code-agrees-with-chart"),
        (
            "provider-not-credentialed",
            "the psychiatrist's contract with the payer begins on 17 August",
            "clinicians-credentialed",
        ),
        ("bad-member-number", "the member number lacks digits", "payer-addressed"),
        ("incomplete-diagnosis", "the principal diagnosis is a category, not a billable code", "diagnoses-valid"),
        (
            "two-programs-a-day",
            "a partial hospitalization day and an evening program on one date",
            "one-per-diem-a-day",
        ),
        ("coverage-ends", "the policy ended on 14 August and the patient stayed", "coverage-missing"),
        ("unknown-plan", "the EHR names a payer that no payer file knows", "payer-unknown"),
    ]
    freed = [
        ("late-note", "a day's notes were signed four days late", "attendance-supports-lines"),
        ("coverage-a-day-later", "the first sessions came before the insurance was entered", "coverage-missing"),
    ]
    plain = [
        ("steady", "nothing out of the ordinary"),
        ("step-down", "partial hospitalization, then intensive outpatient"),
        ("transfer-step-down", "a step-down told as a transfer (A02)"),
        ("class-change-step-down", "a step-down told as a change of patient class (A06)"),
        ("no-shows", "two days the patient did not come"),
        ("payer-disagrees", "the payer has ended the policy and nobody told the clinic; it will deny"),
        ("left-early", "one day the patient left after two sessions"),
        ("half-days", "some days of three to five hours where the payer buys half days"),
        ("telehealth-days", "some days on a screen from home"),
        ("dependent", "an adolescent on a parent's policy"),
        ("told-by-both", "two days that both EHRs tell, under the same visit numbers"),
        ("merged-record", "registered twice; the second record is merged into the first (A40)"),
        ("discharge-undone", "discharged by mistake (A03), taken back the next morning (A13)"),
        ("cancelled-after-billing", "a day is taken back after its claim was billed"),
        ("found-after-billing", "a day's sign-in sheet turns up after its week was billed"),
    ]
    return (
        *(Scenario(key=key, story=story, held_by=rule) for key, story, rule in held),
        *(Scenario(key=key, story=story, held_first_by=rule) for key, story, rule in freed),
        *(Scenario(key=key, story=story) for key, story in plain),
    )


SCENARIOS = {scenario.key: scenario for scenario in _scenarios()}

_PHP, _IOP, _TEEN, _DAY = (clinic.PHP,), (clinic.IOP,), (clinic.ADOLESCENT_IOP,), (clinic.DAY_PHP,)
_SUD_PHP, _SUD_IOP = (clinic.SUD_PHP,), (clinic.SUD_IOP,)
_DOWN, _SUD_DOWN = (clinic.PHP, clinic.IOP), (clinic.SUD_PHP, clinic.SUD_IOP)


def _case(scenario: str, tracks: tuple[Track, ...], plan: Plan, age: str = "adult") -> Case:
    if plan in (clinic.MEDICARE, clinic.HARBOR):
        age = "senior"
    return Case(scenario=scenario, tracks=tracks, plan=plan, age=age)


CASES = (
    _case("step-down", _DOWN, clinic.PRAIRIE),
    _case("step-down", _DOWN, clinic.MEDICARE),
    _case("step-down", _DOWN, clinic.HARBOR),
    _case("no-shows", _IOP, clinic.PRAIRIE),
    _case("no-shows", _SUD_IOP, clinic.LAKELAND),
    _case("left-early", _PHP, clinic.PRAIRIE),
    _case("late-note", _PHP, clinic.PRAIRIE),
    _case("late-note", _SUD_IOP, clinic.MEDICAID),
    _case("unsigned-note", _IOP, clinic.PRAIRIE),
    _case("authorization-runs-out", _PHP, clinic.PRAIRIE),
    _case("no-authorization", _SUD_IOP, clinic.MEDICAID),
    _case("wrong-place-of-service", _SUD_IOP, clinic.MEDICAID),
    _case("wrong-code", _IOP, clinic.PRAIRIE),
    _case("provider-not-credentialed", _IOP, clinic.PRAIRIE),
    _case("telehealth-days", _IOP, clinic.PRAIRIE),
    _case("coverage-a-day-later", _IOP, clinic.PRAIRIE),
    _case("dependent", _TEEN, clinic.PRAIRIE, "adolescent"),
    _case("dependent", _TEEN, clinic.PRAIRIE, "adolescent"),
    _case("dependent", _TEEN, clinic.LAKELAND, "adolescent"),
    _case("told-by-both", _IOP, clinic.PRAIRIE),
    _case("merged-record", _SUD_IOP, clinic.MEDICAID),
    _case("cancelled-after-billing", _IOP, clinic.PRAIRIE),
    _case("cancelled-after-billing", _SUD_IOP, clinic.MEDICAID),
    _case("found-after-billing", _PHP, clinic.PRAIRIE),
    _case("transfer-step-down", _SUD_DOWN, clinic.PRAIRIE),
    _case("class-change-step-down", _SUD_DOWN, clinic.LAKELAND),
    _case("discharge-undone", _SUD_IOP, clinic.PRAIRIE),
    _case("two-programs-a-day", (clinic.PHP, clinic.SUD_IOP), clinic.PRAIRIE),
    _case("half-days", _DAY, clinic.TRICARE),
    _case("bad-member-number", _IOP, clinic.PRAIRIE),
    _case("incomplete-diagnosis", _PHP, clinic.PRAIRIE),
    _case("coverage-ends", _IOP, clinic.PRAIRIE),
    _case("unknown-plan", _IOP, clinic.UNHEARD_OF),
    _case("payer-disagrees", _IOP, clinic.PRAIRIE),
    _case("steady", _PHP, clinic.MEDICARE),
    _case("steady", _IOP, clinic.MEDICARE),
    _case("steady", _IOP, clinic.HARBOR),
    _case("steady", _DAY, clinic.TRICARE),
    _case("steady", _SUD_IOP, clinic.MEDICAID),
)
"""The patients of any month, however small; further ones are steady."""

STEADY = (
    _case("steady", _IOP, clinic.PRAIRIE),
    _case("steady", _SUD_IOP, clinic.MEDICAID),
    _case("steady", _PHP, clinic.LAKELAND),
    _case("steady", _SUD_IOP, clinic.PRAIRIE),
    _case("steady", _PHP, clinic.MEDICARE),
    _case("dependent", _TEEN, clinic.PRAIRIE, "adolescent"),
    _case("steady", _SUD_IOP, clinic.LAKELAND),
    _case("steady", _DAY, clinic.TRICARE),
    _case("steady", _PHP, clinic.PRAIRIE),
    _case("steady", _SUD_PHP, clinic.PRAIRIE),
    _case("steady", _IOP, clinic.HARBOR),
    _case("steady", _IOP, clinic.LAKELAND),
)


def case_of(number: int) -> Case:
    """The case of the patient of that number, from 0."""
    return CASES[number] if number < len(CASES) else STEADY[(number - len(CASES)) % len(STEADY)]
