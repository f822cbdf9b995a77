"""Which papers of one patient in care fall due soon: certifications, eligibility answers, consents. Holds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.claim.claim import Claim
from gateway.claim.contract import Catalogue, CertificationClock, Payer
from gateway.claim.finding import Finding, Severity
from gateway.pipeline.facts import PatientFacts
from gateway.ports.watch import WorkItem, cause_of
from gateway.rules import certification_current, disclosure_consented, eligibility_active
from gateway.rules.gate import limits_of
from gateway.rules.rule import Limits, Rule
from gateway.services.eligibility import answers_for, eligibility_on

_SHORTEST_STAKE = timedelta(days=6)
"""What is at stake is never less than the charges of the last seven days: the next seven are like them."""


@dataclass(frozen=True, slots=True)
class _Care:
    """A patient in one program now: the newest claim of it, and every claim of the same payer and level."""

    facts: PatientFacts
    newest: Claim
    claims: tuple[Claim, ...]
    payer: Payer
    catalogue: Catalogue
    today: date


def papers_due(
    facts: PatientFacts, claims: Sequence[tuple[Claim, bool]], catalogue: Catalogue, today: date
) -> Iterator[WorkItem]:
    """Every paper that falls due; ``claims`` are the patient's as they would be sent, or (True) as they were."""
    for claim, sent in claims:
        if sent:
            yield from _taken_back(facts, claim)
    by_program: dict[tuple[str, str, str], list[Claim]] = {}
    for each, _ in claims:
        if _is_in_care(facts, each, today):
            key = each.key
            by_program.setdefault((key.payer, key.program, key.level_of_care), []).append(each)
    for (payer_id, _, _), own in by_program.items():
        payer = catalogue.payers.get(payer_id)
        if payer is not None:
            newest = max(own, key=lambda each: each.statement_through_on)
            care = _Care(facts, newest, tuple(own), payer, catalogue, today)
            for find in (_certification, _eligibility, _consent):
                yield from find(care)


def _taken_back(facts: PatientFacts, claim: Claim) -> Iterator[WorkItem]:
    """Days a payer was billed for and now says it did not cover."""
    rule, insured = eligibility_active.RULE, claim.insured
    answers = answers_for(facts.standing.eligibility or (), insured.payer, claim.program_kind)
    told = [(line, eligibility_on(answers, line.service_on)) for line in claim.lines] if answers else []
    lines = [line for line, answer in told if answer is not None and not answer.active]
    if lines:
        days = sorted({line.service_on for line in lines})
        finding = rule.finding(
            "lines",
            f"{insured.payer_name} took back the coverage of {len(days)} days it was billed for, the first {days[0]}.",
            "Ask the patient and the payer what was in force; what it paid for these days it will ask back.",
            values={"payer": insured.payer, "claim": str(claim.key), "days": ", ".join(map(str, days))},
            cents=sum(line.charge_cents for line in lines),
            severity=Severity.WARN,
        )
        organization, about = claim.key.organization, f"{insured.payer} {days[0]}"
        yield WorkItem(
            organization=organization,
            patient_id=facts.patient_id,
            finding=finding,
            due_on=None,
            about=about,
            cause=cause_of(finding),
        )


def at_stake(claims: Sequence[Claim], due_on: date, today: date) -> int:
    """Cents of the days since something fell due, and at least of the last seven."""
    since = min(due_on, today - _SHORTEST_STAKE)
    return sum(line.charge_cents for each in claims for line in each.lines if line.service_on >= since)


def _is_in_care(facts: PatientFacts, claim: Claim, today: date) -> bool:
    """True while a stay at the claim's level of care is open."""
    return any(
        not stay.record.cancelled
        and stay.record.level_of_care in (None, claim.key.level_of_care)
        and stay.record.program in ("", claim.key.program)
        and (stay.record.admitted_on or date.max) <= today
        and (stay.record.discharged_on is None or today < stay.record.discharged_on)
        for stay in (facts.case.episodes if facts.case else ())
    )


