"""The clean-claim gate: every rule over one claim, as the claim's payer set them. It judges and never edits.

Rules are listed here by hand, in the order their findings are shown; a rule that is not listed does not exist.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from gateway.claim.attendance import Session
from gateway.claim.claim import Claim, ClaimLine
from gateway.claim.contract import Bundling, Catalogue, Payer, PayerRule, RuleSetting, ServiceDefinition, UnitBasis
from gateway.claim.finding import Finding, Severity
from gateway.claim.record import AttendanceStatus
from gateway.rules import (
    add_on_has_primary,
    admission_codes_valid,
    amounts_add_up,
    apart_from_inpatient,
    attendance_supports_lines,
    authorization_covers_days,
    authorization_running_out,
    bill_type_takes_program,
    billing_provider_enrolled,
    billing_provider_valid,
    campus_modifier_agrees,
    certification_current,
    charge_code_agrees_with_chart,
    charge_covers_rate,
    clinician_in_one_room,
    clinicians_credentialed,
    clinicians_identified,
    codes_fit_definition,
    codes_fit_program,
    codes_paid_together,
    condition_codes_fit,
    coverage_order_resolved,
    dates_in_statement,
    diagnoses_valid,
    disclosure_consented,
    eligibility_active,
    filed_in_time,
    frequency_fits_status,
    group_within_size,
    iop_apart_from_php,
    licenses_in_force,
    medicare_itemised,
    modifiers_in_order,
    never_bill_payer,
    not_billed_before,
    one_per_diem_a_day,
    one_session_at_a_time,
    patient_identified,
    payer_addressed,
    payer_specifics_carried,
    place_agrees_with_chart,
    place_fits_form,
    procedure_codes_current,
    program_day_covers_services,
    revenue_codes_current,
    series_in_order,
    session_entered_once,
    stay_covers_days,
    telehealth_agrees,
    transactions_enrolled,
    units_fit_basis,
    units_medically_likely,
    weekly_hours_met,
)
from gateway.rules.context import BilledLine, GateContext
from gateway.rules.rule import Inspection, Limits, Need, Rule

RULES: tuple[Rule, ...] = (
    never_bill_payer.RULE,
    amounts_add_up.RULE,
    patient_identified.RULE,
    payer_addressed.RULE,
    payer_specifics_carried.RULE,
    disclosure_consented.RULE,
    eligibility_active.RULE,
    coverage_order_resolved.RULE,
    certification_current.RULE,
    attendance_supports_lines.RULE,
    stay_covers_days.RULE,
    authorization_covers_days.RULE,
    authorization_running_out.RULE,
    one_session_at_a_time.RULE,
    session_entered_once.RULE,
    clinician_in_one_room.RULE,
    group_within_size.RULE,
    weekly_hours_met.RULE,
    apart_from_inpatient.RULE,
    one_per_diem_a_day.RULE,
    program_day_covers_services.RULE,
    iop_apart_from_php.RULE,
    not_billed_before.RULE,
    series_in_order.RULE,
    units_fit_basis.RULE,
    units_medically_likely.RULE,
    codes_fit_definition.RULE,
    codes_fit_program.RULE,
    revenue_codes_current.RULE,
    charge_code_agrees_with_chart.RULE,
    place_fits_form.RULE,
    bill_type_takes_program.RULE,
    campus_modifier_agrees.RULE,
    place_agrees_with_chart.RULE,
    telehealth_agrees.RULE,
    procedure_codes_current.RULE,
    modifiers_in_order.RULE,
    codes_paid_together.RULE,
    add_on_has_primary.RULE,
    condition_codes_fit.RULE,
    medicare_itemised.RULE,
    diagnoses_valid.RULE,
    frequency_fits_status.RULE,
    admission_codes_valid.RULE,
    dates_in_statement.RULE,
    clinicians_identified.RULE,
    clinicians_credentialed.RULE,
    licenses_in_force.RULE,
    billing_provider_valid.RULE,
    billing_provider_enrolled.RULE,
    transactions_enrolled.RULE,
    filed_in_time.RULE,
    charge_covers_rate.RULE,
)
RULES_BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}

_VOID = "8"
_ATTENDED = AttendanceStatus.ATTENDED
_AT_A_TIME = 24
"""Claims judged together: few enough that what one rule looked at is still at hand for the next."""
_rule_lists: dict[tuple[str, ...], tuple[Rule, ...]] = {}
_CATALOGUES_KEPT = 8
_DefinitionsById = Mapping[str, tuple[ServiceDefinition, ...]]
_indexes: OrderedDict[int, tuple[Catalogue, _DefinitionsById, frozenset[str]]] = OrderedDict()
"""By catalogue: its definitions by id, and the kinds of session that are not clinical."""


def check_claims(judged: Sequence[tuple[Claim, GateContext]]) -> list[list[Finding]]:
    """For each claim every finding of every rule, in the rules' order; none when the claim is clean.

    The payer's settings may turn a rule off, change its severity or set its limits, by date of service; rules that
    nothing overrides stay as they are. The payer's own rules come last. A void is judged by the rules of form alone.
    Rule after rule over some claims at a time: a rule that has just run runs again half as fast again.
    """
    found: list[list[Finding]] = []
    for first in range(0, len(judged), _AT_A_TIME):
        found += _check_some(judged[first : first + _AT_A_TIME])
    return found


def _check_some(judged: Sequence[tuple[Claim, GateContext]]) -> list[list[Finding]]:
    found: list[list[Finding]] = [[] for _ in judged]
    batches: dict[int, tuple[tuple[Rule, ...], list[_Judged]]] = {}
    for (claim, context), out in zip(judged, found, strict=True):
        settings = context.payer.rules if context.payer is not None else {}
        rules = _rules_on(claim.statement_from_on, claim.frequency == _VOID)
        batches.setdefault(id(rules), (rules, []))[1].append((_inspection(claim, context), settings, out))
    for rules, batch in batches.values():
        set_by_somebody = {name for _, settings, _ in batch for name in settings}
        for rule in rules:
            check, limits, name = rule.check, rule.limits, rule.name
            if name in set_by_somebody:
                for inspection, settings, out in batch:
                    out += _as_set(rule, settings.get(name, ()), inspection)
                continue
            for inspection, _, out in batch:
                for finding in check(inspection, limits):  # mostly none, and that costs less than list.extend
                    out.append(finding)
    _add_own_rules(judged, found)
    return found


_Judged = tuple[Inspection, Mapping[str, tuple[RuleSetting, ...]], list[Finding]]


def check_claim(claim: Claim, context: GateContext) -> list[Finding]:
    """Every finding about one claim, as ``check_claims`` has it."""
    return check_claims([(claim, context)])[0]


def check_stranger(claim: Claim, context: GateContext) -> tuple[list[Finding], dict[Need, list[str]]]:
    """The findings of every rule that can judge a claim we did not make, and what the other rules would have needed.

    What is not at hand is unknown, never wrong: it is told once a source with the names of the rules that wait for it.
    Of a claim with a date that no other can be counted from, that is all that is told.
    """
    inspection = _inspection(claim, context)
    if beyond := [*dates_in_statement.beyond_counting(inspection)]:
        return beyond, {}
    waiting: dict[Need, list[str]] = {}
    able = []
    for rule in _rules_on(claim.statement_from_on, claim.frequency == _VOID):
        missing = [need for need in rule.needed if not inspection.has(need)]
        for need in missing:
            waiting.setdefault(need, []).append(rule.name)
        if not missing:
            able.append(rule.name)
    found = [each for each in check_claim(claim, context) if each.rule in able or each.rule not in RULES_BY_NAME]
    return found, waiting


@lru_cache(maxsize=4096)
def _rules_on(on: date, void: bool) -> tuple[Rule, ...]:
    """The rules in force on a date of service, the same tuple for the same rules; for a void, those of form alone."""
    rules = tuple(rule for rule in RULES if rule.since <= on <= rule.until and (rule.judges_voids or not void))
    return _rule_lists.setdefault(tuple(rule.name for rule in rules), rules)


def limits_of(rule: Rule, payer: Payer | None, on: date) -> Limits | None:
    """A rule's limits as the payer set them for a day; None where the payer turned the rule off."""
    setting = _in_force(payer.rules.get(rule.name, ()), on) if payer is not None else None
    if setting is None:
        return rule.limits
    return {**rule.limits, **setting.limits} if setting.enabled else None


