"""Follow-up of denials: one work item per claim and reason, for the desk that can act, with dollars and a due date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from gateway.claim.answer import PaidClaim
from gateway.claim.finding import Finding, Severity
from gateway.claim.money import dollars
from gateway.lifecycle import ClaimFact, ClaimState, denied_adjustments, standing_adjudications
from gateway.pipeline.facts import KnownClaim
from gateway.ports.claims import Version
from gateway.ports.watch import WorkItem
from gateway.receivable.denials import next_step

_WITH_DENIALS = (ClaimState.DENIED, ClaimState.PARTIAL)


def denial_items(claims: Iterable[KnownClaim], today: date) -> Iterator[WorkItem]:
    """What payers refused and nobody acted on: of the version that stands, since a correction is the act."""
    for each in claims:
        live = each.live
        if live is not None and each.state_of(live) in _WITH_DENIALS:
            yield from _items(each, live, today)


def _items(known: KnownClaim, version: Version, today: date) -> Iterator[WorkItem]:
    said = [fact for fact in known.facts if fact.version_id == version.id and fact.paid is not None]
    standing = standing_adjudications([fact.paid for fact in said if fact.paid is not None]) or []
    cents: dict[tuple[str, str], int] = defaultdict(int)
    for paid in standing:
        for adjustment in denied_adjustments(paid):
            cents[adjustment.group, adjustment.reason] += adjustment.cents
    answered_on = max((fact.paid_on for fact in said if fact.paid_on), default=today)
    for (group, reason), amount in sorted(cents.items()):
        if amount > 0:
            item = _item(known, version, group, reason, amount, _remarks(standing), answered_on, _number(said))
            yield replace(item, cause=" ".join(sorted(fact.id for fact in said)))


def _item(
    known: KnownClaim,
    version: Version,
    group: str,
    reason: str,
    cents: int,
    remarks: Sequence[str],
    answered_on: date,
    payer_claim_number: str,
) -> WorkItem:
    step = next_step(reason)
    beside = f", remarks {' '.join(remarks)}" if remarks else ""
    finding = Finding(
        rule="denied",
        code=f"{group}-{reason}",
        severity=Severity.WARN,
        path="",
        message=f"The payer refused {dollars(cents)} of claim {version.claim_number} with {group} {reason}{beside}.",
        fix=step.action,
        owner=step.owner,
        values={
            "group": group,
            "carc": reason,
            "rarc": " ".join(remarks),
            "payer": known.row.payer,
            "payer_claim_number": payer_claim_number,
            "answered_on": answered_on.isoformat(),
        },
        cents=cents,
    )
    return WorkItem(
        organization=known.row.organization,
        patient_id=known.row.patient_id,
        finding=finding,
        due_on=answered_on + timedelta(days=step.within_days),
        about=version.claim_number,
    )


def _remarks(standing: Sequence[PaidClaim]) -> list[str]:
    said = {remark for paid in standing for remark in paid.remarks}
    return sorted(said | {remark for paid in standing for line in paid.lines for remark in line.remarks})


def _number(said: Sequence[ClaimFact]) -> str:
    return next((fact.payer_claim_number for fact in reversed(said) if fact.payer_claim_number), "")
