"""A partner connection tried and decided on: its test, its certificate, its pause, its numbers after a restore."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from clearinghouse.connection_trial import try_connection
from gateway.config import read_settings
from gateway.errors import NotFound
from gateway.pipeline.commands import Actor
from gateway.wiring.mapping_check import read_connection, site_files
from gateway.wiring.people import Permission, require
from gateway.wiring.policy import load_policy
from gateway.wiring.site import Site, mailbox_of


def prove_connection(folder: Path, name: str) -> dict[str, Any]:
    """{"connection", "ok", "steps": [{"step", "ok", "detail", "next"}]}; asks no database and sends no claim.

    Raises NotFound for a connection no file describes, ConfigurationError for one whose file is not complete.
    """
    settings = read_settings(folder)
    files = load_policy(site_files(settings.mappings)).mapping_set.connections
    if name not in files:
        raise NotFound(f"no file in clearinghouses/ describes a connection {name!r}; there are {', '.join(files)}")
    profile = read_connection(files[name])
    steps = try_connection(profile, mailbox_of(settings, profile))
    return {"connection": name, "ok": all(each.ok for each in steps), "steps": [asdict(each) for each in steps]}


def resume(site: Site, name: str, actor: Actor, reason: str) -> dict[str, Any]:
    """{"connection", "paused", "certified"} after a person let a paused connection be tried again."""
    require(actor, Permission.EXCHANGE)
    _known(site, name)
    site.connections.resume(name, actor, reason)
    return {"connection": name, **asdict(site.connections.standing(name))}


def guard(site: Site, name: str, actor: Actor, reason: str, *, skip: int, restored: bool = True) -> dict[str, Any]:
    """{"connection", "last", "seen", "next", "held", "in_doubt"}: control numbers beyond all that were used."""
    require(actor, Permission.RESOLVE)
    _known(site, name)
    moved = site.connections.guard(name, site.exchanges[name], actor, reason, skip=skip, restored=restored)
    return {"connection": name, **asdict(moved)}


def _known(site: Site, name: str) -> None:
    if name not in site.exchanges:
        raise NotFound(f"no payer is routed over a connection {name!r}; there are {', '.join(site.exchanges)}")
