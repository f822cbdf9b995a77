"""A message, or one group of its segments, as the mapping engine reads it: paths compiled once, groups as views."""

from __future__ import annotations

from collections.abc import Callable

from adapters.hl7.er7 import Hl7Message, read_message
from adapters.hl7.paths import SegmentGroup, compile_path, find_groups
from adapters.mapping.view import Notation

# HL7's explicit null: the sender says there is no value (v2.5.1, 2.5.3).
_NULL = '""'

Reader = Callable[["MessageView"], list[tuple[str, str]]]


class MessageView:
    """A whole message, or with `scope` one group of it; what a group lacks is looked up in the message around it."""

    __slots__ = ("message", "scope")

    def __init__(self, message: Hl7Message, scope: SegmentGroup | None = None) -> None:
        self.message = message
        self.scope = scope

    @staticmethod
    def compile(path: str) -> Reader:
        """Return a function from a view to [(value, position text)]; empty and explicitly null values are left out.

        Raises PathError. Positions are texts like `PV1-44` or `FT1[2]-7.1`.
        """
        compiled = compile_path(path)

        def read(view: MessageView) -> list[tuple[str, str]]:
            return [located for located in compiled.all(view.message, view.scope) if located.value != _NULL]

        return read

    def groups(self, segment_name: str) -> list[MessageView]:
        """One view for each segment of a name with what belongs to it, in order."""
        return [MessageView(self.message, group) for group in find_groups(self.message, segment_name, self.scope)]

    @property
    def position(self) -> str:
        """Where this view begins: `MSH` for a message, `FT1[2]` for a group."""
        return "MSH" if self.scope is None else self.scope.head.label


def open_message(raw: bytes, fallback_charset: str = "") -> MessageView:
    """Read one message for mapping. Raises FormatError (Hl7FormatError, CharsetError), whose text holds no value."""
    return MessageView(read_message(raw, fallback_charset or None))


HL7_NOTATION = Notation(name="hl7", compile=MessageView.compile, open_message=open_message)
