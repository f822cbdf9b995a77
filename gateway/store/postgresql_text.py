"""How text reaches PostgreSQL. Loaded for PostgreSQL alone: its driver takes long to load."""

from __future__ import annotations

from typing import Any

from psycopg.types.string import StrDumperUnknown


class StorableText(StrDumperUnknown):
    """PostgreSQL keeps no NUL in text. What a sender put into a name must not stop us from storing its message."""

    def dump(self, obj: str) -> Any:
        """The text as it is sent."""
        return super().dump(obj.replace("\x00", "\ufffd"))
