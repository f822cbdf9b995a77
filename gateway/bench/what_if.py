"""The what-if of edited mapping files: stored encounters worked through by two sets, their messages read again."""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from gateway.bench.rows import compared
from gateway.bench.sites import folder_of_site, site_in, take_in
from gateway.bench.timing import on_own_core, sized
from gateway.bench.weeks import ENCOUNTERS, MONDAY, week_messages
from gateway.demo.feed import Feed
from gateway.wiring.collector import settled
from gateway.wiring.what_if import what_if

_EDITED = tuple(f"sources/{feed}.yaml" for feed in Feed)


def foretell(scale: float) -> list[dict[str, Any]]:
    """Encounters a second, where a price and both feeds' files are edited: everything has to be done anew."""
    claims = sized(120, scale, 2)
    with folder_of_site() as folder, site_in(folder) as site:
        take_in(site, week_messages(0, claims))
        site.settle()
        _edit(folder / "mappings")
        with settled():
            seconds, found = on_own_core(partial(what_if, site, MONDAY, None))
    if found["encounters"] != claims * ENCOUNTERS or len(found["read_again"]) != len(Feed) or not found["claims"]:
        raise ValueError("the what-if did not work through every encounter")
    row = compared(
        "what-if of edited files", found["encounters"] / seconds, "encounters/s", "10,000 a minute", 10_000 / 60,
        budget=">= 167 encounters/s", at_least=10_000 / 60,
        note=f"{found['encounters']:,} stored encounters, every message read again, both sets derived and judged",
    )  # fmt: skip
    return [row.document()]


def _edit(overlay: Path) -> None:
    shipped = files("mappings")
    for path in _EDITED:
        (overlay / path).parent.mkdir(exist_ok=True)
        (overlay / path).write_text(f"# edited\n{shipped.joinpath(path).read_text()}")
    prices = "facilities/riverbend.yaml"
    (overlay / prices).parent.mkdir(exist_ok=True)
    (overlay / prices).write_text(shipped.joinpath(prices).read_text().replace("465.00", "470.00"))
