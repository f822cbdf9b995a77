"""Which policy a date of service goes to: the first payer by the order the feeds state, never by guess."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from gateway.claim.finding import Finding, Owner, Severity
from gateway.services.case import KnownCoverage


def choose_coverage(coverages: Iterable[KnownCoverage], on: date) -> KnownCoverage | Finding:
    """The policy that pays first on the day; a Finding when there is none, or several and no order between them."""
    known = sorted(coverages, key=lambda each: each.id)
    policies = _distinct(each for each in known if each.record.active and _covers(each, on))
    if not policies:
        return _missing(known, on)
    if len(policies) == 1:
        return policies[0]
    orders = [each.record.order for each in policies]
    if None in orders or orders.count(min(order for order in orders if order is not None)) > 1:
        return _unordered(policies, on)
    return min(policies, key=lambda each: each.record.order or 0)


def _covers(coverage: KnownCoverage, on: date) -> bool:
    record = coverage.record
    return (record.start_on is None or record.start_on <= on) and (record.end_on is None or on <= record.end_on)


def _distinct(coverages: Iterable[KnownCoverage]) -> list[KnownCoverage]:
    """One of each policy: two sources may tell of one policy with no identifier in common."""
    policies: dict[tuple[str, str], KnownCoverage] = {}
    for each in coverages:
        named = each.payer is not None and each.record.member_number
        key = (each.payer or "", each.record.member_number) if named else ("", each.id)
        held = policies.get(key)
        if held is None or (held.record.order is None and each.record.order is not None):
            policies[key] = each
    return list(policies.values())


def _missing(known: list[KnownCoverage], on: date) -> Finding:
    if known:
        spans = ", ".join(f"{each.record.start_on or '...'} to {each.record.end_on or '...'}" for each in known)
        message = f"None of the patient's {len(known)} coverages is in force on {on}."
        fix = "Verify eligibility for the day and send the Coverage (FHIR) or IN1 (HL7) with its dates."
    else:
        spans = ""
        message = f"No coverage has arrived for this patient; {on} cannot be billed."
        fix = "Send the patient's Coverage (FHIR) or an ADT message with IN1 (HL7)."
    return Finding(
        rule="coverage-missing",
        code="",
        severity=Severity.BLOCK,
        path="insured",
        message=message,
        fix=fix,
        owner=Owner.FRONT_DESK,
        values={"service_on": on.isoformat(), "coverages": spans},
    )


def _unordered(policies: list[KnownCoverage], on: date) -> Finding:
    return Finding(
        rule="coverage-order",
        code="",
        severity=Severity.BLOCK,
        path="insured.sequence",
        message=f"{len(policies)} coverages are in force on {on} and the feed does not say which pays first.",
        fix="Ask the patient, then send Coverage.order (FHIR) or IN1-22 (HL7) for each of them.",
        owner=Owner.FRONT_DESK,
        values={"service_on": on.isoformat(), "payers": ", ".join(each.payer or "unknown" for each in policies)},
        origin=policies[0].origins.get("order"),
    )
