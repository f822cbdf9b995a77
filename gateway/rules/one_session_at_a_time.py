"""A patient is in one session at a time.

Why: two sessions at once are one of the first things an audit looks for: one of the two did not happen as written.
Fails: two lines that bill sessions of the patient at the same time; one itemised line of two such sessions. Warns
    where a whole program day holds them, whose minutes were counted once.
Passes: sessions that touch; a pause or a sign-in that lies around others; an overlap of up to `minutes` (1). The same
    session entered twice is session-entered-once's.
Source: 42 CFR 424.24(e), 410.43; payers' documentation policies (start and stop time of each session and attendee).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gateway.claim.attendance import Session
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule
from gateway.rules.session_entered_once import session_key


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    if not inspection.at_once:
        return
    allowed = timedelta(minutes=int(limits["minutes"]))
    longest: tuple[int, Session] | None = None
    for index, session in inspection.at_once:
        if longest is None or session_key(session) == session_key(longest[1]):
            longest = longest or (index, session)
            continue
        if session.start_at + allowed < min(longest[1].end_at, session.end_at):
            yield _overlap(inspection, longest[1], index, session)
        if session.end_at > longest[1].end_at:
            longest = (index, session)


def _overlap(inspection: Inspection, earlier: Session, index: int, later: Session) -> Finding:
    line = inspection.claim.lines[index]
    return RULE.finding(
        f"lines[{index}].service_on",
        f"On {line.service_on} the {later.session} session began before the {earlier.session} session ended.",
        "Correct the times in the EHR, or take out the session the patient was not in.",
        values={
            "encounter": later.encounter_id,
            "other_encounter": earlier.encounter_id,
            "start_at": later.start_at.isoformat(),
            "earlier_end_at": earlier.end_at.isoformat(),
        },
        origin=later.origin("start_at"),
        cents=line.charge_cents,
        severity=Severity.WARN if inspection.per_diem[index] else None,
    )


RULE = Rule(
    name="one-session-at-a-time",
    code="G10",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.DUPLICATES,
    snip=7,
    page=__doc__,
    check=_check,
    limits={"minutes": "1"},
)
