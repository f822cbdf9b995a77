"""The demo's site folder: settings, secrets, and the one mapping file that names the rehearsal's clearinghouse."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from gateway.wiring.rehearsal import Clearinghouse

_SECRETS = ("riverbend-fhir.token", "dana.token", "sam.token", "clearinghouse.password")
_SETTINGS = """\
# The demo's site: a synthetic clinic's month, rehearsed on a pretended first of September 2026.
tenant: riverbend
database: {database}
sender:
  name: RIVERBEND BEHAVIORAL HEALTH
  contact_name: BILLING OFFICE
  contact_phone: 5555550100
  time_zone: America/Chicago
http: {{host: 127.0.0.1, port: 0}}
sources:
  - {{name: riverbend-fhir, token: file:secrets/riverbend-fhir.token}}
  - {{name: riverbend-hl7, mllp: {{host: 127.0.0.1, port: 0}}}}
users:
  - {{name: dana, role: biller, token: file:secrets/dana.token}}
  - {{name: sam, role: supervisor, token: file:secrets/sam.token}}
rehearsal: {{now: '{now}', since: '{since}'}}
pass_every_s: 1
settle_gap_s: 1
"""


@dataclass(frozen=True, slots=True)
class DemoSite:
    """Where the demo's site lies, and its secrets by file name."""

    folder: Path
    secrets: Mapping[str, str]


def make_secrets(folder: Path) -> DemoSite:
    """Random secrets, readable by their owner alone; those of an earlier run are kept."""
    place = folder / "secrets"
    place.mkdir(parents=True, exist_ok=True)
    made = {}
    for name in _SECRETS:
        path = place / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n")
        made[name] = path.read_text().strip()
    return DemoSite(folder, made)


def write_settings(site: DemoSite, database: str, now: datetime, since: datetime, partner: Clearinghouse) -> None:
    """Write site.yaml, and over the shipped clearinghouse file one with the sandbox's port and host key."""
    text = _SETTINGS.format(database=database, now=now.isoformat(), since=since.isoformat())
    (site.folder / "site.yaml").write_text(text)
    shipped = files("mappings").joinpath("clearinghouses/sandbox.yaml").read_text()
    algorithm, key = partner.host_key
    unset = "{alg: ssh-ed25519, key: ReplaceThisByTheKeyThatTheSandboxPrints}"
    overlay = (
        shipped.replace("port: 2222", f"port: {partner.port}")
        .replace("env:CLEANCLAIM_SANDBOX_PASSWORD", "file:secrets/clearinghouse.password")
        .replace(unset, f"{{alg: {algorithm}, key: {key}}}")
    )
    target = site.folder / "mappings" / "clearinghouses" / "sandbox.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(overlay)
