"""An authorization that is about to run out says so while its units, its dates or its review can still be seen to.

Why: a request made after the units are gone, or after the review was due, is often refused (CARC 197, 198, 210): asking
    in time costs a telephone call, asking late costs the days.
Fails: three quarters of the units are used, or nine tenths; the units left are no more than the next scheduled days
    use; the dates end within a week, or within three days; the payer's review is due within two business days.
Passes: units and dates enough for what is scheduled; a patient who has left and has nothing scheduled.
Source: utilization review practice; the payer's authorization letter. A payer's file sets `amber_percent`,
    `red_percent`, `scheduled_days`, `amber_days`, `red_days` and `review_days`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from gateway.authorization.account import AuthorizationAccount, Stage
from gateway.authorization.ledger import GRANTED
from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    if not claim.authorization_number:
        return
    for account in inspection.context.accounts:
        if account.record.number == claim.authorization_number and account.payer in ("", claim.key.payer):
            yield from account_findings(account, inspection.context.today, limits)


def account_findings(account: AuthorizationAccount, today: date, limits: Limits) -> Iterator[Finding]:
    """Everything that will run out soon of one granted authorization that still has days ahead."""
    record = account.record
    ended = record.end_on is not None and record.end_on < today
    if record.status not in GRANTED or not account.in_care or ended:
        return
    yield from _units(account, today, limits)
    yield from _dates(account, today, limits)


def _units(account: AuthorizationAccount, today: date, limits: Limits) -> Iterator[Finding]:
    granted, remaining = account.record.units, account.remaining
    if not granted or remaining is None:
        return
    percent = 100 * account.used // granted
    color = _color(percent >= int(limits["red_percent"]), percent >= int(limits["amber_percent"]))
    if color:
        yield _finding(
            account,
            f"{account.used} of {granted} units of authorization {account.record.number} are used.",
            "Ask the payer for more units now, with the notes it wants to see.",
            {"used": str(account.used), "units": str(granted), "percent": str(percent), "level": color},
        )
    ahead = [each for each in account.entries if each.stage is Stage.RESERVED and each.on >= today]
    next_days = sorted({each.on for each in ahead})[: int(limits["scheduled_days"])]
    needed = sum(each.units for each in ahead if each.on in next_days)
    if needed and remaining <= needed:
        yield _finding(
            account,
            f"{remaining} units of authorization {account.record.number} are left, and the next "
            f"{len(next_days)} scheduled days use {needed}.",
            "Ask the payer for more units before the first day they no longer reach.",
            {
                "remaining": str(remaining),
                "scheduled_units": str(needed),
                "first_day_beyond": str(account.first_day_beyond or ""),
            },
        )


def _dates(account: AuthorizationAccount, today: date, limits: Limits) -> Iterator[Finding]:
    record = account.record
    if record.end_on is not None:
        left = (record.end_on - today).days
        color = _color(left <= int(limits["red_days"]), left <= int(limits["amber_days"]))
        if color:
            yield _finding(
                account,
                f"Authorization {record.number} ends on {record.end_on}, in {left} days, and the patient is in care.",
                "Ask the payer to extend it, or plan the discharge or step-down with the patient.",
                {"end_on": record.end_on.isoformat(), "days_left": str(left), "level": color},
            )
    if record.review_on is not None and business_days(today, record.review_on) <= int(limits["review_days"]):
        yield _finding(
            account,
            f"The payer's review of authorization {record.number} is due on {record.review_on}.",
            "Send the clinical update the payer asks for.",
            {"review_on": record.review_on.isoformat()},
        )


def _color(red: bool, amber: bool) -> str:
    return "red" if red else "amber" if amber else ""


def business_days(today: date, until: date) -> int:
    """Weekdays from tomorrow to the day; 0 when it is today or past. Holidays are not known here."""
    days = (today + timedelta(days=number) for number in range(1, (until - today).days + 1))
    return sum(1 for each in days if each.weekday() < 5)


def due_on(finding: Finding, today: date) -> date:
    """By when somebody should act on a finding of this rule: its own date, else today."""
    for name in ("first_day_beyond", "end_on", "review_on"):
        if finding.values.get(name):
            return date.fromisoformat(finding.values[name])
    return today


def _finding(account: AuthorizationAccount, message: str, fix: str, values: dict[str, str]) -> Finding:
    return RULE.finding(
        "authorization_number",
        message,
        fix,
        values={"number": account.record.number, **values},
        cents=account.at_risk_cents,
    )


RULE = Rule(
    name="authorization-running-out",
    code="G08",
    severity=Severity.WARN,
    owner=Owner.UTILIZATION_REVIEW,
    group=Group.AUTHORIZATION,
    snip=7,
    page=__doc__,
    check=_check,
    limits={
        "amber_percent": "75",
        "red_percent": "90",
        "scheduled_days": "5",
        "amber_days": "7",
        "red_days": "3",
        "review_days": "2",
    },
)
