"""What is remembered of mapping files: the same as reading them, and never what was there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.csv.view import CSV_NOTATION
from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping import remembered
from adapters.mapping.check import CheckedMappings, check_mappings
from adapters.mapping.mapping_files import read_mapping_files
from adapters.mapping.remembered import Remembered
from adapters.mapping.yaml_reader import Problems, read_yaml
from gateway.rules.gate import RULES_BY_NAME

SHIPPED = read_mapping_files(shipped=True, overlay=None)
FILE = "payers/medicare.yaml"


def checked(files: dict[str, bytes], kept: Remembered) -> CheckedMappings:
    return check_mappings(files, (FHIR_NOTATION, HL7_NOTATION, CSV_NOTATION), RULES_BY_NAME, kept)


@pytest.mark.parametrize("path", [path for path in SHIPPED if not path.startswith("tests/")])
def test_a_remembered_file_is_the_file_with_every_place(path: str, tmp_path: Path) -> None:
    first = Remembered(tmp_path / "cache")
    first.table(path, SHIPPED[path], Problems())
    first.keep()
    again = Remembered(tmp_path / "cache")
    assert read_yaml(path, SHIPPED[path], Problems()) == again.table(path, SHIPPED[path], Problems())


def test_a_second_check_says_what_the_first_said(tmp_path: Path) -> None:
    broken = SHIPPED | {
        FILE: SHIPPED[FILE].replace(b"medicare", b"medicaer"),
        "payers/none.yaml": b"payers: [",
        "sources/generic-hl7.yaml": SHIPPED["sources/generic-hl7.yaml"].replace(b"PID-7", b"PID-x"),
    }
    first = checked(broken, Remembered(tmp_path / "cache"))
    assert 3 == len(first.problems)
    assert first.problems == checked(broken, Remembered(tmp_path / "cache")).problems
    assert first.problems == checked(broken, Remembered()).problems


def test_a_mistake_mended_and_made_again_is_told_again(tmp_path: Path) -> None:
    broken = SHIPPED | {"sources/generic-hl7.yaml": SHIPPED["sources/generic-hl7.yaml"].replace(b"PID-7", b"PID-x")}
    found = [checked(each, Remembered(tmp_path / "cache")).ok for each in (SHIPPED, broken, SHIPPED, broken)]
    assert [True, False, True, False] == found


def test_what_other_code_read_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Remembered(tmp_path / "cache")
    first.note_sound(FILE, b"x")
    first.keep()
    assert Remembered(tmp_path / "cache").is_sound(FILE, b"x")
    monkeypatch.setattr(remembered, "version", lambda _: "another")
    assert not Remembered(tmp_path / "cache").is_sound(FILE, b"x")


def test_a_spoiled_cache_is_as_good_as_none(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    checked(SHIPPED, Remembered(cache))
    whole = cache.read_bytes()
    for spoiled in (b"", b"\x00", whole[:-100], whole.replace(b"payers", b"pay\xffrs")):
        cache.write_bytes(spoiled)
        assert () == checked(SHIPPED, Remembered(cache)).problems


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    assert () == checked(SHIPPED, Remembered(tmp_path / "run" / "cache")).problems


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    checked(SHIPPED, Remembered(cache))
    before = cache.stat().st_size
    checked({path: content for path, content in SHIPPED.items() if not path.startswith("sources/")}, Remembered(cache))
    assert cache.stat().st_size < before / 2
