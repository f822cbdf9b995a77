"""Every day billed lies within the patient's stay in the program, and within their life.

Why: a day after discharge or death is denied and looked into (CARC 13, 26; RARC MA31), a day before the admission has
    no plan of care behind it.
Fails: a line after the day the patient died; a line outside every stay of this level of care that the EHR has told of,
    where it has told of one.
Passes: the days of admission and of discharge themselves; a stay that has not ended; no stay told of at all.
Source: 005010X223A2 loops 2300 DTP*434, 2400 DTP*472; 42 CFR 424.24(e).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import EpisodeRecord
from gateway.rules.rule import Group, Inspection, Limits, Rule


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    claim, died_on = inspection.claim, inspection.context.deceased_on
    stays = [
        each
        for each in inspection.context.stays
        if each.level_of_care is claim.key.level_of_care and each.admitted_on is not None and not each.cancelled
    ]
    dates = inspection.dates
    whole = not dates or not stays or (_holds(stays[0], dates[0]) and _holds(stays[0], dates[-1]))
    if whole and (died_on is None or not dates or dates[-1] <= died_on):
        return
    for index, line in enumerate(claim.lines):
        on = line.service_on
        if died_on is not None and on > died_on:
            said, values = f"after the patient's death on {died_on}", {"died_on": died_on.isoformat()}
        elif stays and not any(_holds(each, on) for each in stays):
            told = ", ".join(f"{each.admitted_on} to {each.discharged_on or '...'}" for each in stays)
            said, values = f"outside the patient's stay ({told})", {"stays": told}
        else:
            continue
        yield RULE.finding(
            f"lines[{index}].service_on",
            f"{on} lies {said}.",
            "Correct the visit's date, or the dates of the stay, in the EHR.",
            values={**values, "service_on": on.isoformat()},
            origin=line.origin("service_on"),
            cents=line.charge_cents,
        )


def _holds(stay: EpisodeRecord, on: date) -> bool:
    assert stay.admitted_on is not None, "stays without a first day are left out"
    return stay.admitted_on <= on and (stay.discharged_on is None or on <= stay.discharged_on)


RULE = Rule(
    name="stay-covers-days",
    code="G37",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.ATTENDANCE,
    snip=7,
    page=__doc__,
    check=_check,
)
