"""Code lists of a site: imported once, listed, compared, and asked by the gate from then on."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run
from gateway.wiring.new_site import make_site
from gateway.wiring.site import open_site

IN_2026 = date(2026, 8, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_site(tmp_path / "clinic", demo=True, database="sqlite:///site.sqlite", samples={})
    return tmp_path / "clinic"


def list_file(folder: Path, *codes: str) -> Path:
    file = folder / f"codes-{len(codes)}.csv"
    file.write_text("Code,Label\n" + "".join(f"{code},words\n" for code in codes))
    return file


def derived_for(folder: Path) -> str:
    """What every draft of the site has to be derived for."""
    site = open_site(folder)
    try:
        return site.derivation.derived_for(site.clock.now())
    finally:
        site.close()


def codes(capsys: pytest.CaptureFixture[str], folder: Path, *words: object) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = run(["codes", *map(str, words), "--site", str(folder), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_list_is_imported_once_and_the_gate_goes_by_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = list_file(folder, "0905", "0913")
    given = ("import", "revenue-codes", file, "--from", "2026-01-01")
    assert (0, True, 2) == (lambda status, done: (status, done["imported"], done["rows"]))(
        *codes(capsys, folder, *given)
    )
    assert (0, False) == (lambda status, done: (status, done["imported"]))(*codes(capsys, folder, *given))
    assert "revenue-codes@2026-01-01" in derived_for(folder), "claims not sent yet are judged again"
    site = open_site(folder)
    try:
        known = [site.policy.codes.revenue_code_is_known(code, IN_2026) for code in ("0905", "0906")]
        assert [True, False] == known
        with site.store.read() as tx:
            assert ["import-codes"] == [each["action"] for each in tx.audit.acts("codes:revenue-codes")]
    finally:
        site.close()


def test_two_releases_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for start, listed in (("2025-01-01", ("0905", "0906")), ("2026-01-01", ("0905", "0912", "0913"))):
        codes(capsys, folder, "import", "revenue-codes", list_file(folder, *listed), "--from", start)
    status, found = codes(capsys, folder, "diff", "revenue-codes")
    assert 1 == status
    expected = [("0906", "removed"), ("0912", "added"), ("0913", "added")]
    assert expected == [(each["code"], each["change"]) for each in found["changes"]]
    hashes = [each["sha256"] for each in (found["after"], found["before"])]
    _, back = codes(capsys, folder, "diff", "revenue-codes", hashes[0], hashes[1][:8])
    assert ["added", "removed", "removed"] == [each["change"] for each in back["changes"]]


def test_a_year_of_diagnoses_ends_with_its_fiscal_year(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "order.txt"
    file.write_text("00001 F33     0 words\n00002 F331    1 words\n")
    _, done = codes(capsys, folder, "import", "icd-10-cm", file, "--from", "2026-10-01")
    assert ("2026-10-01", "2027-09-30") == (done["start_on"], done["end_on"])
    _, found = codes(capsys, folder, "list")
    assert ["icd-10-cm"] == [each["kind"] for each in found["kinds"] if each["releases"]]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("carc", "Code\n1\nQQQQ\n", "list.csv:3: what stands there is not a reason code"),
        ("cards", "Code\n1\n", "there is no kind of code list 'cards'; there are icd-10-cm, hcpcs,"),
    ],
)
def test_what_cannot_be_imported_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], kind: str, content: str, said: str
) -> None:
    file = folder / "list.csv"
    file.write_text(content)
    assert 0 != run(["codes", "import", kind, str(file), "--from", "2026-01-01", "--site", str(folder)])
    assert said in capsys.readouterr().err
    _, found = codes(capsys, folder, "list")
    assert [] == [each for kind_ in found["kinds"] for each in kind_["releases"]]


@pytest.mark.parametrize("days", [("--from", "9999-12-31"), ("--from", "2026-01-01", "--until", "2025-12-31")])
def test_a_release_holds_for_days_that_follow_each_other(
    folder: Path, capsys: pytest.CaptureFixture[str], days: tuple[str, ...]
) -> None:
    file = list_file(folder, "0905")
    assert 2 == run(["codes", "import", "icd-10-cm", str(file), *days, "--site", str(folder)])
    assert "a release holds from a day up to 2199-12-31 until the same day or a later one" in capsys.readouterr().err
