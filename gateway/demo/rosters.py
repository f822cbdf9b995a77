"""The credentials roster a clinic keeps for its payers, as the CSV file it would load. Knows no rule."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date

from gateway.demo import clinic
from gateway.demo.truth import Plan
from gateway.pipeline.commands import Actor
from gateway.wiring.desk import Desk

HEADER = ("npi", "payer", "role", "start_on", "end_on", "taxonomy", "location_npi")
CONTRACTS_SINCE = date(2025, 1, 1)
NEW_CONTRACT_SINCE = date(2026, 8, 17)
_ATTENDING_TAXONOMIES = ("2084P0800X", "2084A0401X")


def load_rosters(desk: Desk, actor: Actor) -> dict[str, int]:
    """Load every roster the clinic keeps; how many rows of each kind."""
    files = {"credentials": credentials_roster()}
    return {kind: desk.load_roster(kind, content, f"{kind}.csv", actor)["rows"] for kind, content in files.items()}


def credentials_roster() -> bytes:
    """Every clinician and site with every payer; the new psychiatrist with one payer from 17 August only."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for plan in clinic.PLANS:
        if plan is not clinic.UNHEARD_OF:
            writer.writerows(_rows(plan))
    return text.getvalue().encode()


def _rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    for npi in dict.fromkeys((clinic.ORGANIZATION_NPI, *clinic.SITE_NPIS.values())):
        yield (npi, plan.key, "billing", CONTRACTS_SINCE.isoformat(), "", "", "")
    for clinician in clinic.CLINICIANS:
        late = clinician is clinic.NEW_ATTENDING and plan is clinic.PRAIRIE
        start_on = NEW_CONTRACT_SINCE if late else CONTRACTS_SINCE
        role = "attending" if clinician.taxonomy in _ATTENDING_TAXONOMIES else "rendering"
        yield (clinician.npi, plan.key, role, start_on.isoformat(), "", clinician.taxonomy, "")
