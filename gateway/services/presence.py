"""What counts of a day's sessions: the part the patient was signed in for, inside the scheduled block, without pauses.

Knows intervals and kinds of session, no payer. Everything is computed in UTC, so a clock change counts what elapsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from gateway.claim.attendance import Interval, ServiceDay, Session
from gateway.claim.contract import SessionKind
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import AttendanceStatus

Kinds = Mapping[str, SessionKind]


def union(spans: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time as intervals that do not touch, in order, in UTC."""
    joined: list[Interval] = []
    for start, end in sorted((start.astimezone(UTC), end.astimezone(UTC)) for start, end in spans):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def intersection(one: Sequence[Interval], other: Sequence[Interval]) -> tuple[Interval, ...]:
    """The time in both, each given as ``union`` gives it."""
    return union((max(a, c), min(b, d)) for a, b in one for c, d in other)


def difference(one: Sequence[Interval], other: Sequence[Interval]) -> tuple[Interval, ...]:
    """The time in the first and not in the second, each given as ``union`` gives it."""
    left = list(one)
    for start, end in other:
        left = [part for a, b in left for part in ((a, min(b, start)), (max(a, end), b)) if part[0] < part[1]]
    return tuple(left)


def whole_minutes(spans: Iterable[Interval]) -> int:
    """Whole minutes of intervals that do not overlap."""
    return int(sum((end - start for start, end in spans), timedelta()).total_seconds()) // 60


def counted(sessions: Sequence[Session], around: Sequence[Session], kinds: Kinds) -> list[Session]:
    """The sessions, each attended clinical one with what counts of it where that is less than the whole.

    ``around`` are all sessions of the patient at the facility on the date, of whatever program: signing in and pausing
    belong to none. Where nobody signed in that day, sessions alone say how long the patient was there.
    """
    attended = [each for each in around if each.status is AttendanceStatus.ATTENDED]
    present = union(each.span for each in attended if kinds[each.session].presence)
    paused = union(each.span for each in attended if kinds[each.session].pause)
    return [_counted(each, present, paused, kinds) for each in sessions]


def _counted(session: Session, present: tuple[Interval, ...], paused: tuple[Interval, ...], kinds: Kinds) -> Session:
    if session.status is not AttendanceStatus.ATTENDED or not kinds[session.session].clinical:
        return session
    whole = found = union([session.span])
    if session.scheduled is not None:
        found = intersection(found, union([session.scheduled]))
    if present:
        found = intersection(found, present)
    found = difference(found, paused)
    return session if found == whole else replace(session, counted=found)


def counted_for(day: ServiceDay, uncounted: Sequence[str], kinds: Kinds) -> ServiceDay:
    """The day as a payer counts it that leaves out some kinds of session; the day itself where it has none of them."""
    if not any(each.session in uncounted for each in day.attended):
        return day
    clinical = [each for each in day.attended if kinds[each.session].clinical and each.session not in uncounted]
    services = [each for each in clinical if each.minutes >= kinds[each.session].minimum_minutes and each.minutes]
    return replace(
        day,
        minutes=day_minutes(clinical),
        services=len(services),
        has_primary=any(kinds[each.session].primary for each in services),
    )


def day_minutes(sessions: Iterable[Session]) -> int:
    """Minutes that at least one of the sessions counts for: union, never sum."""
    return whole_minutes(union(span for each in sessions for span in each.counted_spans))


def presence_notes(day: ServiceDay, kinds: Kinds) -> list[tuple[str, Finding]]:
    """A finding for each attended session of which nothing, or not the whole, counts."""
    notes = []
    for each in day.attended:
        if each.counted is None or not kinds[each.session].clinical:
            continue
        notes.append((each.encounter_id, _shortened(each)))
    return notes


def _shortened(session: Session) -> Finding:
    whole = whole_minutes([session.span])
    nothing = not session.minutes
    return Finding(
        rule="session-outside-presence" if nothing else "session-shortened",
        code="",
        severity=Severity.WARN if nothing else Severity.NOTE,
        path="encounter.start_at",
        message=f"Of the {session.session} session's {whole} minutes {session.minutes} count: the others lie outside "
        "sign-in and sign-out or the scheduled block, or in a pause.",
        fix="Correct the sign-in, the sign-out or the session's times in the EHR if they are wrong.",
        owner=Owner.FRONT_DESK,
        values={"minutes": str(whole), "counted_minutes": str(session.minutes)},
        origin=session.origin("start_at"),
    )


def span_of(start_at: datetime | None, end_at: datetime | None) -> Interval | None:
    """The interval between two times; None when one is not known or they are in the wrong order."""
    return (start_at, end_at) if start_at is not None and end_at is not None and start_at < end_at else None
