"""The license of each clinician on the claim was in force on every date of service.

Why: no payer pays for the work of a clinician whose license had lapsed on the day, and billing it is a false claim.
Fails: every license the roster has for the attending or a rendering clinician ended before a day billed. Warns: the
    last of them ends within `warn_days` (60).
Passes: a license that ends on the last day billed or later; a roster that states no end of a license.
Source: 42 CFR 424.516(a)(2) (State licensure); the organization's roster (`license_end_on` of any row).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule
from gateway.services.origins import origin_of


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim, today = inspection.claim, inspection.context.today
    soon = today + timedelta(days=int(limits["warn_days"]))
    last = max([soon, *inspection.dates[-1:]])
    licensed = [each for each in inspection.context.credentials or () if each.license_end_on is not None]
    if not [each for each in licensed if each.license_end_on is not None and each.license_end_on <= last]:
        return
    ends: dict[str, date] = {}
    for each in licensed:
        ends[each.npi] = max(ends.get(each.npi, date.min), each.license_end_on or date.max)
    lapsed: dict[tuple[str, str], list[tuple[int, date, int]]] = {}
    ending: dict[tuple[str, str], date] = {}
    for index, line in enumerate(claim.lines):
        for who, role in ((claim.attending, "attending"), (line.rendering or claim.rendering, "rendering")):
            end_on = ends.get(who.npi) if who is not None else None
            if who is None or end_on is None:
                continue
            if end_on < line.service_on:
                lapsed.setdefault((who.npi, role), []).append((index, line.service_on, line.charge_cents))
            elif today <= end_on <= soon:
                ending[who.npi, role] = end_on
    for (npi, role), days in lapsed.items():
        yield _lapsed(inspection, npi, role, ends[npi], days)
    for (npi, role), end_on in ending.items():
        yield RULE.finding(
            role,
            f"The {role} clinician's license ends on {end_on}.",
            "Have it renewed, then load the roster with the new date.",
            values={"npi": npi, "license_end_on": end_on.isoformat(), "entry": _entries(inspection, npi)},
            severity=Severity.WARN,
        )


def _lapsed(inspection: Inspection, npi: str, role: str, end_on: date, days: list[tuple[int, date, int]]) -> Finding:
    index, first, _ = days[0]
    return RULE.finding(
        f"lines[{index}].rendering" if role == "rendering" else "attending",
        f"The {role} clinician's license ended on {end_on}; {len(days)} days from {first} lie after it.",
        "Load the roster with the renewed license; days nobody licensed rendered are not billed.",
        values={
            "npi": npi,
            "role": role,
            "license_end_on": end_on.isoformat(),
            "entry": _entries(inspection, npi),
            "days": ", ".join(on.isoformat() for _, on, _ in days),
        },
        origin=origin_of(inspection.claim.lines[index].origins, role) or inspection.origin(role),
        cents=sum(cents for _, _, cents in days),
    )


def _entries(inspection: Inspection, npi: str) -> str:
    """Where the rows stood that state the license."""
    rows = (each for each in inspection.context.credentials or () if each.npi == npi and each.license_end_on)
    return ", ".join(each.entry for each in rows if each.entry)


RULE = Rule(
    name="licenses-in-force",
    code="G21",
    severity=Severity.BLOCK,
    owner=Owner.CREDENTIALING,
    group=Group.CREDENTIALING,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.CREDENTIALS,),
    limits={"warn_days": "60"},
)
