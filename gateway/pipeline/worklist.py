"""What needs somebody soon of one patient, claim or no claim: authorizations, weeks that will be short."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from gateway.authorization.account import COUNTED, AuthorizationAccount, AuthorizationEntry
from gateway.claim.calendar import Span, week_of
from gateway.claim.claim import Claim
from gateway.claim.contract import Catalogue
from gateway.claim.finding import Finding, Owner, Severity
from gateway.pipeline.facts import PatientFacts
from gateway.ports.watch import WorkItem, cause_of
from gateway.rules import authorization_running_out, weekly_hours_met
from gateway.rules.gate import limits_of
from gateway.services.case import KnownEpisode, PatientCase
from gateway.services.coverage_choice import choose_coverage
from gateway.services.origins import origin_of

_COUNTED_ON = (
    "used", "percent", "remaining", "scheduled_units", "days_left", "days", "attended_minutes", "scheduled_minutes",
)  # fmt: skip
"""Values that go on by themselves from day to day: the same item, a day later."""


def worklist_of(
    facts: PatientFacts,
    entries: Sequence[AuthorizationEntry],
    accounts: Sequence[AuthorizationAccount],
    claims: Collection[Claim],
    catalogue: Catalogue,
    today: date,
) -> Iterator[WorkItem]:
    """Every item of one patient."""
    case = facts.case
    if case is None:
        return

    def item(finding: Finding, due_on: date | None, about: str) -> WorkItem:
        return WorkItem(
            organization=case.organization,
            patient_id=facts.patient_id,
            finding=finding,
            due_on=due_on,
            about=about,
            cause=cause_of(finding, without=_COUNTED_ON),
        )

    rule = authorization_running_out.RULE
    for account in accounts:
        limits = limits_of(rule, catalogue.payers.get(account.payer), today)
        for finding in authorization_running_out.account_findings(account, today, limits) if limits else ():
            due_on = authorization_running_out.due_on(finding, today)
            yield item(finding, due_on, account.record.number)
    for finding, week in _short_weeks(case, claims, catalogue, today):
        yield item(finding, week.end_on, week.start_on.isoformat())
    without = sorted((each for each in entries if each.stage in COUNTED and not each.number), key=lambda each: each.on)
    for stay in case.episodes:
        days = [each for each in without if _in_stay(each.on, stay)]
        if days:
            finding = _nobody_asked(facts, stay, days, today) or _uncovered(stay, days)
            yield item(finding, max(today, days[0].on), str(stay.record.admitted_on))


def _short_weeks(
    case: PatientCase, claims: Collection[Claim], catalogue: Catalogue, today: date
) -> Iterator[tuple[Finding, Span]]:
    """The week that is running, where what was attended and is still scheduled will not be what the payer asks for."""
    coverage = choose_coverage(case.coverages, today)
    payer = None if isinstance(coverage, Finding) else catalogue.payers.get(coverage.payer or "")
    rule = weekly_hours_met.RULE
    limits = limits_of(rule, payer, today)
    if payer is None or not limits or limits["basis"] != "attendance":
        return
    week = week_of(today, payer.week_start)
    stays = [each.record for each in case.episodes]
    for program, level in sorted({(day.program, day.level_of_care) for day in case.book.days if week.covers(day.on)}):
        needed = weekly_hours_met.minutes_needed(level, limits)
        own = [day for day in case.book.days if weekly_hours_met.is_of(day, program, level)]
        hours = weekly_hours_met.hours_of_week(own, week, needed, catalogue.sessions, today)
        if hours.short and not weekly_hours_met.is_exempt(week, stays, level):
            lines = [line for claim in claims if claim.key.level_of_care is level for line in claim.lines]
            cents = sum(line.charge_cents for line in lines if week.covers(line.service_on))
            yield weekly_hours_met.hours_finding(hours, "week", level, today, cents), week


def _in_stay(on: date, stay: KnownEpisode) -> bool:
    record = stay.record
    if record.cancelled or record.admitted_on is None or on < record.admitted_on:
        return False
    return record.discharged_on is None or on <= record.discharged_on


def _nobody_asked(
    facts: PatientFacts, stay: KnownEpisode, days: Sequence[AuthorizationEntry], today: date
) -> Finding | None:
    """A stay admitted before today whose days need an authorization that is neither on file nor asked for."""
    record = stay.record
    level = record.level_of_care
    if record.admitted_on is None or record.admitted_on >= today:
        return None
    if any(level is None or each.record.level_of_care in (None, level) for each in facts.authorizations):
        return None
    return Finding(
        rule="authorization-not-requested",
        code="G08",
        severity=Severity.WARN,
        path="authorization_number",
        message=f"The patient was admitted on {record.admitted_on}, and no authorization was asked for.",
        fix="Ask the payer for an authorization today; many refuse what is asked for more than a day or three late.",
        owner=Owner.UTILIZATION_REVIEW,
        values={"admitted_on": record.admitted_on.isoformat(), "days": str(len(days))},
        origin=origin_of(stay.origins, "admitted_on"),
        cents=sum(each.cents for each in days),
    )


def _uncovered(stay: KnownEpisode, days: Sequence[AuthorizationEntry]) -> Finding:
    """Days between two authorizations, after the last one, or at a level of care that needs its own."""
    dates = ", ".join(each.on.isoformat() for each in days)
    return Finding(
        rule="days-not-authorized",
        code="G08",
        severity=Severity.WARN,
        path="authorization_number",
        message=f"No granted authorization covers {len(days)} attended or scheduled days, the first on {days[0].on}.",
        fix="Follow the request up, or ask the payer for these dates; a change of level of care needs its own.",
        owner=Owner.UTILIZATION_REVIEW,
        values={"dates": dates, "level_of_care": str(stay.record.level_of_care or "")},
        origin=origin_of(stay.origins, "admitted_on"),
        cents=sum(each.cents for each in days),
    )
