"""Which of a payer's answers on eligibility counts for a program's services on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def answer_on(answers: Sequence[EligibilityRecord], on: date) -> EligibilityRecord | None:
    """The answer that counts on a day: the newest that speaks of it, of those the one for named services, of those the
    worse one."""
    speaking = [each for each in answers if each.covers(on)]
    return max(speaking, key=lambda each: (each.checked_on, _is_specific(each), not each.active), default=None)


def _is_specific(answer: EligibilityRecord) -> bool:
    return bool(answer.service_types) and _WHOLE_PLAN not in answer.service_types
