"""Code lists by date of service, as the gate's rules ask for them: shipped, or a site's own in its place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from adapters.mapping.code_files import CodeRow
from adapters.mapping.icd_10_cm import DiagnosisRelease, installed_release
from gateway.claim.calendar import Span

# HCPCS level II: a letter and four digits. D belongs to dentistry (ADA), and five digits or a last letter to CPT (AMA).
_LEVEL_II: Final = re.compile(r"[A-CE-V]\d{4}", re.ASCII)


class ShippedCodeSets:
    """Implements gateway.rules.context.CodeSets over code files and ICD-10-CM releases.

    The HCPCS list is a short one for behavioral health: a level II code it lacks is not known, and a site that bills
    one adds it to its own ``codes/hcpcs.yaml``. Of CPT there is no list, and the answer is None.
    """

    def __init__(
        self,
        places_of_service: Iterable[CodeRow],
        hcpcs: Iterable[CodeRow],
        releases: Iterable[DiagnosisRelease] | None = None,
    ) -> None:
        """``releases`` None means the installed one, read when first asked for."""
        self._places = frozenset(row.code for row in places_of_service)
        spans: dict[str, list[Span]] = defaultdict(list)
        for row in hcpcs:
            spans[row.code].append(row.span)
        self._hcpcs: Mapping[str, list[Span]] = dict(spans)
        self._releases = None if releases is None else tuple(releases)

    def diagnosis_is_known(self, code: str, on: date) -> bool | None:
        """True when the ICD-10-CM code exists on the day; None when no release covers the day."""
        release = self._release(on)
        return None if release is None else release.knows(_bare(code))

    def diagnosis_is_billable(self, code: str, on: date) -> bool | None:
        """True when the code is complete (a leaf) on the day; None when no release covers the day."""
        release = self._release(on)
        return None if release is None else _bare(code) in release.complete

    def place_of_service_is_known(self, code: str) -> bool:
        """True for a place of service code CMS publishes."""
        return code in self._places

    def hcpcs_is_known(self, code: str, on: date) -> bool | None:
        """True when the level II code is in the list on the day; None for codes we hold no list of (CPT)."""
        if not _LEVEL_II.fullmatch(code):
            return None
        return any(span.covers(on) for span in self._hcpcs.get(code, ()))

    def _release(self, on: date) -> DiagnosisRelease | None:
        if self._releases is None:
            self._releases = (installed_release(),)
        return next((each for each in self._releases if each.span.covers(on)), None)


def _bare(code: str) -> str:
    return code.replace(".", "").upper()
