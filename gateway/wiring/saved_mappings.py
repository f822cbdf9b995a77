"""A running server and its mapping folder: what is saved there is checked, and taken over when it holds.

Whoever saves a file acts. Files that merely lie there when a server starts are taken over only if they were never in
force: a set that was put back, or a folder that another machine has moved on from, stays where it is.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from adapters.mapping.mapping_files import content_hash
from gateway.claim.actor import MACHINE, Actor
from gateway.config import Settings
from gateway.errors import ConfigurationError
from gateway.ports.storage import Store
from gateway.wiring.clock import clock_of
from gateway.wiring.mapping_check import check_files, site_files
from gateway.wiring.mappings import mapping_state
from gateway.wiring.policy import put_in_force
from gateway.wiring.storage import opened_store

_LOG = structlog.get_logger("mappings")
_ROLE = "saved-file"
_MOST_TOLD = 5

_Print = tuple[tuple[str, int, int], ...]


class SavedMappings:
    """Looks at one site's mapping folder, over and over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.mappings
        self._judged: _Print | None = None
        self._before: _Print | None = None

    def begin(self) -> None:
        """Take over, or refuse aloud, what was saved while nobody looked. Raises ConfigurationError, Unavailable."""
        self._judged = self._before = _print_of(self._folder)
        with opened_store(self._settings) as store:
            with store.read() as tx:
                is_new = tx.mapping_sets.in_force() is None
            if not is_new:  # the first set of a new database is put when the site is opened
                self._judge_what_lies_there(store)

    def _judge_what_lies_there(self, store: Store) -> None:
        state = mapping_state(self._settings, store)
        if state.state == "waiting":
            self._take_over(store)
        elif state.state == "refused":
            _refuse(state.problems)
        elif state.state == "replaced":
            _LOG.warning("mapping-files-not-in-force", why=state.sentence)

    def look(self, store: Store) -> None:
        """Take over, or refuse aloud, what was saved since the last look; what is being written waits for the next."""
        now = _print_of(self._folder)
        written, self._before = now == self._before, now
        if now == self._judged or not written:
            return
        self._take_over(store)
        self._judged = now  # only now: where the database was away, the next look tries again

    def _take_over(self, store: Store) -> None:
        try:
            files = site_files(self._folder)
            problems = check_files(self._settings, files).problems
        except ConfigurationError as error:
            files, problems = {}, tuple(error.problems)
        if problems:
            _refuse(problems)
            return
        now = clock_of(self._settings).now()
        saver = Actor(name=_owner_of_newest(self._folder), role=_ROLE)
        before = put_in_force(store, files, now, saver)
        if before != content_hash(files):
            _LOG.info("mapping-set-taken-over", version=content_hash(files)[:12], before=(before or "")[:12])


def _refuse(problems: tuple[str, ...]) -> None:
    told = list(problems[:_MOST_TOLD])
    _LOG.error(
        "mapping-files-refused", problems=len(problems), first=told, stays="the set in force",
        next="cleanclaim mappings check",
    )  # fmt: skip


def _files_of(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*.y*ml") if each.is_file()) if folder.is_dir() else []


def _print_of(folder: Path) -> _Print:
    """What changes when a file is saved: names, times and sizes."""
    found = []
    for path in _files_of(folder):
        try:
            status = path.stat()
        except OSError:
            continue  # taken away between the listing and now; the next look sees it gone
        found.append((os.fsdecode(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


def _owner_of_newest(folder: Path) -> str:
    """Who owns the file saved last, as the machine knows people; ``machine`` where it cannot be said."""
    try:
        return max(_files_of(folder), key=lambda path: path.stat().st_mtime_ns).owner()
    except (OSError, KeyError, ValueError):
        return MACHINE.name
