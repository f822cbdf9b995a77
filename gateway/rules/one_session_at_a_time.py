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
from datetime import datetime, timedelta

from gateway.claim.attendance import Session
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import AttendanceStatus
from gateway.rules.rule import Group, Inspection, Limits, Rule
from gateway.rules.session_entered_once import session_key

Behind = tuple[int, Session]


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    allowed = timedelta(minutes=int(limits["minutes"]))
    behind: list[Behind] = [
        (index, each)
        for index, sessions in enumerate(inspection.behind)
        for each in sessions
        if each.status is AttendanceStatus.ATTENDED
    ]
    behind.sort(key=_in_time)
    longest: Behind | None = None
    for index, session in behind:
        if longest is None or session_key(session) == session_key(longest[1]):
            longest = longest or (index, session)
            continue
        if session.start_at + allowed < min(longest[1].end_at, session.end_at):
            yield _overlap(inspection, longest[1], index, session)
        if session.end_at > longest[1].end_at:
            longest = (index, session)


def _in_time(each: Behind) -> tuple[datetime, datetime, str]:
    session = each[1]
    return session.start_at, session.end_at, session.encounter_id


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
        severity=Severity.WARN if inspection.is_per_diem(index) else None,
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
