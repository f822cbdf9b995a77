"""A physician's signed certification of this level of care covers every date of service, where the payer wants one.

Why: Medicare pays a program day only under a physician's certification; a day after a recertification fell due is
    denied on review and taken back, with every day that follows (CARC 50).
Fails: no signed certification of the level of care covers a day billed: none was made, nobody signed it, it began
    later, or the recertification was due by then. Blocks for Medicare and Medicare Advantage; warns for other payers
    unless they set `elsewhere: block`. Warns where the next recertification falls due within `warn_days` (7).
Passes: day after day covered by the payer's clock (`certification` of the service definition): a first certification
    of partial hospitalization to its 17th day, each recertification for 30 days; 60 and 60 for intensive outpatient.
    A roster never loaded is told once, by readiness.
Source: 42 CFR 424.24(e) (first recertification as of the 18th day, then at least every 30 days) and 424.24(d)
    (intensive outpatient: at least every 60 days).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from gateway.claim.contract import CertificationClock, LineOfBusiness
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.roster import CertificationRecord, RosterKind
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule

_BLOCKED = (LineOfBusiness.MEDICARE, LineOfBusiness.MEDICARE_ADVANTAGE)
_STILL_A_PATIENT = ("30", "")
Day = tuple[int, date, int]
"""Line index, date, cents."""


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    timed = [(index, line, each.certification) for index, line, each in inspection.lines if each is not None]
    wanted = [(index, line, clock) for index, line, clock in timed if clock is not None]
    if not wanted:
        return
    if inspection.context.certifications is None:
        yield from RULE.never_loaded(inspection, RosterKind.CERTIFICATIONS)
        return
    own = [each for each in inspection.context.certifications if each.level_of_care is claim.key.level_of_care]
    signed = [each for each in own if each.signed_on is not None and each.signed_by]
    days = [
        (index, line.service_on, line.charge_cents)
        for index, line, clock in wanted
        if not any(each.start_on <= line.service_on <= _through(each, clock) for each in signed)
    ]
    if days:
        yield _uncovered(inspection, limits, own, signed, wanted[0][2], days)
    elif claim.patient_status in _STILL_A_PATIENT:
        yield from _falling_due(inspection, limits, max(_through(each, wanted[-1][2]) for each in signed))


def _through(certification: CertificationRecord, clock: CertificationClock) -> date:
    return certification.through(clock.first_days, clock.then_days)


def _uncovered(
    inspection: Inspection,
    limits: Limits,
    own: Sequence[CertificationRecord],
    signed: Sequence[CertificationRecord],
    clock: CertificationClock,
    days: Sequence[Day],
) -> Finding:
    index, first, _ = days[0]
    level = inspection.claim.key.level_of_care
    before = [_through(each, clock) for each in signed if each.start_on <= first]
    if before:
        said = f"was due by {max(before) + timedelta(days=1)}"
    elif signed:
        said = f"begins on {min(each.start_on for each in signed)}"
    else:
        said = "is not signed" if own else "is not on file"
    strict = inspection.claim.insured.line_of_business in _BLOCKED or limits["elsewhere"] == "block"
    return RULE.finding(
        f"lines[{index}].service_on",
        f"The physician's {'recertification' if before else 'certification'} of {level} {said}; "
        f"{len({on for _, on, _ in days})} days from {first} are not covered.",
        "Have the physician certify the days, if they can, and load the certification; days nobody certified are not "
        "billed.",
        values={
            "level_of_care": level,
            "days": ", ".join(dict.fromkeys(on.isoformat() for _, on, _ in days)),
            "certified": ", ".join(f"{each.start_on} to {_through(each, clock)}" for each in signed),
            "first_days": str(clock.first_days),
            "then_days": str(clock.then_days),
            "entry": ", ".join(filter(None, (clock.entry, *(each.entry for each in own)))),
        },
        cents=sum(cents for _, _, cents in days),
        severity=Severity.BLOCK if strict else Severity.WARN,
    )


def _falling_due(inspection: Inspection, limits: Limits, through: date) -> Iterator[Finding]:
    today, due = inspection.context.today, through + timedelta(days=1)
    if today <= due <= today + timedelta(days=int(limits["warn_days"])):
        yield RULE.finding(
            "",
            f"The recertification of {inspection.claim.key.level_of_care} is due on {due}.",
            "Have the physician recertify by then, and load the certification.",
            values={"due_on": due.isoformat()},
            severity=Severity.WARN,
        )


RULE = Rule(
    name="certification-current",
    code="G23",
    severity=Severity.BLOCK,
    owner=Owner.CLINICIAN,
    group=Group.CERTIFICATION,
    snip=7,
    page=__doc__,
    check=_check,
    needs=(Need.CERTIFICATIONS,),
    limits={"warn_days": "7", "elsewhere": "warn"},
    limit_words={"elsewhere": ("warn", "block")},
)
