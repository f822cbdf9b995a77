"""A claim that left and what its visits make now, side by side: lines, fields, dollars, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.contract import Payer
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.money import dollars
from gateway.pipeline.money import VOID
from gateway.ports.claims import Version
from gateway.ports.watch import WorkItem, cause_of
from gateway.rules.filed_in_time import last_day_to_file

CLAIM_DIFFERS = "claim-differs"
_FIELDS = (
    "form", "bill_class", "place_of_service", "diagnoses", "service_condition_codes", "value_codes",
    "authorization_number", "attending",
)  # fmt: skip


def billed_otherwise(live: Version, proposed: Claim) -> Finding:
    """How what the payer has differs from ``proposed``: the replacement, the void, or the claim anew after a void."""
    taken_back = proposed.frequency == VOID
    before = () if live.claim.frequency == VOID else live.claim.lines
    now = () if taken_back else proposed.lines
    gone, added = _told(before, now), _told(now, before)
    billed, worth = _cents(before), _cents(now)
    fields = [] if taken_back or not before else _fields(live.claim, proposed)
    action = "void" if taken_back else "replacement" if before else "new claim"
    parts = [f"no longer {gone}"] * bool(gone) + [f"now {added}"] * bool(added)
    parts += [f"{', '.join(fields)} changed"] * bool(fields)
    values = {
        "claim_number": live.claim_number,
        "billed_cents": str(billed),
        "now_cents": str(worth),
        "gone": gone,
        "added": added,
        "fields": ", ".join(fields),
        "next": action,
    }
    return Finding(
        rule=CLAIM_DIFFERS,
        code="",
        severity=Severity.WARN,
        path="lines",
        message=f"Claim {live.claim_number} was billed at {dollars(billed)}; its visits make {dollars(worth)} now: "
        f"{'; '.join(parts) or 'other amounts'}.",
        fix=f"Look at the visits. If they are right, release the {action} that is ready; else correct them in the EHR.",
        owner=Owner.BILLING,
        values=values,
        cents=abs(worth - billed) or worth,
    )


def correction_items(
    proposed: Iterable[tuple[str, str, Claim, Iterable[Finding]]], payers: Mapping[str, Payer]
) -> Iterable[WorkItem]:
    """A work item for each (claim id, patient id, proposed claim, findings) that differs from what was billed."""
    for claim_id, patient_id, claim, findings in proposed:
        for finding in findings:
            if finding.rule == CLAIM_DIFFERS:
                yield WorkItem(
                    organization=claim.key.organization,
                    patient_id=patient_id,
                    finding=finding,
                    due_on=last_day_to_file(claim, payers.get(claim.key.payer)),
                    about=claim_id,
                    cause=cause_of(finding),
                )


def _told(lines: Iterable[ClaimLine], others: Iterable[ClaimLine]) -> str:
    """The lines that the others lack, as a biller names them."""
    lacking = Counter(map(_line, lines)) - Counter(map(_line, others))
    return ", ".join(sorted(lacking.elements()))


def _line(line: ClaimLine) -> str:
    codes = " ".join(part for part in (line.revenue_code, line.hcpcs, *line.modifiers) if part)
    units = f" x{line.units}" if line.units != 1 else ""
    return f"{line.service_on} {codes}{units} {dollars(line.charge_cents)}"


def _fields(before: Claim, now: Claim) -> list[str]:
    """Fields outside the lines that a payer would call another bill."""
    changed = [name for name in _FIELDS if getattr(before, name) != getattr(now, name)]
    policy = (before.insured.payer, before.insured.member_number) != (now.insured.payer, now.insured.member_number)
    return changed + ["policy"] * policy


def _cents(lines: Iterable[ClaimLine]) -> int:
    return sum(line.charge_cents for line in lines)
