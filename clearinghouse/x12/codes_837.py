"""SNIP 5 of an 837: check digits and shapes of codes, and code sets by the date of service where they are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache

from clearinghouse.x12.claim_facts import ClaimFact, LineFact
from clearinghouse.x12.code_sets import (
    NO_CODE_SETS,
    CodeSets,
    is_diagnosis_shape,
    is_modifier_shape,
    is_npi,
    is_procedure_shape,
    is_revenue_shape,
    is_taxonomy,
)
from clearinghouse.x12.decoding import at, day
from clearinghouse.x12.findings import ERROR, NOTE, WARNING, Finding, redacted

RELEASE_MISSING = "diagnosis-unjudged"
_ICD_10 = frozenset(("ABK", "ABF", "ABJ", "APR", "ABN"))
_ICD_9 = frozenset(("BK", "BF", "BJ", "PR", "BN"))
DIAGNOSIS_QUALIFIERS = _ICD_10 | _ICD_9
# Condition, occurrence, occurrence span, value and treatment codes: lists of the billing committee, shapes only.
BILLING_QUALIFIERS = frozenset(("BE", "BG", "BH", "BI"))
_ICD_10_FROM = "20151001"
# Service facilities; the billing provider's nine digits are part of the guide table. 2310E is one only in the 837I.
_FACILITY_LOOPS = {True: frozenset(("2310E",)), False: frozenset(("2310C", "2420C"))}


def npi_findings(values: list[str], position: int, loop: str) -> Iterator[Finding]:
    """NM109 qualified XX must be an NPI."""
    value = at(values, 9)
    if value and not is_npi(value):
        message = "NM109 is not a National Provider Identifier: ten digits whose check digit must fit."
        yield _finding("npi-invalid", message, "NM1", position, loop, "NM109", value)


def taxonomy_findings(values: list[str], position: int, loop: str) -> Iterator[Finding]:
    """PRV03 qualified PXC must have the form of a taxonomy code; today's all end in X, older ones did not."""
    value = at(values, 3)
    if at(values, 2) != "PXC" or not value or is_taxonomy(value):
        return
    retired = len(value) == 10 and value.isascii() and value.isalnum()
    severity = WARNING if retired else ERROR
    told = (
        "is not a taxonomy code in use: those end in X" if retired else "is not a taxonomy code: ten letters and digits"
    )
    found = Finding(5, severity, "taxonomy-invalid", f"PRV03 {told}.", "PRV", position, loop, "PRV03", redacted(value))
    yield replace(found, ik3="8", ik4="7")


def billing_code_findings(parts: list[str], index: int, position: int) -> Iterator[Finding]:
    """A condition, occurrence, occurrence span or value code has two characters; a span runs forward."""
    code, element = at(parts, 1), f"HI{index:02d}"
    if code and not is_modifier_shape(code):
        message = f"{element}-2 is not a condition, occurrence or value code: two letters or digits."
        yield _finding("billing-code-shape", message, "HI", position, "2300", f"{element}-2", code)
    first, dash, last = at(parts, 3).partition("-")
    if dash and len(first) == len(last) == 8 and first > last:
        message = "The occurrence span ends before it begins."
        yield Finding(4, ERROR, "span-reversed", message, "HI", position, "2300", f"{element}-4", "", "8", "8")


def postal_findings(values: list[str], position: int, loop: str, institutional: bool) -> Iterator[Finding]:
    """N403 in the United States has five or nine digits, nine for a service facility."""
    value, country = at(values, 3), at(values, 4)
    if not value or country not in ("", "US"):
        return
    if not value.isdecimal() or len(value) not in (5, 9):
        message = "N403 is not a ZIP code: five or nine digits without a dash."
        yield _finding("zip-invalid", message, "N4", position, loop, "N403", value)
    elif len(value) != 9 and loop == "2010AA" and not institutional:
        message = "N403 of the billing provider must be nine digits (ZIP+4)."
        yield Finding(2, ERROR, "zip-short", message, "N4", position, loop, "N403", redacted(value), "8", "I12")
    elif len(value) != 9 and loop in _FACILITY_LOOPS[institutional]:
        message = "N403 of a service facility must be nine digits (ZIP+4)."
        yield Finding(5, WARNING, "zip-short", message, "N4", position, loop, "N403", redacted(value), "8", "I12")


