"""Which Python codec MSH-18 means, and strict decoding with one configured fallback. Knows no segments.

Source: HL7 table 0211 (v2.8), and the spellings senders use instead of it.
"""

from __future__ import annotations

import codecs

from adapters.hl7.errors import CharsetError

# Keys are the declared name with everything but letters and digits taken out, in capitals.
_CODECS = {
    "": "utf-8",  # Nothing declared is 7-bit ASCII by the standard; UTF-8 reads that and cannot misread the rest.
    "ASCII": "ascii",
    "USASCII": "ascii",
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    "UNICODEUTF16": "utf-16",
    "UTF16": "utf-16",
    "UNICODEUTF32": "utf-32",
    "UTF32": "utf-32",
    "WINDOWS1252": "cp1252",
    "CP1252": "cp1252",
    "ISOIR14": "shift_jis",
    "ISOIR87": "iso2022_jp",
    "ISOIR159": "iso2022_jp_1",
    "GB180302000": "gb18030",
    "GB18030": "gb18030",
    "KSX1001": "euc_kr",
    "BIG5": "big5",
}
for _part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15):
    for _spelling in ("8859{}", "ISO8859{}", "ISO88591987{}"):
        _CODECS[_spelling.format(_part)] = f"iso8859-{_part}"

_WIDE_STARTS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"M\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00M", "utf-32-be"),
    (b"M\x00", "utf-16-le"),
    (b"\x00M", "utf-16-be"),
)


def find_codec(declared: str) -> str | None:
    """The Python codec for a name in MSH-18, or None where the name is unknown to us."""
    return _CODECS.get("".join(character for character in declared.upper() if character.isalnum()))


def find_wide_codec(raw: bytes) -> str | None:
    """The codec of bytes whose first characters take two or four bytes each, else None; a mark stays in the text."""
    for start, codec in _WIDE_STARTS:
        if raw.startswith(start):
            return codec
    return None


def decode_strictly(raw: bytes, declared: str, fallback: str | None) -> tuple[str, str]:
    """Return (text, codec used); a wrong character is never replaced.

    Raises CharsetError where neither the declared character set nor the configured fallback reads the bytes.
    """
    codec = find_wide_codec(raw) or find_codec(declared)
    fault: UnicodeDecodeError | None = None
    for candidate in (codec, fallback):
        if candidate is None:
            continue
        try:
            return raw.decode(candidate), candidate
        except UnicodeDecodeError as error:
            fault = fault or error
    if fault is None:
        raise CharsetError("MSH-18 names a character set this gateway does not know", reason="charset-unknown")
    raise CharsetError(
        "the bytes are not in the character set the message declares",
        reason="charset-mismatch",
        byte_position=fault.start,
    )
