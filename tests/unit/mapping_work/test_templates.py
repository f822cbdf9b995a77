"""Templates of EHRs: each checks, is tried by a case, and says of every entry which public page it follows."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from adapters.mapping.check import check_mappings
from adapters.mapping.mapping_files import TEMPLATES, read_mapping_files, read_templates
from gateway.wiring.mapping_check import NOTATIONS

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
