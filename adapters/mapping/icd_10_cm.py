"""ICD-10-CM codes of one fiscal year's release, from the text list in the simple_icd_10_cm distribution.

The distribution's own module is never imported: it builds a tree of every note, which takes over a second, and a gate
asks only whether a code exists and whether it is complete. Reading the list takes some tens of milliseconds.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from gateway.claim.calendar import Span
from gateway.errors import ConfigurationError

_VERSION: Final = re.compile(rb"<version>(\d{4})</version>")
_CODE: Final = re.compile(r"^[A-Z][0-9A-Z]{2,6}$", re.MULTILINE)
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class DiagnosisRelease:
    """The codes in force in a span of dates of service, without dots. ``complete`` ones are not divided further."""

    span: Span
    complete: frozenset[str]
    headings: frozenset[str]

    def knows(self, code: str) -> bool:
        """True for any code of the release, complete or not."""
        return code in self.complete or code in self.headings


def read_release(codes: str, fiscal_year: int) -> DiagnosisRelease:
    """A release from its list of codes, one a line; a code is complete when no other begins with it."""
    ordered = sorted(set(_CODE.findall(codes)))
    headings = {one for one, following in pairwise(ordered) if following.startswith(one)}
    span = Span(date(fiscal_year - 1, 10, 1), date(fiscal_year, 9, 30))
    return DiagnosisRelease(span, frozenset(ordered) - headings, frozenset(headings))


@cache
def installed_release() -> DiagnosisRelease:
    """The release that is installed. Raises ConfigurationError when its files are not what they were."""
    folder = _folder()
    lists = sorted(folder.glob("code-list-*.txt"))
    tables = sorted(folder.glob("icd10c*.xml"))
    version = _VERSION.search(_head(tables[0])) if tables else None
    if len(lists) != 1 or version is None:
        raise ConfigurationError([f"{folder}: holds no ICD-10-CM code list; install the locked simple-icd-10-cm"])
    return read_release(lists[0].read_text("ascii"), int(version[1]))


def _head(table: Path) -> bytes:
    with table.open("rb") as opened:
        return opened.read(_HEAD_BYTES)


def _folder() -> Path:
    spec = importlib.util.find_spec("simple_icd_10_cm")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(["simple-icd-10-cm is not installed; it holds the ICD-10-CM codes"])
    return Path(spec.submodule_search_locations[0]) / "data"
