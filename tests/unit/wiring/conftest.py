"""A plain site of one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.wiring.new_site import make_site
from gateway.wiring.site import Site, open_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    make_site(tmp_path / "clinic", demo=False, database="sqlite:///clinic.sqlite", samples={})
    opened = open_site(tmp_path / "clinic")
    yield opened
    opened.close()
