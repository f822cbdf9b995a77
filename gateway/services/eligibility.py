"""Which of a payer's answers on eligibility counts for a program's services on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.claim.contract import ProgramKind
from gateway.claim.roster import EligibilityRecord

_WHOLE_PLAN: Final = "30"
SERVICE_TYPES: Final[Mapping[ProgramKind, frozenset[str]]] = {
    ProgramKind.MENTAL_HEALTH: frozenset({"MH", "A4", "A6", "A8", "CF", "CH"}),
    ProgramKind.SUBSTANCE_USE: frozenset({"AI", "CK"}),
}
"""EB03 of a 271: mental health, psychiatric, psychotherapy, outpatient; substance use, outpatient."""


def answers_for(
    answers: Iterable[EligibilityRecord], payer: str, program_kind: ProgramKind
) -> tuple[EligibilityRecord, ...]:
    """What a payer answered that such a program's services fall under."""
    wanted = SERVICE_TYPES[program_kind] | {_WHOLE_PLAN}
    return tuple(
        each
        for each in answers
        if each.payer == payer and (not each.service_types or not wanted.isdisjoint(each.service_types))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityOn:
    """What a payer's newest answers say of one day."""

    active: bool
    checked_on: date
    carve_out_payer: str = ""
    primary_payer: str = ""
    entries: tuple[str, ...] = ()
    """Where the answers stood that decided it."""


def eligibility_on(answers: Sequence[EligibilityRecord], on: date) -> EligibilityOn | None:
    """The newest answers that speak of a day; None when none does.

    Those for named services count before those for the whole plan, and one that says inactive before one that does not.
    """
    speaking = [each for each in answers if each.covers(on)]
    if not speaking:
        return None
    newest = max(each.checked_on for each in speaking)
    current = [each for each in speaking if each.checked_on == newest]
    decisive = [each for each in current if _is_specific(each)] or current
    return EligibilityOn(
        active=all(each.active for each in decisive),
        checked_on=newest,
        carve_out_payer=next((each.carve_out_payer for each in decisive if each.carve_out_payer), ""),
        primary_payer=next((each.primary_payer for each in current if each.primary_payer), ""),
        entries=tuple(each.entry for each in decisive if each.entry),
    )


def _is_specific(answer: EligibilityRecord) -> bool:
    return bool(answer.service_types) and _WHOLE_PLAN not in answer.service_types
