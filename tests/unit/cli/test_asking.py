"""What a command is asked for by name: a name there is not is a mistake that is told, never an empty list."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli import run
from gateway.wiring.new_site import make_site


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("asking") / "clinic"
    make_site(folder, demo=True, database="sqlite:///clinic.sqlite", samples={})
    assert 0 == run(["claims", "release", "--all-ready", "--site", str(folder)])
    return str(folder)


ASKED = [
    (["claims", "list", "--payer", "praire-mutual"], "payer; did you mean 'prairie-mutual'?"),
    (["claims", "list", "--state", "stuck"], "state. There are waiting, held, ready"),
    (["claims", "release", "--all-ready", "--payer", "praire-mutual"], "payer; did you mean 'prairie-mutual'?"),
    (["authorizations", "list", "--payer", "nobody"], "payer. There are "),
    (["encounters", "list", "--place", "billd"], "place; did you mean 'billed'?"),
    (["worklist", "--owner", "biling"], "owner; did you mean 'billing'?"),
    (["messages", "list", "--source", "riverbend-hl"], "source; did you mean 'riverbend-hl7'?"),
    (["messages", "again", "--failed", "--source", "riverbend-hl"], "source; did you mean 'riverbend-hl7'?"),
    (["exchange", "silences", "--connection", "sandbx"], "connection; did you mean 'sandbox'?"),
    (["exchange", "send", "--connection", "sandbx"], "connection; did you mean 'sandbox'?"),
    (["exchange", "raw", "out", "--type", "836"], "type; did you mean '835'?"),
    (["exchange", "raw", "out", "--status", "aplied"], "status; did you mean 'applied'?"),
    (["rosters", "show", "credentials", "--organization", "nobody"], "organization with a roster. There is"),
]


@pytest.mark.parametrize(("command", "told"), ASKED, ids=[" ".join(each) for each, _ in ASKED])
def test_a_name_there_is_not_is_told_with_the_nearest_or_those_there_are(
    command: list[str], told: str, clinic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == run([*command, "--site", clinic])
    said = capsys.readouterr()
    assert f"there is no such {told}" in said.err
    assert "" == said.out


def test_a_payer_without_claims_is_an_empty_list(clinic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["claims", "list", "--payer", "prairie-mutual", "--site", clinic])
    assert "0 claims" in capsys.readouterr().out


MESSAGE = (
    "MSH|^~\\&|E|E|C|C|20260803120000-0500||{event}|M1|P|2.5.1\rEVN||20260803120000-0500\r"
    "PID|||5001^^^MRN^MR||Fern^Ada||19900214|{sex}\r"
)


@pytest.mark.parametrize(
    ("event", "sex", "code"), [("ADT^A28", "F", 0), ("ADT^A28", "X", 1), ("ADT^A23", "F", 1), ("ADT^A32", "F", 0)]
)
def test_taking_files_in_ends_with_one_where_anything_was_not_understood(
    event: str, sex: str, code: int, tmp_path: Path
) -> None:
    make_site(tmp_path / "clinic", demo=False, database="sqlite:///clinic.sqlite", samples={})
    (tmp_path / "a.hl7").write_text(MESSAGE.format(event=event, sex=sex), newline="")
    command = ["ingest", "--site", str(tmp_path / "clinic"), "--source", "generic-hl7", str(tmp_path / "a.hl7")]
    assert code == run(command)
    assert code == run([*command, "--json"])