def claim_findings(claim: ClaimFact, institutional: bool, code_sets: CodeSets) -> Iterator[Finding]:
    """Diagnoses, revenue codes, procedures and modifiers of one claim."""
    on = _code_date(claim, institutional)
    for fact in claim.diagnoses:
        if fact.qualifier in _ICD_9:
            if on >= _ICD_10_FROM:
                message = "An ICD-9 qualifier is sent for a date of service after ICD-10 took over (2015-10-01)."
                yield _finding("diagnosis-outdated", message, "HI", fact.position, "2300", fact.element[:-1] + "1", "")
            continue
        if on and on < _ICD_10_FROM:
            message = "An ICD-10 qualifier is sent for a date of service before ICD-10 took over (2015-10-01)."
            yield _finding("diagnosis-outdated", message, "HI", fact.position, "2300", fact.element[:-1] + "1", "")
            continue
        if not fact.code:
            continue
        if not is_diagnosis_shape(fact.code):
            message = f"{fact.element} is not an ICD-10-CM code (three to seven characters, no dot)."
            yield _finding("diagnosis-shape", message, "HI", fact.position, "2300", fact.element, fact.code)
            continue
        served = _day(on)
        if served is None:
            continue
        billable = code_sets.diagnosis(fact.code, served)
        if billable is False:
            message = f"{fact.element} is not a billable ICD-10-CM code on {served.isoformat()}."
            yield _finding("diagnosis-unknown", message, "HI", fact.position, "2300", fact.element, fact.code)
        elif billable is None and code_sets is not NO_CODE_SETS:
            message = f"No ICD-10-CM release at hand covers {served.isoformat()}: diagnoses were judged by shape alone."
            yield Finding(5, NOTE, RELEASE_MISSING, message, "HI", fact.position, "2300", fact.element)
    for line in claim.lines:
        yield from _line_findings(line, on, institutional, code_sets)


def _line_findings(line: LineFact, claim_date: str, institutional: bool, code_sets: CodeSets) -> Iterator[Finding]:
    segment = "SV2" if institutional else "SV1"
    served = _day(line.date_from or claim_date)
    if line.revenue:
        if not is_revenue_shape(line.revenue):
            message = "SV201 is not a revenue code: four digits."
            yield _finding("revenue-shape", message, segment, line.service_position, "2400", "SV201", line.revenue)
        elif served is not None and code_sets.revenue(line.revenue, served) is False:
            message = f"SV201 is not a revenue code in use on {served.isoformat()}."
            yield _finding("revenue-unknown", message, segment, line.service_position, "2400", "SV201", line.revenue)
    procedure = line.procedure
    if at(procedure, 0) != "HC":
        return
    code, element = at(procedure, 1), line.procedure_element
    if code and not is_procedure_shape(code):
        message = f"{element}-2 has not the form of a HCPCS or CPT code (five characters)."
        yield _finding("procedure-shape", message, segment, line.service_position, "2400", f"{element}-2", code)
    elif code and served is not None and code_sets.procedure(code, served) is False:
        message = f"{element}-2 is not a HCPCS code in use on {served.isoformat()}."
        yield _finding("procedure-unknown", message, segment, line.service_position, "2400", f"{element}-2", code)
    if len(procedure) > 2:
        yield from _modifier_findings(procedure[2:6], segment, line.service_position, element)


def _modifier_findings(modifiers: list[str], segment: str, position: int, element: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, modifier in enumerate(modifiers, 3):
        if len(modifier) != 2:
            continue  # blank, or of a length the guide refuses
        if not is_modifier_shape(modifier):
            message = f"{element}-{index} is not a modifier: two letters or digits."
            yield _finding("modifier-shape", message, segment, position, "2400", f"{element}-{index}", modifier)
        elif modifier in seen:
            message = f"{element}-{index} repeats a modifier of the same line."
            yield _finding("modifier-repeated", message, segment, position, "2400", f"{element}-{index}", modifier)
        seen.add(modifier)


def _code_date(claim: ClaimFact, institutional: bool) -> str:
    """The date diagnoses are read by: the statement's first day, else the first line's."""
    if institutional and claim.statement_from:
        return claim.statement_from
    return next((line.date_from for line in claim.lines if line.date_from), claim.statement_from)


@lru_cache(maxsize=8192)
def _day(text: str) -> date | None:
    try:
        return day(text[:8])
    except ValueError:
        return None


def _finding(code: str, message: str, segment: str, position: int, loop: str, element: str, value: str) -> Finding:
    return Finding(5, ERROR, code, message, segment, position, loop, element, redacted(value), "8", "7")
