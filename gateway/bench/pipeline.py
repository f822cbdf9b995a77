"""The pipeline stage: stored messages to records, records to weekly claims, claims to a frozen 837, on SQLite."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from gateway.bench.plain_work import bill_plainly
from gateway.bench.rows import compared
from gateway.bench.sites import claims_in, drain, folder_of_site, freeze_all, site_in, take_in
from gateway.bench.timing import on_own_core, sized
from gateway.bench.weeks import DATES, ENCOUNTERS, plain_documents, week_messages
from gateway.wiring.collector import settled
from gateway.wiring.site import Site

_WARM = 4
_PLAIN_DOCUMENTS = 2_000


def bill(scale: float) -> list[dict[str, Any]]:
    """Weekly claims a second from interpreted encounters to a frozen 837, and how its parts share the time."""
    claims = sized(300, scale, 2)
    with folder_of_site() as folder, site_in(folder) as site:
        _warm_up(site)
        before = _records(site)
        take_in(site, week_messages(_WARM, claims))
        with settled():
            interpreting_s, _ = on_own_core(partial(drain, site.interpreting.run))
            deriving_s, derived = on_own_core(partial(drain, site.deriving.run))
            freezing_s, interchanges = on_own_core(partial(freeze_all, site))
        records, frozen = _records(site) - before, claims_in(site, interchanges)
        if derived < claims or frozen != claims:  # those who shared a group with them are derived anew too
            raise ValueError(f"of {claims} claims {derived} were derived and {frozen} frozen")
    plain_per_second = _plain(sized(_PLAIN_DOCUMENTS, scale, 2))
    plain = "load, map, 40 predicates, build, insert"
    shape = f"{claims} weekly claims of {len(DATES)} dates and {ENCOUNTERS} encounters, SQLite WAL FULL"
    rows = [
        compared(
            "encounters to frozen 837", claims / (deriving_s + freezing_s), "claims/s", plain, plain_per_second,
            budget=">= 2,000 claims/s", at_least=2_000.0, note=f"{shape}; nothing changes in between",
        ),
        compared(
            "encounters to judged drafts", claims / deriving_s, "claims/s", plain, plain_per_second,
            note="days, lines, gate, guide check; part of the row above",
        ),
        compared(
            "released drafts to frozen 837", claims / freezing_s, "claims/s", plain, plain_per_second,
            note="what each verdict rests on looked at again; part of the first row",
        ),
        compared(
            "messages to records", records / interpreting_s, "records/s", plain, plain_per_second,
            note=f"mapping files applied, {ENCOUNTERS * claims:,} encounters of two EHRs; the reference counts claims",
        ),
    ]  # fmt: skip
    return [row.document() for row in rows]


def _warm_up(site: Site) -> None:
    """Rules, guides and code lists are loaded, and the day's sweep is over, as in a server that runs since morning."""
    take_in(site, week_messages(0, _WARM))
    site.settle()
    freeze_all(site)
    site.settle()


def _records(site: Site) -> int:
    with site.store.read() as tx:
        return sum(len(each) for each in tx.subjects.about_patients(list(tx.subjects.patient_ids())).values())


def _plain(count: int) -> float:
    documents = plain_documents(count)
    with tempfile.TemporaryDirectory(prefix="cleanclaim-bench-") as folder, settled():
        seconds, _ = on_own_core(partial(bill_plainly, documents, Path(folder) / "plain.sqlite"))
    return count / seconds
