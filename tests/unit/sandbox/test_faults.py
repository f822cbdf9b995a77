"""Each fault of the sandbox does what its name says, once or always, the same for one seed."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from clearinghouse.sandbox.faults import FAULTS, Faults, UnknownFault
from clearinghouse.x12.check import check_bytes
from tests.unit.sandbox.house import House, assert_valid, elements, kind, only, pick
from tests.unit.sandbox.referee import assert_balances, segments
from tests.unit.sandbox.submissions import Claim, one


def faulty(tmp_path: Path, *faults: str) -> House:
    return House(tmp_path, faults=faults)


def test_a_silent_partner_takes_files_and_never_answers(tmp_path: Path) -> None:
    house = faulty(tmp_path, "never-answer")
    assert [] == house.send(one(Claim()))
    assert ["decided"] == [claim["state"] for claim in house.claims()]


def test_duplicated_answers_are_the_same_bytes_under_another_name(tmp_path: Path) -> None:
    house = faulty(tmp_path, "duplicate-answers")
    house.send(one(Claim()))
    contents = [(house.box / "download" / name).read_bytes() for name in house.names()]
    assert 10 == len(contents) and 5 == len(set(contents))


def test_re_enveloped_answers_differ_in_their_numbers_alone(tmp_path: Path) -> None:
    remittances = pick(faulty(tmp_path, "re-enveloped-answers").send(one(Claim())), "835")
    first, second = (
        [each for each in segments(answer) if each[0] not in ("ISA", "GS", "GE", "IEA")] for answer in remittances
    )
    assert first == second and remittances[0] != remittances[1]


def test_answers_out_of_order_begin_with_the_money(tmp_path: Path) -> None:
    house = faulty(tmp_path, "out-of-order")
    (house.box / "upload/837_1.x12").write_text(one(Claim()))
    order: list[str] = []
    for _ in range(8):
        before = house.names()
        house.clearing.run_once()
        order += sorted({name.split("_")[0] for name in house.names() - before})
    assert ["835", "277CA", "999", "TA1"] == order


def test_a_truncated_answer_has_no_end(tmp_path: Path) -> None:
    house = faulty(tmp_path, "truncated-answer=2")
    house.send(one(Claim()))
    whole = {name: b"IEA" in (house.box / "download" / name).read_bytes() for name in house.names()}
    assert ["999"] == [name.split("_")[0] for name, has_end in whole.items() if not has_end]


def test_a_growing_answer_is_whole_a_minute_later_and_holds_up_no_other(tmp_path: Path) -> None:
    house = faulty(tmp_path, "growing-answer=2")
    answers = house.send(one(Claim()))
    assert 5 == len(answers)
    (half,) = [answer for answer in answers if b"IEA" not in answer]
    house.now += timedelta(minutes=1)
    house.work()
    (whole,) = [each for each in (path.read_bytes() for path in (house.box / "download").iterdir()) if half in each]
    assert_valid([whole])


def test_a_silent_partner_may_be_silent_in_one_kind_alone(tmp_path: Path) -> None:
    answers = faulty(tmp_path, "never-answer=277CA").send(one(Claim()))
    assert ["TA1", "999", "835"] == [kind(answer) for answer in answers]


def test_a_refused_interchange_and_a_refused_group_take_no_claim(tmp_path: Path) -> None:
    for fault, kinds, number in (("refuse-interchange", ["TA1"], "006"), ("refuse-transaction", ["TA1", "999"], "000")):
        house = faulty(tmp_path / fault, fault)
        answers = house.send(one(Claim()))
        assert_valid(answers)
        assert kinds == [kind(answer) for answer in answers]
        assert [number] == elements(only(answers, "TA1"), "TA1", 5)
        assert [] == house.claims()
        assert "835" in [kind(answer) for answer in house.send(one(Claim(), isa13=102))]


def test_an_answer_of_the_other_usage_differs_in_that_alone(tmp_path: Path) -> None:
    odd, *others = faulty(tmp_path, "wrong-usage").send(one(Claim()))
    assert ("P", {"T"}) == (segments(odd)[0][15], {segments(answer)[0][15] for answer in others})


def test_a_remittance_for_somebody_else_names_another_payee_and_a_changed_one_keeps_its_trace(tmp_path: Path) -> None:
    (theirs,) = pick(faulty(tmp_path / "a", "other-payee-835").send(one(Claim())), "835")
    assert_valid([theirs])
    assert "1999999976" in elements(segments(theirs), "N1", 4)
    answers = pick(faulty(tmp_path / "b", "changed-835").send(one(Claim())), "835")
    assert_valid(answers)
    first, second = map(segments, answers)
    assert elements(first, "TRN", 2) == elements(second, "TRN", 2)
    assert [["900"], ["1000"]] == [elements(each, "BPR", 2) for each in (first, second)]


def test_archives_hold_the_answers_and_reports_lie_beside_them(tmp_path: Path) -> None:
    house = faulty(tmp_path, "zipped-answers", "report", "zip-bomb=2")
    house.send(one(Claim()))
    unpacked = {}
    for path in (house.box / "download").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            unpacked |= {each.filename: each.file_size for each in archive.infolist()}
    assert 64_000_000 == unpacked.pop("report.txt")
    assert 5 == len(unpacked)
    assert ["REPORT_000000001.txt"] == [name for name in house.names() if name.endswith(".txt")]


def test_an_unbalanced_remittance_is_one_cent_off_and_a_stranger_is_in_another(tmp_path: Path) -> None:
    (answer,) = pick(faulty(tmp_path / "a", "unbalanced-835").send(one(Claim())), "835")
    assert ["900.01"] == elements(segments(answer), "BPR", 2)
    with pytest.raises(AssertionError):
        assert_balances(answer)
    (answer,) = pick(faulty(tmp_path / "b", "stranger-835").send(one(Claim())), "835")
    assert_balances(answer)
    assert ["PCN0000000001", "NOTOURS0000000001"] == elements(segments(answer), "CLP", 1)


def test_an_answer_for_somebody_else_names_another_receiver_alone(tmp_path: Path) -> None:
    theirs, *ours = faulty(tmp_path, "wrong-receiver").send(one(Claim()))
    assert "SOMEBODY ELSE  " == segments(theirs)[0][8]
    assert {"SUBMITTERID    "} == {segments(answer)[0][8] for answer in ours}
    assert check_bytes(theirs).interchanges[0].receiver == "SOMEBODY ELSE"


def test_a_fault_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(UnknownFault, match="drop-upload"):
        Faults(["no-such"])
    for wrong, complaint in (
        ("drop-upload=many", "bytes"),
        ("refuse-rename=0", "from 1"),
        ("take-on-close=1", "nothing"),
        ("never-answer=837", "277CA"),
    ):
        with pytest.raises(UnknownFault, match=complaint):
            Faults([wrong])
    assert all(Faults([name]).strikes(name) for name in FAULTS)


def test_a_fault_strikes_at_its_turn_once_and_again_when_switched_on_again() -> None:
    faults = Faults(["refuse-rename=3"])
    assert [False, False, True, False] == [faults.strikes("refuse-rename") for _ in range(4)]
    faults.switch_on("refuse-rename")
    assert faults.strikes("refuse-rename")
    assert ("refuse-rename",) * 2 == faults.struck
    faults.switch_on("take-on-close")
    assert faults.strikes("take-on-close") and faults.strikes("take-on-close")
    faults.switch_off("take-on-close")
    assert not faults.strikes("take-on-close")


def test_the_same_seed_draws_the_same_bytes_and_another_others() -> None:
    drawn = [[Faults(["drop-upload"], seed).at_byte("drop-upload") for seed in range(20)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert 10 < len(set(drawn[0]))
    assert 500 == Faults(["drop-upload=500"], seed=9).at_byte("drop-upload")