def rule_pages() -> str:
    """The rule catalogue as Markdown: one page per rule, in the order of the gate."""
    pages = ["# Rules of the gate\n"]
    for rule in RULES:
        summary, _, sections = rule.page.partition("\n\n")
        facts = f"{rule.code} | {rule.group} | {rule.severity} | owner: {rule.owner} | SNIP type {rule.snip}"
        dates = f" | from service date {rule.since}" if rule.since > date.min else ""
        fixed = "" if rule.overridable else " | nothing overrides it"
        limits = "".join(f" | limit `{name}`: {_limit(rule, name)}" for name in rule.limits)
        pages.append(f"## {rule.name}\n\n{facts}{dates}{fixed}{limits}\n\n{summary.strip()}\n\n{_sections(sections)}")
    return "\n".join(pages)


def _limit(rule: Rule, name: str) -> str:
    """What a limit may be set to, and what it is."""
    words = " or ".join(rule.limit_words.get(name, ())) or "a number"
    return f"{words} ({rule.limits[name]})" if rule.limits[name] else f"{words} (none)"


def _sections(text: str) -> str:
    """`Word: sentences` paragraphs, continued by indented lines, as Markdown."""
    paragraphs: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith(" ") and paragraphs:
            paragraphs[-1] += " " + line.strip()
        else:
            word, _, rest = line.partition(":")
            paragraphs.append(f"**{word}.** {rest.strip()[:1].upper()}{rest.strip()[1:]}")
    return "\n\n".join(paragraphs) + "\n"


