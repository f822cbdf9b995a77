"""The API's page is what the contract says; `python -m gateway.cli.reference docs/reference` writes it anew."""

from __future__ import annotations

from pathlib import Path

from gateway.api.app import create_app
from gateway.cli.reference import api_page
from gateway.wiring.site import Site

PAGES = Path(__file__).parents[3] / "docs" / "reference"


def test_the_page_of_the_api_is_current(site: Site) -> None:
    assert api_page(create_app(site, site.settle).openapi()) == (PAGES / "api.md").read_text()
