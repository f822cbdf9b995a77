"""Sizes, docstrings and words that every product file keeps to."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PACKAGES: list[str] = SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

LINES_PER_MODULE_MAX = 600
LINES_PER_FUNCTION_MAX = 70

TEXT_SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".in", ".sql", ".html", ".css", ".js", ".sh"}

# Each pattern, and what it gives away. Split where this file would find itself.
WORDS_THAT_STAY_OUT = {
    "a note to self": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b"),
    "a package registry's address": re.compile(
        r"py"
        + r"pi\.(org|io)|python"
        + r"hosted\.org|registry\.npm"
        + r"js|deb\.deb"
        + r"ian\.org|--(extra-)?index"
        + r"-url [h/]"
    ),
    "a path of one machine": re.compile(r"(?<![\w.~-])/(work|home/\w+|ro" + r"ot|Users/\w+)/"),
    "a merge that was never finished": re.compile(r"^(<{7}|>{7}) ", re.MULTILINE),
}


def _product_files() -> list[Path]:
    """Every file under version control or about to be, by the ignore rules of git where it is there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [REPOSITORY / name for name in listed.stdout.decode().split("\0") if name]
    else:
        folders = [*PACKAGES, "tests", "docs", ".ci"]
        paths = [path for folder in folders for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
        paths += [path for path in REPOSITORY.iterdir() if path.is_file()]
    return sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def _modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            yield str(path.relative_to(REPOSITORY)), path


MODULES = dict(_modules())


def test_every_module_says_what_it_is() -> None:
    silent = [
        name
        for name, path in MODULES.items()
        if path.parent.name != "versions"  # a migration is named by its file, the folder by Alembic
        and not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []


def test_no_module_is_too_long_to_read_at_once() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_PER_MODULE_MAX} == {}


def test_no_function_is_too_long_to_hold_in_mind() -> None:
    too_long = {
        f"{name}:{node.lineno} {node.name}": lines
        for name, path in MODULES.items()
        if path.parent.name != "versions"  # a migration is a table of statements
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LINES_PER_FUNCTION_MAX
    }
    assert too_long == {}


def test_every_folder_of_tests_has_tests() -> None:
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("__init__.py")} - {REPOSITORY / "tests"}
    assert sorted(str(folder) for folder in folders if not any(folder.rglob("test_*.py"))) == []


@pytest.mark.parametrize("what", WORDS_THAT_STAY_OUT)
def test_no_file_holds(what: str) -> None:
    pattern = WORDS_THAT_STAY_OUT[what]
    found = [
        f"{path.relative_to(REPOSITORY)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for path in _product_files()
        if path.suffix in TEXT_SUFFIXES or path.name in {"Makefile", "run"}
        for text in [path.read_text(errors="replace")]
        for match in pattern.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a note to self", "# TO" + "DO: later"),
        ("a package registry's address", "https://py" + "pi.org/simple"),
        ("a path of one machine", "see /wo" + "rk/main"),
        ("a merge that was never finished", "<<<<<<<" + " HEAD"),
    ],
)
def test_words_that_stay_out_are_found(what: str, text: str) -> None:
    assert WORDS_THAT_STAY_OUT[what].search(text)


def test_every_package_that_is_imported_is_declared() -> None:
    """A package that only comes along with another one goes away with it."""
    declared = {_canonical(Requirement(text).name) for text in SETTINGS["project"]["dependencies"]}
    distributions = packages_distributions()
    undeclared = {
        f"{name}: {imported}"
        for name, path in MODULES.items()
        for imported in _top_level_imports(path)
        if imported not in sys.stdlib_module_names
        and imported not in PACKAGES
        and not declared & {_canonical(distribution) for distribution in distributions.get(imported, ())}
    }
    assert undeclared == set()


def _top_level_imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_ = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in plain | from_}


def test_runtime_lock_source_is_the_projects_own_dependencies() -> None:
    lines = (REPOSITORY / "requirements.in").read_text().splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    assert set(SETTINGS["project"]["dependencies"]) == listed


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_locks_pin_every_package_by_hash_and_name_no_index(name: str) -> None:
    lock = (REPOSITORY / name).read_text()
    entries = re.sub(r"\\\n", "", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE)).splitlines()
    loose = [
        entry for entry in entries if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)
    ]
    assert loose == []
    assert "://" not in lock


def test_runtime_lock_holds_what_the_project_asks_for_and_the_test_lock_agrees() -> None:
    runtime, development = (_pins(name) for name in ("requirements.txt", "requirements-dev.txt"))
    wanted = [Requirement(text) for text in SETTINGS["project"]["dependencies"]]
    unmet = [str(need) for need in wanted if runtime.get(_canonical(need.name), "0") not in need.specifier]
    assert unmet == []
    assert {name: pin for name, pin in runtime.items() if development.get(name) != pin} == {}


def _pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", (REPOSITORY / name).read_text(), flags=re.MULTILINE)
    return {_canonical(package): version for package, version in found}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
