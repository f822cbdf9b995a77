"""Makes a site folder: settings, secrets by reference, a mapping overlay, samples. Never touches one that has files."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from adapters.mapping.mapping_files import CASES, FOLDERS
from gateway.config import DATABASES, SETTINGS_FILE, read_settings
from gateway.errors import ConfigurationError, Conflict
from gateway.wiring.clock import RehearsalClock
from gateway.wiring.mapping_schemas import FOLDER, mapping_schemas
from gateway.wiring.sandbox import FOLDER as SANDBOX
from gateway.wiring.sandbox import PASSWORD_FILE, host_key

PRETENDED_NOW = datetime(2026, 9, 1, 13, 0, tzinfo=UTC)
"""The demo clinic's data are of August 2026; a demo site starts the morning after."""
CLOCK = "run/clock"
HTTP_PORT, MLLP_PORT, SANDBOX_PORT = 8080, 2575, 2222
_SETTINGS = """\
# A site of cleanclaim. Secrets are references: file:PATH beside this file, or env:NAME. Unknown keys are errors.
tenant: {tenant}                        # as your organizations' facilities file says it
database: {database}
sender:                                  # who submits, as every claim file says it
  name: {sender}
  contact_name: BILLING OFFICE
  contact_phone: 5555550100
  time_zone: America/Chicago
http: {{host: 127.0.0.1, port: {http_port}}}      # port 0 takes a free one
sources:                                 # one per EHR feed; each has a mapping file mappings/sources/NAME.yaml
  - {{name: {fhir}, token: 'file:secrets/{fhir}.token'}}
  - {{name: {hl7}, token: 'file:secrets/{hl7}.token', mllp: {{host: 127.0.0.1, port: {mllp_port}}}}}
  - {{name: {csv}, token: 'file:secrets/{csv}.token'}}
# One user per person; roles: viewer, biller, supervisor, clinician, utilization-review, integration, auditor.
users:
{users}{rehearsal}"""
_USER = "  - {{name: {name}, role: {role}, token: 'file:secrets/{name}.token'}}\n"
_REHEARSAL = f"rehearsal_clock: {CLOCK}               # a pretended present, for dated data; not for real work\n"
_MAPPINGS_README = """\
# This site's mapping files

A file here takes the place of the shipped one of the same path, so only what differs needs to be here:

    sources/         one file per EHR feed: which field of a message becomes which of ours
    services/        what each payer buys and how it is billed
    payers/          payers, their routes, rules and filing limits
    facilities/      organizations, programs, facilities, prices
    clearinghouses/  connections: mailbox, envelopes, file names
    codes/           session kinds, places of service, HCPCS
    tests/           cases: messages in, encounters, days and claims out

The shipped set holds a made-up clinic, riverbend. It does no harm beside yours; an empty file of the same path takes a
shipped one out. The samples/ of this site are messages of that clinic: they show what a feed looks like, and only its
own source files, riverbend-fhir and riverbend-hl7, understand them whole; generic-csv reads samples/csv.

A file saved here while `cleanclaim serve` runs is checked and taken over within seconds; one with a mistake is refused
in its log, and the last good set stays in force. To look first, edit a copy: `cleanclaim mappings what-if --with COPY`.
Without a server: `cleanclaim mappings check`, `test`, `what-if`, `diff`, `put`. `history` lists the versions that were
in force, `put --version` brings one back.

Editors that know JSON Schema complete and check while you type: begin each file with the line that names its schema,

    # yaml-language-server: $schema=../schema/payers.json

The schemas lie in schema/; after an upgrade `cleanclaim mappings schemas` writes them anew.
"""
_IGNORED = "secrets/\nrun/\nsandbox/\n*.sqlite*\naudit.anchors\n"


_SHEET = "generic-csv"
"""The source of attendance sheets, for programs that have no feed."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between a plain site and the demo's."""

    tenant: str
    sender: str
    fhir: str
    hl7: str
    users: Mapping[str, str] = field(default_factory=dict)


_PLAIN = _Kind(
    "riverbend", "CLINIC NAME", "generic-fhir", "generic-hl7",
    {"alex": "biller", "robin": "supervisor", "kim": "integration"},
)  # fmt: skip
_DEMO = _Kind(
    "riverbend", "RIVERBEND BEHAVIORAL HEALTH", "riverbend-fhir", "riverbend-hl7",
    {"dana": "biller", "sam": "supervisor", "kim": "integration"},
)  # fmt: skip


