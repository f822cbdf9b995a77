from collections.abc import Callable
from datetime import date

import pytest
from msgspec.structs import replace

from adapters.mapping.conditions import ClaimCondition, compile_condition, plain
from adapters.mapping.yaml_reader import Place, Problems
from gateway.claim.claim import BillingProvider, Claim, ClaimKey, ClaimLine, Insured
from gateway.claim.contract import ClaimForm, LineOfBusiness, ProgramKind
from gateway.claim.party import Address, Person
from gateway.claim.record import LevelOfCare
from gateway.errors import ConfigurationError

PLACE = Place("payers/oak.yaml", 8, 30)
ADDRESS = Address(line1="1 Oak St", city="Springfield", state="IL", postal_code="627010001")


def a_claim() -> Claim:
    return Claim(
        key=ClaimKey(
            organization="oak",
            patient_id="p",
            payer="acme",
            facility="oak-main",
            program="oak-iop",
            level_of_care=LevelOfCare.IOP,
            period_start_on=date(2026, 8, 2),
        ),
        form=ClaimForm.INSTITUTIONAL,
        program_kind=ProgramKind.MENTAL_HEALTH,
        frequency="1",
        billing_provider=BillingProvider(
            name="Oak",
            npi="1234567893",
            tax_id="123456789",
            taxonomy="261QM0801X",
            address=ADDRESS,
            contact_name="Billing",
            contact_phone="2175550100",
        ),
        insured=Insured(
            coverage_id="c",
            payer="acme",
            payer_name="Acme",
            payer_number="60054",
            line_of_business=LineOfBusiness.COMMERCIAL,
            claim_filing_code="CI",
            sequence="P",
            member_number="M1",
        ),
        patient=Person(),
        statement_from_on=date(2026, 8, 3),
        statement_through_on=date(2026, 8, 7),
        diagnoses=("F331",),
        lines=(ClaimLine(number=1, service_on=date(2026, 8, 3), hcpcs="S9480", charge_cents=35000, units=1),),
    )


def compiled(source: str) -> Callable[[Claim], bool]:
    problems = Problems()
    fails = ClaimCondition(source, PLACE)
    fails.compile(problems)
    assert [] == list(problems)
    return fails


@pytest.mark.parametrize(
    ("source", "fails"),
    [
        ("claim.charge_cents > 30000", True),
        ("claim.lines.exists(line, line.units > 1)", False),
        ("claim.form == '837I' && claim.key.level_of_care == 'IOP'", True),
        ("claim.statement_through_on > '2026-08-31'", False),
        ("claim.attending == null", True),
        ("!claim.diagnoses.exists(code, code.startsWith('F'))", False),
        ("claim.insured.member_number.matches('^M[0-9]$')", True),
    ],
)
def test_a_payers_condition_is_asked_of_the_claim(source: str, fails: bool) -> None:
    assert fails is compiled(source)(a_claim())


def test_only_the_fields_a_condition_names_are_looked_at() -> None:
    claim = replace(a_claim(), patient=Person(birth_on=date(1980, 1, 1)))
    assert {"name": None, "birth_on": "1980-01-01", "sex": None, "address": None} == plain(claim.patient)
    assert compiled("claim.patient.birth_on < '1990-01-01'")(claim)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("claim.lnes.size() > 1", "a claim has no field 'lnes'; did you mean 'lines'?"),
        ("clam.lines.size() > 1", "unknown name 'clam' in the condition; did you mean 'claim'?"),
        (
            "claim.lines.exists(l, l.unit > 1)",
            "the condition does not work on a sample: there is no 'unit'; did you mean 'units'?",
        ),
        ("claim.charge_cents", "the condition does not work on a sample: the condition gives int, not true or false"),
        ("claim.charge_cents > '1'", "the condition does not work on a sample: "),
        ("claim.charge_cents >", "is not a CEL condition: "),
        ("x" * 3000, "the condition is longer than 2000 characters"),
    ],
)
def test_a_wrong_condition_is_found_when_the_file_is_read(source: str, problem: str) -> None:
    problems = Problems()
    ClaimCondition(source, PLACE).compile(problems)
    assert any(each.startswith(f"payers/oak.yaml:8:30: {problem}") for each in problems), list(problems)


def test_a_condition_nobody_compiled_is_compiled_when_it_is_first_asked() -> None:
    assert ClaimCondition("claim.charge_cents > 30000", PLACE)(a_claim())
    with pytest.raises(ConfigurationError, match="a claim has no field 'lnes'"):
        ClaimCondition("claim.lnes.size() > 1", PLACE)(a_claim())


def test_a_condition_that_fails_on_a_message_says_so_without_its_values() -> None:
    problems = Problems()
    condition = compile_condition("int(size) > 3", PLACE, ["size"], problems, {"size": "4"})
    assert condition is not None
    with pytest.raises(ConfigurationError) as raised:
        condition.holds({"size": "Rivera"})
    assert "Rivera" not in str(raised.value)
    assert str(raised.value).startswith("payers/oak.yaml:8:30: the condition fails with")


@pytest.mark.parametrize("source", ["__import__('os').system('true') == 0", "open('/etc/passwd') != ''"])
def test_a_condition_reaches_nothing_but_its_names(source: str) -> None:
    problems = Problems()
    assert compile_condition(source, PLACE, ["size"], problems, {"size": ""}) is None
    assert len(problems)
