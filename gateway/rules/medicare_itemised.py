"""Medicare PHP and IOP is billed service by service, with a psychotherapy-type service on every day.

Why: Medicare pays a day by the services on its lines; program-day revenue codes are returned, a day without a primary
    service is not paid, and a day of fewer than three services is unusual enough to look at.
Fails: a line with revenue code 0905, 0906, 0912 or 0913; a line without HCPCS outside a critical access hospital; a day
    without a primary service. Warns: a day with fewer services than three (`services_per_day`).
Passes: 0915 with G0410, 0914 with a psychotherapy code, three services on the day, one of them primary.
Source: Medicare Claims Processing Manual ch. 4 s. 260 and 261; 42 CFR 410.43, 410.44.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.claim import ClaimLine
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import LevelOfCare
from gateway.rules.rule import Group, Inspection, Limits, Rule

_PROGRAM_DAY = frozenset({"0905", "0906", "0912", "0913"})
_CRITICAL_ACCESS = "85"


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    if not inspection.is_medicare or claim.key.level_of_care is LevelOfCare.OP:
        return
    billed: dict[date, int] = {}
    for index, line in enumerate(claim.lines):
        billed.setdefault(line.service_on, index)
        if line.revenue_code in _PROGRAM_DAY:
            yield _line(index, line, "revenue_code", f"bills program-day revenue code {line.revenue_code}")
        if not line.hcpcs and claim.bill_class != _CRITICAL_ACCESS:
            yield _line(index, line, "hcpcs", "has no HCPCS")
    least = int(limits["services_per_day"])
    for on, index in billed.items():
        day = inspection.context.days.get(on)
        if day is None:
            continue  # attendance-supports-lines says so
        cents = sum(line.charge_cents for line in claim.lines if line.service_on == on)
        if not day.has_primary:
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{on} has no psychotherapy-type service; Medicare pays a day only with one.",
                "Check that the day's therapy session was recorded and attended; without one the day is not billed.",
                values={"service_on": on.isoformat(), "services": str(day.services)},
                origin=claim.lines[index].origins.get("session"),
                cents=cents,
                owner=Owner.CLINICIAN,
            )
        if day.services < least:
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{on} has {day.services} services; a Medicare program day usually has {least} or more.",
                "Check that every session of the day was recorded.",
                values={"service_on": on.isoformat(), "services": str(day.services), "least": str(least)},
                cents=cents,
                severity=Severity.WARN,
            )


def _line(index: int, line: ClaimLine, name: str, what: str) -> Finding:
    return RULE.finding(
        f"lines[{index}].{name}",
        f"The line of {line.service_on} {what}; Medicare wants each service with its own revenue code and HCPCS.",
        "Make the Medicare definition itemised, with a line for each kind of session.",
        values={"revenue_code": line.revenue_code, "hcpcs": line.hcpcs, "definition": line.definition},
        cents=line.charge_cents,
    )


RULE = Rule(
    name="medicare-itemised",
    code="G14",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.CODES,
    snip=6,
    page=__doc__,
    check=_check,
    limits={"services_per_day": "3"},
)
