"""HL7 v2 separators and escape sequences: text of one value in or out. Knows nothing of segments or messages.

Source: HL7 v2.5.1 chapter 2, 2.5.4 (delimiters) and 2.7 (escape sequences); the truncation character is v2.7's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Separators:
    """The characters MSH-1 and MSH-2 declare; an empty one is not in use and never splits anything."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """MSH-2 as it is written."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


DEFAULT_SEPARATORS = Separators()

# Highlighting and text layout carry no value of their own; a line break does.
_LAYOUT = {"H": "", "N": "", ".BR": "\n", ".SP": "\n", ".FI": "", ".NF": "", ".CE": "\n"}
# Escapes of a registered shape that name another character set or are the sender's own: kept as they came.
_KEPT_AS_WRITTEN = frozenset("CMZ")
_LONGEST_LAYOUT_COUNT = 2


def unescape(text: str, separators: Separators = DEFAULT_SEPARATORS, charset: str = "utf-8") -> str:
    """Return the value that was written; an escape we do not know stays as written, so nothing is lost."""
    mark = separators.escape
    if not mark or mark not in text:
        return text
    pieces = text.split(mark)
    out = [pieces[0]]
    position = 1
    last = len(pieces) - 1
    while position <= last:
        body = pieces[position]
        meaning = _meaning(body, separators, charset) if position < last else None
        if meaning is None:
            out.append(mark + body)
            position += 1
        else:
            out.append(meaning)
            out.append(pieces[position + 1])
            position += 2
    return "".join(out)


def escape(text: str, separators: Separators = DEFAULT_SEPARATORS) -> str:
    r"""Write a value so that no character of it can be taken for structure; control characters become ``\Xhh\``.

    Raises ValueError where the separators name no escape character and the text needs one.
    """
    written = text.translate(_escape_table(separators))
    if not separators.escape and written != text:
        raise ValueError("these separators declare no escape character, and the value needs escaping")
    return written


@lru_cache(maxsize=64)
def _escape_table(separators: Separators) -> dict[int, str]:
    mark = separators.escape
    table = {code: f"{mark}X{code:02X}{mark}" for code in (*range(0x20), 0x7F)}
    for character, letter in _letters(separators).items():
        table[ord(character)] = f"{mark}{letter}{mark}"
    return table


@lru_cache(maxsize=64)
def _letters(separators: Separators) -> dict[str, str]:
    pairs = {
        separators.field: "F",
        separators.component: "S",
        separators.subcomponent: "T",
        separators.repetition: "R",
        separators.escape: "E",
        separators.truncation: "P",
    }
    return {character: letter for character, letter in pairs.items() if character}


@lru_cache(maxsize=64)
def _characters(separators: Separators) -> dict[str, str]:
    return {letter: character for character, letter in _letters(separators).items()}


def _meaning(body: str, separators: Separators, charset: str) -> str | None:
    if not body:
        return None
    character = _characters(separators).get(body)
    if character is not None:
        return character
    if body[0] == "X":
        return _from_hex(body[1:], charset)
    if body[0] in _KEPT_AS_WRITTEN and body[1:].isalnum():
        return separators.escape + body + separators.escape
    return _layout(body.upper())


def _layout(body: str) -> str | None:
    known = _LAYOUT.get(body)
    if known is not None:
        return known
    command, count = body[:3], body[3:].lstrip("+-")
    if command not in (".SP", ".IN", ".TI", ".SK") or not (count.isascii() and count.isdigit()):
        return None
    if len(count) > _LONGEST_LAYOUT_COUNT:
        return None
    if command == ".SP":
        return "\n" * int(count)
    return " " * int(count) if command == ".SK" else ""


def _from_hex(digits: str, charset: str) -> str | None:
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        return None
    if not octets or " " in digits:
        return None
    try:
        return octets.decode("ascii") if octets.isascii() else octets.decode(charset)
    except UnicodeDecodeError:
        return None
