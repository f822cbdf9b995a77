"""Where values came from, by reference: what messages of one shape have in common is written on a sheet, once.

Messages of one shape fill a record's fields from the same positions by the same mapping entries. So sessions and claims
hold the name of a sheet and of a message in place of an origin for each value. Knows no mapping file and no store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from gateway.claim.finding import Origin

UNSAID: Final = "(unsaid)"
"""The source of a field's origin where the message says nothing and what the same feed said before stands."""


class Sheet:
    """By field: the position in the message and the mapping entry. Named by what it says, so it never changes."""

    def __init__(self, told: Mapping[str, tuple[str, str]]) -> None:
        self._told = told
        self.fields = {name: each for name, each in told.items() if each[0] != UNSAID}
        self.unsaid = tuple(sorted(name for name, each in told.items() if each[0] == UNSAID))

    @cached_property
    def content(self) -> bytes:
        """What it says, as it is kept: the same bytes for the same sheet."""
        return json.dumps(self._told, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its content: its name."""
        return hashlib.sha256(self.content).hexdigest()


_Stored = tuple[str, str, str, Collection[str] | None]
"""Digest of a sheet, message, prefix, names."""


class Told(NamedTuple):
    """What one record of one message says of where some fields came from."""

    sheet: Sheet
    message_id: str
    prefix: str = ""
    """Before the name of each field."""
    names: frozenset[str] | None = None
    """The fields that count, with all their parts; None for every field."""

    def fields(self) -> Iterable[str]:
        """Names of the fields it speaks of."""
        if self.names is None and not self.prefix:
            return self.sheet.fields.keys()
        return [self.prefix + name for name in self.sheet.fields if self._counts(name)]

    def find(self, name: str) -> Origin | None:
        """Where one field came from."""
        own = name.removeprefix(self.prefix)
        if not name.startswith(self.prefix) or own not in self.sheet.fields or not self._counts(own):
            return None
        source, mapping = self.sheet.fields[own]
        return Origin(source=source, mapping=mapping, message_id=self.message_id)

    def only(self, names: frozenset[str]) -> Told:
        """The same of fewer fields."""
        return self._replace(names=names if self.names is None else self.names & names)

    def _counts(self, name: str) -> bool:
        return self.names is None or name.partition(".")[0] in self.names


class Origins(Mapping[str, Origin]):
    """Origins by field, in order of name: a field filled in parts (``attending.npi``) has one for each part.

    Of those who tell of a field, the first one counts.
    """

    __slots__ = ("_stored", "told")

    def __init__(self, told: tuple[Told, ...] = (), stored: Sequence[_Stored] | None = None) -> None:
        self.told = told
        self._stored = stored

    @classmethod
    def of(cls, origins: Mapping[str, Origin], message_id: str = "") -> Origins:
        """What one message says; whatever message the ``origins`` name themselves."""
        sheet = Sheet({name: (each.source, each.mapping) for name, each in origins.items()})
        return cls((Told(sheet, message_id),)) if origins else NO_ORIGINS

    @classmethod
    def first_of(cls, several: Iterable[Origins]) -> Origins:
        """Field by field, the first of these that knows it."""
        told: list[Told] = []
        known: set[str] = set()
        heard: set[tuple[Sheet, str, frozenset[str] | None]] = set()
        for origins in several:
            for each in origins.told:
                said = (each.sheet, each.prefix, each.names)
                if said in heard:  # of another message: most of a claim's sessions are told by one sheet
                    continue
                heard.add(said)
                if not known.issuperset(each.fields()):
                    known.update(each.fields())
                    told.append(each)
        return cls(tuple(told))

    def only(self, names: Iterable[str]) -> Origins:
        """The origins of some fields and all their parts."""
        wanted = frozenset(names)
        return Origins(tuple(each.only(wanted) for each in self.told))

    def under(self, prefix: str) -> Origins:
        """The same, with something before each name."""
        return Origins(tuple(each._replace(prefix=prefix + each.prefix) for each in self.told))

    def stored(self) -> Sequence[_Stored]:
        """What is stored of them, worked out once: a draft is written, sealed, read and written again."""
        if self._stored is None:
            self._stored = [
                (each.sheet.digest, each.message_id, each.prefix, each.names and sorted(each.names))
                for each in self.told
            ]
        return self._stored

    def __getitem__(self, name: str) -> Origin:
        for each in self.told:
            found = each.find(name)
            if found is not None:
                return found
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({name for each in self.told for name in each.fields()}))

    def __len__(self) -> int:
        return len({name for each in self.told for name in each.fields()})

    def __eq__(self, other: object) -> bool:
        return dict(self) == (dict(other) if isinstance(other, Origins) else other)

    def __hash__(self) -> int:
        return hash(tuple(self.items()))

    def __repr__(self) -> str:
        return repr(dict(self))


NO_ORIGINS: Final = Origins()
"""Where nobody said, or nobody needs the way back."""


def stored_origins(value: object) -> Any:
    """For an encoder: what is stored of origins. Raises TypeError for anything else."""
    if not isinstance(value, Origins):
        raise TypeError(f"nothing says how a {type(value).__name__} is stored")
    return value.stored()


def origins_stored(stored: Sequence[_Stored], find: Callable[[str], Sheet]) -> Origins:
    """The origins of what was stored of them; ``find`` has the sheet of a digest."""
    return Origins(
        tuple(
            Told(find(digest), message_id, prefix, None if names is None else frozenset(names))
            for digest, message_id, prefix, names in stored
        ),
        stored,
    )