def _in_force(settings: Iterable[RuleSetting], on: date) -> RuleSetting | None:
    return next((each for each in settings if each.span.covers(on)), None)


def _as_set(rule: Rule, settings: Iterable[RuleSetting], inspection: Inspection) -> Iterator[Finding]:
    """The rule's findings as the payer set it. A rule nothing overrides can be given limits and nothing else."""
    setting = _in_force(settings, inspection.claim.statement_from_on)
    if setting is None:
        yield from rule.check(inspection, rule.limits)
        return
    if not setting.enabled and rule.overridable:
        return
    limits: Limits = {**rule.limits, **setting.limits}
    for finding in rule.check(inspection, limits):
        values = {**finding.values, "setting": setting.entry} if setting.entry else finding.values
        changed = setting.severity is not None and rule.overridable and finding.severity is rule.severity
        yield replace(
            finding, values=values, severity=setting.severity if changed and setting.severity else finding.severity
        )


def _add_own_rules(judged: Sequence[tuple[Claim, GateContext]], found: Sequence[list[Finding]]) -> None:
    """Each payer's own conditions over its claims, after the other findings of each."""
    by_payer: dict[int, tuple[Payer, list[tuple[Claim, list[Finding]]]]] = {}
    for (claim, context), out in zip(judged, found, strict=True):
        payer = context.payer
        if payer is not None and payer.own_rules and claim.frequency != _VOID:
            by_payer.setdefault(id(payer), (payer, []))[1].append((claim, out))
    for payer, claims in by_payer.values():
        for rule in payer.own_rules:
            for claim, out in claims:
                if rule.span.covers(claim.statement_from_on):
                    out += _asked(rule, claim)


def _asked(rule: PayerRule, claim: Claim) -> list[Finding]:
    try:
        return [_own_finding(rule, claim, "")] if rule.fails(claim) else []
    except Exception as problem:  # whatever a payer's condition does, the claim is held and a person told
        return [_own_finding(rule, claim, type(problem).__name__)]


