import subprocess
import sys
from datetime import date

import pytest

from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.code_sets import ShippedCodeSets
from adapters.mapping.icd_10_cm import installed_release, read_release
from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.calendar import Span
from gateway.rules.context import CodeSets

IN_2026 = date(2026, 8, 3)


@pytest.fixture(scope="module")
def codes() -> CodeSets:
    shipped = load_mapping_set(read_mapping_files(shipped=True, overlay=None))
    return ShippedCodeSets(shipped.places_of_service, shipped.hcpcs)


@pytest.mark.parametrize(
    ("code", "known", "billable"),
    [
        ("F331", True, True),
        ("F33.1", True, True),
        ("f33.1", True, True),
        ("F33", True, False),
        ("F10.2", True, False),
        ("F10.20", True, True),
        ("F99.99", False, False),
        ("A00-A09", False, False),
        ("", False, False),
    ],
)
def test_a_diagnosis_is_judged_by_the_release_of_its_day(
    codes: CodeSets, code: str, known: bool, billable: bool
) -> None:
    assert (known, billable) == (codes.diagnosis_is_known(code, IN_2026), codes.diagnosis_is_billable(code, IN_2026))


@pytest.mark.parametrize("on", [date(2025, 9, 30), date(2026, 10, 1)])
def test_a_day_no_release_covers_gives_unknown_and_not_false(codes: CodeSets, on: date) -> None:
    assert codes.diagnosis_is_known("F331", on) is None
    assert codes.diagnosis_is_billable("F331", on) is None


def test_the_fiscal_years_own_ends_are_inside_it(codes: CodeSets) -> None:
    assert codes.diagnosis_is_billable("F331", date(2025, 10, 1))
    assert codes.diagnosis_is_billable("F331", date(2026, 9, 30))


def test_the_installed_release_is_as_large_as_the_published_one() -> None:
    release = installed_release()
    assert Span(date(2025, 10, 1), date(2026, 9, 30)) == release.span
    assert 74_000 < len(release.complete) < 76_000
    assert not release.complete & release.headings


def test_a_code_is_complete_when_no_other_begins_with_it() -> None:
    release = read_release("1\nF30-F39\nF33\nF330\nF331\nF3340\nF334\nO9A\nO9A1\n", 2030)
    assert {"F330", "F331", "F3340", "O9A1"} == release.complete
    assert {"F33", "F334", "O9A"} == release.headings
    assert date(2029, 10, 1) == release.span.start_on


def test_the_slow_module_of_the_code_list_is_never_imported() -> None:
    asking = (
        "import sys; from datetime import date; from adapters.mapping.code_sets import ShippedCodeSets; "
        "assert ShippedCodeSets((), ()).diagnosis_is_known('F331', date(2026, 8, 3)); "
        "assert 'simple_icd_10_cm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", asking], check=True, timeout=60)


@pytest.mark.parametrize(
    ("code", "known"), [("52", True), ("10", True), ("22", True), ("00", False), ("59", False), ("5", False)]
)
def test_places_of_service_are_those_cms_publishes(codes: CodeSets, code: str, known: bool) -> None:
    assert known is codes.place_of_service_is_known(code)


@pytest.mark.parametrize(
    ("code", "on", "known"),
    [
        ("H0015", IN_2026, True),
        ("S9480", IN_2026, True),
        ("G0410", IN_2026, True),
        ("S9481", IN_2026, False),
        ("G0137", date(2023, 12, 31), False),
        ("G0137", date(2024, 1, 1), True),
        ("90853", IN_2026, None),
        ("0592T", IN_2026, None),
        ("D0120", IN_2026, None),
        ("", IN_2026, None),
    ],
)
def test_level_ii_codes_are_known_by_day_and_cpt_is_not_ours_to_judge(
    codes: CodeSets, code: str, on: date, known: bool | None
) -> None:
    assert known is codes.hcpcs_is_known(code, on)


def test_every_code_the_shipped_services_bill_is_in_the_shipped_list(codes: CodeSets) -> None:
    shipped = load_mapping_set(read_mapping_files(shipped=True, overlay=None)).catalogue
    services = shipped.services
    billed = {each.hcpcs for each in services} | {item.hcpcs for each in services for item in each.items}
    assert set() == {code for code in billed if codes.hcpcs_is_known(code, IN_2026) is False}