def make_site(folder: Path, *, demo: bool, database: str, samples: Mapping[str, bytes]) -> dict[str, Any]:
    """Make the folder: {"site", "files", "next"}. ``samples`` are files by name for samples/.

    Raises Conflict where the folder has files, ConfigurationError for a database that is neither kind.
    """
    if not database.startswith(DATABASES):
        raise ConfigurationError([f"--database is {' or '.join(f'{each}...' for each in DATABASES)}"])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not an empty folder; nothing was changed. Name a new one")
    site = _Writer(folder)
    kind = _DEMO if demo else _PLAIN
    site.write(SETTINGS_FILE, _settings(kind, demo, database).encode(), private="@" in database)
    site.write(".gitignore", _IGNORED.encode())
    for name, text in mapping_schemas().items():
        site.write(f"mappings/{FOLDER}/{name}", text.encode())
    site.write("mappings/README.md", _MAPPINGS_README.encode())
    for name in (*FOLDERS, CASES):
        (folder / "mappings" / name).mkdir(exist_ok=True)
    for name in (kind.fhir, kind.hl7, _SHEET, *kind.users):
        site.write(f"secrets/{name}.token", f"{secrets.token_urlsafe(32)}\n".encode(), private=True)
    site.write("secrets/audit.key", f"{secrets.token_urlsafe(32)}\n".encode(), private=True)
    for name, content in samples.items():
        site.write(f"samples/{name}", content)
    if demo:
        RehearsalClock(folder / CLOCK).turn(PRETENDED_NOW)
        password = PASSWORD_FILE.partition(":")[2]
        site.write(password, f"{secrets.token_urlsafe(24)}\n".encode(), private=True)
        site.write("mappings/clearinghouses/sandbox.yaml", _sandbox_file(folder).encode())
    read_settings(folder)
    return {"site": str(folder), "files": site.written, "next": _next_steps(folder, kind, demo)}


def _settings(kind: _Kind, demo: bool, database: str) -> str:
    return _SETTINGS.format(
        tenant=kind.tenant,
        database=database,
        http_port=HTTP_PORT,
        mllp_port=MLLP_PORT,
        sender=kind.sender,
        fhir=kind.fhir,
        hl7=kind.hl7,
        csv=_SHEET,
        users="".join(_USER.format(name=name, role=role) for name, role in kind.users.items()),
        rehearsal=_REHEARSAL if demo else "",
    )


def _sandbox_file(folder: Path) -> str:
    """The shipped connection with this site's own sandbox's host key and password."""
    shipped = files("mappings").joinpath("clearinghouses/sandbox.yaml").read_text()
    algorithm, key = host_key(folder / SANDBOX)
    return shipped.replace("env:CLEANCLAIM_SANDBOX_PASSWORD", PASSWORD_FILE).replace(
        "{alg: ssh-ed25519, key: ReplaceThisByTheKeyThatTheSandboxPrints}", f"{{alg: {algorithm}, key: {key}}}"
    )


def _next_steps(folder: Path, kind: _Kind, demo: bool) -> list[str]:
    check, serve = f"cleanclaim mappings check --site {folder}", f"cleanclaim serve --site {folder}"
    if not demo:  # the samples speak a made-up clinic's words, which no generic source file understands
        return [
            f"edit {folder / SETTINGS_FILE}: the sender, the feeds, the people",
            f"write your own files into {folder / 'mappings'}: its README.md says which",
            check,
            f"cleanclaim ingest --site {folder} --source {kind.hl7} FILES        (what your EHR would send)",
            serve,
        ]
    return [
        check,
        f"cleanclaim sandbox --site {folder}        (in another terminal: the clearinghouse)",
        f"cleanclaim ingest --site {folder} --source {kind.fhir} {folder / 'samples' / 'fhir'}",
        f"cleanclaim ingest --site {folder} --source {kind.hl7} {folder / 'samples' / 'hl7'}",
        f"cleanclaim ingest --site {folder} --source {_SHEET} {folder / 'samples' / 'csv'}",
        serve,
    ]


class _Writer:
    """Writes new files below a folder, and remembers their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes, *, private: bool = False) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
        path.touch(mode=0o600 if private else 0o666, exist_ok=False)
        path.write_bytes(content)
        self.written.append(name)
