"""`mappings test`: the shipped cases hold, and a site's own are run by its files as they are edited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.resources import files
from os import mkfifo
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run

SHIPPED = Path(str(files("mappings"))) / "tests"


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Path]:
    """A site with one of the shipped cases as its own."""
    run(["init", str(tmp_path / "site")])
    capsys.readouterr()
    shutil.copytree(SHIPPED / "riverbend", tmp_path / "site" / "mappings" / "tests" / "riverbend")
    yield tmp_path / "site"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = run(["mappings", "test", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_every_shipped_source_has_a_case_and_every_case_holds(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = told(capsys, "--shipped", "--site", str(site))
    assert [] == [each for each in found["cases"] if not each["ok"]]
    assert code == 0
    named = "\n".join(path.read_text() for path in SHIPPED.rglob("*.yaml"))
    assert [] == [each.stem for each in SHIPPED.parent.glob("sources/*.yaml") if f"source: {each.stem}" not in named]


def test_an_edit_that_changes_a_claim_is_told_by_field_and_can_be_accepted(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = site / "mappings" / "tests" / "riverbend" / "two-feeds.yaml"
    facilities = (SHIPPED.parent / "facilities" / "riverbend.yaml").read_text()
    (site / "mappings" / "facilities" / "riverbend.yaml").write_text(facilities.replace("465.00", "470.00"))
    before = case.read_text()
    code, found = told(capsys, str(case), "--site", str(site))
    (case_told,) = found["cases"]
    assert code == 1
    assert {"path": "claims[0].lines[0].charge", "expected": "465.00", "found": "470.00"}.items() <= next(
        each for each in case_told["differences"] if each["path"].startswith("claims[0].lines[0]")
    ).items()
    assert before == case.read_text()
    code, found = told(capsys, str(case), "--accept", "--site", str(site))
    assert (0, True) == (code, found["cases"][0]["accepted"])
    assert before.replace("465.00", "470.00").replace("1395.00", "1410.00") == case.read_text()


def test_without_paths_the_sites_own_cases_run_and_no_database_is_made(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = told(capsys, "--site", str(site))
    assert (0, 2) == (code, len(found["cases"]))
    assert [] == list(site.glob("*.sqlite*"))


def test_a_case_that_cannot_run_stops_no_other(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site / "mappings" / "tests" / "riverbend"
    (folder / "lost.yaml").write_text("source: riverbend-fhir\nnow: 2026-09-01T13:00:00Z\nmessages: [nowhere.json]\n")
    (folder / "unknown.yaml").write_text("source: nobody\nnow: 2026-09-01T13:00:00Z\nmessages: [two-feeds.json]\n")
    (folder / "broken.yaml").write_text("now: yesterday\n")
    code, found = told(capsys, "--site", str(site))
    errors = {Path(each["case"]).stem: each["error"] for each in found["cases"]}
    assert code == 1
    assert "nowhere.json cannot be read (No such file or directory)" in errors["lost"]
    assert "no source 'nobody'" in errors["unknown"]
    assert "expected a moment with its offset" in errors["broken"]
    assert (None, None) == (errors["two-feeds"], errors["cancelled-week"])


def test_a_part_is_not_written_over(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = site / "mappings" / "tests" / "riverbend" / "part.yaml"
    head = "source: riverbend-fhir\nnow: 2026-09-01T13:00:00Z\nmessages: [two-feeds.json]\nmatch: part\n"
    case.write_text(head + "expect:\n  claims: [{charge: 1.00}]\n")
    code, found = told(capsys, str(case), "--accept", "--site", str(site))
    assert code == 1
    assert "is written by hand" in found["cases"][0]["error"]
    assert "charge: 1.00" in case.read_text()


def test_a_site_of_any_tenant_runs_the_shipped_cases_and_its_own(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = site / "site.yaml"
    settings.write_text(settings.read_text().replace("tenant: riverbend", "tenant: willow"))
    (site / "mappings" / "facilities").mkdir(exist_ok=True)
    facilities = (SHIPPED.parent / "facilities" / "riverbend.yaml").read_text()
    (site / "mappings" / "facilities" / "riverbend.yaml").write_text(
        facilities.replace("tenant: riverbend", "tenant: willow")
    )
    assert told(capsys, "--site", str(site))[0] == 0
    assert told(capsys, "--shipped", "--site", str(site))[0] == 0


def test_a_case_reads_nothing_but_files_in_its_folder(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = site / "mappings" / "tests" / "riverbend"
    (tmp_path / "elsewhere.json").write_text("{}")
    (folder / "link.json").symlink_to(tmp_path / "elsewhere.json")
    mkfifo(folder / "pipe.json")
    for case in folder.glob("*.yaml"):
        case.unlink()
    names = (
        "../../../site.yaml",
        "/dev/zero",
        str(tmp_path / "elsewhere.json"),
        "link.json",
        "pipe.json",
        "a\\0b",
        ".",
    )
    for number, name in enumerate(names):
        case = f'source: riverbend-fhir\nnow: 2026-09-01T13:00:00Z\nmessages: ["{name}"]\n'
        (folder / f"{number}.yaml").write_text(case)
    code, found = told(capsys, "--site", str(site))
    assert (1, len(names)) == (code, len(found["cases"]))
    assert [] == [each for each in found["cases"] if "files in its folder" not in str(each["error"])]
