"""Templates of EHRs: each checks, is tried by a case, and says of every entry which public page it follows."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.check import check_mappings
from adapters.mapping.mapping_files import TEMPLATES, read_mapping_files, read_templates
from gateway.cli import run
from gateway.wiring.mapping_check import NOTATIONS
from tests.unit.docs.pages import ROOT, blocks

SHIPPED = read_mapping_files(shipped=True, overlay=None)
FOLDER = Path(str(files("mappings"))) / TEMPLATES
NAMES = sorted(each.stem for each in (FOLDER / "sources").glob("*.yaml"))
each_template = pytest.mark.parametrize("name", NAMES)


def template(name: str) -> dict[str, Any]:
    read: dict[str, Any] = YAML(typ="safe").load((FOLDER / "sources" / f"{name}.yaml").read_text())
    return read


def test_the_templates_and_the_clinic_they_are_tried_in_check_without_a_remark() -> None:
    found = check_mappings({**SHIPPED, **read_templates()}, NOTATIONS)
    assert [] == list(found.problems)
    assert [] == [each for each in found.remarks if "juniper" in each or any(name in each for name in NAMES)]


def test_no_template_is_in_any_sites_set() -> None:
    assert [] == [path for path in SHIPPED if path in read_templates()]


@each_template
def test_a_template_stands_on_a_shipped_base_and_nobody_has_verified_it(name: str) -> None:
    read = template(name)
    assert (f"generic-{read['extends'].partition('-')[2]}", False) == (read["extends"], read["verified"])
    assert name.endswith(read["extends"].removeprefix("generic"))


@each_template
def test_every_entry_of_a_template_names_the_public_page_it_follows(name: str) -> None:
    assert [] == [
        each["name"] for each in template(name)["records"] if not str(each.get("source", "")).startswith("https://")
    ]


@each_template
def test_a_template_is_tried_by_a_case_that_ends_in_lines_of_claims(name: str) -> None:
    cases = [YAML(typ="safe").load(each.read_text()) for each in (FOLDER / "tests" / name).glob("*.yaml")]
    assert {name} == {each["source"] for each in cases}
    assert [claim for each in cases for claim in each["expect"].get("claims", ()) if claim["lines"]] != []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies") / "site"
    run(["init", str(folder)])
    return folder


def made(site: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run(["mappings", "new", *words, "--site", str(site), "--json"])
    return code, json.loads(capsys.readouterr().out)


@each_template
def test_a_copy_checks_and_reads_its_feed_as_the_template_does_under_names_of_its_own(
    site: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    own = f"own-{NAMES.index(name)}"
    code, said = made(site, capsys, own, "--template", name)
    assert (0, []) == (code, said["problems"])
    text = Path(said["path"]).read_text()
    copy = load_mapping_set({**SHIPPED, f"sources/{own}.yaml": text.encode()}, NOTATIONS).source(own)
    assert (name in text, "juniper" in text.replace("juniper.example", "")) == (False, False)
    shipped = load_mapping_set({**SHIPPED, **read_templates()}, NOTATIONS).source(name)
    assert [(each.name, list(each.fields)) for each in shipped.records] == [
        (each.name, list(each.fields)) for each in copy.records
    ]
    assert set(copy.namespaces) == set(shipped.namespaces)
    assert [] == [each for each in copy.namespaces.values() if not each.startswith(f"{own}-")]


def test_a_copy_is_tried_on_samples(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = FOLDER / "tests" / "epic-fhir" / "series.json"
    _, said = made(site, capsys, "tried", "--template", "epic-fhir", "--from", str(sample))
    assert (1, 4) == (said["messages"], said["encounters"])
    assert {"session.facility: no facility has this name in 'tried-location'"} < {
        each["message"] for each in said["findings"]
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("oak", "--template", "epic"), "did you mean 'epic-fhir'?"),
        (("oak", "--template", "eclinicalworks-hl7", "--from", "SAMPLE"), "is for samples of hl7v2"),
        (("oak",), "name samples with --from, a template with --template, or both"),
    ],
)
def test_what_cannot_be_copied_is_told_and_nothing_is_written(
    site: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    sample = str(FOLDER / "tests" / "epic-fhir" / "series.json")
    code = run(["mappings", "new", *(sample if each == "SAMPLE" else each for each in words), "--site", str(site)])
    assert code != 0
    assert told in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (site / "mappings" / "sources" / "oak.yaml").exists()


def test_the_page_shows_what_the_command_says(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site)
    sample = str(FOLDER / "tests" / "epic-fhir" / "series.json")
    assert run(["mappings", "new", "oak-epic", "--template", "epic-fhir", "--from", sample]) == 0
    (shown, *_) = (
        each.text for each in blocks(ROOT / "docs" / "how-to" / "start-from-a-template.md") if not each.language
    )
    assert shown in capsys.readouterr().out
