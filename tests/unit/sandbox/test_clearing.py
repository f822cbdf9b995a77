"""The sandbox answers as a clearinghouse and its payers do: right, valid, balanced, the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.sandbox import clearing as clearing_module
from clearinghouse.sandbox.ledger import read_ledger
from clearinghouse.sandbox.outbox import Timing
from clearinghouse.sandbox.payer_table import PayerTableError, read_payer_table
from tests.unit.sandbox.house import (
    PROFESSIONAL,
    STEADY,
    House,
    assert_valid,
    claim_statuses,
    elements,
    kind,
    only,
    pick,
)
from tests.unit.sandbox.referee import segments
from tests.unit.sandbox.submissions import ATTENDING_NPI, Claim, Line, Submission, one


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.parametrize("claim", [Claim(), Claim(child=True), PROFESSIONAL], ids=["837I", "dependent", "837P"])
def test_an_accepted_file_gets_every_answer_and_is_paid(house: House, claim: Claim) -> None:
    answers = house.send(one(claim))
    assert ["TA1", "999", "277", "277", "835"] == [kind(answer) for answer in answers]
    assert_valid(answers)
    assert [["TA1", "000000101", "260901", "0730", "A", "000"]] == [
        segment for segment in only(answers, "TA1") if segment[0] == "TA1"
    ]
    assert ["A"] == elements(only(answers, "999"), "IK5", 1)
    clearinghouse, payer = map(segments, pick(answers, "277"))
    assert ["A1:19:PR"] * 3 == elements(clearinghouse, "STC", 1)
    assert ["A1:19:PR", "A1:19:PR", "A2:20:PR"] == elements(payer, "STC", 1)
    (number,) = [segment[2] for segment in payer if segment[:2] == ["REF", "1K"]]
    remittance = only(answers, "835")
    assert [claim.number] == elements(remittance, "CLP", 1)
    assert [number] == elements(remittance, "CLP", 7)


def test_the_money_of_a_paid_claim_is_fee_less_copay(house: House) -> None:
    remittance = only(house.send(one(Claim())), "835")
    assert ["900"] == elements(remittance, "BPR", 2)
    assert [["CO", "45", "25"], ["PR", "3", "25"]] * 3 == [each[1:] for each in remittance if each[0] == "CAS"]
    assert ["75"] == elements(remittance, "CLP", 5)


def test_a_file_against_the_guide_is_refused_by_the_999_and_goes_no_further(house: House) -> None:
    answers = house.send(one(Claim(leave_out="CL1")))
    assert ["TA1", "999"] == [kind(answer) for answer in answers]
    assert_valid(answers)
    refusal = only(answers, "999")
    assert ["R"] == elements(refusal, "IK5", 1)
    assert ["R"] == elements(refusal, "AK9", 1)
    assert ["CLM01:PCN0000000001"] == elements(refusal, "CTX", 1)
    assert [] == house.claims()
    assert "rejected" == house.ledger.as_json()["interchanges"][0]["outcome"]


def test_the_999_names_the_segment_the_loop_and_the_element(house: House) -> None:
    answers = house.send(one(Claim(member="")))
    assert_valid(answers)
    refusal = only(answers, "999")
    assert [["IK3", "NM1", "13", "2010", "8"]] == [each for each in refusal if each[0] == "IK3"]
    assert ["9"] == elements(refusal, "IK4", 1)


def test_a_mixed_file_is_accepted_in_part(house: House) -> None:
    bad, good = Claim(leave_out="CL1"), Claim("PCN0000000002")
    answers = house.send(Submission(((bad,), (good,))).text())
    assert_valid(answers)
    assert ["R", "A"] == elements(only(answers, "999"), "IK5", 1)
    assert [["AK9", "P", "2", "2", "1"]] == [each for each in only(answers, "999") if each[0] == "AK9"]
    assert ["PCN0000000002"] == elements(only(answers, "835"), "CLP", 1)
    assert "partial" == house.ledger.as_json()["interchanges"][0]["outcome"]


def test_a_mixed_transaction_loses_only_the_claims_that_are_wrong(house: House) -> None:
    stranger = Claim("PCN0000000002", payer="NOSUCH")
    future = Claim("PCN0000000003", lines=(Line("20260902"),))
    answers = house.send(one(Claim(), stranger, future))
    assert_valid(answers)
    clearinghouse, payer = pick(answers, "277")
    refused = {stranger.number: "A7:153:PR", future.number: "A7:187"}
    assert {"PCN0000000001": "A1:19:PR", **refused} == claim_statuses(clearinghouse)
    assert ["WQ", "U", "U"] == elements(segments(clearinghouse), "STC", 3)[-3:]
    assert ["PCN0000000001"] == elements(only(answers, "835"), "CLP", 1)
    assert {"PCN0000000001": "A2:20:PR"} == claim_statuses(payer)
    assert {"decided", "rejected_by_clearinghouse"} == {claim["state"] for claim in house.claims()}


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (Claim(member="M 1"), "A7:164:IL"),
        (Claim(frequency="8", original="0000000000000"), "A7:464"),
    ],
)
def test_a_payer_refuses_what_it_cannot_take_into_adjudication(house: House, claim: Claim, status: str) -> None:
    answers = house.send(one(claim))
    assert_valid(answers)
    assert {claim.number: status} == claim_statuses(pick(answers, "277")[1])
    assert [] == pick(answers, "835")
    assert ["rejected_by_payer"] == [each["state"] for each in house.claims()]


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (Claim(frequency="7"), "A6:464"),
        (Claim(total_cents=1), "A8:400"),
        (Claim(npi="1999999985"), "A7:562:85"),
        (Claim(lines=(Line("20260901"), Line("20260930"))), "A7:187"),
    ],
)
def test_the_clearinghouse_refuses_a_claim_it_cannot_pass_on(house: House, claim: Claim, status: str) -> None:
    good = Claim("PCN0000000002", member="OTHER1234")
    answers = house.send(one(claim, good))
    assert_valid(answers)
    assert {claim.number: status, good.number: "A1:19:PR"} == claim_statuses(pick(answers, "277")[0])
    assert ["rejected_by_clearinghouse", "decided"] == [each["state"] for each in house.claims()]


def lines(**changes: Any) -> tuple[Line, ...]:
    return tuple(replace(line, **changes) for line in Claim().lines)


DENIALS: list[tuple[str, Claim, dict[str, Any], list[str], list[str]]] = [
    ("no authorization", Claim(authorization=""), {}, ["CO", "197"], ["M62"]),
    ("revenue code against HCPCS", Claim(lines=lines(revenue="0915")), {}, ["CO", "199"], ["M50"]),
    ("code not covered", Claim(lines=lines(code="H2036", revenue="0944")), {}, ["CO", "96"], ["N130"]),
    ("filed late", Claim(), {"filing_days": 10}, ["CO", "29"], []),
    (
        "provider not credentialed",
        Claim(),
        {"not_credentialed": {ATTENDING_NPI: date(2026, 8, 4)}},
        ["CO", "B7"],
        ["N570"],
    ),
    ("provider not on the list", Claim(), {"credentialed": ("1234567893",)}, ["CO", "B7"], ["N570"]),
    ("coverage ended", Claim(), {"terminated": {"MEM123456": date(2026, 8, 2)}}, ["CO", "27"], ["N30"]),
    ("bill type unknown", Claim(facility="33"), {}, ["CO", "16"], ["MA30"]),
    ("place of service", PROFESSIONAL, {"places": {"H0015": ("11",)}}, ["CO", "5"], ["M77"]),
    ("always denied", Claim(), {"denial_percent": 100}, ["CO", "50"], ["N115"]),
]


@pytest.mark.parametrize(
    ("claim", "changes", "reason", "remarks"), [case[1:] for case in DENIALS], ids=[c[0] for c in DENIALS]
)
def test_a_denied_claim_says_why(
    tmp_path: Path, claim: Claim, changes: dict[str, Any], reason: list[str], remarks: list[str]
) -> None:
    answers = House(tmp_path, replace(STEADY, **changes)).send(one(claim))
    assert_valid(answers)
    remittance = only(answers, "835")
    assert ["0"] == elements(remittance, "BPR", 2)
    assert {tuple(reason)} == {tuple(each[1:3]) for each in remittance if each[0] == "CAS"}
    assert set(remarks) == set(elements(remittance, "LQ", 2))
    assert [STEADY.status_of_denied] == elements(remittance, "CLP", 2)


def test_an_unprocessable_claim_carries_ma130(house: House) -> None:
    remittance = only(house.send(one(Claim(facility="33"))), "835")
    assert ["MA130"] == elements(remittance, "MOA", 3)


def test_days_beyond_the_authorization_are_denied_and_the_rest_is_paid(tmp_path: Path) -> None:
    house = House(tmp_path, replace(STEADY, authorized_days={"AUTH1": 4}))
    assert ["900"] == elements(only(house.send(one(Claim())), "835"), "BPR", 2)
    later = Claim("PCN0000000002", lines=tuple(Line(f"202608{day}") for day in (10, 11, 12)))
    answers = house.send(one(later, isa13=102))
    assert_valid(answers)
    remittance = only(answers, "835")
    assert ["300", "0", "0"] == elements(remittance, "SVC", 3)
    assert ["198", "198"] == [each[2] for each in remittance if each[0] == "CAS" and each[2] == "198"]


def test_sequestration_coinsurance_deductible_and_interest_still_balance(tmp_path: Path) -> None:
    payer = replace(
        STEADY,
        coinsurance_percent=20,
        sequestration_percent=2,
        deductible_percent=100,
        deductible_cents=3333,
        interest_percent=100,
    )
    answers = House(tmp_path, payer).send(one(Claim(lines=lines(cents=34567))))
    assert_valid(answers)
    remittance = only(answers, "835")
    assert {"45", "253", "1", "2", "3"} == {reason for each in remittance if each[0] == "CAS" for reason in each[2::3]}
    (plb,) = [each for each in remittance if each[0] == "PLB"]
    assert plb[3].startswith("L6:") and Decimal(plb[4]) < 0


@pytest.mark.parametrize(("prior_cents", "paid"), [(40000, "500"), (90000, "0"), (100000, "0")])
def test_a_second_payer_pays_what_the_first_left(house: House, prior_cents: int, paid: str) -> None:
    answers = house.send(one(Claim(prior_cents=prior_cents)))
    assert_valid(answers)
    remittance = only(answers, "835")
    assert [paid] == elements(remittance, "BPR", 2)
    assert ["2"] == elements(remittance, "CLP", 2)
    assert [["CAS", "OA", "23", str(min(prior_cents, 90000) // 100)]] == [
        each for each in remittance if each[1:2] == ["OA"]
    ]


def test_the_same_services_billed_again_are_a_duplicate(house: House) -> None:
    house.send(one(Claim()))
    answers = house.send(one(Claim("PCN0000000002"), isa13=102))
    assert_valid(answers)
    assert {("OA", "18")} == {tuple(each[1:3]) for each in only(answers, "835") if each[0] == "CAS"}


def test_a_denied_claim_may_be_billed_again(house: House) -> None:
    house.send(one(Claim(authorization="")))
    answers = house.send(one(Claim("PCN0000000002"), isa13=102))
    assert ["900"] == elements(only(answers, "835"), "BPR", 2)


def test_an_interchange_number_seen_before_is_refused_and_its_claims_not_taken(house: House) -> None:
    house.send(one(Claim()))
    answers = house.send(one(Claim("PCN0000000002", member="OTHER1234")))
    assert_valid(answers)
    assert ["TA1"] == [kind(answer) for answer in answers]
    assert [["R", "025"]] == [each[4:6] for each in only(answers, "TA1") if each[0] == "TA1"]
    assert 1 == len(house.claims())


def test_the_same_number_in_test_and_in_production_are_two_interchanges(house: House) -> None:
    house.send(Submission(((Claim(),),), usage="T").text())
    answers = house.send(Submission(((Claim("PCN0000000002", member="OTHER1234"),),), usage="P").text())
    assert 5 == len(answers)
    assert {"P"} == {segments(answer)[0][15] for answer in answers}


@pytest.mark.parametrize("end", [200, -30, -8])
def test_a_file_cut_short_is_refused_once_it_is_still(house: House, end: int) -> None:
    answers = house.send(one(Claim())[:end])
    assert_valid(answers)
    assert [["R", "023"]] == [each[4:6] for each in only(answers, "TA1") if each[0] == "TA1"]
    assert [] == house.claims()
    assert 5 == len(house.send(one(Claim())))  # its number was not used up


def test_a_file_still_growing_is_left_alone(tmp_path: Path) -> None:
    house = House(tmp_path, timing=Timing(partial_after_s=60))
    text = one(Claim())
    assert [] == house.send(text[:300], "837_slow.x12")
    assert [] == list((house.box / "archive").iterdir())
    (house.box / "upload/837_slow.x12").write_text(text)
    assert 5 == len(house.work())


def test_temporary_names_are_not_taken(house: House) -> None:
    assert [] == house.send(one(Claim()), "837_1.x12.part")
    assert (house.box / "upload/837_1.x12.part").exists()


@pytest.mark.parametrize("content", ["", "hello\n", "ISA*00*", "\x00" * 500])
def test_a_file_that_is_no_interchange_is_kept_and_written_down(house: House, content: str) -> None:
    assert [] == house.send(content)
    assert ["unreadable"] == [each["outcome"] for each in house.ledger.as_json()["interchanges"]]
    assert ["837_1.x12"] == [path.name for path in (house.box / "archive").iterdir()]


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("GS*HC*", "GS*FA*", "024"),
        ("IEA*1*000000101", "IEA*1*000000102", "001"),
        ("IEA*1*", "IEA*2*", "021"),
        ("GE*1*101~\n", "", "024"),
    ],
)
def test_a_broken_envelope_is_refused_by_the_ta1(house: House, old: str, new: str, note: str) -> None:
    answers = house.send(one(Claim()).replace(old, new))
    assert_valid(answers)
    assert [["R", note]] == [each[4:6] for each in only(answers, "TA1") if each[0] == "TA1"]
    assert ["TA1"] == [kind(answer) for answer in answers]


def test_no_positive_ta1_is_sent_where_none_was_asked_for(house: House) -> None:
    assert ["999", "277", "277", "835"] == [kind(answer) for answer in house.send(one(Claim(), isa14="0"))]


def test_the_same_seed_and_files_give_the_same_bytes(tmp_path: Path) -> None:
    texts = [one(Claim(), Claim("PCN0000000002", member="OTHER1234")), one(PROFESSIONAL, isa13=102)]
    first, again, other = (House(tmp_path / name, None, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    answers = [[house.send(text) for text in texts] for house in (first, again, other)]
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


def test_decisions_depend_on_content_not_on_the_claims_number_or_its_neighbours(tmp_path: Path) -> None:
    claims = [
        Claim(f"PCN{number:010d}", payer="LKLD1", member=f"MEMBER{number:04d}", lines=lines(cents=30000 + number))
        for number in range(40)
    ]
    renamed = [claim.but(number=f"Z{claim.number}") for claim in reversed(claims)]
    paid = []
    for name, files in (("a", [one(*claims)]), ("b", [one(claim, isa13=200 + n) for n, claim in enumerate(renamed)])):
        house = House(tmp_path / name, None)
        for text in files:
            house.send(text)
        paid.append({claim["payer_claim_number"]: (claim["paid_cents"], claim["reason"]) for claim in house.claims()})
    assert paid[0] == paid[1]
    assert 1 < len({reason for _, reason in paid[0].values()})


def payer_number(house: House, place: int = 0) -> str:
    return str(house.claims()[place]["payer_claim_number"])


def test_a_replacement_takes_the_original_back_and_pays_the_correction(house: House) -> None:
    house.send(one(Claim(authorization="")))
    corrected = Claim("PCN0000000002", frequency="7", original=payer_number(house))
    answers = house.send(one(corrected, isa13=102))
    assert_valid(answers)
    remittance = only(answers, "835")
    assert [["PCN0000000001", "22", "-1050", "0"], ["PCN0000000002", "1", "1050", "900"]] == [
        each[1:5] for each in remittance if each[0] == "CLP"
    ]
    assert ["reversed", "decided"] == [claim["state"] for claim in house.claims()]


def test_a_replacement_of_a_paid_claim_pays_only_the_difference(house: House) -> None:
    house.send(one(Claim()))
    corrected = Claim(
        "PCN0000000002", frequency="7", original=payer_number(house), lines=(*Claim().lines, Line("20260806"))
    )
    answers = house.send(one(corrected, isa13=102))
    assert_valid(answers)
    remittance = only(answers, "835")
    assert ["-900", "1200"] == elements(remittance, "CLP", 4)
    assert ["300"] == elements(remittance, "BPR", 2)
    assert payer_number(house, 0) == elements(remittance, "CLP", 7)[0]


def test_a_replacement_that_changes_nothing_is_no_duplicate(house: House) -> None:
    house.send(one(Claim()))
    answers = house.send(one(Claim("PCN0000000002", frequency="7", original=payer_number(house)), isa13=102))
    assert ["-900", "900"] == elements(only(answers, "835"), "CLP", 4)


def test_a_void_takes_the_original_back_and_the_money_is_recovered_from_the_next_payment(house: House) -> None:
    house.send(one(Claim()))
    void = Claim("PCN0000000002", frequency="8", original=payer_number(house))
    answers = house.send(one(void, isa13=102))
    assert_valid(answers)
    remittance = only(answers, "835")
    assert [["PCN0000000001", "22"]] == [each[1:3] for each in remittance if each[0] == "CLP"]
    assert ["0"] == elements(remittance, "BPR", 2)
    assert [["FB:" + elements(remittance, "TRN", 2)[0], "-900"]] == [
        each[3:] for each in remittance if each[0] == "PLB"
    ]
    answers = house.send(
        one(Claim("PCN0000000003", member="OTHER1234"), Claim("PCN0000000004", member="THIRD1234"), isa13=103)
    )
    assert_valid(answers)
    assert ["900"] == elements(only(answers, "835"), "BPR", 2)
    assert ["900"] == elements(only(answers, "835"), "PLB", 4)
    assert ["reversed", "void", "decided", "decided"] == [claim["state"] for claim in house.claims()]


def test_a_claim_replaced_before_it_was_decided_is_never_paid(tmp_path: Path) -> None:
    house = House(tmp_path, timing=Timing(pay_after=timedelta(days=7)))
    house.send(one(Claim()))
    house.send(one(Claim("PCN0000000002", frequency="7", original=payer_number(house)), isa13=102))
    house.now += timedelta(days=8)
    assert ["PCN0000000002"] == elements(only(house.work(), "835"), "CLP", 1)
    assert ["replaced", "decided"] == [claim["state"] for claim in house.claims()]


def test_answers_come_when_they_are_due(tmp_path: Path) -> None:
    hours = {
        "acknowledge_after": timedelta(hours=1),
        "status_after": timedelta(days=1),
        "pay_after": timedelta(days=14),
    }
    house = House(tmp_path, timing=Timing(**hours))
    assert [] == house.send(one(Claim()))
    assert [] == house.work()
    came = []
    for days in (0.1, 1, 12, 1):
        house.now += timedelta(days=days)
        came.append([kind(answer) for answer in house.work()])
    assert [["TA1", "999"], ["277", "277"], [], ["835"]] == came


def test_claims_of_one_payer_and_payee_share_a_remittance_and_others_do_not(tmp_path: Path) -> None:
    house = House(tmp_path, None)
    elsewhere = Claim("PCN0000000003", member="THIRD1234", npi="1234567893")
    answers = house.send(
        one(Claim(), Claim("PCN0000000002", member="OTHER1234"), elsewhere, Claim("PCN0000000004", payer="MCAID"))
    )
    assert_valid(answers)
    remittances = [segments(answer) for answer in pick(answers, "835")]
    assert [1, 1, 2] == [len(elements(each, "CLP", 1)) for each in remittances]
    assert 3 == len({elements(each, "TRN", 2)[0] for each in remittances})


@pytest.mark.parametrize("step", ["_move_aside", "_write_new"])
def test_a_kill_between_two_steps_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    calm, killed = House(tmp_path / "calm"), House(tmp_path / "killed")
    calm.send(one(Claim()), "837_1.x12")
    (killed.box / "upload/837_1.x12").write_text(one(Claim()))
    with monkeypatch.context() as patch:
        patch.setattr(clearing_module, step, _die)
        with pytest.raises(KeyboardInterrupt):
            killed.clearing.run_once()
    killed.ledger.close()
    killed.open()
    killed.work()
    assert calm.names() == killed.names()
    assert calm.ledger.as_json() == killed.ledger.as_json()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_same_file_uploaded_again_after_its_archiving_is_a_duplicate(house: House) -> None:
    house.send(one(Claim()), "837_1.x12")
    answers = house.send(one(Claim()), "837_1.x12")
    assert [["R", "025"]] == [each[4:6] for each in only(answers, "TA1") if each[0] == "TA1"]
    assert ["837_1.x12", "837_1.x12.2"] == sorted(path.name for path in (house.box / "archive").iterdir())


def test_the_ledger_tells_everything_and_no_names(house: House) -> None:
    house.send(one(Claim()))
    text = read_ledger(house.root / "ledger.sqlite")
    assert '"paid_cents": 90000' in text
    assert "DOE" not in text and "MEM123456" not in text


def test_a_payer_table_of_ones_own_is_read_and_a_wrong_one_says_where(tmp_path: Path) -> None:
    path = tmp_path / "payers.json"
    path.write_text('{"payers": [{"id": "X"}], "revenue_codes": {}, "bill_types": []}')
    with pytest.raises(PayerTableError, match=r"\$\.payers\[0\]"):
        read_payer_table(path)


def test_interchanges_with_other_delimiters_are_read_as_well(house: House) -> None:
    text = one(Claim()).replace("\n", "")
    swapped = text.translate(str.maketrans({"*": "|", "~": "'", ":": "<"}))
    answers = house.send(swapped)
    assert 5 == len(answers)
    assert ["900"] == elements(only(answers, "835"), "BPR", 2)