def _item(care: _Care, rule: Rule, message: str, fix: str, due_on: date, values: dict[str, str]) -> WorkItem:
    finding: Finding = rule.finding(
        "",
        message,
        fix,
        values={"payer": care.payer.id, **values},
        cents=at_stake(care.claims, due_on, care.today),
        severity=Severity.WARN,
    )
    key = care.newest.key
    return WorkItem(
        organization=key.organization,
        patient_id=care.facts.patient_id,
        finding=finding,
        due_on=due_on,
        about=f"{key.level_of_care} {care.payer.id}",
        cause=cause_of(finding),
    )


def _limits(care: _Care, rule: Rule) -> Limits | None:
    return limits_of(rule, care.payer, care.today)


def _certification(care: _Care) -> Iterator[WorkItem]:
    rule = certification_current.RULE
    limits, clock = _limits(care, rule), _clock(care)
    known = care.facts.standing.certifications
    if limits is None or clock is None or known is None:
        return
    level = care.newest.key.level_of_care
    signed = [each for each in known if each.level_of_care is level and each.signed_on is not None and each.signed_by]
    through = max((each.through(clock.first_days, clock.then_days) for each in signed), default=None)
    due_on = through + timedelta(days=1) if through else min(each.statement_from_on for each in care.claims)
    if due_on <= care.today + timedelta(days=int(limits["warn_days"])):
        word = "recertification" if through else "certification"
        yield _item(
            care,
            rule,
            f"The physician's {word} of {level} {'was' if due_on < care.today else 'is'} due on {due_on}.",
            "Have the physician certify, and load the certification.",
            due_on,
            {"covered_through": str(through or "")},
        )


def _clock(care: _Care) -> CertificationClock | None:
    """The clock of the definition that the newest day was billed by."""
    line = care.newest.lines[-1] if care.newest.lines else None
    for each in care.catalogue.services if line is not None else ():
        if line is not None and each.id == line.definition_id and each.span.covers(line.service_on):
            return each.certification
    return None


def _eligibility(care: _Care) -> Iterator[WorkItem]:
    rule = eligibility_active.RULE
    limits, known = _limits(care, rule), care.facts.standing.eligibility
    if limits is None or known is None:
        return
    answers = answers_for(known, care.payer.id, care.newest.program_kind)
    newest = max((each.checked_on for each in answers), default=None)
    due_on = newest + timedelta(days=int(limits["recheck_days"])) if newest else care.today
    soon = care.today + timedelta(days=int(limits["warn_days"]))
    if due_on <= soon:
        said = f"was last asked on {newest}" if newest else "was never asked"
        yield _item(
            care,
            rule,
            f"{care.payer.name} {said} about this patient's eligibility.",
            "Ask the payer (270), and load its answer.",
            due_on,
            {"checked_on": str(newest or "")},
        )
    ends = [each.end_on for each in answers if each.checked_on == newest and each.active and each.covers(care.today)]
    last = max((each or date.max for each in ends), default=date.max)
    if last <= soon:
        yield _item(
            care,
            rule,
            f"The patient's coverage with {care.payer.name} ends on {last}.",
            "Ask the patient and the payer what follows; the days after it need another coverage.",
            last,
            {"end_on": last.isoformat()},
        )


def _consent(care: _Care) -> Iterator[WorkItem]:
    rule = disclosure_consented.RULE
    key, known = care.newest.key, care.facts.standing.consents
    program = care.catalogue.program(key.organization, key.program)
    limits = _limits(care, rule)
    if limits is None or known is None or program is None or not program.part_2:
        return
    days = range(int(limits["warn_days"]) + 1)
    without = next(
        (
            on
            for on in (care.today + timedelta(days=each) for each in days)
            if not any(consent.permits(program.id, key.payer, on) for consent in known)
        ),
        None,
    )
    if without is not None:
        yield _item(
            care,
            rule,
            f"From {without} no consent lets {program.name} tell {care.payer.name} of this patient.",
            "Obtain the patient's written consent, and load it.",
            without,
            {"program": program.id},
        )
