"""Our own reader of HL7 v2 in ER7 form, for the hot path: bytes in, addressable values out, nothing dropped.

Splits only what is asked for. Knows no message structures: any segment, known or not, is kept where it stood.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.hl7.charsets import decode_strictly, find_wide_codec
from adapters.hl7.errors import Hl7FormatError
from adapters.hl7.escapes import DEFAULT_SEPARATORS, Separators, unescape

# Segments whose first field is the field separator itself.
_HEADER_SEGMENTS = frozenset({"MSH", "FHS", "BHS"})
MAX_LINES = 20_000
"""Of one message: beyond this it is a batch, and would keep everybody else waiting while it is worked in."""
_SEGMENT_ID_LENGTH = 3
_UTF8_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n\x0b\x0c\x1c"
_BLANK_TEXT = _BLANK.decode("ascii") + "\ufeff"
_CHARSET_FIELD = 18


@dataclass(frozen=True, slots=True)
class Header:
    """MSH of one message. `fields[n]` is MSH-n as written (0 is the segment name); `charset` is a Python codec."""

    separators: Separators
    charset: str
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """MSH-`number` as written, escapes and all; empty where the message stops before it."""
        return self.fields[number] if number < len(self.fields) else ""

    def value(self, number: int, component: int = 1) -> str:
        """One component of MSH-`number`, first repetition, unescaped."""
        text = self.field(number)
        if not text or number <= 2:
            return text
        separators = self.separators
        text = _part(_part(text, separators.repetition, 1), separators.component, component)
        return unescape(_part(text, separators.subcomponent, 1), separators, self.charset)

    @property
    def sending_application(self) -> str:
        """MSH-3.1."""
        return self.value(3)

    @property
    def sending_facility(self) -> str:
        """MSH-4.1."""
        return self.value(4)

    @property
    def receiving_application(self) -> str:
        """MSH-5.1."""
        return self.value(5)

    @property
    def receiving_facility(self) -> str:
        """MSH-6.1."""
        return self.value(6)

    @property
    def sent_at_text(self) -> str:
        """MSH-7 as the sender wrote it (YYYYMMDDHHMM[SS[.S+]][+/-ZZZZ])."""
        return self.value(7)

    @property
    def message_type(self) -> str:
        """MSH-9.1, such as ADT."""
        return self.value(9)

    @property
    def trigger(self) -> str:
        """MSH-9.2, such as A04."""
        return self.value(9, 2)

    @property
    def structure(self) -> str:
        """MSH-9.3, such as ADT_A01; often empty."""
        return self.value(9, 3)

    @property
    def control_id(self) -> str:
        """MSH-10 whole: senders put any character into it."""
        return unescape(self.field(10), self.separators, self.charset)

    @property
    def processing_id(self) -> str:
        """MSH-11.1: P, T or D."""
        return self.value(11)

    @property
    def version(self) -> str:
        """MSH-12.1, such as 2.5.1."""
        return self.value(12)

    @property
    def accept_acknowledgement(self) -> str:
        """MSH-15: AL, NE, ER, SU or empty."""
        return self.value(15)

    @property
    def application_acknowledgement(self) -> str:
        """MSH-16: AL, NE, ER, SU or empty."""
        return self.value(16)


class Segment:
    """One segment where it stood: `index` counts from 0 in the message, `occurrence` from 1 among its name."""

    __slots__ = ("_fields", "index", "message", "name", "occurrence", "text")

    def __init__(self, message: Hl7Message, name: str, text: str, index: int, occurrence: int) -> None:
        self.message = message
        self.name = name
        self.text = text
        self.index = index
        self.occurrence = occurrence
        self._fields: list[str] | None = None

    @property
    def fields(self) -> list[str]:
        """Fields as written; `fields[n]` is field n, `fields[0]` the name."""
        fields = self._fields
        if fields is None:
            separator = self.message.separators.field
            fields = self.text.split(separator)
            if self.holds_separators:
                fields.insert(1, separator)
            self._fields = fields
        return fields

    def field(self, number: int) -> str:
        """One field as written, or empty."""
        fields = self.fields
        return fields[number] if number < len(fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """The repetitions of one field as written; MSH-1 and MSH-2 are one each."""
        text = self.field(number)
        mark = self.message.separators.repetition
        if not mark or mark not in text or (number <= 2 and self.holds_separators):
            return [text]
        return text.split(mark)

    def value(self, number: int, component: int = 1, subcomponent: int = 1, repetition: int = 1) -> str:
        """One value, unescaped; empty where there is none. HL7's explicit null stays two quotation marks."""
        repetitions = self.repetitions(number)
        if repetition > len(repetitions):
            return ""
        if number <= 2 and self.holds_separators:
            return repetitions[0]
        return self.message.value_of(repetitions[repetition - 1], component, subcomponent)

    @property
    def holds_separators(self) -> bool:
        """Whether fields 1 and 2 are the separators themselves."""
        return self.name in _HEADER_SEGMENTS

    @property
    def label(self) -> str:
        """How a person finds it: `PV1`, or `FT1[2]` where the message has several."""
        several = len(self.message.segments_named(self.name)) > 1
        return f"{self.name}[{self.occurrence}]" if several else self.name

    @property
    def byte_position(self) -> int:
        """Where the segment begins in the bytes as received."""
        return self.message.byte_positions[self.index]


