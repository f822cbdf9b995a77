"""What a command loads before it works: it starts quickly because what it has no use for is not in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import run

DOORS = {"fastapi", "paramiko", "procrastinate", "uvicorn"}
ENGINES = {"cel", "fhir", "fhirpathpy", "hl7apy"}
DATABASES = {"alembic", "psycopg", "sqlalchemy"}
SCRIPT = """
import sys
from gateway.cli import run
code = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
EXAMPLE = Path(__file__).parents[2] / "examples" / "synthetic-commercial-php" / "out.837"


def loaded_by(*arguments: str | Path) -> set[str]:
    """The packages that are there when a command, in a process of its own, has done its work."""
    environment = {name: value for name, value in os.environ.items() if name != "CLEANCLAIM_SITE"}
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose database and mapping files were read before."""
    folder = tmp_path_factory.mktemp("start") / "site"
    assert run(["init", str(folder), "--demo"]) == 0
    assert run(["exchange", "send", "--site", str(folder)]) == 0
    return folder


def test_help_loads_none_of_what_the_commands_need() -> None:
    loaded = loaded_by("--help")
    assert "typer" in loaded
    assert set() == loaded & (DOORS | ENGINES | DATABASES | {"pydantic", "pyx12", "rich", "structlog"})


@pytest.mark.parametrize("command", ["check", "read"])
def test_a_file_is_judged_without_databases_doors_and_the_engines_of_feeds(command: str) -> None:
    assert set() == loaded_by(command, EXAMPLE) & (DOORS | ENGINES | DATABASES)


@pytest.mark.parametrize(
    "command",
    [
        ("claims", "list"),
        ("funnel",),
        ("messages", "list"),
        ("codes", "list"),
        ("mappings", "history"),
        ("mappings", "check"),
        ("exchange", "status"),
        ("exchange", "send"),
    ],
    ids=" ".join,
)
def test_a_command_on_a_site_loads_no_door_and_no_engine_it_has_no_work_for(
    site: Path, command: tuple[str, ...]
) -> None:
    assert set() == loaded_by(*command, "--site", site) & (DOORS | ENGINES | {"alembic", "psycopg"})
