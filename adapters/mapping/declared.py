"""Every name that the files of a set give to something, by kind, and which files may name more but cannot be read.

A reference is judged against names as they are written, those of broken entries too: a typo is told once, where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.mapping.yaml_reader import Items, Node, Place, Problems, Table, Text, closest, nearest

# Folder, kind of entry, the list it stands in, the key of its name.
_LISTED: Final = (
    ("facilities", "organization", "organizations", "id"),
    ("facilities", "facility", "facilities", "id"),
    ("payers", "payer", "payers", "id"),
    ("codes", "session", "sessions", "name"),
)
_CONNECTIONS: Final = "clearinghouses"
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "facilities": ("organization", "facility"),
    "payers": ("payer",),
    "codes": ("session",),
    _CONNECTIONS: ("connection",),
}
_MOST_TOLD: Final = 40
# The keys under which an entry speaks of another.
_SPOKEN_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "organization": ("organization",),
    "facility": ("facility", "facilities"),
    "payer": ("payers",),
    "session": ("session",),
    "connection": ("connection",),
}


@dataclass(slots=True)
class Declared:
    """The names there are, as references are judged by them."""

    _names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _unread: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _unjudged: set[str] = field(default_factory=set)

    def note(self, path: str, table: Table) -> None:
        """Take up the names of one file."""
        folder = path.partition("/")[0]
        if folder == _CONNECTIONS:
            profile = table.entries.get("profile")
            self._take("connection", path, profile, "id")
        for its_folder, kind, listed, key in _LISTED:
            node = table.entries.get(listed) if folder == its_folder else None
            if its_folder == folder and node is None and closest(listed, table.entries):
                self._unread[kind].append(path)  # the list is there under a misspelt name
            for each in node.nodes if isinstance(node, Items) else [node] if node is not None else ():
                self._take(kind, path, each, key)

    def _take(self, kind: str, path: str, entry: Node | None, key: str) -> None:
        own = entry.entries.get(key) if isinstance(entry, Table) else None
        if isinstance(own, Text):
            self._names[kind].add(own.value)
        else:
            self._unread[kind].append(path)

    def unread(self, path: str) -> None:
        """Remember a file that cannot be read: it may name what others speak of."""
        for kind in _KINDS.get(path.partition("/")[0], ()):
            self._unread[kind].append(path)

    def check(self, at: Place | str, kind: str, names: Iterable[str | None], problems: Problems) -> None:
        """Note each name that no file gives; while a file that might give it cannot be read, nothing is said of it."""
        known = self._names[kind]
        for name in names:
            if not name or name in known:
                continue
            if self._unread[kind]:
                self._unjudged.update(self._unread[kind])
            else:
                place = problems.place_of(at, name, _SPOKEN_OF[kind]) if isinstance(at, str) else at
                problems.add(place, f"no {kind} {name!r} in the files{nearest(name, sorted(known)) or _all(known)}")

    def tell_unjudged(self, problems: Problems) -> None:
        """Once for each file that could not be read: what was not judged because of it."""
        for path in sorted(self._unjudged):
            problems.add(Place(path), "does not read as it should; names that may stand in it were not judged")


def _all(known: Collection[str]) -> str:
    return f"; there are {', '.join(sorted(known))}" if 0 < len(known) <= _MOST_TOLD else ""