class Hl7Message:
    """One message: `raw` as received, `header`, and its segments, split on first use."""

    __slots__ = ("_by_name", "_byte_positions", "_segments", "charset", "header", "raw", "separators", "text")

    def __init__(self, raw: bytes, text: str, header: Header) -> None:
        self.raw = raw
        self.text = text
        self.header = header
        self.separators = header.separators
        self.charset = header.charset
        self._segments: list[Segment] | None = None
        self._by_name: dict[str, list[Segment]] = {}
        self._byte_positions: list[int] | None = None

    @property
    def segments(self) -> list[Segment]:
        """Every segment in order; blank lines are no segments."""
        if self._segments is None:
            self._segments = self._split()
        return self._segments

    def segments_named(self, name: str) -> list[Segment]:
        """The segments of one name, in order."""
        if self._segments is None:
            self._segments = self._split()
        return self._by_name.get(name, [])

    def value_of(self, repetition: str, component: int, subcomponent: int) -> str:
        """One unescaped value out of one repetition of a field."""
        separators = self.separators
        text = _part(repetition, separators.component, component)
        text = _part(text, separators.subcomponent, subcomponent)
        return unescape(text, separators, self.charset) if separators.escape in text else text

    def unescape(self, text: str) -> str:
        """Any text of this message with its escape sequences read."""
        return unescape(text, self.separators, self.charset)

    @property
    def byte_positions(self) -> list[int]:
        """For each segment the place of its first byte in `raw`."""
        if self._byte_positions is None:
            self._byte_positions = list(self._measure())
        return self._byte_positions

    def _split(self) -> list[Segment]:
        segments: list[Segment] = []
        by_name = self._by_name
        separator = self.separators.field
        for line in split_lines(self.text, separator):
            name = line[:3] if line[3:4] == separator else line.partition(separator)[0]
            same = by_name.get(name)
            if same is None:
                same = by_name[name] = []
            segment = Segment(self, name, line, len(segments), len(same) + 1)
            same.append(segment)
            segments.append(segment)
        return segments

    def _measure(self) -> Iterator[int]:
        place = 0
        done = 0
        octets = 0
        for segment in self.segments:
            place = self.text.index(segment.text, place)
            octets += self._width(self.text[done:place])
            yield octets
            done = place
            place += len(segment.text)

    def _width(self, text: str) -> int:
        if text.isascii() and not find_wide_codec(self.raw):
            return len(text)
        return len(text.encode(self.charset))


def read_message(raw: bytes, fallback_charset: str | None = None) -> Hl7Message:
    """Read one message of any separators, CR, LF or CRLF ended, in the character set MSH-18 declares.

    Raises Hl7FormatError (not HL7, unusable separators) or CharsetError; neither text holds a value.
    """
    if raw.count(b"\r") + raw.count(b"\n") > MAX_LINES:
        raise Hl7FormatError(f"the message has more than {MAX_LINES} lines; send it in parts", reason="too-large")
    declared = _declared_charset(raw)
    text, codec = decode_strictly(raw, declared, fallback_charset)
    start = 0 if text.startswith("MSH") else len(text) - len(text.lstrip(_BLANK_TEXT))
    return Hl7Message(raw, text, _read_header(_first_line(text, start), codec))


def peek_header(raw: bytes, fallback_charset: str | None = None) -> Header:
    """Read MSH alone, without looking at the rest of the message. Raises as `read_message` does."""
    declared = _declared_charset(raw)
    if find_wide_codec(raw):
        text, codec = decode_strictly(raw, declared, fallback_charset)
        return _read_header(_first_line(text, len(text) - len(text.lstrip(_BLANK_TEXT))), codec)
    start = _start_of(raw)
    text, codec = decode_strictly(raw[start : _end_of_line(raw, start)], declared, fallback_charset)
    return _read_header(text, codec)


