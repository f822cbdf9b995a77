"""MLLP framing of bytes: frames out of any chunks, whatever their content or character set. Knows no HL7 and no socket.

Source: HL7 v2 implementation guide, minimal lower layer protocol: <SB> content <EB><CR>.
"""

from __future__ import annotations

from dataclasses import dataclass

START_BLOCK = b"\x0b"
END_BLOCK = b"\x1c"
CARRIAGE_RETURN = b"\r"
MAX_FRAME_BYTES = 16 * 1024 * 1024

# EB ends a frame when one of these follows. Anything else after it means it is a character of the content (0x1C is half
# of a quotation mark in UTF-16). Senders that leave CR out go straight on to the next SB, or write LF.
_AFTER_END_BLOCK = b"\r\n\x0b"
_LOST_START = b"\x0bMSH"
_OVERFLOW_KEPT_BYTES = 64 * 1024


def frame(message: bytes) -> bytes:
    """Wrap one message for the wire."""
    return b"".join((START_BLOCK, message, END_BLOCK, CARRIAGE_RETURN))


@dataclass(slots=True)
class FrameCounts:
    """What a decoder met, in numbers only."""

    frames: int = 0
    noise_bytes: int = 0  # outside any frame, line ends apart
    tail_bytes: int = 0  # line ends outside any frame
    frames_never_ended: int = 0  # a new frame began inside one
    doubled_starts: int = 0
    ends_without_carriage_return: int = 0
    frames_too_large: int = 0
    frames_cut_off: int = 0  # the connection ended inside one


class FrameDecoder:
    """Takes bytes as they come and gives whole frames; the same frames and counts however the bytes are cut.

    A frame over the limit sets `overflow` to its first bytes; from then on nothing more is decoded.
    """

    __slots__ = ("_buffer", "_inside", "_max_frame_bytes", "_scanned", "counts", "overflow")

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self.counts = FrameCounts()
        self.overflow: bytes | None = None
        self._max_frame_bytes = max_frame_bytes
        self._buffer = bytearray()
        self._scanned = 0
        self._inside = False

    @property
    def buffered_bytes(self) -> int:
        """Bytes held of a frame that has not ended."""
        return len(self._buffer)

    @property
    def inside_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._inside

    @property
    def awaits_carriage_return(self) -> bool:
        """Whether only the CR after EB is missing; never in UTF-16 or UTF-32, where EB may be half a character."""
        return self._inside and self._buffer.endswith(END_BLOCK) and b"\x00" not in self._buffer

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the frames they complete, in order."""
        frames: list[bytes] = []
        if self.overflow is not None:
            return frames
        self._buffer += chunk
        while self.overflow is None and self._buffer:
            if not self._inside and not self._enter():
                break
            content = self._take_content()
            if content is None:
                break
            frames.append(content)
        return frames

    def end_of_input(self) -> list[bytes]:
        """The sender has gone, or will write no more: give the frame that lacks only its CR; count one cut off."""
        if self.overflow is not None or not self._inside:
            return []
        if self.awaits_carriage_return:
            content = bytes(self._buffer[:-1])
            if len(content) > self._max_frame_bytes:
                self._overflow()
                return []
            self.counts.ends_without_carriage_return += 1
            self._leave(len(self._buffer))
            return [self._settle(content)]
        self.counts.frames_cut_off += 1
        self._leave(len(self._buffer))
        return []

    def _enter(self) -> bool:
        start = self._buffer.find(START_BLOCK)
        outside = bytes(self._buffer if start < 0 else self._buffer[:start])
        noise = len(outside.translate(None, b"\r\n"))
        self.counts.noise_bytes += noise
        self.counts.tail_bytes += len(outside) - noise
        if start < 0:
            self._buffer.clear()
            return False
        del self._buffer[: start + 1]
        self._inside = True
        self._scanned = 0
        return True

    def _take_content(self) -> bytes | None:
        buffer = self._buffer
        while True:
            end = buffer.find(END_BLOCK, self._scanned)
            if end < 0:
                self._scanned = len(buffer)
            elif end + 1 == len(buffer):
                self._scanned = end
            elif buffer[end + 1] not in _AFTER_END_BLOCK:
                self._scanned = end + 1
                continue
            # EB may still turn out to be content, so it counts only once the byte after it is known.
            length = self._scanned if end < 0 or end + 1 == len(buffer) else end
            if length > self._max_frame_bytes:
                self._overflow()
                return None
            if end < 0 or end + 1 == len(buffer):
                return None
            return self._finish(end)

    def _finish(self, end: int) -> bytes:
        content = bytes(self._buffer[:end])
        if self._buffer[end + 1] == START_BLOCK[0]:
            self.counts.ends_without_carriage_return += 1
            self._leave(end + 1)
        else:
            if self._buffer[end + 1] != CARRIAGE_RETURN[0]:
                self.counts.ends_without_carriage_return += 1
            self._leave(end + 2)
        return self._settle(content)

    def _leave(self, consumed: int) -> None:
        del self._buffer[:consumed]
        self._inside = False
        self._scanned = 0

    def _settle(self, content: bytes) -> bytes:
        """Drop doubled SBs, and the frames before this one that the sender never ended."""
        kept = content.lstrip(START_BLOCK)
        self.counts.doubled_starts += len(content) - len(kept)
        lost = kept.rfind(_LOST_START)
        if lost >= 0:
            self.counts.frames_never_ended += kept.count(_LOST_START)
            kept = kept[lost + 1 :]
        self.counts.frames += 1
        return kept

    def _overflow(self) -> None:
        self.counts.frames_too_large += 1
        kept = bytes(self._buffer[: min(_OVERFLOW_KEPT_BYTES, self._max_frame_bytes)])
        self.overflow = kept.lstrip(START_BLOCK)
        self._buffer.clear()
        self._inside = False
