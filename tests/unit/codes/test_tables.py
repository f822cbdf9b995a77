"""Tables of codes: found by search whatever their size, compared, and the right release for a day."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from adapters.codes.releases import CodeRelease, CodeReleases
from adapters.codes.table import CodeTable, ListedCode, compare_tables, write_table
from adapters.mapping.code_sets import ShippedCodeSets
from gateway.claim.calendar import Span
from gateway.rules.context import UnitLimit

IN_2026 = date(2026, 8, 3)


def table(*rows: ListedCode) -> CodeTable:
    return CodeTable(write_table(rows))


@given(
    st.sets(st.from_regex(r"[AB][0-3]{1,2}( [A-Z][0-9])?", fullmatch=True)),
    st.from_regex(r"[AB][0-3]{1,2}", fullmatch=True),
)
def test_the_rows_of_a_code_are_those_that_a_walk_would_find(keys: set[str], wanted: str) -> None:  # fmt: skip
    expected = {key for key in keys if key.partition(" ")[0] == wanted}
    assert expected == {row.key for row in table(*map(ListedCode, keys)).rows(wanted)}


def test_a_code_may_have_several_rows_each_with_its_days() -> None:
    ended = ListedCode("H9990", date(2020, 1, 1), date(2021, 12, 31), {"units": "1"})
    again = ListedCode("H9990", date(2025, 1, 1), None, {"units": "2"})
    codes = table(ended, again)
    assert [ended, None, again] == [codes.row("H9990", date(year, 6, 1)) for year in (2021, 2023, 2026)]


def test_two_releases_are_told_apart_code_by_code() -> None:
    before = table(ListedCode("A"), ListedCode("B", facts={"units": "1"}), ListedCode("C"))
    after = table(ListedCode("B", facts={"units": "2"}), ListedCode("C"), ListedCode("D"))
    expected = [("A", "removed"), ("B", "changed"), ("D", "added")]
    assert expected == [(each.key, each.kind) for each in compare_tables(before, after)]
    assert [] == compare_tables(before, before)


def release(kind: str, start: date, *rows: ListedCode, end: date | None = None) -> CodeRelease:
    return CodeRelease(kind, Span(start, end), lambda: write_table(rows))


def test_the_release_that_began_last_counts_and_of_two_of_one_day_the_later_import() -> None:
    releases = CodeReleases(
        (
            release("carc", date(2026, 4, 1), ListedCode("2")),
            release("carc", date(2026, 1, 1), ListedCode("1")),
            release("carc", date(2026, 4, 1), ListedCode("3")),
        )
    )
    days = (date(2025, 12, 31), date(2026, 3, 31), date(2026, 4, 1))
    assert [None, True, False] == [releases.listed("carc", "1", on) for on in days]
    assert [None, False, True] == [releases.listed("carc", "3", on) for on in days]


def codes(*releases: CodeRelease) -> ShippedCodeSets:
    return ShippedCodeSets((), (), imported=CodeReleases(releases))


def test_an_imported_year_of_diagnoses_follows_the_one_that_is_installed() -> None:
    rows = (ListedCode("F33", facts={"billable": "0"}), ListedCode("F339", facts={"billable": "1"}))
    sets = codes(release("icd-10-cm", date(2026, 10, 1), *rows, end=date(2027, 9, 30)))
    last, first, beyond = date(2026, 9, 30), date(2026, 10, 1), date(2027, 10, 1)
    assert [True, True, None] == [sets.diagnosis_is_billable("F33.9", on) for on in (last, first, beyond)]
    assert [True, False, None] == [sets.diagnosis_is_billable("F331", on) for on in (last, first, beyond)]
    assert (True, False) == (sets.diagnosis_is_known("F33", first), sets.diagnosis_is_billable("F33", first))


def test_what_no_list_says_is_unknown_and_what_a_list_lacks_is_not_there() -> None:
    bare = codes()
    assert (None, None, None) == (
        bare.hcpcs_is_known("00001", IN_2026),
        bare.revenue_code_is_known("0905", IN_2026),
        bare.modifier_is_known("HQ", IN_2026),
    )
    start = date(2026, 1, 1)
    loaded = codes(
        release("cpt", start, ListedCode("00001")),
        release("revenue-codes", start, ListedCode("0905")),
        release("hcpcs", start, ListedCode("-HQ"), ListedCode("H9990")),
    )
    assert [True, False] == [loaded.hcpcs_is_known(code, IN_2026) for code in ("00001", "00002")]
    assert [True, False] == [loaded.hcpcs_is_known(code, IN_2026) for code in ("H9990", "H9991")]
    assert [True, False] == [loaded.revenue_code_is_known(code, IN_2026) for code in ("0905", "0906")]
    assert [True, False, None] == [loaded.modifier_is_known(each, IN_2026) for each in ("HQ", "ZQ", "95")]


def test_edits_are_those_of_the_setting() -> None:
    start = date(2026, 1, 1)
    sets = codes(
        release("mue-hospital", start, ListedCode("00001", facts={"units": "2", "by": "day"})),
        release("ptp-hospital", start, ListedCode("00001 00002", facts={"modifier": "0"})),
        release("add-on-codes", start, ListedCode("00010 00001"), ListedCode("00011")),
        release("program-services", start, ListedCode("00001", facts={"primary": "1"}), ListedCode("G9991")),
    )
    assert UnitLimit(2, by_day=True) == sets.unit_limit("00001", IN_2026, hospital=True)
    assert sets.unit_limit("00001", IN_2026, hospital=False) is None
    assert ["0", None] == [sets.pair_edit("00001", other, IN_2026, hospital=True) for other in ("00002", "00003")]
    assert [{"00001"}, set(), None] == [sets.primaries(code, IN_2026) for code in ("00010", "00011", "00001")]
    assert [True, True, False] == [sets.program_service(code, IN_2026) for code in ("00001", "G9991", "00002")]
    assert [True, False] == [sets.is_primary_service(code, IN_2026) for code in ("00001", "G9991")]
