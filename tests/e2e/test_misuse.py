"""A page of wrong input: each is answered with a sentence and the right exit code, never with a traceback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.command import Cleanclaim

MISUSE = {
    "no such command": ["clams"],
    "no such option": ["check", "--colour"],
    "no file given": ["check"],
    "no such file": ["check", "nowhere.835"],
    "no such file to read": ["read", "nowhere.835"],
    "no site here": ["claims", "list"],
    "no such site": ["doctor", "--site", "nowhere"],
    "a site that is a file": ["doctor", "--site", "a-file"],
    "no source given": ["ingest", "a-file"],
    "neither claim nor all": ["claims", "release"],
    "both claim and all": ["claims", "release", "X", "--all-ready"],
    "a day that is none": ["claims", "override", "X", "rule", "--until", "2026-02-30"],
    "a port that is none": ["sandbox", "--port", "70000"],
    "a fault that is none": ["sandbox", "--root", "sandbox", "--fault", "earthquake"],
    "a secret in the open": ["sandbox", "--root", "sandbox", "--password", "hunter2"],
    "a secret nobody set": ["sandbox", "--root", "sandbox", "--password", "env:CLEANCLAIM_NOBODY_SET_THIS"],
    "no sandbox there": ["sandbox", "ledger", "--root", "nowhere"],
    "a role that is none": ["serve", "--role", "king"],
    "a database of another kind": ["init", "site", "--database", "mysql://localhost/x"],
    "a bench that is none": ["bench", "weather"],
    "a roster that is not there": ["rosters", "import", "credentials", "nowhere.csv"],
    "a mapping of no site": ["mappings", "check"],
    "no patients": ["demo", "--patients", "0"],
}


@pytest.mark.parametrize("what", MISUSE)
def test_misuse_is_answered_with_a_sentence(cleanclaim: Cleanclaim, what: str) -> None:
    (cleanclaim.folder / "a-file").write_bytes(b"")
    done = cleanclaim.run(*MISUSE[what])
    assert done.code in (1, 2)
    assert done.out == ""
    assert done.err.strip()
    assert len(done.err.splitlines()) <= 3
    assert "defect" not in done.err


@pytest.mark.parametrize("what", ["no such command", "no such file", "no such site", "no sandbox there"])
def test_programs_are_told_in_json(cleanclaim: Cleanclaim, what: str) -> None:
    done = cleanclaim.run(*MISUSE[what], "--json")
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert {"kind", "message"} == set(error)
    assert error["message"] in done.err


SETTINGS = {
    "": "site.yaml:1",
    "tenant: [": "site.yaml:",
    "tenant: x\nunknown_key: 1\n": "site.yaml:2:1",
    "tenant: x\ntenant: y\n": "site.yaml:2",
    "\x00": "site.yaml",
    "- a\n- b\n": "site.yaml",
}


@pytest.mark.parametrize("content", SETTINGS)
def test_settings_that_do_not_hold_are_listed_with_their_lines(cleanclaim: Cleanclaim, content: str) -> None:
    (cleanclaim.folder / "site.yaml").write_text(content)
    done = cleanclaim.run("mappings", "check")
    assert done.code == 2
    assert SETTINGS[content] in done.err
    assert "defect" not in done.err


@pytest.mark.parametrize(
    "address",
    ["oracle://x", "postgresql://[::1/x", "mine.sqlite", "sqlite:///not-a-database", "sqlite:///nowhere/x.db"],
)
def test_a_database_that_cannot_be_used_is_said_plainly(cleanclaim: Cleanclaim, address: str) -> None:
    cleanclaim.json("init", "clinic")
    settings = cleanclaim.folder / "clinic" / "site.yaml"
    settings.write_text(settings.read_text().replace("sqlite:///cleanclaim.sqlite", address))
    (cleanclaim.folder / "clinic" / "not-a-database").write_text("years of work\n" * 100)
    done = cleanclaim.run("funnel", "--site", "clinic")
    assert done.code in (1, 2)
    assert "database" in done.err
    assert "defect" not in done.err
    assert (cleanclaim.folder / "clinic" / "not-a-database").read_text() == "years of work\n" * 100


def test_a_password_in_the_database_address_is_never_repeated(cleanclaim: Cleanclaim) -> None:
    cleanclaim.json("init", "clinic", "--database", "postgresql://me:hunter2@127.0.0.1:1/x")
    assert (cleanclaim.folder / "clinic" / "site.yaml").stat().st_mode & 0o077 == 0
    done = cleanclaim.run("funnel", "--site", "clinic")
    assert done.code == 1
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("command", [["doctor"], ["serve"], ["ingest", "--source", "x", "site.yaml"]])
def test_every_command_of_a_site_reads_its_settings_first(cleanclaim: Cleanclaim, command: list[str]) -> None:
    (cleanclaim.folder / "site.yaml").write_text("tenant: x\nunknown_key: 1\n")
    done = cleanclaim.run(*command)
    assert done.code == 2
    assert "site.yaml:2:1" in done.err


def test_a_folder_with_files_is_never_made_a_site(cleanclaim: Cleanclaim) -> None:
    mine = cleanclaim.folder / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    done = cleanclaim.run("init", mine)
    assert done.code == 1
    assert [Path("thesis.txt")] == [each.relative_to(mine) for each in mine.rglob("*")]


def test_a_reader_that_goes_away_is_no_failure_worth_a_word(cleanclaim_command: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{cleanclaim_command}' sandbox --list-faults --json | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{"
    assert done.stderr == ""
