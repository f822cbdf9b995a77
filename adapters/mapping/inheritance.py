"""``extends:`` resolved before a file is typed: an entry laid over another of its kind, one level deep.

Works on nodes, so what is inherited keeps the place of the file it stands in. Knows no kind of value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.mapping.shapes import OWN_KEYS
from adapters.mapping.yaml_reader import Items, Node, Nothing, Place, Problems, Table, Text, nearest

_KEY: Final = "extends"
_LISTS: Final = {"organizations": "organization", "facilities": "facility", "payers": "payer", "services": "service"}
# Lists whose entries are known by a name in their file: they are laid over the base's one by one.
_NAMED_LISTS: Final = frozenset({"records"})
# Mappings that are one value: half of one and half of another would be neither.
_ONE_VALUE: Final = frozenset({"asserted_at"})
# Where a source file names namespaces of ours.
_NAMESPACE_KEYS: Final = frozenset({"namespace", "namespaces", "medical_record_number"})


@dataclass(slots=True)
class _Kind:
    """The entries of one kind by name: those that stand by themselves, and the names of those that extend."""

    bases: dict[str, list[Table]] = field(default_factory=lambda: defaultdict(list))
    extending: dict[str, Place] = field(default_factory=dict)


def lay_over_bases(tables: Mapping[str, Table], problems: Problems) -> dict[str, Table]:
    """The files with every ``extends:`` resolved; a base that is not there, or extends another itself, is a problem."""
    kinds: dict[str, _Kind] = defaultdict(_Kind)
    for path, table in tables.items():
        for what, entry in _entries_of(path, table):
            _note(kinds[what], _name_of(what, entry), entry)
    return {path: _resolved_file(path, table, kinds, problems) for path, table in tables.items()}


def _entries_of(path: str, table: Table) -> Iterator[tuple[str, Table]]:
    whole = _kind_of_file(path)
    if whole:
        yield whole, table
        return
    for key, what in _LISTS.items():
        listed = table.entries.get(key)
        if isinstance(listed, Items):
            yield from ((what, each) for each in listed.nodes if isinstance(each, Table))


def _kind_of_file(path: str) -> str:
    """What a whole file is one entry of; empty where it holds lists."""
    return {"sources": "source", "clearinghouses": "connection"}.get(path.partition("/")[0], "")


def _name_of(what: str, entry: Table) -> str:
    node = entry.entries.get({"source": "source", "connection": "profile"}.get(what, "id"))
    if what == "connection" and isinstance(node, Table):
        node = node.entries.get("id")
    return node.value if isinstance(node, Text) else ""


def _note(kind: _Kind, name: str, entry: Table) -> None:
    if _KEY in entry.entries:
        kind.extending[name] = entry.place
    else:
        kind.bases[name].append(entry)


def _resolved_file(path: str, table: Table, kinds: Mapping[str, _Kind], problems: Problems) -> Table:
    whole = _kind_of_file(path)
    if whole:
        return _resolved(whole, table, kinds[whole], problems)
    lists: dict[str, Node] = {}
    for key, what in _LISTS.items():
        listed = table.entries.get(key)
        if isinstance(listed, Items):
            nodes = (
                _resolved(what, each, kinds[what], problems) if isinstance(each, Table) else each
                for each in listed.nodes
            )
            lists[key] = replace(listed, nodes=tuple(nodes))
    return replace(table, entries={**table.entries, **lists})


def _resolved(what: str, entry: Table, kind: _Kind, problems: Problems) -> Table:
    if _KEY not in entry.entries:
        return entry
    wanted = entry.entries[_KEY]
    if not isinstance(wanted, Text):
        problems.add(entry.key_places[_KEY], f"expected the name of the {what} this one extends")
        return replace(_without_key(entry), orphan=True)
    bases = kind.bases.get(wanted.value, ())
    if len(bases) == 1:
        base = _in_own_namespaces(bases[0], wanted.value, _name_of(what, entry)) if what == "source" else bases[0]
        return _laid_over(entry, base)
    problems.add(wanted.place, _why_not(what, wanted.value, kind))
    return replace(_without_key(entry), orphan=True)


def _in_own_namespaces(base: Table, name: str, own: str) -> Table:
    """The base with its namespaces called after the source that extends it.

    Two feeds of one base must not take each other's patient numbers for their own.
    """

    def renamed(key: str, node: Node) -> Node:
        if isinstance(node, Table):
            below = {each: renamed(key if key == "namespaces" else each, one) for each, one in node.entries.items()}
            return replace(node, entries=below)
        if isinstance(node, Items):
            return replace(node, nodes=tuple(renamed(key, each) for each in node.nodes))
        if isinstance(node, Text) and key in _NAMESPACE_KEYS and node.value.startswith(f"{name}-"):
            return replace(node, value=f"{own}{node.value.removeprefix(name)}")
        return node

    return replace(base, entries={key: renamed(key, node) for key, node in base.entries.items()})


def _why_not(what: str, name: str, kind: _Kind) -> str:
    if len(kind.bases.get(name, ())) > 1:
        places = " and ".join(each.place.entry for each in kind.bases[name])
        return f"more than one {what} is called {name!r} ({places}); extend one whose name is its own"
    if name in kind.extending:
        return f"{what} {name!r} extends another itself ({kind.extending[name].entry}); one level is all there is"
    return f"no {what} {name!r} to extend{nearest(name, sorted(kind.bases))}"


def _without_key(entry: Table) -> Table:
    return replace(entry, entries={key: node for key, node in entry.entries.items() if key != _KEY})


def _laid_over(own: Table, base: Table) -> Table:
    """The base's keys but for those that are an entry's own, then the entry's; a key without value takes one away."""
    inherited = {key: node for key, node in base.entries.items() if key not in OWN_KEYS}
    for key, node in own.entries.items():
        if key != _KEY:
            _lay(inherited, key, node)
    return replace(own, entries=inherited, key_places={**base.key_places, **own.key_places})


def _lay(below: dict[str, Node], key: str, node: Node) -> None:
    under = below.get(key)
    if isinstance(node, Nothing) and under is not None:
        del below[key]
    elif key in _NAMED_LISTS and isinstance(node, Items) and isinstance(under, Items):
        below[key] = _lists_laid_over(node, under)
    elif key not in _ONE_VALUE and isinstance(node, Table) and isinstance(under, Table):
        below[key] = _mapping_laid_over(node, under)
    else:
        below[key] = node


def _mapping_laid_over(own: Table, base: Table) -> Table:
    entries = dict(base.entries)
    for key, node in own.entries.items():
        if isinstance(node, Nothing) and key in entries:
            del entries[key]
        else:
            entries[key] = node
    return replace(own, entries=entries, key_places={**base.key_places, **own.key_places})


def _lists_laid_over(own: Items, base: Items) -> Items:
    """The base's entries, each replaced by one laid over it where the own list names it, then the new ones."""
    ours = {_entry_name(each): each for each in own.nodes if isinstance(each, Table) and _entry_name(each)}
    names = {_entry_name(each) for each in base.nodes}
    kept = tuple(_over(ours.get(_entry_name(each)), each) for each in base.nodes)
    added = tuple(each for each in own.nodes if _entry_name(each) not in names or _entry_name(each) == "")
    return replace(own, nodes=kept + added)


def _over(own: Table | None, base: Node) -> Node:
    return _laid_over(own, base) if own is not None and isinstance(base, Table) else base


def _entry_name(node: Node) -> str:
    name = node.entries.get("name") if isinstance(node, Table) else None
    return name.value if isinstance(name, Text) else ""
