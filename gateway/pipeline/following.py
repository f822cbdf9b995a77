"""What mapped resources follow: found for a whole batch at once, remembered, and mapped again for when it changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.ports import Resource
from gateway.ports.storage import Transaction
from gateway.ports.work import WorkKind


class Finder:
    """A look-up that reads each resource once: a batch's encounters share their clinicians and places.

    Where one resource of the batch follows another of some type, the rest most likely follow theirs: all that are
    pointed at are asked for together.
    """

    def __init__(self, tx: Transaction, source: str, references: Sequence[str]) -> None:
        self._tx = tx
        self.source = source
        self.known: dict[str, Resource | None] = {**tx.resources.newest(source, references)}
        """What was found of everything that was asked for."""
        self._pointed_at: dict[str, set[str]] | None = None
        self.failed = False
        """True once the database, rather than the mapping, failed."""

    def __call__(self, reference: str) -> Resource | None:
        """The newest version of ``Type/id``, or of the one resource that ``Type?identifier=system|value`` means."""
        if reference not in self.known:
            self.failed = True
            self._ask(reference)
            self.failed = False
        return self.known[reference]

    def _ask(self, reference: str) -> None:
        if "?" in reference:
            self.known[reference] = self._tx.resources.current(self.source, reference)
            return
        if self._pointed_at is None:
            self._pointed_at = _pointed_at(each.body for each in self.known.values() if each)
        others = self._pointed_at.pop(reference.partition("/")[0], set())
        wanted = sorted({reference, *others} - self.known.keys())
        found = self._tx.resources.newest(self.source, wanted)
        self.known.update((each, found.get(each)) for each in wanted)


def _pointed_at(bodies: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """What the bodies refer to as ``Type/id``, by type."""
    found: dict[str, set[str]] = defaultdict(set)
    left: list[Any] = [*bodies]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            target = value.get("reference")
            if isinstance(target, str) and target.count("/") == 1:
                found[target.partition("/")[0]].add(target)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return found


def look_around(tx: Transaction, find: Finder, followed: Mapping[str, Sequence[str]]) -> set[str]:
    """Remember what each resource followed. The keys of those for which something was read that has changed since, in a
    transaction beside this one: they have to be mapped again.

    Whoever comes here second sees what the first committed: either this one finds what arrived since it read, or the
    one that maps what arrived finds who follows it.
    """
    tx.resources.hold_lane(find.source)
    tx.resources.link(find.source, followed)
    overtaken = tx.resources.overtaken(find.source, find.known)
    return {f"{find.source} {own}" for own, others in followed.items() if not overtaken.isdisjoint((own, *others))}


def map_dependents_again(tx: Transaction, changed: Iterable[str]) -> None:
    """Ask for those to be mapped again that follow these. Who waits already will read what is there then, and whoever
    has been taken by another worker is looked at by that worker once more before it commits."""
    for source, references in sorted(by_source(changed).items()):
        tx.resources.hold_lane(source)
        dependents = tx.resources.dependents(source, references) - set(references)
        keys = {f"{source} {each}" for each in dependents}
        tx.work.add(WorkKind.MAP_AGAIN, keys - tx.work.waiting(sorted(keys)))


def by_source(keys: Iterable[str]) -> dict[str, list[str]]:
    """``source Type/id`` keys, each once, by source."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for key in keys:
        source, _, reference = key.partition(" ")
        found[source][reference] = None
    return {source: list(references) for source, references in found.items()}
