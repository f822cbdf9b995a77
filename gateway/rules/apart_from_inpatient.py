"""No program day lies within an inpatient or residential stay of the patient, wherever that stay is.

Why: a patient is in one place: a day billed while somebody else bills the patient's bed is denied (CARC 60, 97) or
    taken back, and Medicare looks for it.
Fails: a day after the admission and before the discharge of a stay the feeds tell of; the day of admission to a
    residential facility, which bills that day too. Warns on the day of admission to a hospital, which falls into its
    payment window where the hospital owns the program.
Passes: the day of discharge, on which a program may admit; stays that were cancelled.
Source: Medicare Claims Processing Manual, chapters 3 (section 40.3, three days and one day) and 4 (section 260);
    payers' facility behavioral health policies (levels of care exclude each other on one date).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.claim.claim import ClaimLine
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import EpisodeRecord, Setting
from gateway.rules.rule import Group, Inspection, Limits, Rule
from gateway.services.case import KnownEpisode
from gateway.services.origins import origin_of


def _check(inspection: Inspection, _limits: Limits) -> Iterator[Finding]:
    stays = inspection.context.stays_elsewhere
    if not stays:
        return
    for index, line in enumerate(inspection.claim.lines):
        for stay in stays:
            if _is_inside(stay.record, line.service_on):
                yield _overlap(index, line, stay)


def _is_inside(stay: EpisodeRecord, on: date) -> bool:
    if stay.cancelled or stay.admitted_on is None or on < stay.admitted_on:
        return False
    return stay.discharged_on is None or on < stay.discharged_on


def _overlap(index: int, line: ClaimLine, stay: KnownEpisode) -> Finding:
    record = stay.record
    admitted = line.service_on == record.admitted_on
    lenient = admitted and record.setting is Setting.INPATIENT
    until = record.discharged_on or "no known discharge"
    return RULE.finding(
        f"lines[{index}].service_on",
        f"{line.service_on} lies in a stay elsewhere: {record.setting}, {record.admitted_on} to {until}.",
        "Correct the dates of that stay or of the visit in the EHR; a day spent there is not billed here.",
        values={
            "service_on": line.service_on.isoformat(),
            "setting": str(record.setting),
            "admitted_on": str(record.admitted_on),
            "discharged_on": str(record.discharged_on or ""),
        },
        origin=origin_of(stay.origins, "admitted_on"),
        cents=line.charge_cents,
        severity=Severity.WARN if lenient else None,
    )


RULE = Rule(
    name="apart-from-inpatient",
    code="G10",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.DUPLICATES,
    snip=7,
    page=__doc__,
    check=_check,
)
