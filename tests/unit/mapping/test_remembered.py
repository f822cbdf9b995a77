"""What is remembered of mapping files: the same as reading them, and never what was there before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
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


CONTENT = b"a: 1\nb: [x]\n"


def kept_as(cache: Path, table: Any) -> Remembered:
    """Somebody wrote something else into the cache for the file."""
    first = Remembered(cache)
    first.table(FILE, CONTENT, Problems())
    first.keep()
    written = msgspec.msgpack.decode(cache.read_bytes())
    written["tables"] = dict.fromkeys(written["tables"], table)
    cache.write_bytes(msgspec.msgpack.encode(written))
    return Remembered(cache)


@pytest.mark.parametrize("table", [None, 5, [], [1], [1, 1], [1, 1, "x"], [1, 1, [1]], [1, 1, {"a": 5}]])
def test_a_cache_that_holds_something_else_is_passed_over(tmp_path: Path, table: Any) -> None:
    assert read_yaml(FILE, CONTENT, Problems()) == kept_as(tmp_path / "cache", table).table(FILE, CONTENT, Problems())


@pytest.mark.parametrize(("mode", "believed"), [(0o600, True), (0o660, False), (0o606, False)])
def test_a_cache_that_others_may_write_is_not_believed(tmp_path: Path, mode: int, *, believed: bool) -> None:
    kept = Remembered(tmp_path / "cache")
    kept.note_sound(FILE, CONTENT)
    kept.keep()
    (tmp_path / "cache").chmod(mode)
    assert believed == Remembered(tmp_path / "cache").is_sound(FILE, CONTENT)
