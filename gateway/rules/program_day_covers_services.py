"""A day billed as a whole program day has none of the services that day is made of billed beside it.

Why: a per diem holds the counseling of its day; the same hour billed again by itself is denied as bundled (CARC 97,
    234), and where a Medicaid plan pays it, taken back.
Fails: H0004 or H0005 on a day with H0015, H2036, H0035, S0201 or S9480 of the same patient and payer, on this claim or
    on another live one.
Passes: the program day alone; the counseling on a day without one; another payer.
Source: payers' facility behavioral health policies (a per diem includes professional and ancillary services); state
    Medicaid substance use manuals (neither H0004 nor H0005 with H0015 or H2036). A contract that pays them apart turns
    the rule off for its payer, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.finding import Finding, Owner, Severity
from gateway.rules.rule import Group, Inspection, Limits, Rule

_PROGRAM_DAYS = frozenset({"H0015", "H2036", "H0035", "S0201", "S9480"})
_PARTS = frozenset({"H0004", "H0005"})


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    elsewhere: dict[date, set[str]] = {}
    for other in inspection.same_days:
        if other.payer == claim.insured.payer and (other.hcpcs in _PROGRAM_DAYS or other.hcpcs in _PARTS):
            elsewhere.setdefault(other.on, set()).add(other.hcpcs)
    if not elsewhere and not any([each.hcpcs in _PARTS for each in claim.lines]):  # noqa: C419 - a list is quicker
        return
    for index, line in enumerate(claim.lines):
        if line.hcpcs not in _PARTS and line.hcpcs not in _PROGRAM_DAYS:
            continue
        here = {each.hcpcs for each in claim.lines if each.service_on == line.service_on}
        there = elsewhere.get(line.service_on, set())
        beside = (here | there) & _PROGRAM_DAYS if line.hcpcs in _PARTS else there & _PARTS
        if beside:
            yield RULE.finding(
                f"lines[{index}].hcpcs",
                f"{line.hcpcs} of {line.service_on} stands beside {' and '.join(sorted(beside))}: one holds the other.",
                "Bill the program day alone, or the services alone where the day was no program day.",
                values={
                    "code": line.hcpcs,
                    "beside": ", ".join(sorted(beside)),
                    "service_on": line.service_on.isoformat(),
                },
                origin=line.origins.get("session"),
                cents=line.charge_cents,
            )


RULE = Rule(
    name="program-day-covers-services",
    code="G36",
    severity=Severity.BLOCK,
    owner=Owner.BILLING,
    group=Group.DUPLICATES,
    snip=6,
    page=__doc__,
    check=_check,
)
