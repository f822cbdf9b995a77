"""Any file of HL7 v2 messages as JSON that keeps every character, and back. Reads no meaning; conformance does.

A file is ``lines``: each a message's segment, or what stands between messages (envelopes, blanks, framing). A segment's
``fields`` are as written, split at the message's own field separator; ``end`` is how a line ended that did not end as
usual.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from adapters.hl7.charsets import find_wide_codec

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}\Z", re.ASCII)
_FRAMING = "\x0b\x1c\ufeff \t"
_ENVELOPES = frozenset({"FHS", "BHS", "BTS", "FTS"})


def read_file_json(path: Path) -> dict[str, Any]:
    """One entry of `files` in `read --json`. Raises OSError when the file cannot be opened; never on its content."""
    return read_json(path.read_bytes(), str(path))


def read_json(content: bytes, path: str = "") -> dict[str, Any]:
    """`read_file_json` for bytes."""
    codec, text = _decode(content)
    lines = [(body, end) for body, end in _LINE.findall(text) if body or end]
    usual = Counter(end for _, end in lines).most_common(1)[0][0] if lines else ""
    reading = _Reading(usual)
    for body, end in lines:
        reading.take(body, end)
    readable = reading.messages > 0
    return {
        "path": path,
        "readable": readable,
        "error": None if readable else "No HL7 v2 message could be read: none of its lines begins with MSH.",
        "character_set": codec,
        "line_ending": usual,
        "messages": reading.summaries,
        "lines": reading.lines,
    }


def write_json(file: dict[str, Any]) -> bytes:
    """The bytes `read_json` was given, from what it returned."""
    usual: str = file["line_ending"]
    parts = []
    for line in file["lines"]:
        text = line["text"] if "text" in line else line["separator"].join(line["fields"])
        parts.append(line.get("before", "") + text + line.get("end", usual))
    return "".join(parts).encode(file["character_set"], "surrogatepass")


class _Reading:
    """The lines read so far, and the message the next one belongs to."""

    def __init__(self, usual: str) -> None:
        self._usual = usual
        self.lines: list[dict[str, Any]] = []
        self.summaries: list[dict[str, Any]] = []
        self._separator = ""

    @property
    def messages(self) -> int:
        """How many began."""
        return len(self.summaries)

    def take(self, body: str, end: str) -> None:
        bare = body.lstrip(_FRAMING)
        before = body[: len(body) - len(bare)]
        name = bare[:3]
        line: dict[str, Any] = {"before": before} if before else {}
        if name == "MSH" and len(bare) > 3:
            self._separator = bare[3]
            self.summaries.append({"index": self.messages, "type": _type_of(bare), "first_line": len(self.lines)})
        elif name in _ENVELOPES:
            self._separator = ""
        if self._separator and _NAME.match(name) and (len(bare) == 3 or bare[3] == self._separator):
            line |= {"message": self.messages - 1, "separator": self._separator, "fields": bare.split(self._separator)}
        else:
            line["text"] = bare
        if end != self._usual:
            line["end"] = end
        self.lines.append(line)


def _type_of(header: str) -> str:
    """MSH-9 as written."""
    fields = header.split(header[3])
    return fields[8] if len(fields) > 8 else ""


def _decode(content: bytes) -> tuple[str, str]:
    """The text and how it was decoded, such that encoding it again gives the same bytes."""
    wide = find_wide_codec(content)
    for codec in ([wide] if wide else []) + ["utf-8"]:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if text.encode(codec) == content:
            return codec, text
    return "latin-1", content.decode("latin-1")
