"""The API over a real site: the demo's settings, a real SQLite file, the samples taken in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gateway.api.app import create_app
from gateway.demo.feed import Feed
from gateway.demo.month import clinic_month
from gateway.wiring.ingest import Taking
from gateway.wiring.new_site import make_site
from gateway.wiring.site import Site, open_site

PATIENTS, MESSAGES = 24, 120


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("api") / "clinic"
    make_site(folder, demo=True, database="sqlite:///cleanclaim.sqlite", samples={})
    opened = open_site(folder)
    takings = {feed: Taking(opened, feed) for feed in Feed}
    for message, _ in zip(clinic_month(patients=PATIENTS).messages(), range(MESSAGES), strict=False):
        takings[message.feed].take_bytes(message.content)
    opened.settle()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def client(site: Site) -> Iterator[TestClient]:
    with TestClient(create_app(site, site.settle), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def tokens(site: Site) -> dict[str, dict[str, str]]:
    """Authorization headers by the name of a user or source."""
    folder = Path(site.settings.folder) / "secrets"
    return {
        file.stem: {"Authorization": f"Bearer {file.read_text().strip()}"} for file in sorted(folder.glob("*.token"))
    }
