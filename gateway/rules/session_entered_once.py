"""One session is entered once: the same kind, start and end twice is one session with two numbers.

Why: a session that was entered twice is billed twice where the payer buys sessions, and denied as a duplicate
    (CARC 18), or paid and taken back.
Fails: two attended sessions of the patient behind the claim's lines with the same kind, start and end. Warns where a
    whole program day holds them, whose minutes were counted once.
Passes: sessions that differ in kind, start or end; one told again by another feed, which a person has decided on.
Source: payers' duplicate claim policies; 42 CFR 424.24(e).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.claim.attendance import Session
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

SessionKey = tuple[str, datetime, datetime]


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    seen: dict[SessionKey, Session] = {}
    for index, session in inspection.at_once:
        first = seen.setdefault(session_key(session), session)
        if first.encounter_id != session.encounter_id:
            line = inspection.claim.lines[index]
            yield RULE.finding(
                f"lines[{index}].encounter_ids",
                f"The {session.session} session of {line.service_on} was entered twice, with the same times.",
                "Take one of the two out in the EHR; correct the times if the patient was in both.",
                values={"encounter": session.encounter_id, "other_encounter": first.encounter_id},
                origin=session.origin("start_at"),
                cents=line.charge_cents,
                severity=Severity.WARN if inspection.per_diem[index] else None,
            )


def session_key(session: Session) -> SessionKey:
    """What tells one session of a patient from another."""
    return session.session, session.start_at, session.end_at


RULE = Rule(
    name="session-entered-once",
    code="G26",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.DUPLICATES,
    snip=7,
    page=__doc__,
    check=_check,
)
