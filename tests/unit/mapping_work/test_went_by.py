"""Every answer about a file says which mapping set it goes by: the one in force, or the files as edited."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run

SAMPLE = Path(str(files("mappings"))) / "tests" / "generic-hl7" / "admission.hl7"
SOURCE = ("--source", "generic-hl7")


@pytest.fixture
def edited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A site with a set in force, one of whose files was edited since."""
    folder = tmp_path / "site"
    run(["init", str(folder)])
    run(["mappings", "put", "--site", str(folder), "--as", "kim"])
    own = folder / "mappings" / "sources" / "generic-hl7.yaml"
    own.parent.mkdir(exist_ok=True)
    own.write_bytes(Path(str(files("mappings"))).joinpath("sources/generic-hl7.yaml").read_bytes() + b"# edited\n")
    capsys.readouterr()
    return folder


def told(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[dict[str, Any], str]:
    """What the command says to a program, and to a person."""
    run([*words, "--site", str(folder), "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    run([*words, "--site", str(folder)])
    return found["mappings"], capsys.readouterr().out


def test_a_preview_goes_by_the_set_in_force_and_an_explained_file_by_the_files_as_edited(
    edited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    previewed, preview = told(capsys, edited, "preview", str(SAMPLE), *SOURCE)
    explained, explanation = told(capsys, edited, "mappings", "explain", str(SAMPLE), *SOURCE)
    assert (True, False) == (previewed["in_force"], explained["in_force"])
    assert f"By the mapping set in force, {previewed['hash'][:12]}." in preview
    assert f"By the files as edited, {explained['hash'][:12]}; they are not in force" in explanation
    run(["mappings", "put", "--site", str(edited), "--as", "kim"])
    capsys.readouterr()
    again, _ = told(capsys, edited, "preview", str(SAMPLE), *SOURCE)
    same, explanation = told(capsys, edited, "mappings", "explain", str(SAMPLE), *SOURCE)
    assert again == same == {"hash": explained["hash"], "in_force": True}
    assert f"By the mapping set in force, {same['hash'][:12]}." in explanation


def test_what_is_stored_is_explained_by_the_set_in_force_unless_the_edited_files_are_asked_for(
    edited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["ingest", str(SAMPLE), *SOURCE, "--site", str(edited)])
    capsys.readouterr()
    run(["messages", "list", "--site", str(edited), "--json"])
    message = json.loads(capsys.readouterr().out)["messages"][0]["id"]
    by_force, _ = told(capsys, edited, "mappings", "explain", message)
    by_files, _ = told(capsys, edited, "mappings", "explain", message, "--edited")
    assert (True, False) == (by_force["in_force"], by_files["in_force"])
