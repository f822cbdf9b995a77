"""Medicare PHP and IOP is billed service by service, with a psychotherapy-type service on every day.

Why: Medicare pays a day by the services on its lines; program-day revenue codes are returned, a day without a primary
    service is not paid, and a day of fewer than three services is unusual enough to look at.
Fails: a line with revenue code 0905, 0906, 0912 or 0913; a line without HCPCS outside a critical access hospital; G0129
    not under 043x, G0176 not under 0904, G0177 not under 0942, G0410 or G0411 not under 0915; a code that the imported
    list of program services lacks; a day without a primary service. Warns: a day with fewer services than three
    (`services_per_day`).
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
_FEW, _USUAL = 3, 4
# Level II codes whose revenue code CMS names; the pairs of CPT codes are in the list the site imports.
_REVENUE_CODES = {
    "G0129": ("0430", "0431", "0432", "0433", "0434", "0439"),
    "G0176": ("0904",),
    "G0177": ("0942",),
    "G0410": ("0915",),
    "G0411": ("0915",),
}


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
        if line.hcpcs in _REVENUE_CODES and line.revenue_code not in _REVENUE_CODES[line.hcpcs]:
            yield _line(index, line, "revenue_code", f"bills {line.hcpcs} under revenue code {line.revenue_code}")
        if line.hcpcs and inspection.context.codes.program_service(line.hcpcs, line.service_on) is False:
            yield _line(index, line, "hcpcs", f"bills {line.hcpcs}, which is none of the program's services")
    least = int(limits["services_per_day"])
    for on, index in billed.items():
        day = inspection.context.days.get(on)
        if day is None:
            continue  # attendance-supports-lines says so
        cents = sum(line.charge_cents for line in claim.lines if line.service_on == on)
        if not (day.has_primary and _bills_primary(inspection, on)):
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{on} has no psychotherapy-type service; Medicare pays a day only with one.",
                "Check that the day's therapy session was recorded and attended; without one the day is not billed.",
                values={
                    "service_on": on.isoformat(),
                    "services": str(day.services),
                    "payment_class": payment_class(day.services),
                },
                origin=claim.lines[index].origins.get("session"),
                cents=cents,
                owner=Owner.CLINICIAN,
            )
        if day.services < least:
            yield RULE.finding(
                f"lines[{index}].service_on",
                f"{on} has {day.services} services; a Medicare program day usually has {least} or more.",
                "Check that every session of the day was recorded.",
                values={
                    "service_on": on.isoformat(),
                    "services": str(day.services),
                    "least": str(least),
                    "payment_class": payment_class(day.services),
                },
                cents=cents,
                severity=Severity.WARN,
            )


def _bills_primary(inspection: Inspection, on: date) -> bool:
    """False when the imported list of services knows which are primary, and the day bills none of them."""
    codes = inspection.context.codes
    known = [codes.is_primary_service(each.hcpcs, on) for each in inspection.claim.lines if each.service_on == on]
    return True in known or None in known


def payment_class(services: int) -> str:
    """The class Medicare prices a program day in: by three services, or by four and more (42 CFR 419.22, OPPS)."""
    return "4 or more" if services >= _USUAL else "3" if services == _FEW else "fewer than 3"


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
