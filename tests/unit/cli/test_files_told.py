"""How what was found is told to people: nothing there, clean but for notes, what to do about a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli import run
from gateway.cli.messages import _told


@pytest.mark.parametrize("command", ["check", "read"])
def test_an_empty_folder_is_said_to_be_empty(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, str(tmp_path)]) == 0
    assert capsys.readouterr().out == "There is no file there.\n"


def test_an_835_that_cannot_be_read_is_not_said_to_be_out_of_balance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    isa = "ISA*00*          *00*          *ZZ*OAK            *ZZ*ELM            *260801*0900*^*00501*000000001*0*T*:~"
    payment = "ST*835*0001~BPR*I*10*C*NON************20261301~TRN*1*77*1999999999~SE*4*0001~"
    path = tmp_path / "wrong-day.835"
    path.write_text(f"{isa}GS*HP*OAK*ELM*20260801*0900*1*X*005010X221A1~{payment}GE*1*1~IEA*1*000000001~")
    run(["read", str(path)])
    assert "835 0001: what it pays cannot be read: BPR16 in segment 2: not a date." in capsys.readouterr().out


def test_what_was_not_understood_is_told_with_its_place_its_line_and_what_to_do() -> None:
    finding = {
        "place": "PV1-3.4",
        "mapping": "sources/oak.yaml:7",
        "message": "no facility has this name in 'oak-location'",
        "fix": "Add the name to the facility's names in its file.",
        "fatal": False,
    }
    said = "PV1-3.4: no facility has this name in 'oak-location'. Add the name to the facility's names in its file."
    assert f"{said} (sources/oak.yaml:7)" == _told(finding)
    assert "it broke. Run it again." == _told(
        {**finding, "place": "", "mapping": "", "message": "it broke", "fix": "run it again"}
    )
