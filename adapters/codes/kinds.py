"""The kinds of code list that can be imported: who publishes each, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.codes.layouts import (
    LayoutError,
    Reading,
    read_add_on_codes,
    read_cpt,
    read_hcpcs,
    read_icd_10_cm_order,
    read_mue,
    read_program_services,
    read_ptp,
    simple_reader,
)
from adapters.codes.table import ListedCode
from gateway.errors import ConfigurationError

_MOST_TOLD = 100
_NO_TEXT: Final[Mapping[bytes, str]] = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; import the text in it, a sheet saved as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


@dataclass(frozen=True, slots=True)
class CodeListKind:
    """One kind of list."""

    name: str
    publisher: str
    read: Callable[[str], Reading]
    yearly: bool = False
    """A release ends with its federal fiscal year; the others hold until a later one begins."""


KINDS: Final[Mapping[str, CodeListKind]] = {
    each.name: each
    for each in (
        CodeListKind("icd-10-cm", "CMS and CDC, order file (public)", read_icd_10_cm_order, yearly=True),
        CodeListKind("hcpcs", "CMS, alpha-numeric file ANWEB (public)", read_hcpcs),
        CodeListKind("cpt", "American Medical Association (licensed)", read_cpt),
        CodeListKind("revenue-codes", "NUBC (licensed)", simple_reader(r"\d{4}", "a revenue code")),
        CodeListKind(
            "taxonomy", "NUCC, provider taxonomy CSV (licensed)", simple_reader(r"[0-9A-Z]{9}X", "a taxonomy")
        ),
        CodeListKind(
            "carc",
            "X12, adjustment reasons (licensed)",
            simple_reader(r"[A-Z]?\d{1,3}", "a reason code", with_words=True),
        ),
        CodeListKind(
            "rarc",
            "X12, remark codes (licensed)",
            simple_reader(r"[A-Z]{1,2}\d{1,3}", "a remark code", with_words=True),
        ),
        CodeListKind("program-services", "CMS, IOCE quarterly file (embeds CPT)", read_program_services),
        CodeListKind("ptp-practitioner", "CMS, NCCI edits, practitioner (embeds CPT)", read_ptp),
        CodeListKind("ptp-hospital", "CMS, NCCI edits, outpatient hospital (embeds CPT)", read_ptp),
        CodeListKind("mue-practitioner", "CMS, NCCI units, practitioner (embeds CPT)", read_mue),
        CodeListKind("mue-hospital", "CMS, NCCI units, outpatient hospital (embeds CPT)", read_mue),
        CodeListKind("add-on-codes", "CMS, NCCI add-on codes (embeds CPT)", read_add_on_codes),
    )
}


def read_code_list(kind: CodeListKind, content: bytes, name: str) -> list[ListedCode]:
    """The rows of a published file. Raises ConfigurationError with ``file:line: what`` of every row that is wrong."""
    for beginning, what in _NO_TEXT.items():
        if content.startswith(beginning):
            raise ConfigurationError([f"{name}: is {what}"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # what spreadsheets save; no code is outside of ASCII
    try:
        reading = kind.read(text)
    except LayoutError as error:
        raise ConfigurationError([f"{name}: {error}"]) from None
    if reading.problems:
        told = [f"{name}:{line}: {what}" for line, what in reading.problems[:_MOST_TOLD]]
        more = len(reading.problems) - len(told)
        raise ConfigurationError([*told, *([f"{name}: and {more} rows more"] if more else [])])
    if not reading.rows:
        raise ConfigurationError([f"{name}: holds no code of the kind {kind.name}"])
    return reading.rows
