"""The reference pages are what the code says; `python -m gateway.cli.reference docs/reference` writes them anew."""

from __future__ import annotations

from pathlib import Path

import typer

from gateway.cli.app import app
from gateway.cli.reference import cli_page, walk
from gateway.cli.shapes import SHAPES

PAGES = Path(__file__).parents[3] / "docs" / "reference"


def test_every_command_documents_its_json_and_no_other_is_documented() -> None:
    assert {" ".join(path) for path, _ in walk(typer.main.get_command(app))} == set(SHAPES)


def test_the_page_of_the_command_line_is_current() -> None:
    assert cli_page() == (PAGES / "cli.md").read_text()
