"""A site's settings: one YAML file, typed, every mistake at once. Each part gets its own section, never the whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.mapping.shapes import BOOLEAN, BROKEN, ChoiceKind, IntegerKind, Key, ListKind, Shape, TextKind
from adapters.mapping.yaml_reader import Problems, read_yaml
from gateway.errors import ConfigurationError, NotFound
from gateway.permissions import ROLES

SETTINGS_FILE = "site.yaml"
DATABASES = ("sqlite:///", "postgresql://")
"""How a database's address may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where a door listens. Anything but loopback needs ``open_to_network`` said aloud."""

    host: str = "127.0.0.1"
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSettings:
    """An EHR that only answers: where and as whom it is asked (SMART backend services), for what, how often."""

    base: str
    token_url: str
    client_id: str
    key: str
    """``file:PATH`` or ``env:NAME`` of the private key in PEM."""
    key_id: str
    scope: str = "system/*.rs"
    types: tuple[str, ...] = (
        "Organization", "Practitioner", "Location", "Patient", "Coverage", "Condition", "EpisodeOfCare", "Appointment",
        "Encounter",
    )  # fmt: skip
    by_patient: tuple[str, ...] = ()
    """Those of the types that the EHR lets nobody search without a patient: asked for each patient we know of it."""
    by_change: bool = True
    """False where the EHR knows no ``_lastUpdated``: every run asks for everything."""
    every_s: int = 300
    overlap_s: int = 300
    """How far before the last search the next one begins: what an EHR shows late is not missed."""
    page_size: int = 200
    pages_max: int = 5000
    """Pages of one search in one run: an EHR whose pages never end is left there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSettings:
    """A folder that a feed's files are dropped into."""

    folder: str
    """Beside site.yaml where it is relative."""
    settle_s: int = 5
    """How long a file has to stay as it is before it counts as written whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where an EHR hears that something became of a claim: an https address, and the secret both know."""

    url: str
    secret: str
    """``file:PATH`` or ``env:NAME``."""
    networks: tuple[str, ...] = ()
    """Private networks (10.1.0.0/16) that the address may lie in; without them only public addresses are asked."""
    certificate_authority: str = ""
    """A file of the site with the authority of the EHR's certificate, where it is no public one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One feed at this site: its mapping file's name, its token by reference, and how far its word is believed."""

    name: str
    token: str = ""
    """``env:NAME`` or ``file:PATH``; empty for a feed that comes by MLLP or files."""
    mllp: Listener | None = None
    drop: DropSettings | None = None
    pull: PullSettings | None = None
    webhook: WebhookSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSettings:
    """One person of the site, for the API and the command line."""

    name: str
    role: str
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSettings:
    """Who submits, as loop 1000A says it."""

    name: str
    contact_name: str
    contact_phone: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a site settles for itself; what billing means is in its mapping files."""

    folder: Path
    tenant: str
    database: str
    sender: SenderSettings
    http: Listener
    sources: tuple[SourceSettings, ...] = ()
    users: tuple[UserSettings, ...] = ()
    rehearsal_clock: str = ""
    """A file of the site that holds a pretended present, for rehearsals on dated data; empty in production."""
    pass_every_s: int = 1
    audit_key: str = "file:secrets/audit.key"
    """What the audit trail is sealed with, by reference: never in the database, the same on every machine."""
    audit_anchors: str = "audit.anchors"
    """A file beside the database that notes how far the trail reaches."""
    settle_gap_s: int = 60
    """How far apart two probes must agree that an interrupted file never arrived."""

    def source(self, name: str) -> SourceSettings:
        """The source of that name. Raises NotFound, naming those there are."""
        for each in self.sources:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.sources) or "none"
        raise NotFound(f"site.yaml has no source {name!r}; it has {known}")

    @property
    def mappings(self) -> Path:
        """The site's mapping overlay."""
        return self.folder / "mappings"

    @property
    def is_embedded(self) -> bool:
        """True on SQLite: one process does everything."""
        return self.database.startswith("sqlite")

    @property
    def database_url(self) -> str:
        """The database; a relative SQLite path is relative to the site's folder."""
        prefix = "sqlite:///"
        if self.database.startswith(prefix) and not self.database.startswith(prefix + "/"):
            return f"{prefix}{(self.folder / self.database.removeprefix(prefix)).resolve()}"
        return self.database


_TEXT = TextKind()
_LISTENER = Shape("listener", Listener, {"host": Key(_TEXT), "port": Key(IntegerKind(), required=True)})
_PULL = Shape(
    "pull",
    PullSettings,
    {
        **{name: Key(_TEXT, required=True) for name in ("base", "token_url", "client_id", "key", "key_id")},
        "scope": Key(_TEXT),
        **{name: Key(ListKind(_TEXT, filled=True)) for name in ("types", "by_patient")},
        "by_change": Key(BOOLEAN),
        **{name: Key(IntegerKind(minimum=1)) for name in ("every_s", "page_size", "pages_max")},
        "overlap_s": Key(IntegerKind()),
    },
)
_DROP = Shape("drop", DropSettings, {"folder": Key(_TEXT, required=True), "settle_s": Key(IntegerKind())})
_WEBHOOK = Shape(
    "webhook",
    WebhookSettings,
    {
        "url": Key(_TEXT, required=True),
        "secret": Key(_TEXT, required=True),
        "networks": Key(ListKind(_TEXT, filled=True)),
        "certificate_authority": Key(_TEXT),
    },
)
_SOURCE = Shape(
    "source",
    SourceSettings,
    {
        "name": Key(_TEXT, required=True),
        "token": Key(_TEXT),
        "mllp": Key(_LISTENER),
        "drop": Key(_DROP),
        "pull": Key(_PULL),
        "webhook": Key(_WEBHOOK),
    },
)
_USER = Shape(
    "user",
    UserSettings,
    {
        "name": Key(_TEXT, required=True),
        "role": Key(ChoiceKind({role: role for role in ROLES}), required=True),
        "token": Key(_TEXT),
    },
)
_SENDER = Shape(
    "sender",
    SenderSettings,
    {name: Key(_TEXT, required=True) for name in ("name", "contact_name", "contact_phone", "time_zone")},
)
_SITE = Shape(
    "site",
    dict,
    {
        "tenant": Key(_TEXT, required=True),
        "database": Key(_TEXT, required=True),
        "sender": Key(_SENDER, required=True),
        "http": Key(_LISTENER, required=True),
        "sources": Key(ListKind(_SOURCE)),
        "users": Key(ListKind(_USER)),
        "rehearsal_clock": Key(_TEXT),
        "audit_key": Key(_TEXT),
        "audit_anchors": Key(_TEXT),
        "pass_every_s": Key(IntegerKind()),
        "settle_gap_s": Key(IntegerKind()),
    },
)


def read_settings(folder: Path) -> Settings:
    """The settings of a site folder. Raises ConfigurationError with every problem as file:line:column."""
    path = folder / SETTINGS_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        next_step = "run 'cleanclaim init DIR' to make a site, or give --site DIR"
        raise ConfigurationError([f"{path}: cannot be read ({error.strerror}); {next_step}"]) from error
    problems = Problems()
    table = read_yaml(str(path), content, problems)
    read: Any = _SITE.read(table, problems) if table is not None else BROKEN
    problems.raise_if_any()
    return Settings(folder=folder, **read)
