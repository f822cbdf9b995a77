import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7.er7 import read_message
from adapters.hl7.errors import PathError
from adapters.hl7.paths import compile_path, find_groups
from tests.unit.hl7.samples import ADT, DFT


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("PID-3.1", [("12345", "PID-3[1].1"), ("999", "PID-3[2].1")]),
        ("PID-3[2].1", [("999", "PID-3[2].1")]),
        ("PID-3[5=SS].1", [("999", "PID-3[2].1")]),
        ("PID-3[4.1=CLINIC]", [("12345", "PID-3[1]")]),
        ("PID-3[5=XX].1", []),
        ("PID-3[7].1", []),
        ("PID-5", [("DOE", "PID-5")]),
        ("PID-5.1.2", [("VAN", "PID-5.1.2")]),
        ("PID-5.*", [("DOE&VAN^JANE^Q", "PID-5.*")]),
        ("PID-99", []),
        ("PV2-1", []),
        ("PV1-7.2", [("SMITH", "PV1-7.2")]),
        ("MSH-1", [("|", "MSH-1")]),
        ("MSH-2", [("^~\\&", "MSH-2")]),
        ("MSH-9.2", [("A04", "MSH-9.2")]),
        (" PID-7 ", [("19800101", "PID-7")]),
    ],
)
def test_a_path_finds_its_values_and_says_where(path: str, found: list[tuple[str, str]]) -> None:
    assert compile_path(path).all(read_message(ADT.encode())) == found
    assert compile_path(path).first(read_message(ADT.encode())) == (found[0][0] if found else None)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("FT1-7", [("90853", "FT1[1]-7"), ("90834", "FT1[2]-7")]),
        ("FT1[2]-7", [("90834", "FT1[2]-7")]),
        ("FT1[9]-7", []),
        ("IN1[2=HMO]-3", [("87726", "IN1[2]-3")]),
    ],
)
def test_an_occurrence_is_picked_by_number_or_by_a_field(path: str, found: list[tuple[str, str]]) -> None:
    assert compile_path(path).all(read_message(DFT.encode())) == found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "PID",
        "PID-",
        "PID-0",
        "PID-3.0",
        "PID.3",
        "pid-3",
        "PIDX-3",
        "PID-3[0].1",
        "PID-3[x]",
        "PID-3[0=A]",
        "PID-3.1.2.3",
    ],
)
def test_a_malformed_path_is_refused_by_name(path: str) -> None:
    with pytest.raises(PathError, match=re.escape(repr(path))):
        compile_path(path)


def test_values_of_a_path_are_unescaped() -> None:
    found = read_message((ADT + r"NTE|1||Smith \T\ Sons, a\S\b" + "\r").encode())
    assert compile_path("NTE-3").first(found) == "Smith & Sons, a^b"
    assert compile_path("NTE-3.*").first(found) == "Smith & Sons, a^b"


def test_a_group_holds_what_belongs_to_its_head_and_ends_at_the_next() -> None:
    message = read_message(DFT.encode())
    groups = find_groups(message, "FT1")
    assert [[segment.name for segment in group.segments] for group in groups] == [["FT1", "PR1", "ZSN"], ["FT1"]]
    insurances = find_groups(message, "IN1")
    assert [[segment.name for segment in group.segments] for group in insurances] == [["IN1", "IN2", "ZIN"], ["IN1"]]


def test_diagnoses_between_charges_belong_to_their_charge_and_after_the_last_to_all() -> None:
    shared = read_message(DFT.encode())
    assert [compile_path("DG1-3").first(shared, group) for group in find_groups(shared, "FT1")] == ["F33.1", "F33.1"]
    own = read_message(DFT.replace("ZSN|first\r", "ZSN|first\rDG1|1||F10.20\r").encode())
    assert [compile_path("DG1-3").first(own, group) for group in find_groups(own, "FT1")] == ["F10.20", "F33.1"]


def test_a_path_in_a_group_reads_the_group_then_the_message_but_never_a_sibling() -> None:
    message = read_message(DFT.encode())
    first, second = find_groups(message, "FT1")
    assert compile_path("PR1-3").all(message, first) == [("90853", "PR1-3")]
    assert compile_path("PR1-3").all(message, second) == []
    assert compile_path("ZSN-1").first(message, second) is None
    assert compile_path("PID-5").first(message, second) == "DOE"
    assert compile_path("FT1-4").all(message, second) == [("20260802", "FT1[2]-4")]
    assert compile_path("/FT1-4").all(message, second) == [("20260801", "FT1[1]-4"), ("20260802", "FT1[2]-4")]


def test_groups_nest() -> None:
    message = read_message(DFT.replace("ZSN|first", "ROL|1\rPR1|2||90832\rZSN|second").encode())
    charge = find_groups(message, "FT1")[0]
    first, second = find_groups(message, "PR1", charge)
    assert [segment.name for segment in first.segments] == ["PR1", "ROL"]
    assert compile_path("ZSN-1").first(message, second) == "second"
    assert compile_path("ZSN-1").first(message, first) is None
    assert compile_path("FT1-4").first(message, first) == "20260801"
    assert compile_path("PID-5").first(message, first) == "DOE"
    assert find_groups(message, "PR1", find_groups(message, "FT1")[1]) == []


@given(st.text(max_size=30))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        path = compile_path(text)
    except PathError:
        return
    path.all(read_message(ADT.encode()))
