"""Messages out of a file: one or many, in FHS/BHS batches or bare, streamed. Splits only; reads no message.

Source: HL7 v2.5.1 chapter 2, 2.10.3 (batch protocol). Captured MLLP traffic (SB and EB bytes left in) is understood.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from adapters.hl7.charsets import find_wide_codec
from adapters.hl7.framing import END_BLOCK, MAX_FRAME_BYTES

_CHUNK_BYTES = 256 * 1024
_BLANK = b" \t\r\n\x0b\x0c\x1c"
_ENVELOPES = frozenset({b"FHS", b"BHS", b"BTS", b"FTS"})
_ENDS = {b"FHS": b"FTS", b"BHS": b"BTS"}
_UTF8_MARK = b"\xef\xbb\xbf"
_FAULT_KEPT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class BatchMessage:
    """One message of a file: `index` from 0 among the messages, `byte_position` where it begins."""

    index: int
    byte_position: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class BatchFault:
    """What in a file is no message, or a count that does not agree: `reason` a stable code, `text` without values."""

    byte_position: int
    reason: str
    text: str
    raw: bytes = b""


def read_batch(
    source: bytes | BinaryIO, max_message_bytes: int = MAX_FRAME_BYTES
) -> Iterator[BatchMessage | BatchFault]:
    """Yield every message of a file in order, and every fault where it was met; holds one message at a time."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    beginning = stream.read(_CHUNK_BYTES)
    codec = find_wide_codec(beginning)
    if codec is not None:
        return _read_wide(beginning + stream.read(max_message_bytes), codec, max_message_bytes)
    return _Splitter(max_message_bytes).split(_lines(beginning, stream, max_message_bytes))


def batch_control_id(beginning: bytes) -> str:
    """BHS-11 of a file's first batch, or FHS-11 of the file; empty where neither says one that can be said again."""
    for name in (b"BHS", b"FHS"):
        for line in beginning.splitlines():
            fields = line.lstrip(_BLANK).split(line.lstrip(_BLANK)[3:4] or b"|")
            if fields[0] == name and len(fields) > 10:
                found = fields[10].decode("ascii", "ignore").strip()
                return found if found.isprintable() and not set(found) & set("|^~\\&") else ""
    return ""


def begins_batch(raw: bytes) -> bool:
    """Whether bytes are messages in an envelope rather than one message."""
    text = raw[:_FAULT_KEPT_BYTES].removeprefix(_UTF8_MARK).lstrip(_BLANK)
    return text[:3] in _ENDS and bool(text[3:4]) and not text[3:4].isalnum()


def write_batch(answers: Sequence[bytes], at: datetime, control_id: str, refers_to: str, comment: str = "") -> bytes:
    """Answers, framed or not, as one batch; ``refers_to`` is the control id of the batch they answer (BHS-12).

    ``comment`` (BTS-2) is what is wrong with the batch rather than with one of its messages.
    """
    head = f"BHS|^~\\&|||||{at:%Y%m%d%H%M%S%z}||||{control_id}|{refers_to}".rstrip("|").encode()
    entries = (entry for each in answers for entry in read_batch(each))
    bodies = [entry.raw.rstrip(b"\r\n") for entry in entries if isinstance(entry, BatchMessage)]
    return b"\r".join([head, *bodies, f"BTS|{len(bodies)}|{comment}".rstrip("|").encode(), b""])


