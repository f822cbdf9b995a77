"""Anybody's 837 through the gate: what can be judged is, what is not known is told once, exit codes are as check's."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.claim import Claim
from gateway.cli import run
from gateway.rules.gate import RULES
from gateway.rules.rule import Need
from gateway.wiring.gate_files import FileGate, file_gate
from gateway.wiring.new_site import make_site
from gateway.wiring.site import open_site
from tests.unit.clearinghouse.claims import COMMERCIAL, PATIENT, institutional, professional, written

AUGUST = date(2026, 8, 20)
STRANGERS_PAYER = replace(COMMERCIAL, payer_number="77777", payer_name="Some Mutual", member_number="X1")


@pytest.fixture(scope="module")
def gate() -> Iterator[FileGate]:
    with file_gate(None) as shipped:
        yield dataclasses.replace(shipped, today=AUGUST)


def judged(gate: FileGate, folder: Path, *claims: Claim) -> dict[str, Any]:
    file = folder / "claims.837"
    file.write_bytes(written(*claims))
    return gate.judge(file)


def found(answer: dict[str, Any]) -> list[tuple[int, str]]:
    return [(claim["place"], each["rule"]) for claim in answer["claims"] for each in claim["findings"]]


def test_what_is_not_known_is_told_once_a_source_however_many_claims_there_are(gate: FileGate, tmp_path: Path) -> None:
    strangers = [replace(institutional(), insured=replace(STRANGERS_PAYER, member_number=f"X{n}")) for n in range(3)]
    answer = judged(gate, tmp_path, *strangers)
    sources = [each["source"] for each in answer["unknown"]]
    assert len(sources) == len(set(sources))
    assert {Need.ATTENDANCE, Need.AUTHORIZATIONS, Need.CREDENTIALS, Need.DEFINITIONS, Need.PAYER} <= set(sources)
    assert {3} == {each["claims"] for each in answer["unknown"]}
    rules = {each.name for each in RULES}
    assert all(set(each["rules"]) <= rules for each in answer["unknown"])


def test_a_single_claim_of_each_form_has_no_finding(gate: FileGate, tmp_path: Path) -> None:
    for claim in (institutional(), professional(), replace(institutional(), insured=STRANGERS_PAYER)):
        assert [] == found(judged(gate, tmp_path, claim))


@pytest.mark.parametrize("year", [1, 9999])
def test_a_claim_of_a_year_nobody_counts_in_is_told_and_the_others_are_judged(
    gate: FileGate, tmp_path: Path, year: int
) -> None:
    claim = institutional()
    lines = tuple(replace(each, service_on=each.service_on.replace(year=year)) for each in claim.lines)
    answer = judged(gate, tmp_path, replace(claim, lines=lines), claim)
    assert [(1, "dates-in-statement")] * len(lines) == found(answer)
    assert "so the claim was not judged" in answer["claims"][0]["findings"][0]["message"]


def test_a_day_on_very_many_claims_of_one_member_is_one_finding_a_line(gate: FileGate, tmp_path: Path) -> None:
    claim = replace(institutional(), insured=STRANGERS_PAYER)
    answer = judged(gate, tmp_path, *[claim] * 40)
    doubled = [each for each in found(answer) if each[1] == "one-per-diem-a-day"]
    assert 40 * len(claim.lines) == len(doubled)
    messages = [each["message"] for each in answer["claims"][0]["findings"] if each["rule"] == "one-per-diem-a-day"]
    assert all(each.endswith(", and 38 times more.") for each in messages)


def test_a_payer_no_file_knows_is_an_unknown_source_and_no_finding(gate: FileGate, tmp_path: Path) -> None:
    answer = judged(gate, tmp_path, replace(institutional(), insured=STRANGERS_PAYER))
    assert Need.PAYER in [each["source"] for each in answer["unknown"]]
    assert Need.PAYER not in [each["source"] for each in judged(gate, tmp_path, institutional())["unknown"]]


def line(claim: Claim, **changes: Any) -> Claim:
    return replace(claim, lines=(replace(claim.lines[0], **changes), *claim.lines[1:]))


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        (replace(institutional(), condition_codes=("41", "92")), "condition-codes-fit"),
        (replace(institutional(), diagnoses=("F33", "F411")), "diagnoses-valid"),
        (replace(institutional(), admission_type="7"), "admission-codes-valid"),
        (line(institutional(), revenue_code="0913"), "codes-fit-program"),
        (line(institutional(), modifiers=("PO", "PN")), "modifiers-in-order"),
        (line(institutional(), service_on=date(2026, 8, 9)), "dates-in-statement"),
        (replace(institutional(), frequency="7"), "frequency-fits-status"),
        (
            replace(institutional(), patient=dataclasses.replace(PATIENT, birth_on=date(2026, 8, 9))),
            "patient-identified",
        ),
        (line(professional(), units=2), "units-fit-basis"),
        (replace(professional(), place_of_service="98"), "place-fits-form"),
    ],
)  # fmt: skip
def test_what_the_claim_itself_shows_is_found(gate: FileGate, tmp_path: Path, claim: Claim, rule: str) -> None:
    assert rule in {name for _, name in found(judged(gate, tmp_path, claim))}


def test_two_claims_of_a_file_that_exclude_each_other_are_found(gate: FileGate, tmp_path: Path) -> None:
    other = replace(institutional(), diagnoses=("F331",))
    assert {(place, rule) for place in (1, 2) for rule in ("one-per-diem-a-day", "not-billed-before")} == set(
        found(judged(gate, tmp_path, institutional(), other))
    )


@pytest.mark.parametrize("claim", [institutional(), professional()])
def test_where_payer_and_place_are_known_the_definitions_judge_the_lines(
    gate: FileGate, tmp_path: Path, claim: Claim
) -> None:
    assert Need.DEFINITIONS not in [each["source"] for each in judged(gate, tmp_path, claim)["unknown"]]
    assert "codes-fit-definition" in {rule for _, rule in found(judged(gate, tmp_path, line(claim, hcpcs="90853")))}


def check(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = run(["check", *map(str, words), "--gate", "--json"])
    (entry,) = json.loads(capsys.readouterr().out)["files"]
    return status, entry


def test_the_command_exits_as_check_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "claims.837"
    file.write_bytes(written(replace(institutional(), insured=STRANGERS_PAYER)))
    status, entry = check(capsys, file)
    assert (0, {"claims", "unknown"}) == (status, set(entry["gate"]))
    file.write_bytes(written(replace(institutional(), insured=STRANGERS_PAYER, admission_type="7")))
    status, entry = check(capsys, file)
    assert (1, ["admission-codes-valid"]) == (status, [each["rule"] for each in entry["gate"]["claims"][0]["findings"]])
    file.write_bytes(b"no claims at all")
    assert 2 == check(capsys, file)[0]


def test_by_a_site_its_own_files_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "clinic"
    make_site(folder, demo=True, database="sqlite:///site.sqlite", samples={})
    shipped = read_mapping_files(shipped=True, overlay=None)["payers/prairie-mutual.yaml"]
    own = folder / "mappings" / "payers" / "prairie-mutual.yaml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_bytes(shipped.replace(b"PMX[0-9]{9}", b"OTHER"))
    open_site(folder).close()
    file = tmp_path / "claims.837"
    file.write_bytes(written(replace(institutional(), insured=replace(COMMERCIAL, member_number="OTHER"))))
    by_site, by_what_ships = (check(capsys, file, *words)[1] for words in (("--site", folder), ()))
    rules = [{each["rule"] for each in entry["gate"]["claims"][0]["findings"]} for entry in (by_site, by_what_ships)]
    assert [False, True] == ["payer-addressed" in each for each in rules]


def test_diagnoses_of_a_year_nobody_loaded_are_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = date(2026, 10, 6)
    claim = line(institutional(), service_on=later)
    file = tmp_path / "claims.837"
    file.write_bytes(written(replace(claim, statement_from_on=later, statement_through_on=later, admitted_on=later)))
    capsys.readouterr()
    run(["check", str(file), "--gate"])
    told = capsys.readouterr().out
    assert (1, 0) == (told.count("No ICD-10-CM release is loaded"), told.count("diagnosis-unjudged"))
    assert "warning" in told
    assert "block" not in told
