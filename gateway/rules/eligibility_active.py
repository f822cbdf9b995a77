"""The payer says that the patient is covered on every date of service, and that it is the one to bill.

Why: a day outside the member's coverage is denied (CARC 26, 27), and a day whose behavioral health is carved out to
    another payer is denied as the wrong payer's (CARC 109).
Fails: the newest answer that speaks of a day says inactive; answers are on file and none speaks of the day; the newest
    names another payer to bill for these services. Warns: the answer is more than `recheck_days` (31) older than the
    day. No answer of this payer on file is unknown, and weighs what the organization chose (`unknown: eligibility`).
Passes: an active span over every day billed, its first and last day included; a carve-out that names this payer.
    The worklist asks for a new answer `warn_days` (7) before it is that old, or before the coverage ends.
Source: 005010X279A1 (271) EB01, EB03, DTP and loop 2120C; an answer that names its service types beats
    one of the same day for the whole plan, and one for other services than the program's does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from gateway.claim.claim import ClaimLine
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.roster import EligibilityRecord, RosterKind
from gateway.rules.rule import Group, Inspection, Limits, Need, Rule
from gateway.services.eligibility import EligibilityOn, answers_for, eligibility_on


def _check(inspection: Inspection, limits: Limits) -> Iterator[Finding]:
    claim = inspection.claim
    if inspection.context.eligibility is None:
        yield from RULE.never_loaded(inspection, RosterKind.ELIGIBILITY)
        return
    answers = answers_for(inspection.context.eligibility, claim.insured.payer, claim.program_kind)
    if not answers:
        yield RULE.finding(
            "insured",
            f"No answer of {claim.insured.payer_name} on this patient's eligibility is on file.",
            "Ask the payer (270), then load its answer.",
            values={"payer": claim.insured.payer},
            cents=claim.charge_cents,
            severity=inspection.weight_of_unknown(RosterKind.ELIGIBILITY),
        )
        return
    days = [line.service_on for line in claim.lines]
    if len(answers) == 1 and _settles(answers[0], claim.insured.payer, days, timedelta(int(limits["recheck_days"]))):
        return
    uncovered: list[tuple[int, ClaimLine, EligibilityOn | None]] = []
    elsewhere: list[tuple[int, ClaimLine, EligibilityOn]] = []
    old: list[tuple[int, ClaimLine, EligibilityOn]] = []
    for index, line in enumerate(claim.lines):
        answer = eligibility_on(answers, line.service_on)
        if answer is None or not answer.active:
            uncovered.append((index, line, answer))
        elif answer.carve_out_payer not in ("", claim.insured.payer):
            elsewhere.append((index, line, answer))
        elif line.service_on > answer.checked_on + timedelta(days=int(limits["recheck_days"])):
            old.append((index, line, answer))
    if uncovered:
        yield _uncovered(inspection, answers, uncovered)
    if elsewhere:
        yield _elsewhere(inspection, elsewhere)
    if old:
        _, line, answer = old[-1]
        yield RULE.finding(
            f"lines[{old[0][0]}].service_on",
            f"Eligibility was last asked on {answer.checked_on}, before {_days(old)}.",
            "Ask the payer again (270) and load its answer.",
            values={"checked_on": answer.checked_on.isoformat(), "days": _days(old)},
            severity=Severity.WARN,
        )


def _settles(answer: EligibilityRecord, payer: str, days: Sequence[date], recheck: timedelta) -> bool:
    """True when one answer says yes to every day: so it is for most claims, and nothing more need be asked."""
    return (
        bool(days)
        and answer.active
        and answer.carve_out_payer in ("", payer)
        and answer.covers(min(days))
        and answer.covers(max(days))
        and max(days) <= answer.checked_on + recheck
    )


def _uncovered(
    inspection: Inspection,
    answers: Sequence[EligibilityRecord],
    days: Sequence[tuple[int, ClaimLine, EligibilityOn | None]],
) -> Finding:
    spans = ", ".join(f"{each.start_on} to {each.end_on or '...'}" for each in answers if each.active)
    said = "says the coverage was not active" if days[0][2] is not None else "does not speak of coverage"
    return RULE.finding(
        f"lines[{days[0][0]}].service_on",
        f"{inspection.claim.insured.payer_name} {said} on {_days(days)}.",
        "Ask the payer again with the date; where it stands, bill the plan that covered the day, or the patient.",
        values={
            "days": _days(days),
            "active": spans,
            "checked_on": str(max(each.checked_on for each in answers)),
            "entry": ", ".join(days[0][2].entries if days[0][2] else [each.entry for each in answers if each.entry]),
        },
        origin=inspection.origin("insured.end_on"),
        cents=sum(line.charge_cents for _, line, _ in days),
    )


def _elsewhere(inspection: Inspection, days: Sequence[tuple[int, ClaimLine, EligibilityOn]]) -> Finding:
    other = days[0][2].carve_out_payer
    payer = inspection.context.catalogue.payers.get(other)
    name = payer.name if payer else other
    return RULE.finding(
        "insured.payer",
        f"{inspection.claim.insured.payer_name} leaves these services to {name}; bill it for {_days(days)}.",
        f"Add the coverage with {name} in the EHR, first in order, and end this one's part in it.",
        values={"carve_out_payer": other, "days": _days(days), "entry": ", ".join(days[0][2].entries)},
        origin=inspection.origin("insured.payer"),
        cents=sum(line.charge_cents for _, line, _ in days),
    )


def _days(days: Sequence[tuple[int, ClaimLine, EligibilityOn | None]]) -> str:
    return ", ".join(dict.fromkeys(line.service_on.isoformat() for _, line, _ in days))


RULE = Rule(
    name="eligibility-active",
    code="G06",
    severity=Severity.BLOCK,
    owner=Owner.FRONT_DESK,
    group=Group.COVERAGE,
    snip=7,
    page=__doc__,
    check=_check,
    limits={"recheck_days": "31", "warn_days": "7"},
    needs=(Need.ELIGIBILITY,),
)
