"""What a run showed of each fault: `pytest -m fault --keep-fault-results` keeps it for docs/reference/faults.md."""

from __future__ import annotations

import ast
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("results.json")
SQLITE, POSTGRES, NEITHER = "sqlite", "postgres", "no-database"
Shown = Mapping[str, Mapping[str, Mapping[str, int]]]
"""By test (``file::name``) and database: how many of its cases passed, and what it counted itself."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that asks for it."""
    told = f"keep what the fault tests of this run showed in {RESULTS.name}, beside what others showed before"
    parser.addoption("--keep-fault-results", action="store_true", help=told)


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the run only when asked."""
    if config.getoption("--keep-fault-results"):
        config.pluginmanager.register(_Keeper(is_worker=hasattr(config, "workerinput")))


class _Keeper:
    """Counts the cases that passed; a test of which one failed showed nothing. With xdist, workers only tell."""

    def __init__(self, *, is_worker: bool) -> None:
        self._is_worker = is_worker
        self._passed: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self._failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Have each fault test's reports tell on which database it ran."""
        for item in items:
            if item.get_closest_marker("fault"):
                item.user_properties.append(("database", _database(item)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one case, or note that it failed."""
        told = dict(report.user_properties)
        test = report.nodeid.partition("[")[0]
        if "database" not in told:
            return
        if report.when == "call" and report.passed:
            self._passed[test][str(told["database"])].update(told.get("figures", {}), passed=1)
        elif not report.passed:
            self._failed.add(test)

    def pytest_sessionfinish(self) -> None:
        """Put what this run showed in place of what was known of the same tests and databases."""
        if self._is_worker:
            return
        kept = {test: dict(each) for test, each in shown().items()}
        for test, by_database in self._passed.items():
            kept.setdefault(test, {}).update({name: dict(counted) for name, counted in by_database.items()})
        there_are = {f"{path}::{test}" for tests in collected().values() for path, test in tests}
        for gone in self._failed | (kept.keys() - there_are):
            kept.pop(gone, None)
        RESULTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def collected() -> dict[str, list[tuple[str, str]]]:
    """(file, test) of every test that is marked with a fault, by fault, in order."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for fault in _faults_of(node):
                    found[fault].append((str(path.relative_to(ROOT)), node.name))
    return found


def _faults_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
            yield from (ast.literal_eval(each) for each in decorator.args)


def shown() -> Shown:
    """What runs have shown."""
    found: Shown = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


def _database(item: pytest.Item) -> str:
    """The engine a test asked for: as one of both, or by its fixture."""
    parameters = getattr(item, "callspec", None)
    for each in parameters.params.values() if parameters else ():
        if each in (SQLITE, POSTGRES):
            return str(each)
    fixtures = getattr(item, "fixturenames", ())
    if "postgres_url" in fixtures or "migrated_postgres" in fixtures:
        return POSTGRES
    return SQLITE if "sqlite_url" in fixtures or "migrated_sqlite" in fixtures else NEITHER
