"""The reference pages are what the code says; `python -m gateway.cli.reference docs/reference` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.app import app
from gateway.cli.reference import cli_page, walk
from gateway.cli.shapes import SHAPES

COMMAND = typer.main.get_command(app)
PAGES = Path(__file__).parents[3] / "docs" / "reference"


def test_every_command_documents_its_json_and_no_other_is_documented() -> None:
    assert {" ".join(path) for path, _ in walk(COMMAND)} == set(SHAPES)


@pytest.mark.parametrize("group", [(), *sorted({path[:1] for path, _ in walk(COMMAND) if len(path) > 1})])
def test_lists_of_commands_say_what_each_is_for_in_80_columns(group: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*group, "--help"], terminal_width=80).stdout
    assert [] == [line for line in shown.partition("Commands:")[2].splitlines() if line.endswith("...")]


def test_the_page_of_the_command_line_is_current() -> None:
    assert cli_page() == (PAGES / "cli.md").read_text()
