"""Why a payer paid less than was billed: each reason that stands, its words where the site has them, the next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from gateway.claim.answer import PaidClaim
from gateway.lifecycle import ClaimFact, denied_adjustments, standing_adjudications
from gateway.receivable.denials import next_step

CodeWords = Callable[[str, str, date], str]
"""What a ``carc`` or ``rarc`` means on a day, by the list the site imported; empty where it has none."""


def no_words(kind: str, code: str, on: date) -> str:  # noqa: ARG001 - a site without lists
    """A site that imported no list."""
    return ""


def adjustment_views(facts: Sequence[ClaimFact], words: CodeWords) -> list[dict[str, Any]]:
    """Adjustments of the claim's standing adjudications, by group and reason."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for fact, paid in _standing(facts):
        denied = {(each.group, each.reason) for each in denied_adjustments(paid)}
        for each in (*paid.adjustments, *(one for line in paid.lines for one in line.adjustments)):
            key = each.group, each.reason
            step = next_step(each.reason) if key in denied else None
            row = found.setdefault(
                key,
                {
                    "group": each.group,
                    "reason": each.reason,
                    "words": words("carc", each.reason, _day(fact)) or None,
                    "cents": 0,
                    "denied": step is not None,
                    "owner": step.owner if step else None,
                    "fix": step.action if step else None,
                },
            )
            row["cents"] += each.cents
    return [found[key] for key in sorted(found)]


def remark_views(facts: Sequence[ClaimFact], words: CodeWords) -> list[dict[str, Any]]:
    """Remark codes of the claim's standing adjudications."""
    found = {
        code: words("rarc", code, _day(fact)) or None
        for fact, paid in _standing(facts)
        for code in (*paid.remarks, *(each for line in paid.lines for each in line.remarks))
    }
    return [{"code": code, "words": found[code]} for code in sorted(found)]


def _standing(facts: Sequence[ClaimFact]) -> Iterator[tuple[ClaimFact, PaidClaim]]:
    """The adjudications no reversal took back, version by version, each with the fact that told it."""
    for version_id in dict.fromkeys(fact.version_id for fact in facts if fact.paid is not None):
        own = [fact for fact in facts if fact.version_id == version_id]
        for paid in standing_adjudications([fact.paid for fact in own if fact.paid is not None]) or []:
            yield next(fact for fact in own if fact.paid is paid), paid


def _day(fact: ClaimFact) -> date:
    return fact.paid_on or fact.at.date()
