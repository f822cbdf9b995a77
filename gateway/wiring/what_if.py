"""What edited mapping files would change: stored encounters worked through by both sets, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from adapters.mapping.engine import facility_names
from gateway.errors import ConfigurationError
from gateway.pipeline.differences import Picture, by_payer, compare, picture
from gateway.ports import FHIR_CONTENT
from gateway.ports.storage import Transaction
from gateway.ports.work import WorkKind
from gateway.store.rehearsal import rehearsed_beside
from gateway.wiring.codes import imported_lists
from gateway.wiring.dry_run import by_other_files, make_room, over
from gateway.wiring.mapping_check import check_files, site_files
from gateway.wiring.messages import references_of
from gateway.wiring.policy import LoadedPolicy, load_policy
from gateway.wiring.site import Site

_BATCH = 100
Advance = Callable[[int], None]


def what_if(site: Site, since: date, edited: Path | None, advance: Advance = lambda _: None) -> dict[str, Any]:
    """What the edited files (of the site, or another folder) would make of every encounter since the day.

    {"since", "in_force", "files": [paths that differ], "read_again": [sources], "encounters", "patients", "payers",
    "claims"}. Messages are read again where their source's mapping differs. Raises ConfigurationError with everything
    wrong in the files.
    """
    files = site_files(edited or site.settings.mappings)
    checked = check_files(site.settings, files)
    if not checked.ok:
        raise ConfigurationError(list(checked.problems))
    with site.store.read() as tx:
        in_force = tx.mapping_sets.in_force()
        assert in_force is not None, "an open site has a set in force"
        before = tx.mapping_sets.files(in_force)
        placed = [row for row in tx.claims.placements() if row.on is None or row.on >= since]
    changed = sorted(path for path in {*before, *files} if before.get(path) != files.get(path))
    found: dict[str, Any] = {"since": since.isoformat(), "in_force": in_force, "files": changed}
    patients = sorted({row.patient_id for row in placed})
    policy = load_policy(files, imported_lists(site.store))
    again = _read_again(site.policy, policy, [each.name for each in site.settings.sources]) if changed else []
    told = compare(*_pictures(site, policy, patients, again, since, advance), since) if changed else []
    return found | {
        "read_again": again,
        "encounters": len(placed),
        "patients": len(patients),
        "payers": by_payer(told),
        "claims": [
            asdict(each) | {"start_on": each.start_on.isoformat(), "through_on": each.through_on.isoformat()}
            for each in told
        ],
    }


def _read_again(old: LoadedPolicy, new: LoadedPolicy, sources: Iterable[str]) -> list[str]:
    """The sources whose messages the new set would read otherwise."""
    names = [facility_names(each.catalogue.facilities.values()) for each in (old, new)]
    places_differ = names[0] != names[1]
    return [each for each in sources if places_differ or old.mapping_set.source(each) != new.mapping_set.source(each)]


def _pictures(
    site: Site, policy: LoadedPolicy, patients: Sequence[str], again: Sequence[str], since: date, advance: Advance
) -> tuple[Picture, Picture]:
    """What would be sent today by the set in force, and by the other. Both are derived, so that time makes no
    difference between them."""
    with rehearsed_beside(site.store) as store, store.read() as tx:
        _derive(over(site, store), tx, patients, advance)
        before = picture(tx, patients)
        make_room(store, site.settings, policy)
        other = over(by_other_files(site.settings, store, site.clock, policy), store)
        for source in again:
            _ask_again(tx, source, patients, since)
        while other.interpreting.run():
            pass
        touched = _waiting(tx)
        return before, picture(tx, _derive(other, tx, {*patients, *touched}, advance))


def _ask_again(tx: Transaction, source: str, patients: Sequence[str], since: date) -> None:
    """Have a source's messages read once more: those that told of the patients, and those that told of nobody."""
    told = tx.subjects.told_about(patients, source)
    failed = [each for each, _ in tx.inbox.messages(source, failed_only=True) if each.received_at.date() >= since]
    for each in failed:
        told += references_of(each) if each.content_type == FHIR_CONTENT else [each.id]
    tx.work.add(WorkKind.INTERPRET_MESSAGE, (each for each in told if "/" not in each))
    tx.work.add(WorkKind.MAP_AGAIN, (f"{source} {each}" for each in told if "/" in each))


def _waiting(tx: Transaction) -> list[str]:
    return tx.work.take(WorkKind.DERIVE, 1_000_000_000)


def _derive(site: Site, tx: Transaction, patients: Iterable[str], advance: Advance) -> list[str]:
    """Derive them, and whoever has to be derived for their sake; all of them."""
    waiting, done = sorted(patients), dict[str, None]()
    while waiting:
        for start in range(0, len(waiting), _BATCH):
            some = waiting[start : start + _BATCH]
            site.derivation.derive(tx, some, site.clock.now())
            done |= dict.fromkeys(some)
            advance(len(some))
        waiting = [each for each in _waiting(tx) if each not in done]
    return list(done)
