"""A program week has the hours its level of care asks for, told while the week can still be mended.

Why: partial hospitalization is at least 20 hours a week of the certified plan, intensive outpatient at least 9; a plan
    below that is not that level of care (CARC 150), and a payer that counts attended hours pays less or nothing.
Fails: the hours a week of the certification on file are fewer than its level asks for (Medicare); where a payer's file
    says `basis: attendance`, the hours attended and still scheduled in a week are fewer. Warns; a payer's file may
    make it a block.
Passes: enough hours; the weeks of admission and discharge; a plan that states no hours; every other payer.
Source: 42 CFR 410.43(c), 410.44(c) (20 and 9 hours a week of the plan of care). A payer's file sets `basis`,
    `php_hours`, `iop_hours` and, as `week_start`, the day its weeks begin on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.claim.attendance import ServiceDay
from gateway.claim.calendar import Span, week_of
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import AttendanceStatus, EpisodeRecord, LevelOfCare
from gateway.rules.rule import Group, Inspection, Limits, Rule
from gateway.services.presence import Kinds, day_minutes

_SUNDAY = 6
_HOURS = {LevelOfCare.PHP: "php_hours", LevelOfCare.IOP: "iop_hours"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekHours:
    """One week of one program at one level of care, in minutes."""

    week: Span
    needed: int
    attended: int
    scheduled: int
    """Still to come: planned sessions from today on."""

    @property
    def short(self) -> int:
        """Minutes the week will lack if everything scheduled is attended."""
        return max(0, self.needed - self.attended - self.scheduled)


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    needed = minutes_needed(inspection.claim.key.level_of_care, limits)
    if not needed:
        return
    if inspection.is_medicare:
        yield from _planned(inspection, needed)
    if limits["basis"] == "attendance":
        yield from _attended(inspection, needed)


def minutes_needed(level_of_care: LevelOfCare, limits: Limits) -> int:
    """Minutes a week the level asks for; 0 when it asks for none."""
    name = _HOURS.get(level_of_care)
    return 60 * int(limits[name]) if name else 0


def _planned(inspection: Inspection, needed: int) -> Iterator[Finding]:
    claim = inspection.claim
    for each in inspection.context.certifications or ():
        hours = each.weekly_hours
        if hours is None or each.level_of_care is not claim.key.level_of_care or 60 * hours >= needed:
            continue
        ends = each.end_on or date.max
        if each.start_on <= claim.statement_through_on and claim.statement_from_on <= ends:
            yield RULE.finding(
                "statement_from_on",
                f"The certified plan of {each.start_on} has {hours} hours a week; {claim.key.level_of_care} is "
                f"{needed // 60} at least.",
                "Have the physician correct the plan of care, or bill the level of care it describes.",
                values={"hours": str(hours), "needed_hours": str(needed // 60), "certified_on": str(each.start_on)},
                cents=claim.charge_cents,
            )


def _attended(inspection: Inspection, needed: int) -> Iterator[Finding]:
    claim, context = inspection.claim, inspection.context
    week_start = context.payer.week_start if context.payer is not None else _SUNDAY
    days = [
        *context.days.values(),
        *(each for each in context.other_days if is_of(each, claim.key.program, claim.key.level_of_care)),
    ]
    told: set[date] = set()
    for index, line in enumerate(claim.lines):
        week = week_of(line.service_on, week_start)
        if week.start_on in told:
            continue
        told.add(week.start_on)
        hours = hours_of_week(days, week, needed, context.catalogue.sessions, context.today)
        if hours.short and not is_exempt(week, context.stays, claim.key.level_of_care):
            cents = sum(each.charge_cents for each in claim.lines if week.covers(each.service_on))
            yield hours_finding(hours, f"lines[{index}].service_on", claim.key.level_of_care, context.today, cents)


def is_of(day: ServiceDay, program: str, level_of_care: LevelOfCare) -> bool:
    """True for a day of the program at that level."""
    return (day.program, day.level_of_care) == (program, level_of_care)


def hours_of_week(days: Iterable[ServiceDay], week: Span, needed: int, kinds: Kinds, today: date) -> WeekHours:
    """What was attended in a week and what is still scheduled in it; a planned day that has passed is not."""
    inside = [each for each in days if week.covers(each.on)]
    return WeekHours(
        week=week,
        needed=needed,
        attended=sum(each.minutes for each in inside),
        scheduled=sum(_scheduled(each, kinds) for each in inside if each.on >= today),
    )


def _scheduled(day: ServiceDay, kinds: Kinds) -> int:
    planned = AttendanceStatus.PLANNED
    return day_minutes(each for each in day.sessions if each.status is planned and kinds[each.session].clinical)


def is_exempt(week: Span, stays: Sequence[EpisodeRecord], level_of_care: LevelOfCare) -> bool:
    """True for the week in which a stay at this level began or ended: nobody attends the whole of it."""
    ends = (
        on
        for each in stays
        if each.level_of_care in (None, level_of_care) and not each.cancelled
        for on in (each.admitted_on, each.discharged_on)
    )
    return any(on is not None and week.covers(on) for on in ends)


def hours_finding(hours: WeekHours, path: str, level_of_care: LevelOfCare, today: date, cents: int) -> Finding:
    """What the week lacks, and whether something can still be done about it."""
    last = hours.week.end_on or today
    open_still = today <= last
    attended, needed = _hours(hours.attended), _hours(hours.needed)
    said = (
        f"The week of {hours.week.start_on} has {attended} hours attended and {_hours(hours.scheduled)} scheduled of "
        f"{needed}: {_hours(hours.short)} are missing, and it ends on {last}."
        if open_still
        else f"The week of {hours.week.start_on} has {attended} attended hours; {level_of_care} is {needed} at least."
    )
    return RULE.finding(
        path,
        said,
        "Offer the patient a session to make up for it this week."
        if open_still
        else "Document why hours were missed; if they go on being missed, review the level of care.",
        values={
            "week": hours.week.start_on.isoformat(),
            "attended_minutes": str(hours.attended),
            "scheduled_minutes": str(hours.scheduled),
            "needed_minutes": str(hours.needed),
            "short_minutes": str(hours.short),
        },
        cents=cents,
    )


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.2f}".rstrip("0").rstrip(".")


RULE = Rule(
    name="weekly-hours-met",
    code="G24",
    severity=Severity.WARN,
    owner=Owner.CLINICIAN,
    group=Group.ATTENDANCE,
    snip=7,
    page=__doc__,
    check=_check,
    limits={"basis": "plan", "php_hours": "20", "iop_hours": "9"},
    limit_words={"basis": ("plan", "attendance")},
)