def split_lines(text: str, field_separator: str) -> list[str]:
    """Split a message into segments as written, blank lines left out.

    CR always ends a segment. LF ends one where the sender uses LF (or CRLF) for that, or where a segment follows it;
    else it is part of a value, as some senders leave it inside free text.
    """
    if "\n" not in text:
        lines = text.split("\r")
    elif "\r" not in text or "\n" in text[: text.find("\r")]:
        lines = text.replace("\r", "\n").split("\n")
    else:
        lines = [part for line in text.split("\r") for part in _split_at_segments(line, field_separator)]
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    if all(line and line[0] not in _BLANK_TEXT for line in lines):
        return lines
    return [stripped for line in lines if (stripped := line.lstrip(_BLANK_TEXT)).strip(_BLANK_TEXT)]


def is_segment_id(name: str) -> bool:
    """Whether a name has a segment's shape: three characters, a capital first, then capitals or digits."""
    if len(name) != _SEGMENT_ID_LENGTH or not name.isascii() or not name.isalnum():
        return False
    return name[0].isalpha() and name.upper() == name


def _split_at_segments(line: str, field_separator: str) -> list[str]:
    if "\n" not in line:
        return [line]
    parts: list[str] = []
    for piece in line.lstrip("\n").split("\n"):
        starts_segment = is_segment_id(piece[:3]) and piece[3:4] in ("", field_separator)
        if parts and not starts_segment:
            parts[-1] += "\n" + piece
        else:
            parts.append(piece)
    return parts


def _part(text: str, mark: str, number: int) -> str:
    """Part `number` (from 1) of a text split at a mark that may not be in use."""
    if not mark or mark not in text:
        return text if number == 1 else ""
    parts = text.split(mark, number)
    return parts[number - 1] if number <= len(parts) else ""


def _start_of(raw: bytes) -> int:
    if raw.startswith(b"MSH"):
        return 0
    body = raw[len(_UTF8_MARK) :] if raw.startswith(_UTF8_MARK) else raw
    return len(raw) - len(body.lstrip(_BLANK))


def _end_of_line(raw: bytes, start: int) -> int:
    end = raw.find(b"\r", start)
    end = len(raw) if end < 0 else end
    line_feed = raw.find(b"\n", start, end)
    return end if line_feed < 0 else line_feed


def _first_line(text: str, start: int) -> str:
    end = text.find("\r", start)
    end = len(text) if end < 0 else end
    line_feed = text.find("\n", start, end)
    return text[start : end if line_feed < 0 else line_feed]


def _declared_charset(raw: bytes) -> str:
    """MSH-18's first repetition, read before the character set is known: its name is always ASCII."""
    if find_wide_codec(raw):
        return ""
    start = _start_of(raw)
    if raw[start : start + 3] != b"MSH":
        raise Hl7FormatError("the message does not begin with MSH", byte_position=start)
    separator = raw[start + 3 : start + 4]
    if not separator or separator in b"\r\n":
        raise Hl7FormatError("MSH ends before its separators", byte_position=start + 3)
    fields = raw[start : _end_of_line(raw, start)].split(separator, _CHARSET_FIELD)
    if len(fields) < _CHARSET_FIELD:
        return ""
    encoding_characters = fields[1]
    declared = fields[_CHARSET_FIELD - 1].split(encoding_characters[1:2] or b"~", 1)[0]
    return declared.decode("ascii", errors="backslashreplace")


def _read_header(line: str, codec: str) -> Header:
    if not line.startswith("MSH"):
        raise Hl7FormatError("the message does not begin with MSH")
    separators = _read_separators(line)
    fields = line.split(separators.field)
    fields.insert(1, separators.field)
    return Header(separators, codec, tuple(fields))


def _read_separators(line: str) -> Separators:
    field = line[3:4]
    written = line[4:].partition(field)[0] if field else ""
    if field == "|" and written == "^~\\&":
        return DEFAULT_SEPARATORS
    characters = field + written
    if not written or len(written) > 5:
        raise Hl7FormatError("MSH-2 must hold one to five encoding characters", reason="separators", byte_position=4)
    if len(set(characters)) != len(characters):
        raise Hl7FormatError("MSH-1 and MSH-2 use one character twice", reason="separators", byte_position=3)
    if any(character.isalnum() or character.isspace() or not character.isprintable() for character in characters):
        raise Hl7FormatError(
            "MSH-1 and MSH-2 must not be letters, digits, spaces or control characters",
            reason="separators",
            byte_position=3,
        )
    return Separators(field, *(*written, "", "", "", "")[:5])
