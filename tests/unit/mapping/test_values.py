from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mapping.values import (
    NotUnderstood,
    read_bool,
    read_date,
    read_diagnosis,
    read_integer,
    read_moment,
    read_postal_code,
    text_of,
)

CHICAGO = ZoneInfo("America/Chicago")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("202608030900", at(2026, 8, 3, 14)),
        ("2026080309", at(2026, 8, 3, 14)),
        ("20260803090015.1234", at(2026, 8, 3, 14, 0, 15)),
        ("20260803090000-0400", at(2026, 8, 3, 13)),
        ("20260803090000+0530", at(2026, 8, 3, 3, 30)),
        ("2026-08-03T09:00:00-05:00", at(2026, 8, 3, 14)),
        ("2026-08-03T14:00:00Z", at(2026, 8, 3, 14)),
        ("2026-08-03T14:00:00.123Z", at(2026, 8, 3, 14)),
        ("2026-08-03T09:00", at(2026, 8, 3, 14)),
        ("202601050900", at(2026, 1, 5, 15)),
    ],
)
def test_a_time_is_read_with_its_offset_or_else_in_the_sources_zone(text: str, moment: datetime) -> None:
    assert (moment, "") == read_moment(text, CHICAGO, False)


@pytest.mark.parametrize("text", ["20260803/0930", "20260803/09:30", "2026-08-03/09:30:00", "20260803000000/0930"])
def test_a_day_and_a_time_of_two_fields_are_one_time(text: str) -> None:
    assert at(2026, 8, 3, 14, 30) == read_moment(text, CHICAGO, False).at


def test_a_time_the_clocks_run_through_twice_is_the_earlier_one_and_says_so() -> None:
    read = read_moment("202611010130", CHICAGO, False)
    assert at(2026, 11, 1, 6, 30) == read.at
    assert "twice" in read.note
    assert "" == read_moment("202611010130-0600", CHICAGO, False).note


def test_a_time_the_clocks_skip_is_moved_on_by_the_hour_and_says_so() -> None:
    read = read_moment("202603080230", CHICAGO, False)
    assert at(2026, 3, 8, 8, 30) == read.at
    assert (3, 30) == (read.at.astimezone(CHICAGO).hour, read.at.astimezone(CHICAGO).minute)
    assert "skip" in read.note


@pytest.mark.parametrize("text", ["20260803", "2026-08-03"])
def test_a_day_alone_is_a_time_only_where_the_entry_allows_its_midnight(text: str) -> None:
    assert at(2026, 8, 3, 5) == read_moment(text, CHICAGO, True).at
    with pytest.raises(NotUnderstood, match="found a day alone") as raised:
        read_moment(text, CHICAGO, False)
    assert "start-of-day" in raised.value.fix


@pytest.mark.parametrize(
    "text", ["2026", "2026-08", "202608", "20261301", "202608032500", "2026-08-03T09:61Z", "Rivera", ""]
)
def test_what_is_no_time_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        read_moment(text, CHICAGO, True)
    assert not text or text not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20260803", date(2026, 8, 3)),
        ("2026-08-03", date(2026, 8, 3)),
        ("202608032359", date(2026, 8, 3)),
        ("2026-08-04T02:00:00Z", date(2026, 8, 3)),
        ("20260804020000+0000", date(2026, 8, 3)),
    ],
)
def test_the_day_of_a_time_is_its_day_at_the_source(text: str, day: date) -> None:
    assert day == read_date(text, CHICAGO)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2099, 12, 30)))  # noqa: DTZ001
def test_hl7_and_fhir_write_the_same_instant(local: datetime) -> None:
    local = local.replace(microsecond=0)
    dtm, iso = local.strftime("%Y%m%d%H%M%S"), local.isoformat()
    assert read_moment(dtm, CHICAGO, False) == read_moment(iso, CHICAGO, False)
    assert read_moment(dtm + "-0700", CHICAGO, False) == read_moment(iso + "-07:00", CHICAGO, False)


def test_yes_and_no_are_read_as_hl7_and_fhir_write_them() -> None:
    assert [True, True, False, False] == [read_bool(text) for text in ("Y", "true", "N", "false")]
    with pytest.raises(NotUnderstood):
        read_bool("maybe")


def test_only_whole_numbers_are_numbers() -> None:
    assert [12, 12, 12] == [read_integer(text) for text in ("12", "12.0", "12.00")]
    for text in ("1.5", "-1", "٣", "9999999999", ""):
        with pytest.raises(NotUnderstood):
            read_integer(text)


def test_zip_codes_and_diagnoses_are_tidied_and_never_guessed() -> None:
    assert ["62701", "627011234", "627011234"] == [
        read_postal_code(text) for text in ("62701", "62701-1234", "62701 1234")
    ]
    assert "F331" == read_diagnosis("f33.1")
    with pytest.raises(NotUnderstood):
        read_postal_code("K1A 0B1")


def test_text_loses_white_space_around_it_and_control_characters() -> None:
    assert "Ana Rivera" == text_of("  Ana\t Rivera\n")
    assert ["true", "false", "5"] == [text_of(value) for value in (True, False, 5)]
    with pytest.raises(NotUnderstood, match="whole element"):
        text_of({"code": "x"})


@pytest.mark.parametrize("text", ["99991231235959-1200", "00010101000000+1400", "220001010900", "189912310900"])
def test_a_time_no_deadline_can_be_counted_from_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood, match="expected a time between 1900-01-01 and 2199-12-31"):
        read_moment(text, CHICAGO, False)
