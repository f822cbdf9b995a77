"""A partner connection tried and decided on: its test, its certificate, its pause, its numbers after a restore."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from clearinghouse.connection_trial import try_connection
from clearinghouse.pgp import Pgp
from clearinghouse.profile_reading import in_test, read_profile
from gateway.claim.actor import Actor
from gateway.config import read_settings
from gateway.errors import NotFound
from gateway.permissions import Permission, require
from gateway.pipeline.certify import TestState, Verdict
from gateway.pipeline.collect import CollectPass
from gateway.services.specimens import specimen_claims
from gateway.wiring.mapping_check import read_connection, site_files
from gateway.wiring.policy import load_policy
from gateway.wiring.site import Site, exchange_of, mailbox_of

_LOOK_AGAIN_S = 1.0
_OWN_MAILBOX = frozenset({"sftp", "folder", "download"})
"""Sections of `test` that make the test's answers arrive somewhere else than production's."""


def prove_connection(folder: Path, name: str) -> dict[str, Any]:
    """{"connection", "ok", "steps": [{"step", "ok", "detail", "next"}]}; asks no database and sends no claim.

    Raises NotFound for a connection no file describes, ConfigurationError for one whose file is not complete.
    """
    settings = read_settings(folder)
    files = load_policy(site_files(settings.mappings)).mapping_set.connections
    if name not in files:
        raise NotFound(f"no file in clearinghouses/ describes a connection {name!r}; there are {', '.join(files)}")
    profile = read_connection(files[name])
    steps = try_connection(profile, mailbox_of(settings, profile), Pgp(profile.pgp, settings.folder))
    return {"connection": name, "ok": all(each.ok for each in steps), "steps": [asdict(each) for each in steps]}


def resume(site: Site, name: str, actor: Actor, reason: str) -> dict[str, Any]:
    """{"connection", "paused", "certified"} after a person let a paused connection be tried again."""
    site.exchange(name)
    site.connections.resume(name, actor, reason)
    return {"connection": name, **asdict(site.connections.standing(name))}


def guard(site: Site, name: str, actor: Actor, reason: str, *, skip: int, restored: bool = True) -> dict[str, Any]:
    """{"connection", "last", "seen", "next", "held", "in_doubt"}: control numbers beyond all that were used."""
    moved = site.connections.guard(name, site.exchange(name), actor, reason, skip=skip, restored=restored)
    return {"connection": name, **asdict(moved)}


def certify(site: Site, name: str, actor: Actor, *, again: bool = False, wait_s: float = 0) -> dict[str, Any]:
    """Send a test batch where none is under way, collect, judge: {"connection", "state", "sent_at", "certified", ...}.

    ``again`` sends another batch. Waits up to ``wait_s`` seconds for answers that are missing.
    Raises NotAllowed, and what sending raises: the batch can be sent again.
    """
    require(actor, Permission.EXCHANGE)
    site.exchange(name)
    settings = site.policy.mapping_set.connections[name].settings
    exchange = exchange_of(site.settings, read_profile(in_test(settings)))
    collecting = site.collecting
    if _OWN_MAILBOX & {*(settings.get("test") or {})}:
        collecting = CollectPass(site.store, site.clock, site.policy, {name: exchange}, site.connections)
    if again or site.certification.verdict(name, exchange).state in (TestState.NONE, TestState.FAILED):
        claims = specimen_claims(site.policy.catalogue, name, site.clock.now().date())
        site.certification.send(name, exchange, claims, actor)
    until = monotonic() + wait_s
    while True:
        collected = collecting.run(name)
        verdict = site.certification.verdict(name, exchange)
        if verdict.state is not TestState.WAITING or collected.paused or monotonic() >= until:
            break
        sleep(_LOOK_AGAIN_S)
    if verdict.state is TestState.PASSED and not site.connections.standing(name).certified:
        site.certification.certify(name, verdict, actor)
    return {"connection": name, **_verdict_view(verdict), **asdict(site.connections.standing(name))}


def waive_certification(site: Site, name: str, actor: Actor, reason: str) -> dict[str, Any]:
    """{"connection", "paused", "certified"} after a supervisor let production files leave without a test batch."""
    site.exchange(name)
    site.connections.waive_certification(name, actor, reason)
    return {"connection": name, **asdict(site.connections.standing(name))}


def _verdict_view(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state,
        "sent_at": verdict.sent_at.isoformat() if verdict.sent_at else None,
        "files": [file.remote_name for file in verdict.files],
        "heard": [*verdict.heard],
        "missing": [*verdict.missing],
        "failures": [*verdict.failures],
    }
