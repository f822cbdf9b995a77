"""Code lists by date of service, as the gate's rules ask for them: shipped, a site's own in its place, or imported."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

from adapters.codes.releases import CodeReleases
from adapters.mapping.code_files import CodeRow
from adapters.mapping.icd_10_cm import DiagnosisRelease, installed_release
from gateway.claim.calendar import Span
from gateway.rules.context import CodeSets, UnitLimit

# HCPCS level II: a letter and four digits. D belongs to dentistry (ADA), and five digits or a last letter to CPT (AMA).
_LEVEL_II: Final = re.compile(r"[A-CE-V]\d{4}", re.ASCII)
_LEVEL_II_MODIFIER: Final = re.compile(r"[A-Z][A-Z0-9]", re.ASCII)

_MOST_REMEMBERED = 100_000


class ShippedCodeSets(CodeSets):
    """Implements gateway.rules.context.CodeSets over code files, ICD-10-CM releases and what the site imported.

    The shipped HCPCS list is a short one for behavioral health: a level II code it lacks is not known, until the site
    adds it to its own ``codes/hcpcs.yaml`` or imports the whole list. Of CPT none ships, and the answer is None.
    """

    def __init__(
        self,
        places_of_service: Iterable[CodeRow],
        hcpcs: Iterable[CodeRow],
        releases: Iterable[DiagnosisRelease] | None = None,
        imported: CodeReleases | None = None,
        *,
        short_list_is_whole: bool = True,
    ) -> None:
        """``releases`` None means the installed one, read when first asked for.

        Where the short list is not the whole of what is billed (a stranger's file), a code it lacks is unknown.
        """
        self._short_list_is_whole = short_list_is_whole
        self._places = frozenset(row.code for row in places_of_service)
        spans: dict[str, list[Span]] = defaultdict(list)
        for row in hcpcs:
            spans[row.code].append(row.span)
        self._hcpcs: Mapping[str, list[Span]] = dict(spans)
        self._releases = None if releases is None else tuple(releases)
        self._imported = imported or CodeReleases()
        self._answers: dict[tuple[str, str, date], bool | None] = {}

    @property
    def version(self) -> str:
        """Names the imported lists; empty without any."""
        return self._imported.version

    # --- diagnoses, places -------------------------------------------------------------------------------------------

    def diagnosis_is_known(self, code: str, on: date) -> bool | None:
        """True when the ICD-10-CM code exists on the day; None when no release covers the day."""
        imported = self._imported.listed("icd-10-cm", _bare(code), on)
        release = self._release(on) if imported is None else None
        return imported if release is None else release.knows(_bare(code))

    def diagnosis_is_billable(self, code: str, on: date) -> bool | None:
        """True when the code is complete (a leaf) on the day; None when no release covers the day."""
        return self._remembered("billable", code, on, self._is_billable)

    def _is_billable(self, code: str, on: date) -> bool | None:
        table = self._imported.table("icd-10-cm", on)
        if table is not None:
            row = table.row(_bare(code), on)
            return row is not None and row.facts.get("billable") == "1"
        release = self._release(on)
        return None if release is None else _bare(code) in release.complete

    def place_of_service_is_known(self, code: str) -> bool:
        """True for a place of service code CMS publishes."""
        return code in self._places

    # --- procedures, modifiers, revenue codes ------------------------------------------------------------------------

    def hcpcs_is_known(self, code: str, on: date) -> bool | None:
        """True when the code is in the list on the day; None for CPT codes while no CPT list is imported."""
        return self._remembered("procedure", code, on, self._is_procedure)

    def _is_procedure(self, code: str, on: date) -> bool | None:
        if not _LEVEL_II.fullmatch(code):
            return self._imported.listed("cpt", code, on)
        if any(span.covers(on) for span in self._hcpcs.get(code, ())):
            return True
        listed = self._imported.listed("hcpcs", code, on)
        return False if listed is None and self._short_list_is_whole else listed

    def modifier_is_known(self, modifier: str, on: date) -> bool | None:
        """True when the level II modifier is in the imported list; None without one, and for CPT's own (digits)."""
        if not _LEVEL_II_MODIFIER.fullmatch(modifier):
            return None
        return self._imported.listed("hcpcs", f"-{modifier}", on)

    def revenue_code_is_known(self, code: str, on: date) -> bool | None:
        """True when the revenue code is in the imported list; None without one."""
        return self._imported.listed("revenue-codes", code, on)

    # --- edits of CMS ------------------------------------------------------------------------------------------------

    def unit_limit(self, code: str, on: date, *, hospital: bool) -> UnitLimit | None:
        """The medically unlikely edit of a code; None when there is none, or no list."""
        table = self._imported.table(f"mue-{_setting(hospital)}", on)
        row = table.row(code, on) if table is not None else None
        return UnitLimit(int(row.facts["units"]), row.facts["by"] == "day") if row is not None else None

    def pair_edit(self, first: str, second: str, on: date, *, hospital: bool) -> str | None:
        """``0`` when the second code is never paid beside the first, ``1`` when a modifier may say why; else None."""
        table = self._imported.table(f"ptp-{_setting(hospital)}", on)
        row = table.row(f"{first} {second}", on) if table is not None else None
        return row.facts["modifier"] if row is not None else None

    def primaries(self, add_on: str, on: date) -> frozenset[str] | None:
        """The codes an add-on code may stand beside, empty where the payer decides; None for any other code."""
        table = self._imported.table("add-on-codes", on)
        rows = [row for row in table.rows(add_on) if row.holds_on(on)] if table is not None else []
        if not rows:
            return None
        return frozenset(row.key.partition(" ")[2] for row in rows) - {""}

    def program_service(self, code: str, on: date) -> bool | None:
        """True for a code that Medicare takes on a PHP or IOP claim; None without a list."""
        return self._imported.listed("program-services", code, on)

    def is_primary_service(self, code: str, on: date) -> bool | None:
        """True for a service of which a Medicare program day needs one; None without a list that says so."""
        table = self._imported.table("program-services", on)
        row = table.row(code, on) if table is not None else None
        return row is not None and "primary" in row.facts if table is not None else None

    def _remembered(self, kind: str, code: str, on: date, ask: Callable[[str, date], bool | None]) -> bool | None:
        """The answer, kept: a program asks of few codes on few days, over and over."""
        key = (kind, code, on)
        if key in self._answers:
            return self._answers[key]
        if len(self._answers) >= _MOST_REMEMBERED:
            self._answers.clear()
        answer = self._answers[key] = ask(code, on)
        return answer

    def _release(self, on: date) -> DiagnosisRelease | None:
        if self._releases is None:
            self._releases = (installed_release(),)
        return next((each for each in self._releases if each.span.covers(on)), None)


def _bare(code: str) -> str:
    return code.replace(".", "").upper()


def _setting(hospital: bool) -> str:
    return "hospital" if hospital else "practitioner"
