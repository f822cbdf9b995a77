"""Clearinghouse files to plain values with their lines; what the values mean is the partner profile's to say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.mapping.yaml_reader import Items, Node, Place, Problems, Table, Text

_STEP = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class ConnectionFile:
    """One connection: its id (`profile.id`), its settings as nested text, and where each of them stands."""

    id: str
    settings: Mapping[str, Any]
    """Mappings, lists and text; None for a key without a value."""
    entry: str
    table: Table

    def place(self, path: str) -> Place:
        """Where a key path such as `sftp.host_keys[1].key` stands; of a missing one, the mapping it belongs in."""
        node: Node = self.table
        for step in _STEP.findall(path):
            below = _step(node, step)
            if below is None:
                break
            node = below
        return node.place


def _step(node: Node, step: str) -> Node | None:
    if isinstance(node, Table):
        return node.entries.get(step)
    if isinstance(node, Items) and step.isdigit() and int(step) < len(node.nodes):
        return node.nodes[int(step)]
    return None


def read_connection(table: Table, problems: Problems) -> ConnectionFile | None:
    """The connection a file describes; None, with a problem noted, when it does not name itself."""
    profile = table.entries.get("profile")
    own = profile.entries.get("id") if isinstance(profile, Table) else None
    if not isinstance(own, Text):
        place = profile.place if profile is not None else table.place
        problems.add(place, "a clearinghouse file needs profile.id: the name of the connection")
        return None
    problems.remember(table)
    return ConnectionFile(own.value, plain_values(table), table.place.entry, table)


def plain_values(node: Table) -> dict[str, Any]:
    """A table as nested dicts, lists and text."""
    return {key: _plain(value) for key, value in node.entries.items()}


def _plain(node: Node) -> Any:
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Table):
        return plain_values(node)
    if isinstance(node, Items):
        return [_plain(each) for each in node.nodes]
    return None
