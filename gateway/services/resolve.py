"""Which service definition and which charge apply on a date of service: the most specific entry wins, a tie blocks.

Always by date of service, never by today.
"""

from __future__ import annotations

from datetime import date

from gateway.claim.contract import Catalogue, Charge, Facility, Payer, ProgramKind, ServiceDefinition
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import LevelOfCare


def resolve_definition(
    catalogue: Catalogue,
    payer: Payer,
    plan: str,
    program_kind: ProgramKind,
    level_of_care: LevelOfCare,
    facility: Facility,
    on: date,
) -> ServiceDefinition | Finding:
    """The definition in force: payer, plan and facility named beats payer and facility, beats payer, beats its kind.

    A Finding when none applies, or when two equally specific ones do (it names both entries).
    """
    candidates = [
        each
        for each in catalogue.services
        if each.level_of_care is level_of_care
        and each.span.covers(on)
        and _is_for_payer(each, payer)
        and (not each.plans or plan.casefold() in (one.casefold() for one in each.plans))
        and (not each.program_kinds or program_kind in each.program_kinds)
        and (not each.facilities or facility.id in each.facilities)
        and each.opps in (None, facility.opps)
    ]
    if not candidates:
        return _none_applies(payer, plan, program_kind, level_of_care, facility, on)
    best = max(_definition_rank(each) for each in candidates)
    chosen = [each for each in candidates if _definition_rank(each) == best]
    return chosen[0] if len(chosen) == 1 else _tied("definition-tied", "service definitions", chosen, on)


def resolve_charge(
    catalogue: Catalogue,
    facility: Facility,
    revenue_code: str,
    hcpcs: str,
    modifiers: tuple[str, ...],
    on: date,
) -> Charge | Finding:
    """The facility's price of one unit: a charge of the facility beats the organization's, more codes named beat fewer.

    A Finding when no charge is on file for the day, or when two equally specific ones are.
    """
    candidates = [
        each
        for each in catalogue.charges
        if each.organization == facility.organization
        and each.facility in ("", facility.id)
        and each.span.covers(on)
        and (each.revenue_code or each.hcpcs)
        and each.revenue_code in ("", revenue_code)
        and each.hcpcs in ("", hcpcs)
        and set(each.modifiers) <= set(modifiers)
    ]
    if not candidates:
        return _no_charge(facility, revenue_code, hcpcs, modifiers, on)
    best = max(_charge_rank(each) for each in candidates)
    chosen = [each for each in candidates if _charge_rank(each) == best]
    return chosen[0] if len(chosen) == 1 else _tied("charge-tied", "charges", chosen, on)


def _is_for_payer(definition: ServiceDefinition, payer: Payer) -> bool:
    if definition.payers:
        return payer.id in definition.payers
    return payer.line_of_business in definition.lines_of_business


def _definition_rank(each: ServiceDefinition) -> tuple[bool, ...]:
    return (
        bool(each.payers),
        bool(each.plans),
        bool(each.facilities),
        each.opps is not None,
        bool(each.program_kinds),
    )


def _charge_rank(each: Charge) -> tuple[bool, bool, int, bool]:
    return bool(each.facility), bool(each.hcpcs), len(each.modifiers), bool(each.revenue_code)


def _none_applies(
    payer: Payer, plan: str, program_kind: ProgramKind, level_of_care: LevelOfCare, facility: Facility, on: date
) -> Finding:
    return Finding(
        rule="definition-missing",
        code="",
        severity=Severity.BLOCK,
        path="lines.definition",
        message=f"No service definition says how {payer.name} is billed for {program_kind} {level_of_care} "
        f"at {facility.name} on {on}.",
        fix="Add the payer's contract terms to a services file, effective from this date or earlier.",
        owner=Owner.BILLING,
        values={
            "payer": payer.id,
            "plan": plan,
            "line_of_business": payer.line_of_business,
            "program_kind": program_kind,
            "level_of_care": level_of_care,
            "facility": facility.id,
            "service_on": on.isoformat(),
        },
    )


def _no_charge(facility: Facility, revenue_code: str, hcpcs: str, modifiers: tuple[str, ...], on: date) -> Finding:
    service = " ".join(part for part in (revenue_code, hcpcs, *modifiers) if part)
    return Finding(
        rule="charge-missing",
        code="",
        severity=Severity.BLOCK,
        path="lines.charge_cents",
        message=f"No charge is on file for {service} at {facility.name} on {on}.",
        fix="Add the charge to the facility's charges, effective from this date or earlier.",
        owner=Owner.BILLING,
        values={"service": service, "facility": facility.id, "service_on": on.isoformat()},
    )


def _tied(rule: str, what: str, chosen: list[ServiceDefinition] | list[Charge], on: date) -> Finding:
    entries = sorted(each.entry for each in chosen)
    return Finding(
        rule=rule,
        code="",
        severity=Severity.BLOCK,
        path="lines.definition",
        message=f"{len(entries)} {what} apply equally on {on}: {' and '.join(entries)}.",
        fix="Make one of them more specific, or end one of them before this date.",
        owner=Owner.BILLING,
        values={"entries": ", ".join(entries), "service_on": on.isoformat()},
    )
