from pathlib import Path

import pytest

from adapters.mapping.mapping_files import read_mapping_files
from gateway.errors import ConfigurationError


def test_the_shipped_files_are_read_from_the_package() -> None:
    files = read_mapping_files(shipped=True, overlay=None)
    assert {"sources/generic-fhir.yaml", "sources/generic-hl7.yaml", "codes/sessions.yaml"} <= set(files)
    assert all(path.endswith((".yaml", ".yml")) for path in files)
    assert list(files) == sorted(files)


def test_a_sites_file_stands_in_for_the_shipped_one_of_its_path(tmp_path: Path) -> None:
    for path in (
        "codes/sessions.yaml",
        "payers/north/acme.yaml",
        "payers/.hidden.yaml",
        "payers/notes.txt",
        "other/x.yaml",
        "tests/case.yaml",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("site")
    files = read_mapping_files(shipped=True, overlay=tmp_path)
    assert b"site" == files["codes/sessions.yaml"]
    assert b"site" == files["payers/north/acme.yaml"]
    assert not {"payers/.hidden.yaml", "payers/notes.txt", "other/x.yaml", "tests/case.yaml"} & set(files)
    assert {"codes/sessions.yaml", "payers/north/acme.yaml"} == set(read_mapping_files(shipped=False, overlay=tmp_path))


def test_an_overlay_that_is_no_folder_is_an_error_and_not_an_empty_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a folder"):
        read_mapping_files(shipped=False, overlay=tmp_path / "missing")


def test_an_empty_file_of_a_site_takes_the_shipped_one_out(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/generic-fhir.yaml").write_text("# not used here\n\n")
    (tmp_path / "sources/own.yaml").write_text("")
    files = read_mapping_files(shipped=True, overlay=tmp_path)
    assert "sources/generic-fhir.yaml" not in files
    assert b"" == files["sources/own.yaml"]
