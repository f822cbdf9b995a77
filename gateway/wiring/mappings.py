"""A site's mapping files for whoever edits them: checked, compared with the set in force, put in force."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.mapping.check import check_mappings
from adapters.mapping.mapping_files import content_hash, read_mapping_files
from gateway.config import Settings, read_settings
from gateway.errors import ConfigurationError
from gateway.rules.gate import RULES_BY_NAME
from gateway.wiring.clock import clock_of
from gateway.wiring.people import Permission, find_actor, require
from gateway.wiring.policy import NOTATIONS, load_policy, site_files
from gateway.wiring.site import read_connection
from gateway.wiring.storage import open_store

_PLACED = re.compile(r"(\S[^:\n]*:\d+(?::\d+)?): (.*)", re.DOTALL)


def check_site_mappings(folder: Path) -> dict[str, Any]:
    """{"ok", "files", "own_files", "hash", "problems": [{"place", "message"}], "remarks": [...]}.

    Raises ConfigurationError only for site.yaml itself.
    """
    settings = read_settings(folder)
    files = site_files(settings.mappings)
    checked = check_mappings(files, NOTATIONS, RULES_BY_NAME)
    problems = list(checked.problems)
    for connection in checked.loaded.connections.values():
        try:
            read_connection(connection)
        except ConfigurationError as error:
            problems += error.problems
    return {
        "ok": not problems,
        "files": len(files),
        "own_files": len(_own_files(settings)),
        "hash": content_hash(files),
        "problems": [_placed(each) for each in problems],
        "remarks": [_placed(each) for each in checked.remarks],
    }


def _own_files(settings: Settings) -> Mapping[str, bytes]:
    if not settings.mappings.is_dir():
        return {}
    return read_mapping_files(shipped=False, overlay=settings.mappings)


def _placed(problem: str) -> dict[str, str]:
    match = _PLACED.match(problem)
    return {"place": match[1], "message": match[2]} if match else {"place": "", "message": problem}


def diff_site_mappings(folder: Path) -> dict[str, Any]:
    """{"in_force", "edited", "files": [{"path", "change": added|changed|removed, "lines": [unified diff]}]}."""
    settings = read_settings(folder)
    edited = site_files(settings.mappings)
    in_force, files = _in_force(settings)
    changes = [_change(path, files.get(path), edited.get(path)) for path in sorted({*files, *edited})]
    return {
        "in_force": in_force,
        "edited": content_hash(edited),
        "files": [each for each in changes if each is not None],
    }


def _in_force(settings: Settings) -> tuple[str | None, Mapping[str, bytes]]:
    store = open_store(settings)
    try:
        with store.read() as tx:
            current = tx.mapping_sets.in_force()
            return current, tx.mapping_sets.files(current) if current else {}
    finally:
        store.close()


def _change(path: str, before: bytes | None, after: bytes | None) -> dict[str, Any] | None:
    if before == after:
        return None
    change = "added" if before is None else "removed" if after is None else "changed"
    lines = difflib.unified_diff(_lines(before), _lines(after), f"{path} (in force)", f"{path} (edited)", lineterm="")
    return {"path": path, "change": change, "lines": list(lines)}


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()


def put_site_mappings(folder: Path, act_as: str = "") -> dict[str, Any]:
    """Put the files in force: {"changed", "in_force", "before", "actor"}.

    Raises ConfigurationError with every problem of the files, NotAllowed for who may not.
    """
    settings = read_settings(folder)
    actor = find_actor(settings, act_as, Permission.PUT_MAPPINGS)
    require(actor, Permission.PUT_MAPPINGS)
    files = site_files(settings.mappings)
    edited = content_hash(files)
    policy = load_policy(files)
    for connection in policy.mapping_set.connections.values():
        read_connection(connection)
    clock = clock_of(settings)
    store = open_store(settings)
    try:
        with store.write() as tx:
            before = tx.mapping_sets.in_force()
            if before != edited:
                tx.mapping_sets.put_in_force(edited, files, clock.now(), actor.name, actor.role)
    finally:
        store.close()
    return {"changed": before != edited, "in_force": edited, "before": before, "actor": actor.name}
