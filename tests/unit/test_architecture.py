"""The floors hold, and every contract that guards them can fail."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
CONTRACTS: list[dict[str, Any]] = SETTINGS["tool"]["importlinter"]["contracts"]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# Per contract one import, "module -> imported", that must break it and no other contract but the ones it implies.
VIOLATIONS = {
    "Floors: imports point down only": "adapters.fhir -> gateway.store",
    "Every gateway module has a floor": "gateway.floorless -> gateway.claim",
    "Every adapter has a floor": "adapters.floorless -> gateway.claim",
    "Doors reach the edges through wiring": "gateway.cli -> gateway.store",
    "The labelled defects know nothing of what judges them": "gateway.bench.defects -> gateway.rules",
    "X12 syntax knows no claims": "clearinghouse.x12 -> gateway.claim",
    "The sandbox can disagree with us: it imports clearinghouse alone": "clearinghouse.sandbox -> gateway.claim",
    "Production code never leans on the sandbox": "clearinghouse.mailbox -> clearinghouse.sandbox",
}


def test_every_import_of_ours_points_down() -> None:
    verdict = _lint_imports(REPOSITORY)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_every_contract_has_a_planted_violation() -> None:
    assert [contract["name"] for contract in CONTRACTS] == list(VIOLATIONS)


def test_a_tree_of_empty_modules_keeps_every_contract(tmp_path: Path) -> None:
    _plant_empty_modules(tmp_path)
    verdict = _lint_imports(tmp_path)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_contract_breaks_on_an_import_it_forbids(name: str, tmp_path: Path) -> None:
    _plant_empty_modules(tmp_path)
    importer, _, imported = VIOLATIONS[name].partition(" -> ")
    _add_module(tmp_path, importer, f"import {imported}\n")
    verdict = _lint_imports(tmp_path)
    assert verdict.returncode != 0
    assert f"{name} BROKEN" in verdict.stdout


def test_the_domain_imports_the_standard_library_what_its_values_are_made_with_and_itself_alone() -> None:
    strangers = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in (REPOSITORY / "gateway/claim").rglob("*.py")
        for name in _imports(path)
        if name.partition(".")[0] not in sys.stdlib_module_names | {"msgspec"} and not _is_inside(name, "gateway.claim")
    }
    assert strangers == set()


def test_x12_syntax_imports_nothing_of_ours_but_itself() -> None:
    ours = {*SETTINGS["tool"]["importlinter"]["root_packages"], "mappings"}
    upward = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in (REPOSITORY / "clearinghouse/x12").rglob("*.py")
        for name in _imports(path)
        if name.partition(".")[0] in ours and not _is_inside(name, "clearinghouse.x12")
    }
    assert upward == set()


def test_end_to_end_tests_know_the_product_from_outside_alone() -> None:
    """They must be able to run where our packages cannot be imported, so that nothing poisons them."""
    ours = set(SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    tests = REPOSITORY / "tests"
    outside = [tests / "conftest.py", tests / "servers.py", *(tests / "e2e").rglob("*.py")]
    insiders = {f"{path.name}: {name}" for path in outside for name in _imports(path) if name.partition(".")[0] in ours}
    assert insiders == set()


def test_mappings_hold_data_and_no_code() -> None:
    code = [path for path in (REPOSITORY / "mappings").rglob("*.py") if path.parent.name != "mappings"]
    marker = ast.parse((REPOSITORY / "mappings/__init__.py").read_text())
    assert code == []
    assert [type(node) for node in marker.body] == [ast.Expr]


def test_no_drawer_for_everything() -> None:
    """A module named `utils` or `common` has no reason to keep anything out."""
    drawers = {"utils", "util", "common", "core", "helpers", "helper", "misc", "lib", "manager", "managers"}
    found = [
        str(path.relative_to(REPOSITORY))
        for package in SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        for path in (REPOSITORY / package).rglob("*")
        if path.stem in drawers
    ]
    assert found == []


def _is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _imports(path: Path) -> Iterator[str]:
    """Every module a file imports, relative ones spelled out."""
    package = path.relative_to(REPOSITORY).parent.parts
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            yield ".".join(part for part in (base, node.module) if part)


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINT_IMPORTS), "--no-cache", "--config", str(folder / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _plant_empty_modules(folder: Path) -> None:
    """A tree with every module that a contract names, and nothing in any of them."""
    (folder / "pyproject.toml").write_bytes((REPOSITORY / "pyproject.toml").read_bytes())
    for contract in CONTRACTS:
        floors = [name.strip(" ()") for floor in contract.get("layers", ()) for name in floor.split("|")]
        named = [f"{container}.{floor}" for container in contract.get("containers", ()) for floor in floors] or floors
        for key in ("source_modules", "forbidden_modules", "protected_modules", "allowed_importers"):
            named += contract.get(key, ())
        for name in named:
            _add_module(folder, name, "")


def _add_module(folder: Path, name: str, content: str) -> None:
    package = folder
    for part in name.split("."):
        package = package / part
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
    (package / "__init__.py").write_text(content)
