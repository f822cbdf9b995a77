"""A site's mapping files against the set in force: how they stand, compared, put in force, put back."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.mapping.mapping_files import content_hash
from gateway.config import Settings, read_settings
from gateway.errors import ConfigurationError, NotFound
from gateway.permissions import Permission
from gateway.ports.oversight import MappingVersion
from gateway.ports.storage import Store
from gateway.wiring.clock import clock_of
from gateway.wiring.mapping_check import check_files, placed, site_files
from gateway.wiring.people import find_actor
from gateway.wiring.policy import put_in_force
from gateway.wiring.site import Site
from gateway.wiring.storage import opened_store

_SHORTEST_VERSION = 4


# --- in force --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingState:
    """How the files of the folder stand to the set in force."""

    in_force: MappingVersion
    edited: str
    """The files' hash; empty where they cannot be read."""
    state: str
    """``in-force``; ``waiting`` (sound, not put); ``replaced`` (in force once, another was put); ``refused``."""
    problems: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What it means and what to do."""
        version = f"in force: {self.in_force.hash[:12]}"
        if self.state == "refused":
            first = self.problems[0]
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            return f"the edited mapping files are refused: {first}{more}; {version} stays; 'cleanclaim mappings check'"
        return {
            "in-force": f"the files are the set {version}",
            "waiting": f"the edited files are sound and not {version}; 'cleanclaim mappings put' puts them",
            "replaced": f"the files are a set that was replaced; {version}; 'cleanclaim mappings put' brings it back",
        }[self.state]


def mapping_state(settings: Settings, store: Store) -> MappingState:
    """How the files stand. They are read and checked only where they differ from the set in force."""
    with store.read() as tx:
        history = tx.mapping_sets.history()
    current = history[0]
    try:
        files = site_files(settings.mappings)
    except ConfigurationError as error:
        return MappingState(in_force=current, edited="", state="refused", problems=tuple(error.problems))
    edited = content_hash(files)
    if edited == current.hash:
        return MappingState(in_force=current, edited=edited, state="in-force")
    if any(edited == each.hash for each in history):
        return MappingState(in_force=current, edited=edited, state="replaced")
    problems = check_files(settings, files).problems
    return MappingState(in_force=current, edited=edited, state="refused" if problems else "waiting", problems=problems)


def files_wait(settings: Settings, store: Store) -> bool:
    """Whether the folder's files were edited and are not in force; not where an earlier set was put back on purpose."""
    with store.read() as tx:
        known = {each.hash for each in tx.mapping_sets.history()}
    try:
        edited = content_hash(site_files(settings.mappings))
    except ConfigurationError:
        edited = ""
    return edited not in known


def state_view(state: MappingState) -> dict[str, Any]:
    """{"in_force", "at", "actor", "role", "edited", "state", "sentence", "problems": [{"place", "message"}]}."""
    return {
        **_version_view(state.in_force),
        "edited": state.edited,
        "state": state.state,
        "sentence": state.sentence,
        "problems": placed(state.problems),
    }


def _version_view(version: MappingVersion) -> dict[str, Any]:
    at = version.at.isoformat()
    return {"in_force": version.hash, "at": at, "actor": version.actor, "role": version.role}


def went_by(site: Site) -> dict[str, Any]:
    """The mapping set an answer of the site goes by: {"hash", "in_force": bool}; edited files are not always."""
    with site.store.read() as tx:
        return {"hash": site.policy.hash, "in_force": site.policy.hash == tx.mapping_sets.in_force()}


def mapping_history(folder: Path) -> dict[str, Any]:
    """{"versions": [{"in_force": hash, "at", "actor", "role"}]}, the newest first."""
    with opened_store(read_settings(folder)) as store, store.read() as tx:
        return {"versions": [_version_view(each) for each in tx.mapping_sets.history()]}


def _stored(store: Store, version: str) -> tuple[str, dict[str, bytes]]:
    """A set that was in force once, by its hash or how that begins. Raises NotFound."""
    with store.read() as tx:
        known = dict.fromkeys(each.hash for each in tx.mapping_sets.history())
        found = [each for each in known if len(version) >= _SHORTEST_VERSION and each.startswith(version)]
        if len(found) != 1:
            why = "more than one mapping set's hash begins" if found else "no mapping set's hash begins"
            raise NotFound(f"{why} with {version!r}; 'cleanclaim mappings history' lists them")
        return found[0], tx.mapping_sets.files(found[0])


# --- compared --------------------------------------------------------------------------------------------------------


def diff_site_mappings(folder: Path, before: str = "", after: str = "") -> dict[str, Any]:
    """{"before": hash|null, "after": hash, "files": [{"path", "change": added|changed|removed, "lines"}]}.

    Of the set in force and the folder's files where no version is named. Raises NotFound for an unknown one.
    """
    settings = read_settings(folder)
    with opened_store(settings) as store:
        with store.read() as tx:
            wanted = before or tx.mapping_sets.in_force()
        first, old = _stored(store, wanted) if wanted else (None, {})
        new = _stored(store, after)[1] if after else site_files(settings.mappings)
    changes = [_change(path, old.get(path), new.get(path)) for path in sorted({*old, *new})]
    return {
        "before": first,
        "after": content_hash(new),
        "files": [each for each in changes if each is not None],
    }


def _change(path: str, before: bytes | None, after: bytes | None) -> dict[str, Any] | None:
    if before == after:
        return None
    change = "added" if before is None else "removed" if after is None else "changed"
    lines = difflib.unified_diff(_lines(before), _lines(after), f"{path} (before)", f"{path} (after)", lineterm="")
    return {"path": path, "change": change, "lines": list(lines)}


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()


# --- put -------------------------------------------------------------------------------------------------------------


def put_site_mappings(folder: Path, act_as: str = "", version: str = "") -> dict[str, Any]:
    """Put the files, or a set that was in force before, in force: {"changed", "in_force", "before", "actor"}.

    Raises ConfigurationError with every problem of the files, NotAllowed for who may not, NotFound for the version.
    """
    settings = read_settings(folder)
    actor = find_actor(settings, act_as, Permission.PUT_MAPPINGS)
    with opened_store(settings) as store:
        files = _stored(store, version)[1] if version else site_files(settings.mappings)
        problems = check_files(settings, files).problems
        if problems:
            raise ConfigurationError(list(problems))
        before = put_in_force(store, files, clock_of(settings).now(), actor)
    edited = content_hash(files)
    return {"changed": before != edited, "in_force": edited, "before": before, "actor": actor.name}
