"""The golden examples: each case is played whole, and every file that comes of it is compared byte for byte.

``ACCEPT_EXAMPLES=1 pytest tests/contract/test_examples.py`` writes what came out as what is expected; read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.referee import ask_referee
from tests.contract.example_case import Play

EXAMPLES = Path(__file__).parent.parent / "examples"
CASES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
X12 = (".837", ".ta1", ".999", ".277ca", ".835")
NOT_THE_REFEREES = ".ta1"
"""pyx12 knows no TA1 outside a functional group, where the standard puts it."""


def given(case: str) -> list[Path]:
    """The case's input files in order."""
    return sorted(path for path in (EXAMPLES / case).iterdir() if path.name.startswith("in"))


def expected(case: str) -> dict[str, bytes]:
    """The case's other files, its notes apart."""
    inputs = {path.name for path in given(case)}
    return {
        path.name: path.read_bytes() for path in (EXAMPLES / case).iterdir() if path.name not in inputs | {"notes.md"}
    }


@pytest.mark.parametrize("case", CASES)
def test_an_example_comes_out_byte_for_byte(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(tmp_path, monkeypatch)
    try:
        found = play.run(given(case))
        assert play.ailing() == []
    finally:
        play.close()
    if os.environ.get("ACCEPT_EXAMPLES") == "1":
        accept(case, found)
    assert sorted(expected(case)) == sorted(found)
    for name, content in sorted(found.items()):
        assert expected(case)[name] == content, f"{case}/{name}: ACCEPT_EXAMPLES=1 takes what came out as expected"


def accept(case: str, found: dict[str, bytes]) -> None:
    """Make what came out the expectation."""
    for name in set(expected(case)) - set(found):
        (EXAMPLES / case / name).unlink()
    for name, content in found.items():
        (EXAMPLES / case / name).write_bytes(content)


@pytest.mark.parametrize("case", CASES)
def test_the_referee_and_our_own_check_accept_every_file_of_an_example(case: str) -> None:
    for name, content in sorted(expected(case).items()):
        if name.endswith(X12):
            assert name.endswith(NOT_THE_REFEREES) or ask_referee(content) == (), name
            assert list(check_bytes(content).all_findings()) == [], name


@pytest.mark.parametrize("case", CASES)
def test_an_example_says_what_it_shows(case: str) -> None:
    notes = (EXAMPLES / case / "notes.md").read_text()
    assert notes.startswith("# ")
    assert 100 < len(notes) < 1200