class _Splitter:
    """Holds the lines of the message being read, and what the envelopes promise."""

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._lines: list[bytes] = []
        self._size = 0
        self._started_at = 0
        self._messages = 0
        self._messages_in_batch = 0
        self._batches = 0
        self._open: dict[bytes, int] = {}
        """Envelopes that began and did not end, each with where."""

    def split(self, lines: Iterator[tuple[int, bytes]]) -> Iterator[BatchMessage | BatchFault]:
        for position, line in lines:
            text = line.lstrip(_BLANK)
            name, mark = text[:3], text[3:4]
            if name == b"MSH" or (name in _ENVELOPES and mark and not mark.isalnum()):
                yield from self._finish()
                yield from self._begin(position + len(line) - len(text), text, name)
            elif self._size:
                self._append(line)
            elif text:
                kept = text[:_FAULT_KEPT_BYTES]
                yield BatchFault(position, "outside-message", "a line stands before any MSH", kept)
        yield from self._finish()
        for name, position in self._open.items():
            sentence = f"no {_text(_ENDS[name])} ends what {_text(name)} began: the file may have been cut short"
            yield BatchFault(position, "unfinished", sentence)

    def _begin(self, position: int, text: bytes, name: bytes) -> Iterator[BatchFault]:
        if name == b"MSH":
            self._started_at = position
            self._append(text)
        elif name in _ENDS:
            self._open[name] = position
            self._messages_in_batch = 0
        elif name == b"BTS":
            self._open.pop(b"BHS", None)
            self._batches += 1
            yield from _check_count(position, text, self._messages_in_batch, "batch-count", "BTS-1")
        elif name == b"FTS":
            self._open.pop(b"FHS", None)
            yield from _check_count(position, text, self._batches, "file-count", "FTS-1")

    def _append(self, line: bytes) -> None:
        self._size += len(line)
        if self._size <= self._max_message_bytes:
            self._lines.append(line)

    def _finish(self) -> Iterator[BatchMessage | BatchFault]:
        size, raw = self._size, _without_framing(b"".join(self._lines))
        self._lines.clear()
        self._size = 0
        if not size:
            return
        self._messages_in_batch += 1
        if size > self._max_message_bytes:
            text = f"a message is larger than {self._max_message_bytes} bytes"
            yield BatchFault(self._started_at, "too-large", text, raw[:_FAULT_KEPT_BYTES])
            return
        yield BatchMessage(self._messages, self._started_at, raw)
        self._messages += 1


def _lines(beginning: bytes, stream: BinaryIO, longest: int) -> Iterator[tuple[int, bytes]]:
    position = len(_UTF8_MARK) if beginning.startswith(_UTF8_MARK) else 0
    rest = b""
    chunk = beginning[position:]
    while chunk:
        lines = (rest + chunk).splitlines(keepends=True)
        rest = b"" if lines[-1][-1:] in (b"\r", b"\n") or len(lines[-1]) > longest else lines.pop()
        for line in lines:
            yield position, line
            position += len(line)
        # Reading in ever larger steps keeps one very long line from being copied once per chunk.
        chunk = stream.read(max(_CHUNK_BYTES, len(rest)))
    if rest:
        yield position, rest


def _without_framing(raw: bytes) -> bytes:
    """Cut MLLP's end block off, and what follows it; a message keeps its own last segment terminator."""
    return raw[: raw.rindex(END_BLOCK)] if raw.rstrip(b"\r\n").endswith(END_BLOCK) else raw


def _text(name: bytes) -> str:
    return name.decode("ascii")


def _check_count(position: int, line: bytes, found: int, reason: str, place: str) -> Iterator[BatchFault]:
    fields = line.rstrip(_BLANK).split(line[3:4])
    stated = fields[1].strip() if len(fields) > 1 else b""
    if stated and stated != str(found).encode("ascii"):
        text = f"{place} does not agree with the {found} found"
        yield BatchFault(position, reason, text, b"")


def _read_wide(raw: bytes, codec: str, max_message_bytes: int) -> Iterator[BatchMessage | BatchFault]:
    """UTF-16 and UTF-32, where line ends are two or four bytes: the same splitting over the decoded text."""
    if len(raw) > max_message_bytes:
        yield BatchFault(0, "too-large", f"a UTF-16 or UTF-32 file larger than {max_message_bytes} bytes")
        return
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        yield BatchFault(error.start, "charset-mismatch", "the file is not in the character set it begins with", raw)
        return
    # Lines are found in UTF-8; each message keeps the character set of the file, so places in it are not known.
    lines = _lines(text.lstrip("\ufeff").encode(), io.BytesIO(), max_message_bytes)
    for entry in _Splitter(max_message_bytes).split(lines):
        if isinstance(entry, BatchMessage):
            yield BatchMessage(entry.index, 0, entry.raw.decode().encode(codec))
        else:
            yield entry