def _own_finding(rule: PayerRule, claim: Claim, broken: str) -> Finding:
    return Finding(
        rule=rule.name,
        code="",
        severity=Severity.BLOCK if broken else rule.severity,
        path="",
        message="The payer's condition could not be evaluated on this claim." if broken else rule.message,
        fix="Correct the condition in the payer's file." if broken else rule.fix,
        owner=rule.owner,
        values={"entry": rule.entry, **_decided(rule), **({"problem": broken} if broken else {})},
        cents=claim.charge_cents,
    )


def _decided(rule: PayerRule) -> dict[str, str]:
    decided_on = {"decided_on": rule.decided_on.isoformat()} if rule.decided_on else {}
    return ({"source": rule.source} if rule.source else {}) | decided_on


def _inspection(claim: Claim, context: GateContext) -> Inspection:
    _, by_id, asides = _indexed(context.catalogue)
    key = str(claim.key)
    elsewhere = _billed_elsewhere(key, context) if context.billed_lines else ()
    dates = {line.service_on for line in claim.lines}
    definitions = tuple([_definition_of(line, by_id) for line in claim.lines])
    behind = tuple([_behind(line, context, asides) for line in claim.lines])
    return Inspection(
        claim,
        context,
        key,
        tuple(zip(range(len(definitions)), claim.lines, definitions, strict=True)),
        definitions,
        tuple([_is_per_diem(line, each) for line, each in zip(claim.lines, definitions, strict=True)]),
        behind,
        _at_once(behind),
        elsewhere,
        tuple(sorted(dates)),
        tuple([each for each in elsewhere if each.on in dates]),
    )


def _billed_elsewhere(own_key: str, context: GateContext) -> tuple[BilledLine, ...]:
    previous = context.previous
    replaced = previous.claim_number if previous else ""
    return tuple(
        [
            each
            for each in context.billed_lines
            if each.claim_key != own_key and not (replaced and each.claim_number == replaced)
        ]
    )


def _behind(line: ClaimLine, context: GateContext, asides: frozenset[str]) -> tuple[Session, ...]:
    day, wanted = context.days.get(line.service_on), line.encounter_ids
    if day is None:
        return ()
    return tuple([each for each in day.sessions if each.encounter_id in wanted and each.session not in asides])


def _at_once(behind: Sequence[tuple[Session, ...]]) -> tuple[tuple[int, Session], ...]:
    """All attended sessions in order of start, if any begins before the one before it has ended; else none."""
    before: Session | None = None
    for sessions in behind:
        for session in sessions:
            if session.status is _ATTENDED:
                if before is not None and (session.start_at < before.end_at or session.start_at <= before.start_at):
                    return _in_time(behind)
                before = session
    return ()


def _in_time(behind: Sequence[tuple[Session, ...]]) -> tuple[tuple[int, Session], ...]:
    attended = [(index, each) for index, found in enumerate(behind) for each in found if each.status is _ATTENDED]
    return tuple(sorted(attended, key=lambda each: each[1].span))


def _is_per_diem(line: ClaimLine, definition: ServiceDefinition | None) -> bool:
    if definition is None:
        return line.unit_basis is UnitBasis.DAY
    if definition.bundling is not Bundling.PER_DIEM:
        return False
    return not (definition.items and definition.itemises(line.revenue_code, line.hcpcs))


def _definition_of(line: ClaimLine, by_id: _DefinitionsById) -> ServiceDefinition | None:
    for each in by_id.get(line.definition_id, ()):
        if each.span.covers(line.service_on):
            return each
    return None


def _indexed(catalogue: Catalogue) -> tuple[Catalogue, _DefinitionsById, frozenset[str]]:
    """Indexed once per catalogue; the kept catalogue stops its ``id()`` from being used again."""
    kept = _indexes.get(id(catalogue))
    if kept is not None:
        return kept
    by_id: dict[str, tuple[ServiceDefinition, ...]] = {}
    for each in catalogue.services:
        by_id[each.id] = (*by_id.get(each.id, ()), each)
    asides = frozenset(name for name, kind in catalogue.sessions.items() if not kind.clinical)
    _indexes[id(catalogue)] = kept = (catalogue, by_id, asides)
    while len(_indexes) > _CATALOGUES_KEPT:
        _indexes.popitem(last=False)
    return kept
