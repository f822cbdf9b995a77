"""How text reaches PostgreSQL. Loaded for PostgreSQL alone: its driver takes long to load."""

from __future__ import annotations

from typing import Any

from psycopg.adapt import AdaptersMap
from psycopg.types.array import ListBinaryDumper
from psycopg.types.string import StrBinaryDumper, StrDumperUnknown


class StorableText(StrDumperUnknown):
    """PostgreSQL keeps no NUL in text. What a sender put into a name must not stop us from storing its message."""

    def dump(self, obj: str) -> Any:
        """The text as it is sent."""
        return super().dump(_storable(obj))


class StorableListedText(StrBinaryDumper):
    """The same for a text in a list."""

    def dump(self, obj: str) -> Any:
        """The text as it is sent."""
        return super().dump(_storable(obj))


def register(adapters: AdaptersMap) -> None:
    """Send a connection's text so, and its lists unescaped: of what is registered for one type the last is taken."""
    adapters.register_dumper(str, StorableListedText)
    adapters.register_dumper(str, StorableText)
    adapters.register_dumper(list, ListBinaryDumper)


def _storable(value: str) -> str:
    return value.replace("\x00", "\ufffd")
