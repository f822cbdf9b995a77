"""Names in a partner's directories: which of theirs we refuse, which we send, how a trace of ours is recognised."""

from __future__ import annotations

import re

from clearinghouse.mailbox import NameRefused
from clearinghouse.partner import Publish, UploadRules

LONGEST_NAME = 255
_OURS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ALTERNATIVES = re.compile(r"\(([A-Za-z0-9_.|-]*)\)|(\*)|(\{name\})")


def why_refused(name: bytes, is_file: bool) -> str | None:
    """Why an entry of the partner's is not for us, or None. Bytes that are not UTF-8 are no reason: names are bytes."""
    if not name or len(name) > LONGEST_NAME:
        return "the name is empty or too long"
    if b"/" in name or b"\\" in name or name in (b".", b".."):
        return "the name holds a path"
    if any(byte < 0x20 or byte == 0x7F for byte in name):
        return "the name holds control characters"
    return None if is_file else "not a plain file"


def check_own_name(name: str) -> None:
    """Raise NameRefused for an upload name that is not one plain, portable file name."""
    if not _OURS.fullmatch(name) or len(name) > LONGEST_NAME:
        raise NameRefused("an upload needs a plain file name of letters, digits, dot, underscore and hyphen")


def trace_pattern(pattern: str, name: str) -> re.Pattern[bytes]:
    """A profile's notification pattern for one upload: `{name}-*-(success|FAILED)`, `*` for anything."""
    pieces: list[str] = []
    at = 0
    for found in _ALTERNATIVES.finditer(pattern):
        pieces.append(re.escape(pattern[at : found.start()]))
        if found[1] is not None:
            pieces.append("(?:" + "|".join(re.escape(word) for word in found[1].split("|")) + ")")
        else:
            pieces.append("[^/]*" if found[2] else re.escape(name))
        at = found.end()
    pieces.append(re.escape(pattern[at:]))
    return re.compile("".join(pieces).encode())


def remote_path(directory: str, name: bytes) -> bytes:
    """A name in a directory as the server takes it; a relative directory is below where the login starts."""
    return name if directory in ("", ".") else directory.rstrip("/").encode() + b"/" + name


def temporary_path(rules: UploadRules, name: str) -> bytes:
    """Where an upload is written before its rename."""
    if rules.publish is Publish.RENAME_FROM_DIRECTORY and rules.temporary_directory:
        return remote_path(rules.temporary_directory, name.encode())
    return remote_path(rules.directory, (name + rules.temporary_suffix).encode())
