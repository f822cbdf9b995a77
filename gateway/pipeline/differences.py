"""What another mapping set would make of the same claims: two pictures of drafts compared, claim by claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.finding import Finding, blocks
from gateway.claim.fingerprint import content_fingerprint
from gateway.claim.money import dollars
from gateway.ports.claims import Draft
from gateway.ports.storage import Transaction

_CORRECTIONS: Final = ("7", "8")
_TOLD: Final = ("form", "frequency", "bill_class", "place_of_service", "statement_from_on", "statement_through_on")
"""Fields whose values may be shown; of any other that differs only the name is."""
_NOT_SENT: Final = frozenset({"lines", "origins", "catalogue_hash", "connection", "key", *_TOLD})


class Change(StrEnum):
    """What would become of a claim."""

    HELD = "held"
    FREED = "freed"
    CORRECTED = "corrected"
    APPEARS = "appears"
    DISAPPEARS = "disappears"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDifference:
    """One claim that would not be as it is."""

    claim: str
    payer: str
    start_on: date
    through_on: date
    change: Change
    before_cents: int
    after_cents: int
    why: tuple[str, ...]


Picture = Mapping[str, Draft]
"""What would be sent, by claim."""


def picture(tx: Transaction, patient_ids: Iterable[str]) -> Picture:
    """What would be sent for the patients now."""
    rows = tx.claims.of_patients(sorted(set(patient_ids)))
    return tx.claims.drafts([row.id for row in rows])


def compare(before: Picture, after: Picture, since: date) -> list[ClaimDifference]:
    """The claims of days since then that would differ, in order of payer, day and claim."""
    found = (_difference(each, before.get(each), after.get(each)) for each in {**before, **after})
    told = [each for each in found if each is not None and each.through_on >= since]
    return sorted(told, key=lambda each: (each.payer, each.start_on, each.claim))


def _difference(claim_id: str, before: Draft | None, after: Draft | None) -> ClaimDifference | None:
    change = _change(before, after)
    if change is None:
        return None
    shown = after or before
    assert shown is not None, "a claim that is in neither picture is not compared"
    return ClaimDifference(
        claim=claim_id,
        payer=shown.claim.key.payer,
        start_on=shown.claim.statement_from_on,
        through_on=shown.claim.statement_through_on,
        change=change,
        before_cents=before.claim.charge_cents if before else 0,
        after_cents=after.claim.charge_cents if after else 0,
        why=tuple(_why(before, after)),
    )


def _change(before: Draft | None, after: Draft | None) -> Change | None:
    if before is None or after is None:
        if after is None:
            return Change.DISAPPEARS
        return Change.CORRECTED if after.claim.frequency in _CORRECTIONS else Change.APPEARS
    was, is_now = blocks(before.findings), blocks(after.findings)
    if is_now and not was:
        return Change.HELD
    if was and not is_now:
        return Change.FREED
    same = content_fingerprint(before.claim) == content_fingerprint(after.claim)
    return None if same and _rules(was) == _rules(is_now) else Change.DIFFERS


def _rules(findings: Sequence[Finding]) -> set[str]:
    return {each.rule for each in findings}


def _why(before: Draft | None, after: Draft | None) -> Iterator[str]:
    was, is_now = (blocks(each.findings) if each else [] for each in (before, after))
    for each in is_now:
        if each.rule not in _rules(was):
            yield f"held by {each.rule}: {each.message}"
    for each in was:
        if each.rule not in _rules(is_now):
            yield f"no longer held by {each.rule}"
    if before is not None and after is not None:
        yield from _fields(before.claim, after.claim)
        yield from _lines(before.claim.lines, after.claim.lines)


def _fields(before: Claim, after: Claim) -> Iterator[str]:
    for name in _TOLD:
        was, is_now = getattr(before, name), getattr(after, name)
        if was != is_now:
            yield f"{name} {was or 'nothing'} becomes {is_now or 'nothing'}"
    for name in Claim.__struct_fields__:
        if name not in _NOT_SENT and getattr(before, name) != getattr(after, name):
            yield f"{name} differs"


def _lines(before: Sequence[ClaimLine], after: Sequence[ClaimLine]) -> Iterator[str]:
    for on in sorted({line.service_on for line in (*before, *after)}):
        was, is_now = ([_said(line) for line in lines if line.service_on == on] for lines in (before, after))
        if was != is_now:
            yield f"{on}: {', '.join(was) or 'nothing'} becomes {', '.join(is_now) or 'nothing'}"


def _said(line: ClaimLine) -> str:
    codes = " ".join(filter(None, (line.revenue_code, line.hcpcs, *line.modifiers)))
    return f"{codes} x{line.units} {dollars(line.charge_cents)}"


def by_payer(differences: Iterable[ClaimDifference]) -> list[dict[str, Any]]:
    """{"payer", "claims", each change: claims, "before_cents", "after_cents", "held_cents", "freed_cents"} for each."""
    rows: dict[str, dict[str, Any]] = {}
    for each in differences:
        row = rows.setdefault(
            each.payer,
            {"payer": each.payer, "claims": 0}
            | {str(change): 0 for change in Change}
            | {"before_cents": 0, "after_cents": 0, "held_cents": 0, "freed_cents": 0},
        )
        row["claims"] += 1
        row[each.change] += 1
        row["before_cents"] += each.before_cents
        row["after_cents"] += each.after_cents
        if each.change in (Change.HELD, Change.FREED):
            row[f"{each.change}_cents"] += each.after_cents
    return list(rows.values())
