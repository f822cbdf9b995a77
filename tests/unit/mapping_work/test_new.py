"""`mappings new`: a draft of a source file from samples that checks, maps them, and says what it guessed."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run

CASES = Path(str(files("mappings"))) / "tests"
STRANGE = (
    "MSH|^~\\&|EHR|OAK|||20260804213000-0500||DFT^P03|S1|P|2.3\r"
    "EVN|P03|20260804213000-0500\r"
    "PID|1||1001^^^OAK^MR||Rivera^Ana||19800502|F\r"
    "PV1|1|R|GRP1^^^MAIN|3||||||||||||||||V77\r"
    "FT1|1|C1||20260804173000-0500^20260804183000-0500||CG|DBTSKILLS\r"
    "FT1|2|C2||20260804184000-0500^20260804194000-0500||CG|QX7\r"
    "ZBH|1|Y||Thornbury\r"
    "OBX|1|NM|PHQ9||9\r"
)


SHEET = (
    "MRN,Patient Last,DOB,Insurance,Policy #,Clinic,Track,Admit Date,DC Date,Service Date,Time In,Time Out,"
    "Group Type,Attendance,Therapist NPI,Signed?,Comments\n"
    "1001,Thornbury,2/14/1988,Prairie Mutual,PMX441,Main,Evening IOP,8/3/2026,,8/3/2026,5:00 PM,6:00 PM,"
    "Process Group,Present,1882001088,Yes,came late\n"
    "1001,Thornbury,2/14/1988,Prairie Mutual,PMX441,Main,Evening IOP,8/3/2026,,8/3/2026,6:00 PM,7:00 PM,"
    "DBT Skills,No-show,1882001088,Yes,\n"
)


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    run(["init", str(tmp_path / "site")])
    capsys.readouterr()
    return tmp_path / "site"


def drafted(site: Path, capsys: pytest.CaptureFixture[str], name: str, *samples: Path) -> tuple[dict[str, Any], str]:
    """What the command said of the draft, and the draft."""
    words = [word for each in samples for word in ("--from", str(each))]
    assert run(["mappings", "new", name, *words, "--site", str(site), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert run(["mappings", "check", "--site", str(site)]) == 0, capsys.readouterr().out
    capsys.readouterr()
    return said, Path(said["path"]).read_text()


@pytest.mark.parametrize(
    ("name", "samples", "encounters"),
    [
        ("oak-hl7", ("generic-hl7/admission.hl7", "generic-hl7/evening.hl7"), 4),
        ("oak-fhir", ("generic-fhir/day.json",), 2),
    ],
)
def test_a_draft_of_what_the_standard_says_checks_and_maps_its_samples(
    site: Path, capsys: pytest.CaptureFixture[str], name: str, samples: tuple[str, ...], encounters: int
) -> None:
    said, text = drafted(site, capsys, name, *(CASES / each for each in samples))
    assert (encounters, []) == (said["encounters"], said["problems"])
    assert {f"no facility has this name in '{name}-location'"} == {
        each["message"].partition(": ")[2] for each in said["findings"]
    }
    assert f"{{namespace: {name}-location, value: MAIN}}" in text
    assert "verified: false" in text
    assert said["guesses"] == text.count("# guess")
    assert [] == [each for each in ("Rivera", "12 Oak", "1980", "XYZ123", "1234567893") if each in text]


def test_words_the_standard_does_not_know_are_guessed_by_their_sound_or_left_to_a_person(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "strange.hl7").write_text(STRANGE)
    said, text = drafted(site, capsys, "strange", tmp_path / "strange.hl7")
    assert "    DBTSKILLS: skills-group  # guess: by the sound of it" in text
    assert "    # QX7: ...  # guess: the samples have this word; say what it means" in text
    assert ["charge"] == said["records"]
    assert "appointment" in said["left_out"]


def test_a_value_that_is_not_understood_keeps_its_path_in_the_draft_and_is_told(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    admission = (CASES / "generic-hl7" / "admission.hl7").read_text()
    born = next(line for line in admission.splitlines() if line.startswith("PID")).split("|")[7]
    (tmp_path / "odd.hl7").write_text(admission.replace(f"|{born}|", "|03/14/1979|"))
    said, text = drafted(site, capsys, "oak", tmp_path / "odd.hl7")
    assert "      birth_on: PID-7" in text
    assert any("birth_on: expected a full date (yyyymmdd" in each["message"] for each in said["findings"])


def test_what_no_path_reads_is_listed_and_of_the_sites_own_segments_each_field(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "strange.hl7").write_text(STRANGE + STRANGE.replace("DFT^P03|S1", "BAR^P12|S2"))
    said, text = drafted(site, capsys, "strange", tmp_path / "strange.hl7")
    assert {"messages BAR^P12: no entry is for them", "ZBH-1 (2 times)", "ZBH-2 (2 times)", "ZBH-4 (2 times)"} <= set(
        said["unread"]
    )
    assert "OBX (2 times)" in said["unread"]
    assert all(f"#   {each}" in text for each in said["unread"])
    assert "Thornbury" not in text


def test_extensions_are_listed_with_the_path_that_reads_them(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bundle = json.loads((CASES / "generic-fhir" / "day.json").read_text())
    encounter = next(each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "Encounter")
    encounter["extension"] = [{"url": "urn:oak:signed", "valueBoolean": True}]
    (tmp_path / "day.json").write_text(json.dumps(bundle))
    said, _ = drafted(site, capsys, "oak-fhir", tmp_path / "day.json")
    assert ["Encounter.extension.where(url='urn:oak:signed').valueBoolean"] == said["unread"]


def test_a_file_that_is_there_is_left_alone(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = CASES / "generic-hl7" / "evening.hl7"
    _, text = drafted(site, capsys, "oak-hl7", sample)
    assert run(["mappings", "new", "oak-hl7", "--from", str(sample), "--site", str(site)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert text == (site / "mappings" / "sources" / "oak-hl7.yaml").read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("color,day\n1,2\n", "sounds like 'Client ID' or 'Start'"),
        ("M1,Thornbury,1980-05-02\n", "sounds like 'Client ID' or 'Start'"),
        ('{"resourceType": "Cat"}', "Send a resource type of FHIR R4"),
        ("MSH", "MSH"),
    ],
)
def test_samples_that_are_no_messages_are_refused_with_the_reason(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str, said: str
) -> None:
    name = "a.csv" if content.count(",") else "a.json" if content.startswith("{") else "a.hl7"
    (tmp_path / name).write_text(content)
    assert run(["mappings", "new", "oak", "--from", str(tmp_path / name), "--site", str(site)]) in (1, 2)
    assert said in capsys.readouterr().err
    assert not (site / "mappings" / "sources" / "oak.yaml").exists()


def test_a_sheet_is_drafted_by_how_its_columns_are_called_and_each_guess_is_marked(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "sheet.csv").write_text(SHEET)
    said, text = drafted(site, capsys, "oak-sheet", tmp_path / "sheet.csv")
    assert ["client", "policy", "stay", "session"] == said["records"]
    assert (2, 2) == (said["messages"], said["encounters"])
    lines = text.splitlines()
    for field in (
        "      start_at: {parts: [Service Date, Time In]}  # guess: by its heading",
        "      name.family: Patient Last  # guess: by its heading",
        "    Process Group: group-psychotherapy  # guess: by the sound of it",
        "    Evening IOP: IOP  # guess: by the sound of it",
        "    No-show: no-show  # guess: by the sound of it",
    ):
        assert field in lines
    assert ["column DC Date: empty; it may be what the shipped sheet calls 'Discharged'", "column Comments"] == said[
        "unread"
    ]
    assert "Thornbury" not in text
    assert sum("# guess" in each for each in lines) == said["guesses"]


def test_a_sheet_with_the_shipped_headings_needs_no_guess_about_them(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = drafted(site, capsys, "oak-sheet", CASES / "generic-csv" / "attendance.csv")
    assert "by its heading" not in text


def test_a_day_and_a_time_in_one_column_are_enough(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "sheet.csv").write_text(
        "Client ID,Start,End,Session,Status\n1001,8/3/2026 5:00 PM,8/3/2026 6:00 PM,Group therapy,Attended\n"
    )
    said, text = drafted(site, capsys, "oak-sheet", tmp_path / "sheet.csv")
    assert (["session"], 1, []) == (said["records"], said["encounters"], said["findings"])
    assert {"      start_at: Start", "      end_at: End"} <= set(text.splitlines())


def test_minutes_stand_for_an_end_that_a_sheet_has_no_column_for(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "sheet.csv").write_text("MRN,DOS,Start,Duration (min)\n1001,8/3/2026,5:00 PM,50\n")
    said, text = drafted(site, capsys, "oak-sheet", tmp_path / "sheet.csv")
    assert (1, []) == (said["encounters"], said["findings"])
    assert "      end_at: {from: Duration (min), minutes_after: start_at}  # guess: by its heading" in text.splitlines()


@pytest.mark.parametrize(
    ("pid", "path"),
    [
        ("PID|1|1001|||Rivera^Ana||19800502|F||||||||||A7", "PID-2[1].1"),
        ("PID|1|||1001|Rivera^Ana||19800502|F||||||||||A7", "PID-4[1].1"),
        ("PID|1||||Rivera^Ana||19800502|F||||||||||1001", "PID-18[1].1"),
    ],
)
def test_a_patients_number_outside_pid_3_is_guessed_and_marked(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, pid: str, path: str
) -> None:
    usual = "PID|1||1001^^^OAK^MR||Rivera^Ana||19800502|F"
    (tmp_path / "strange.hl7").write_text(STRANGE.replace(usual, pid))
    said, text = drafted(site, capsys, "oak", tmp_path / "strange.hl7")
    assert 2 == said["encounters"]
    assert (
        f"      patient: {{from: '{path}', namespace: oak-mrn}}  # guess: PID-3 has no number of the patient's" in text
    )
    (tmp_path / "usual.hl7").write_text(STRANGE)
    _, text = drafted(site, capsys, "elm", tmp_path / "usual.hl7", tmp_path / "strange.hl7")
    assert f"      patient: {{first_of: ['PID-3[5=MR].1', '{path}'], namespace: elm-mrn}}  # guess: PID-3" in text


def test_samples_of_which_nothing_makes_a_record_leave_no_file(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "result.hl7").write_text("MSH|^~\\&|EHR|OAK|||20260804213000||ORU^R01|S1|P|2.3\rPID|1||1001\r")
    assert run(["mappings", "new", "oak", "--from", str(tmp_path / "result.hl7"), "--site", str(site)]) == 2
    assert "messages ORU^R01: no entry is for them" in capsys.readouterr().err
    assert not (site / "mappings" / "sources" / "oak.yaml").exists()
